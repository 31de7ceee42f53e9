import type { Consent } from '@relay/contract';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fate, TakenJob } from './batch.ts';
import type { Coalescer } from './coalescer.ts';
import { aCoalescer, DONE } from './testing/coalescer.test-kit.ts';
import { aJob } from './testing/deliver.test-kit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('coalescing', () => {
  it('sends at once to an idle destination, before `add` returns', () => {
    const { coalescer, sent } = aCoalescer();
    void coalescer.add(aJob({ jobId: 'a' }));
    expect(sent()).toEqual([['a']]);
    void coalescer.add(aJob({ jobId: 'other', destinationId: 'B' }));
    expect(sent()).toEqual([['a'], ['other']]);
  });

  it('sends together what arrives while a request is in flight', async () => {
    const { coalescer, flights, sent } = aCoalescer();
    const fates = ['a', 'b', 'c', 'd'].map((jobId) => coalescer.add(aJob({ jobId })));
    expect(sent()).toEqual([['a']]);
    await flights[0]!.end();
    expect(sent()).toEqual([['a'], ['b', 'c', 'd']]);
    await flights[1]!.end();
    await expect(Promise.all(fates)).resolves.toEqual([DONE, DONE, DONE, DONE]);
  });

  it('uses every request that may be in flight at once, and no more', async () => {
    const { coalescer, flights, sent } = aCoalescer({ concurrency: 2 });
    for (const jobId of ['a', 'b', 'c', 'd']) void coalescer.add(aJob({ jobId }));
    expect(sent()).toEqual([['a'], ['b']]);
    await flights[0]!.end();
    expect(sent()).toEqual([['a'], ['b'], ['c', 'd']]);
  });

  it('counts a destination’s requests in flight over all its test codes and consents', async () => {
    const { coalescer, flights, sent } = aCoalescer({ concurrency: 1 });
    void coalescer.add(aJob({ jobId: 'a' }));
    void coalescer.add(aJob({ jobId: 't', testCode: 'T' }));
    expect(sent()).toEqual([['a']]);
    await flights[0]!.end();
    expect(sent()).toEqual([['a'], ['t']]);
  });

  it('sends a job that is larger than a request alone', async () => {
    const { coalescer, flights, sent } = aCoalescer();
    for (const [jobId, events] of [['a', 1], ['huge', 25], ['b', 1]] as const) void coalescer.add(aJob({ jobId, events }));
    await flights[0]!.end();
    await flights[1]!.end();
    expect(sent()).toEqual([['a'], ['huge'], ['b']]);
  });

  it('gives each job its own fate', async () => {
    const { coalescer } = aCoalescer({ deliver: (jobs) => Promise.resolve(jobs.map(({ jobId }): Fate => ({ kind: 'retry', delayMs: 1, code: jobId }))) });
    const fates = ['a', 'b', 'c'].map((jobId) => coalescer.add(aJob({ jobId })));
    await expect(Promise.all(fates)).resolves.toEqual(['a', 'b', 'c'].map((code) => ({ kind: 'retry', delayMs: 1, code })));
  });
});

describe('several destinations in one request', () => {
  it('joins the destinations of one account, up to the limit; the others are next', async () => {
    const { coalescer, flights, sent } = aCoalescer({ maxDestinations: 3 });
    for (const destinationId of ['A', 'B', 'C', 'D', 'E', 'B']) void coalescer.add(aJob({ jobId: destinationId, destinationId }));
    void coalescer.add(aJob({ jobId: 'foreign', accountId: 'other', destinationId: 'B' }));
    expect(sent()).toEqual([['A'], ['foreign']]);
    await flights[0]!.end();
    expect(sent()[2]).toEqual(['B', 'C', 'D', 'B']);
    await flights[2]!.end();
    expect(sent()[3]).toEqual(['E']);
  });

  it('does not let a destination with a lot waiting push another one out', async () => {
    const { coalescer, flights, sent } = aCoalescer({ maxDestinations: 10, maxBufferedBytesPerDestination: 5_000 });
    for (let i = 0; i < 200; i += 1) void coalescer.add(aJob({ jobId: `A${i}`, destinationId: 'A' }));
    const other = coalescer.add(aJob({ jobId: 'B', destinationId: 'B' }));
    await flights[0]!.end();
    expect(sent()[1]).toContain('B');
    expect(sent()[1]).toHaveLength(10);
    await flights[1]!.end();
    await expect(other).resolves.toEqual(DONE);
  });

  it('gives an eleventh destination its turn however much the ten have waiting', async () => {
    const { coalescer, flights, sent } = aCoalescer({ maxDestinations: 2 });
    for (let i = 0; i < 60; i += 1) void coalescer.add(aJob({ jobId: `${'AB'[i % 2]}${i}`, destinationId: 'AB'[i % 2]! }));
    void coalescer.add(aJob({ jobId: 'C', destinationId: 'C' }));
    await flights[0]!.end();
    await flights[1]!.end();
    expect(sent()[2]).toContain('C');
  });
});

