import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CoalescerOptions } from './coalescer.ts';
import { aCoalescer } from './testing/coalescer.test-kit.ts';
import { aJob } from './testing/deliver.test-kit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a crowd', () => {
  const CROWD = { maxEvents: 1_000 };
  /** A coalescer that has just sent 32 events, the end of whose request was seen. */
  async function afterACrowd(over: Partial<CoalescerOptions> = {}) {
    const made = aCoalescer({ ...CROWD, ...over });
    void made.coalescer.add(aJob({ jobId: 'crowd', events: 32 }));
    await vi.advanceTimersByTimeAsync(10);
    await made.flights[0]!.end();
    return made;
  }

  it('keeps requests 50 ms apart at least, so that what comes meanwhile goes together', async () => {
    const { coalescer, flights, sent } = await afterACrowd();
    for (const jobId of ['a', 'b']) void coalescer.add(aJob({ jobId, events: 20 }));
    await vi.advanceTimersByTimeAsync(39);
    expect(sent()).toEqual([['crowd']]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toEqual([['crowd'], ['a', 'b']]);
    await flights[1]!.end();
    void coalescer.add(aJob({ jobId: 'c' }));
    await vi.advanceTimersByTimeAsync(49);
    expect(sent()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()[2]).toEqual(['c']);
    // A single event makes no crowd.
    await flights[2]!.end();
    void coalescer.add(aJob({ jobId: 'd' }));
    expect(sent()[3]).toEqual(['d']);
  });

  it('waits for the answer, also where another request may be in flight', async () => {
    const { coalescer, flights, sent } = aCoalescer({ ...CROWD, concurrency: 2 });
    void coalescer.add(aJob({ jobId: 'crowd', events: 32 }));
    void coalescer.add(aJob({ jobId: 'a', events: 20 }));
    await vi.advanceTimersByTimeAsync(100);
    void coalescer.add(aJob({ jobId: 'b', events: 20 }));
    expect(sent()).toEqual([['crowd']]);
    await flights[0]!.end();
    expect(sent()).toEqual([['crowd'], ['a', 'b']]);
    // What is asked about goes at once, and where it is a crowd itself its answer is the one to wait for.
    void coalescer.add(aJob({ jobId: 'asked', awaited: true, events: 32 }));
    await vi.advanceTimersByTimeAsync(60);
    void coalescer.add(aJob({ jobId: 'c' }));
    await flights[1]!.end();
    expect(sent()).toEqual([['crowd'], ['a', 'b'], ['asked']]);
    await flights[2]!.end();
    expect(sent()[3]).toEqual(['c']);
  });

  it('waits for no answer longer than 250 ms', async () => {
    const { coalescer, sent } = aCoalescer({ ...CROWD, concurrency: 2 });
    void coalescer.add(aJob({ jobId: 'crowd', events: 32 }));
    void coalescer.add(aJob({ jobId: 'a' }));
    await vi.advanceTimersByTimeAsync(249);
    expect(sent()).toEqual([['crowd']]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toEqual([['crowd'], ['a']]);
  });

  it('is over when nothing has come for so long', async () => {
    const { coalescer, sent } = await afterACrowd();
    await vi.advanceTimersByTimeAsync(40);
    void coalescer.add(aJob({ jobId: 'a' }));
    expect(sent()).toEqual([['crowd'], ['a']]);
  });

  it('is none below 32 events', async () => {
    const { coalescer, flights, sent } = aCoalescer(CROWD);
    void coalescer.add(aJob({ jobId: 'few', events: 31 }));
    await flights[0]!.end();
    void coalescer.add(aJob({ jobId: 'a' }));
    expect(sent()).toEqual([['few'], ['a']]);
  });

  it('keeps nobody waiting who waits for an answer, and takes along what is there', async () => {
    const { coalescer, sent } = await afterACrowd();
    void coalescer.add(aJob({ jobId: 'a' }));
    void coalescer.add(aJob({ jobId: 'asked', awaited: true }));
    expect(sent()).toEqual([['crowd'], ['a', 'asked']]);
    void coalescer.add(aJob({ jobId: 'b' }));
    await vi.advanceTimersByTimeAsync(39);
    expect(sent()).toHaveLength(2);
  });

  it('does not hold up what is large', async () => {
    const { coalescer, sent } = await afterACrowd({ maxBufferedBytesPerDestination: 1_000_000 });
    void coalescer.add(aJob({ jobId: 'a', bytes: 200_000 }));
    expect(sent()).toEqual([['crowd']]);
    void coalescer.add(aJob({ jobId: 'b', bytes: 62_144 }));
    expect(sent()).toEqual([['crowd'], ['a', 'b']]);
  });

  it('concerns its own destination alone', async () => {
    const { coalescer, sent } = await afterACrowd();
    void coalescer.add(aJob({ jobId: 'other', destinationId: 'B' }));
    expect(sent()).toEqual([['crowd'], ['other']]);
  });

  it('gives back what it holds when the worker stops', async () => {
    const { coalescer, sent } = await afterACrowd();
    const fate = coalescer.add(aJob({ jobId: 'a' }));
    coalescer.stop();
    await expect(fate).resolves.toEqual({ kind: 'give_back' });
    await vi.advanceTimersByTimeAsync(100);
    expect(sent()).toEqual([['crowd']]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