describe('a destination that has its share of memory', () => {
  const over = { maxBufferedBytesPerDestination: 250 }; // two jobs of 100 bytes

  it('takes no more, and the worker takes no jobs, until there is room again', async () => {
    const { coalescer, flights, sent, appetite } = aCoalescer(over);
    for (const jobId of ['a', 'b', 'c', 'd', 'e']) void coalescer.add(aJob({ jobId }));
    expect(appetite).toEqual([false]);
    expect(coalescer.bufferedBytes).toBe(200);
    await flights[0]!.end();
    expect(sent()).toEqual([['a'], ['b', 'c']]);
    expect(appetite).toEqual([false, true]); // d and e fit now
    expect(coalescer.bufferedBytes).toBe(200);
    await vi.advanceTimersByTimeAsync(60_000);
    await flights[1]!.end();
    expect(sent()).toEqual([['a'], ['b', 'c'], ['d', 'e']]);
  });

  it('fills a free slot with what had to wait outside', async () => {
    const { coalescer, flights, sent } = aCoalescer({ ...over, concurrency: 2, maxEvents: 2 });
    for (const jobId of ['a', 'b', 'c', 'd', 'e', 'f']) void coalescer.add(aJob({ jobId }));
    expect(sent()).toEqual([['a'], ['b']]);
    await flights[0]!.end();
    expect(sent()[2]).toEqual(['c', 'd']);
    await flights[1]!.end();
    expect(sent()[3]).toEqual(['e', 'f']);
  });

  it('does not let a small job past a larger one that waits outside', async () => {
    const { coalescer, flights, sent } = aCoalescer(over);
    for (const [jobId, bytes] of [['a', 100], ['b', 200], ['big', 200], ['small', 10]] as const) void coalescer.add(aJob({ jobId, bytes }));
    await flights[0]!.end();
    await flights[1]!.end();
    expect(sent()).toEqual([['a'], ['b'], ['big', 'small']]);
  });

  it('sends the rest back with a delay when a quarter of a second has not helped', async () => {
    const { coalescer, appetite } = aCoalescer(over);
    const fates = ['a', 'b', 'c', 'd'].map((jobId) => coalescer.add(aJob({ jobId })));
    const started = Date.now();
    await vi.advanceTimersByTimeAsync(250);
    await expect(fates[3]).resolves.toEqual({ kind: 'delay', untilMs: started + 250 + 500 });
    expect(appetite).toEqual([false, true]);
  });

  it('is not waited for where it hangs, and does not stop others', async () => {
    const { coalescer, flights, appetite, sent } = aCoalescer(over);
    for (const jobId of ['a', 'b', 'c']) void coalescer.add(aJob({ jobId }));
    await vi.advanceTimersByTimeAsync(20_000); // a hangs
    const started = Date.now();
    const late = coalescer.add(aJob({ jobId: 'late' }));
    const other = coalescer.add(aJob({ jobId: 'other', destinationId: 'B' }));
    expect(sent()).toEqual([['a'], ['other']]);
    await vi.advanceTimersByTimeAsync(1);
    await expect(late).resolves.toMatchObject({ kind: 'delay' });
    expect(((await late) as { untilMs: number }).untilMs).toBeGreaterThanOrEqual(started + 15_000);
    expect(appetite.at(-1)).toBe(true);
    await flights[1]!.end();
    await expect(other).resolves.toEqual(DONE);
  });

  it('takes a large backlog back piece by piece, as it can be sent, and not all at once', async () => {
    const { coalescer } = aCoalescer(over);
    for (const jobId of ['a', 'b', 'c']) void coalescer.add(aJob({ jobId }));
    await vi.advanceTimersByTimeAsync(2_600); // a hangs
    const started = Date.now();
    const fates = await Promise.all(Array.from({ length: 40 }, () => coalescer.add(aJob({ events: 1_000 }))).map(async (fate) => (await Promise.all([fate, vi.advanceTimersByTimeAsync(1)]))[0]));
    const delays = fates.map((fate) => (fate as { untilMs: number }).untilMs - started);
    expect(delays).toEqual(delays.toSorted((one, other) => one - other));
    expect(delays.at(-1)!).toBeGreaterThan(5 * delays[0]!);
  });

  it('parks for the requests that wait, not for the jobs: a thousand small ones are one request', async () => {
    const { coalescer } = aCoalescer({ maxEvents: 1_000, maxBufferedBytesPerDestination: 100_000 });
    const fates = Array.from({ length: 1_100 }, () => coalescer.add(aJob()));
    const started = Date.now();
    await vi.advanceTimersByTimeAsync(250);
    await expect(fates.at(-1)).resolves.toEqual({ kind: 'delay', untilMs: started + 250 + 500 });
  });
});

describe('memory in all', () => {
  it('stops and goes on taking jobs as the bytes that wait pass the limit', async () => {
    const { coalescer, flights, appetite } = aCoalescer({ maxBufferedBytes: 300 });
    for (const destinationId of ['A', 'A', 'B', 'B', 'C', 'C']) void coalescer.add(aJob({ destinationId }));
    expect(coalescer.bufferedBytes).toBe(300);
    expect(appetite).toEqual([false]);
    await flights[0]!.end();
    expect(appetite).toEqual([false, true]);
  });
});

describe('stop', () => {
  it('gives back what is not sent, inside and outside; what is in flight ends by itself', async () => {
    const { coalescer, flights, appetite, sent } = aCoalescer({ maxBufferedBytesPerDestination: 250 });
    const fates = ['a', 'b', 'c', 'd', 'e'].map((jobId) => coalescer.add(aJob({ jobId })));
    expect(coalescer.stopping).toBe(false);
    coalescer.stop();
    expect(coalescer.stopping).toBe(true);
    await expect(Promise.all(fates.slice(1))).resolves.toEqual(Array.from({ length: 4 }, () => ({ kind: 'give_back' })));
    expect([coalescer.bufferedBytes, coalescer.inFlight]).toEqual([0, 1]);
    await expect(coalescer.add(aJob())).resolves.toEqual({ kind: 'give_back' });
    await flights[0]!.end();
    await expect(fates[0]).resolves.toEqual(DONE);
    expect(sent()).toEqual([['a']]);
    expect(coalescer.inFlight).toBe(0);
    expect(appetite).toEqual([false]); // it does not ask for more after the stop
    expect(vi.getTimerCount()).toBe(0);
    coalescer.stop();
  });
});

describe("the worker's turns", () => {
  const many = (coalescer: Coalescer, count: number, over: Partial<TakenJob> = {}) => {
    const parked: TakenJob[] = [];
    for (let i = 0; i < count; i += 1) {
      const job = aJob({ ...over });
      void coalescer.add(job).then((fate) => {
        if (fate.kind === 'delay') parked.push(job);
      });
    }
    return parked;
  };

  it('are not all used by the requests of one destination', async () => {
    const { coalescer, flights } = aCoalescer({ maxEvents: 1_000, maxJobs: 40, concurrency: 2 });
    many(coalescer, 39);
    await flights[0]!.end();
    await flights[1]!.end();
    expect(flights.map(({ jobs }) => jobs.length)).toEqual([1, 1, 10, 10]);
  });

  it('are given up by a destination that hangs, but for its share', async () => {
    const { coalescer, sent } = aCoalescer({ maxJobs: 40 });
    const parked = many(coalescer, 40);
    await vi.advanceTimersByTimeAsync(2_499);
    expect(parked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(parked).toHaveLength(20);
    many(coalescer, 1, { destinationId: 'other' });
    expect(sent()).toHaveLength(2);
  });

  it('are given up sooner where it is known how long its requests usually take', async () => {
    const { coalescer, flights } = aCoalescer({ maxJobs: 40, maxEvents: 1_000 });
    const parked = many(coalescer, 41);
    await vi.advanceTimersByTimeAsync(200);
    await flights[0]!.end();
    await vi.advanceTimersByTimeAsync(799);
    expect(parked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(parked).toHaveLength(20);
  });

  it('are shared by all that hang, so that half of them stay for the others', async () => {
    const { coalescer } = aCoalescer({ maxJobs: 40 });
    const parked = ['A', 'B', 'C', 'D'].flatMap((destinationId) => [many(coalescer, 10, { destinationId })]);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(parked.map((own) => own.length)).toEqual([5, 5, 5, 5]);
    // What comes now for one of them goes back at once, and the worker goes on taking jobs.
    const more = many(coalescer, 3, { destinationId: 'A' });
    await vi.advanceTimersByTimeAsync(0);
    expect(more).toHaveLength(3);
  });

  it('are all free again for a destination that has recovered', async () => {
    const { coalescer, flights } = aCoalescer({ maxJobs: 40, maxEvents: 1_000 });
    many(coalescer, 2);
    await vi.advanceTimersByTimeAsync(2_500);
    await flights[0]!.end();
    for (let i = 1; i < 4; i += 1) await flights[i]?.end();
    const parked = many(coalescer, 40);
    expect(flights.at(-1)!.jobs).toHaveLength(1);
    await flights.at(-1)!.end();
    expect(flights.at(-1)!.jobs).toHaveLength(20);
    expect(parked).toEqual([]);
  });
});

describe('a delivery that throws', () => {
  it('fails its jobs and frees the slot', async () => {
    const { coalescer, flights, sent } = aCoalescer();
    const fates = ['a', 'b'].map((jobId) => coalescer.add(aJob({ jobId })));
    const failed = fates[0]!.catch((error: unknown) => error);
    await flights[0]!.fail(new Error('Redis is away'));
    await expect(failed).resolves.toEqual(new Error('Redis is away'));
    expect(sent()).toEqual([['a'], ['b']]);
    await flights[1]!.end();
    await expect(fates[1]).resolves.toEqual(DONE);
    expect(coalescer.inFlight).toBe(0);
  });

  it('fails its jobs too where a fate is missing', async () => {
    const { coalescer } = aCoalescer({ deliver: () => Promise.resolve([]) });
    await expect(coalescer.add(aJob())).rejects.toThrow('1 jobs were delivered and 0 fates came back');
  });
});

/** A job and the time that passes before it arrives. */
const arrival = fc.record({
  gapMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 400 })),
  accountId: fc.constantFrom('a1', 'a2'),
  destinationId: fc.constantFrom('A', 'B', 'C', 'D'),
  testCode: fc.constantFrom(undefined, undefined, 'T'),
  consent: fc.constantFrom<(Consent | undefined)[]>(undefined, undefined, {}, { adUserData: 'GRANTED' }, { adUserData: 'DENIED', adPersonalization: 'GRANTED' }),
  events: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 14 })),
  bytes: fc.integer({ min: 10, max: 600 }),
});
const mixOf = ({ testCode, consent }: TakenJob) => JSON.stringify([testCode, consent?.adUserData, consent?.adPersonalization]);
const DESTINATION_BYTES = 1_500;

it('keeps caps, order, concurrency and every job, whatever arrives and however long requests take', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 1, maxLength: 120, size: 'max' }),
      fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(-1, 8_000)), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(4, 20, 1_000),
      async (arrivals, latencies, concurrency, maxDestinations, maxJobs) => {
        const limits = { maxEvents: 10, maxRequestBytes: 1_000, maxDestinations };
        const batches: (readonly TakenJob[])[] = [];
        const flying = new Map<string, number>();
        let mostInFlight = 0;
        const appetite: boolean[] = [];
        const { coalescer } = aCoalescer({
          ...limits,
          concurrency,
          maxJobs,
          maxBufferedBytes: 4_000,
          maxBufferedBytesPerDestination: DESTINATION_BYTES,
          onAppetite: (wantsMore) => appetite.push(wantsMore),
          async deliver(jobs) {
            const latency = latencies[batches.push(jobs) % latencies.length]!;
            const targets = new Set(jobs.map(({ accountId, destinationId }) => `${accountId}/${destinationId}`));
            for (const target of targets) {
              flying.set(target, (flying.get(target) ?? 0) + 1);
              mostInFlight = Math.max(mostInFlight, flying.get(target)!);
            }
            await new Promise((resolve) => setTimeout(resolve, Math.abs(latency)));
            for (const target of targets) flying.set(target, flying.get(target)! - 1);
            if (latency < 0) throw new Error('away');
            return jobs.map(() => DONE);
          },
        });
        const jobs = arrivals.map(({ gapMs: _gap, ...fields }, i) => aJob({ jobId: String(i), ...fields }));
        const fates: Promise<Fate | 'threw'>[] = [];
        for (const [i, job] of jobs.entries()) {
          await vi.advanceTimersByTimeAsync(arrivals[i]!.gapMs);
          fates.push(coalescer.add(job).catch(() => 'threw'));
        }
        await vi.runAllTimersAsync();
        const ends = await Promise.all(fates);

        expect(mostInFlight).toBeLessThanOrEqual(concurrency);
        for (const batch of batches) {
          expect(new Set(batch.map(({ accountId }) => accountId)).size).toBe(1);
          expect(new Set(batch.map(mixOf)).size).toBe(1);
          expect(new Set(batch.map(({ destinationId }) => destinationId)).size).toBeLessThanOrEqual(maxDestinations);
          const alone = batch.length === 1;
          expect(alone || batch.length <= maxJobs / 2 / concurrency).toBe(true);
          expect(alone || batch.reduce((sum, job) => sum + job.events, 0) <= limits.maxEvents).toBe(true);
          expect(alone || batch.reduce((sum, job) => sum + job.bytes, 0) <= limits.maxRequestBytes).toBe(true);
        }
        const sent = batches.flat();
        const parked = jobs.filter((_, i) => ends[i] !== 'threw' && (ends[i] as Fate).kind === 'delay');
        expect([...sent, ...parked].map(({ jobId }) => Number(jobId)).sort((a, b) => a - b)).toEqual([...jobs.keys()]);
        for (const line of Map.groupBy(sent, (job) => `${job.accountId}/${job.destinationId}/${mixOf(job)}`).values()) {
          const order = line.map(({ jobId }) => Number(jobId));
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        expect([coalescer.bufferedBytes, coalescer.inFlight, vi.getTimerCount()]).toEqual([0, 0, 0]);
        expect(appetite).toEqual(appetite.map((_, i) => i % 2 === 1));
        expect(appetite.length % 2).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

describe('many waiting jobs', () => {
  beforeEach(() => {
    vi.useRealTimers();
  });

  /** Ms to bring n one-event jobs, all there before the first request ends, to their end. */
  async function drain(n: number, maxEvents: number, maxDestinations: number): Promise<number> {
    const gate = Promise.withResolvers<void>();
    const { coalescer } = aCoalescer({
      maxEvents,
      maxDestinations,
      concurrency: 2,
      maxBufferedBytes: Infinity,
      maxBufferedBytesPerDestination: Infinity,
      deliver: (jobs) => gate.promise.then(() => jobs.map(() => DONE)),
    });
    const jobs = Array.from({ length: n }, (_, i) => aJob({ jobId: '', destinationId: String(i % maxDestinations) }));
    const started = performance.now();
    const fates = jobs.map((job) => coalescer.add(job));
    gate.resolve();
    await Promise.all(fates);
    expect(coalescer.bufferedBytes).toBe(0);
    return performance.now() - started;
  }

  it.each([
    ['a request each', 1, 1],
    ['a thousand a request', 1_000, 1],
    ['ten destinations', 2_000, 10],
  ])('are not taken in quadratic time: 100,000, %s', async (_name, maxEvents, maxDestinations) => {
    await drain(10_000, maxEvents, maxDestinations); // warm up
    const tenth = await drain(10_000, maxEvents, maxDestinations);
    // Ten times as many, and not a hundred times as long: copying the waiting list for every request took that.
    expect((await drain(100_000, maxEvents, maxDestinations)) / tenth).toBeLessThan(30);
  });
});
