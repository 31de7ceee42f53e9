import { setTimeout as sleep } from 'node:timers/promises';
import { Job } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fate } from '@relay/delivery';
import type { QueueJob, SharedStore, StatusData } from '@relay/redis';
import { openDelivery } from '@relay/redis';
import { createRelease, keys } from '@relay/redis/testing';
import { waitFor } from '@relay/testkit';
import { batchOf, delivered, openRelay, send, type Relay } from './a-relay.ts';
import { openProxy } from './redis-proxy.ts';

let relay: Relay;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  relay = stack.use(await openRelay());
});
afterEach(() => stack.disposeAsync());

type Worker = ReturnType<ReturnType<typeof openDelivery>['start']>;
interface Started {
  readonly worker: Worker;
  readonly errors: string[];
  /** What was taken, in order. */
  readonly taken: { readonly job: QueueJob; readonly atMs: number }[];
}
interface Work {
  readonly deliver: (job: QueueJob, turn: number) => Promise<Fate> | Fate;
  readonly concurrency?: number;
  readonly store?: SharedStore;
  readonly pollStatus?: (data: StatusData) => Promise<number | undefined>;
  readonly lockMs?: number;
  readonly stalledCheckMs?: number;
}

function startWorker({ deliver, concurrency = 1, store = relay.worker, pollStatus = () => Promise.resolve(undefined), ...locks }: Work): Started {
  const lane = openDelivery(store, relay.lane(), { sealer: relay.sealer, retentionDays: 30, now: () => relay.now() });
  const errors: string[] = [];
  const taken: { job: QueueJob; atMs: number }[] = [];
  const worker = lane.start({
    concurrency,
    async deliver(job) {
      taken.push({ job, atMs: performance.now() });
      return deliver(job, taken.length);
    },
    pollStatus,
    onError: (error, what) => errors.push(`${what}: ${error.message}`),
    ...locks,
  });
  stack.defer(() => worker.close());
  return { worker, errors, taken };
}

const done: Fate = { kind: 'done' };
const counts = async () => (await relay.api.health.queueCounts()).find(({ queue }) => queue === 'metaads')!.counts;
const emptied = () => waitFor(async () => Object.values(await counts()).every((count) => count === 0), { what: 'the queue to be empty' });
const takenTimes = (started: Started, times: number) => waitFor(() => started.taken.length >= times, { everyMs: 5, what: `${times} turns` });

describe('a fate', () => {
  test('done: the job is gone', async () => {
    const deliveryId = await send(relay.api, { events: 2 });
    const { errors } = startWorker({
      async deliver(job) {
        await relay.delivery().settle(delivered(await batchOf(job)));
        return done;
      },
    });
    await relay.api.deliveries.waitFor(deliveryId, 5_000);
    await emptied();
    expect(await relay.redis.keys('{relay}:metaads:j*')).toEqual([]);
    expect(await relay.ledger()).toMatchObject({ accepted: 2, delivered: 2, pending: 0 });
    expect(errors).toEqual([]);
  });

  test('done: the memory of its events is free, and after a fault it is not', async () => {
    await send(relay.api, { events: 1000 });
    const wires: Uint8Array[] = [];
    startWorker({
      async deliver(job, turn) {
        wires.push((await job.load())[0]!.wire);
        if (turn === 1) throw new Error('a bug');
        return done;
      },
    });
    await waitFor(() => wires.length === 2, { what: 'the second turn' });
    await emptied();
    expect(wires.map(({ length }) => length > 0)).toEqual([true, false]);
  });

  test('retry: an attempt is counted, and the job comes back after the delay', async () => {
    await send(relay.api);
    const started = startWorker({ deliver: (_job, turn) => (turn < 3 ? { kind: 'retry', delayMs: 150.4, code: 'timeout' } : done) });
    await takenTimes(started, 3);
    expect(started.taken.map(({ job }) => job.attemptsMade)).toEqual([0, 1, 2]);
    expect(started.taken[1]!.atMs - started.taken[0]!.atMs).toBeGreaterThan(140);
    await emptied();
    expect(started.errors).toEqual([]);
  });

  test('delay: no attempt is counted', async () => {
    await send(relay.api);
    const started = startWorker({ deliver: (_job, turn) => (turn < 3 ? { kind: 'delay', untilMs: Date.now() + 150.7 } : done) });
    await takenTimes(started, 3);
    expect(started.taken.map(({ job }) => job.attemptsMade)).toEqual([0, 0, 0]);
    expect(started.taken[1]!.atMs - started.taken[0]!.atMs).toBeGreaterThan(140);
    await emptied();
  });

  test('hold: the job waits, its events are held, and a release brings it back at once', async () => {
    const deliveryId = await send(relay.api, { events: 2 });
    const started = startWorker({ deliver: (_job, turn) => (turn === 1 ? { kind: 'hold', untilMs: Date.now() + 3_600_000 } : done) });
    await waitFor(async () => (await counts())['delayed'] === 1);
    expect(await relay.ledger()).toMatchObject({ held: 2, pending: 0 });
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'held', eventsHeld: 2 });
    expect(await relay.api.accounts.heldEvents('acc')).toBe(0); // no such account
    expect(await relay.worker.release('metaads', 'acc')).toBe(2);
    await takenTimes(started, 2);
    expect(started.taken[1]!.job.attemptsMade).toBe(0);
    await emptied();
  });

  test('hold: a release waits for what is held by the books and still on its way into the delayed set', async () => {
    await send(relay.api, { events: 2 });
    const moveToDelayed = vi.spyOn(Job.prototype, 'moveToDelayed').mockImplementationOnce(async function (this: Job, ...args) {
      moveToDelayed.mockRestore();
      await new Promise((resolve) => setTimeout(resolve, 150));
      return this.moveToDelayed(...args);
    });
    const started = startWorker({ deliver: (_job, turn) => (turn > 1 ? done : { kind: 'hold', untilMs: Date.now() + 3_600_000 }) });
    await waitFor(async () => (await relay.ledger())['held'] === 2, { everyMs: 5, what: 'the books to say held' });
    expect(await counts()).toMatchObject({ active: 1, delayed: 0 });
    expect(await relay.worker.release('metaads', 'acc')).toBe(2);
    await takenTimes(started, 2);
    await emptied();
  });

  test('hold: what a release met half way, the next one frees', async () => {
    await send(relay.api, { events: 2 });
    const half = Promise.withResolvers<void>();
    const started = startWorker({
      async deliver(job, turn) {
        if (turn > 1) return done;
        // The books say held, the job is still active: a release in between must not forget it.
        await waitFor(async () => (await relay.redis.hexists(keys.held('{relay}', 'metaads', 'acc'), job.jobId)) === 0);
        half.resolve();
        return { kind: 'hold', untilMs: Date.now() + 3_600_000 };
      },
    });
    await half.promise;
    await waitFor(async () => (await relay.worker.release('metaads', 'acc')) === 2, { everyMs: 5, what: 'the release' });
    await takenTimes(started, 2);
    await emptied();
    expect(await relay.ledger()).toMatchObject({ held: 0 });
  });

  test('hold: what is held again while a release is under way stays in the hold for the next one', async () => {
    const deliveryId = await send(relay.api, { events: 2 });
    const started = startWorker({ deliver: (_job, turn) => (turn < 3 ? { kind: 'hold', untilMs: Date.now() + 3_600_000 } : done) });
    const heldTimes = (times: number) => waitFor(async () => started.taken.length === times && (await counts())['delayed'] === 1, { everyMs: 5, what: `hold ${times}` });
    await heldTimes(1);
    const queue = relay.api.queues.find(({ name }) => name === 'metaads')!;
    // Between making the job due and writing that it is released, a worker that still takes the account for inactive holds it again.
    const promote = vi.spyOn(Job.prototype, 'promote').mockImplementationOnce(async function (this: Job) {
      promote.mockRestore();
      await this.promote();
      await heldTimes(2);
    });
    const release = createRelease({ connection: relay.worker.connection, lanes: relay.worker.lanes, queueOf: () => queue, retentionDays: 30, now: () => relay.now() });
    await release('metaads', 'acc');
    expect(await relay.redis.hkeys(keys.held('{relay}', 'metaads', 'acc'))).toEqual([started.taken[0]!.job.jobId]);
    expect(await relay.ledger()).toMatchObject({ held: 2, pending: 0 });
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'held', eventsHeld: 2 });
    expect(await release('metaads', 'acc')).toBe(2);
    await takenTimes(started, 3);
    await emptied();
  });

  test('give_back: the job keeps its place, spends no attempt, and another worker has it at once', async () => {
    const first = await send(relay.api, { destinationId: 'first' });
    await send(relay.api, { destinationId: 'second' });
    const stopping = startWorker({ deliver: () => ({ kind: 'give_back' }) });
    await takenTimes(stopping, 1);
    await stopping.worker.close();
    expect((await relay.jobs()).map(({ destinationId }) => destinationId)).toEqual(['first', 'second']);
    const next = startWorker({ deliver: () => done });
    await takenTimes(next, 2);
    expect(next.taken.map(({ job }) => job.destinationId)).toEqual(['first', 'second']);
    expect(next.taken[0]!.job).toMatchObject({ attemptsMade: 0, data: { p: [{ d: first }] } });
  });

  test('give_back: an idle worker is woken for it', async () => {
    const held = Promise.withResolvers<Fate>();
    const stopping = startWorker({ deliver: () => held.promise });
    await send(relay.api);
    await takenTimes(stopping, 1);
    const idle = startWorker({ deliver: () => done });
    const asked = idle.worker.lastAliveMs;
    await waitFor(() => idle.worker.lastAliveMs > asked, { what: 'the second worker to have found nothing' });
    // Taking the job left a marker, which wakes the idle one for nothing once more.
    await waitFor(async () => (await relay.redis.exists(keys.marker(relay.lane()))) === 0, { what: 'all markers to be used up' });
    const closing = stopping.worker.close();
    const start = performance.now();
    held.resolve({ kind: 'give_back' });
    await takenTimes(idle, 1);
    expect(performance.now() - start).toBeLessThan(4_000); // without a marker it would ask again after 5 s
    await closing;
  });
});

describe('trouble', () => {
  test('a fault of our own spends no attempt, is said, and the job comes back', async () => {
    await send(relay.api);
    const started = startWorker({
      deliver(_job, turn) {
        if (turn === 1) throw new Error('a bug');
        return done;
      },
    });
    await takenTimes(started, 2);
    expect(started.taken[1]!.job.attemptsMade).toBe(0);
    expect(started.errors).toEqual(['job.failed: a bug']);
    await emptied();
  });

  test('a job of unknown format is put aside, not lost', async () => {
    await send(relay.api);
    const [job] = await relay.jobs();
    await relay.redis.hset(keys.job(relay.lane(), job!.jobId), 'data', JSON.stringify({ ...job!.data, v: 2 }));
    const started = startWorker({ deliver: () => done });
    await waitFor(async () => (await counts())['delayed'] === 1);
    expect(started.taken).toEqual([]);
    expect(started.errors).toEqual([expect.stringContaining('job.unknown_format')]);
    expect(await relay.ledger()).toMatchObject({ pending: 1 });
  });

  test('the job of a worker that died goes to another, and what it had settled stays settled', async () => {
    await send(relay.api, { events: 3 });
    // Behind a proxy that lets nothing through any more, it neither renews its lock nor says good-bye.
    const proxy = stack.use(await openProxy(relay.url));
    const killed = Promise.withResolvers<Fate>();
    const dying = stack.use(await openRelay({ redisUrl: proxy.url, sealer: relay.sealer }));
    const first = startWorker({
      store: dying.worker,
      lockMs: 300,
      stalledCheckMs: 100,
      async deliver(job) {
        await relay.delivery().settle(delivered(await batchOf(job, [0, 2])));
        return killed.promise;
      },
    });
    stack.defer(() => {
      proxy.open();
      killed.resolve(done);
    });
    await waitFor(async () => (await relay.ledger()).delivered === 2);
    proxy.cut(true);
    const rest: number[] = [];
    const alive = startWorker({
      lockMs: 1_000,
      stalledCheckMs: 100,
      async deliver(job) {
        const batch = await batchOf(job);
        rest.push(...batch.map(({ position }) => position));
        await relay.delivery().settle(delivered(batch));
        return done;
      },
    });
    await takenTimes(alive, 1);
    await emptied();
    expect(rest).toEqual([1]);
    // BullMQ counts no attempt, but the platform may have had the events of the first worker.
    expect([first.taken[0]!.job, alive.taken[0]!.job]).toMatchObject([{ attemptsMade: 0, begunBefore: false }, { attemptsMade: 0, begunBefore: true }]);
    expect(alive.errors).toEqual([expect.stringContaining('job.stalled')]);
    expect(await relay.ledger()).toMatchObject({ accepted: 3, delivered: 3, pending: 0 });
  });

  test('a worker that hung past its lock knows that its job is another one\'s', async () => {
    await send(relay.api);
    const proxy = stack.use(await openProxy(relay.url));
    const hung = Promise.withResolvers<void>();
    const looks: boolean[] = [];
    const hanging = stack.use(await openRelay({ redisUrl: proxy.url, sealer: relay.sealer }));
    startWorker({
      store: hanging.worker,
      lockMs: 300,
      stalledCheckMs: 100,
      async deliver(job) {
        looks.push(await job.isOurs());
        await hung.promise;
        looks.push(await job.isOurs());
        return done;
      },
    });
    await waitFor(() => looks.length === 1);
    proxy.cut(true);
    const ended = Promise.withResolvers<Fate>();
    const alive = startWorker({ lockMs: 1_000, stalledCheckMs: 100, deliver: () => ended.promise });
    await takenTimes(alive, 1);
    proxy.open();
    hung.resolve();
    await waitFor(() => looks.length === 2);
    expect(looks).toEqual([true, false]);
    ended.resolve(done);
    await emptied();
  });
});

describe('a later look at the status', () => {
  test('is a delayed job, is asked for again when told so, and notes what was said on the receipts', async () => {
    const deliveryId = await send(relay.api, { events: 2 });
    const [job] = await relay.jobs();
    const lane = relay.delivery();
    await lane.settle({ delivered: { events: await batchOf(job!), traceId: 't', poll: { statusId: 'req-1', afterMs: 100 } }, requestMs: 5 });
    const unasked = { status: 'processing', errors: [], warnings: [] };
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ platformStatus: 'processing', platformStatusDetails: [unasked], status: 'delivered' });
    let looks = 0;
    const poll = vi.fn<(data: StatusData) => Promise<number | undefined>>(async (data) => {
      looks += 1;
      const status = looks === 1 ? 'processing' : 'success';
      await lane.noteStatus(data, [{ status, recordCount: 2, errors: [], warnings: [] }]);
      return status === 'processing' ? Date.now() + 50 : undefined;
    });
    const started = startWorker({ deliver: () => done, pollStatus: poll });
    await waitFor(() => poll.mock.calls.length === 2);
    await emptied();
    expect(poll.mock.calls[1]![0]).toMatchObject({ accountId: 'acc', statusId: 'req-1', groups: [[deliveryId]] });
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ platformStatus: 'success', status: 'delivered' });
    expect(started.errors).toEqual([]);
  });

  test('is the last word on a delivery only once all of it was sent, and every request asked about', async () => {
    const deliveryId = await send(relay.api, { events: 3, maxChunkEvents: 1 });
    const batches = await Promise.all((await relay.jobs()).map((job) => batchOf(job)));
    const lane = relay.delivery();
    const status = async () => (await relay.api.deliveries.get(deliveryId))!.platformStatus;
    const take = (n: number) => lane.settle({ delivered: { events: batches[n]!, traceId: 't', poll: { statusId: `req-${n}`, afterMs: 100_000 } }, requestMs: 5 });
    const say = (n: number, said: 'success' | 'failed') =>
      lane.noteStatus({ v: 1, accountId: 'acc', statusId: `req-${n}`, sentAt: 0, groups: [[deliveryId]] }, [{ status: said, recordCount: 1, errors: [], warnings: [] }]);
    expect(await status()).toBeUndefined();
    await take(0);
    await take(1);
    await say(0, 'success');
    expect(await status()).toBe('processing');
    await say(1, 'success');
    expect(await status()).toBe('processing'); // the third was not sent yet
    await take(2);
    expect(await status()).toBe('processing');
    await say(2, 'success');
    expect(await status()).toBe('success');
    await take(2); // written again after a crash: what Google said stays
    expect(await status()).toBe('success');
    await say(1, 'failed');
    expect(await status()).toBe('partial_success');
  });

  test('of an unknown format waits for a version that knows it', async () => {
    await relay.api.queues.find(({ name }) => name === 'metaads')!.add('status', { v: 2 }, { jobId: 'sx' });
    const poll = vi.fn<() => Promise<undefined>>(() => Promise.resolve(undefined));
    const started = startWorker({ deliver: () => done, pollStatus: poll });
    await waitFor(async () => (await counts())['delayed'] === 1);
    expect(poll).not.toHaveBeenCalled();
    expect(started.errors).toHaveLength(1);
  });
});

describe('the worker', () => {
  test('says that it is alive as long as it asks for jobs, also with none to do', async () => {
    const { worker } = startWorker({ deliver: () => done });
    const asked = worker.lastAliveMs;
    await waitFor(() => worker.lastAliveMs > asked, { what: 'the first look' });
    const first = worker.lastAliveMs;
    await expect(waitFor(() => worker.lastAliveMs > first + 1_000, { timeoutMs: 15_000, what: 'another look, seconds later' })).resolves.toBe(true);
  });

  test('without appetite takes no more than it has; with it again, all of its concurrency', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => send(relay.api, { destinationId: `d${i}` })));
    const waiting: ((fate: Fate) => void)[] = [];
    const { worker, taken } = startWorker({ concurrency: 10, deliver: () => new Promise((resolve) => waiting.push(resolve)) });
    await waitFor(() => worker.active === 10);
    worker.setAppetite(false);
    for (let left = 9; left >= 1; left -= 1) {
      waiting.shift()!(done);
      await waitFor(() => worker.active === left, { everyMs: 2 });
    }
    expect(taken).toHaveLength(10);
    worker.setAppetite(true);
    waiting.shift()!(done);
    await waitFor(() => worker.active === 10);
    const closing = worker.close();
    while (worker.active > 0) {
      for (const resolve of waiting.splice(0)) resolve({ kind: 'give_back' });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closing;
    expect((await counts())['prioritized']).toBe(20);
  });

  test.each([1, 2, 5])('takes %i jobs that come back after a delay when they are due, and not when it next looks', async (n) => {
    await Promise.all(Array.from({ length: n }, (_, i) => send(relay.api, { destinationId: `d${i}` })));
    const waiting: ((fate: Fate) => void)[] = [];
    const started = startWorker({ concurrency: 40, deliver: (job) => (job.attemptsMade > 0 ? done : new Promise((resolve) => waiting.push(resolve))) });
    await waitFor(() => waiting.length === n);
    await sleep(100); // it has found nothing more, and waits for jobs
    const failedAt = performance.now();
    for (const resolve of waiting) resolve({ kind: 'retry', delayMs: 200, code: '503' });
    await takenTimes(started, 2 * n);
    expect(started.taken.at(-1)!.atMs - failedAt).toBeLessThan(2_500); // an idle worker looks every 5 s
  });

  test('takes two at a time at most; with appetite again goes on although nothing has ended', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => send(relay.api, { destinationId: `d${i}` })));
    const waiting: ((fate: Fate) => void)[] = [];
    const started: Started = startWorker({
      concurrency: 40,
      deliver: () => {
        if (waiting.length === 0) started.worker.setAppetite(false);
        return new Promise((resolve) => waiting.push(resolve));
      },
    });
    await waitFor(() => waiting.length > 0);
    await sleep(300); // time enough to take all of them
    expect((await counts())['active']).toBeLessThanOrEqual(3);
    started.worker.setAppetite(true);
    await waitFor(() => waiting.length === 40);
    for (const resolve of waiting) resolve({ kind: 'give_back' });
  });

  test('closes its connections', async () => {
    const clients = async () => String(await relay.redis.client('LIST')).split('\n').filter((line) => line.includes(`db=${new URL(relay.url).pathname.slice(1)} `)).length;
    let before = 0;
    // The first round also waits until all of the stores' connections are there.
    for (let round = 0; round < 3; round += 1) {
      const { worker } = startWorker({ deliver: () => done });
      const asked = worker.lastAliveMs;
      await waitFor(() => worker.lastAliveMs > asked);
      await worker.close();
      if (round === 0) before = await clients();
    }
    await expect(waitFor(async () => (await clients()) <= before, { what: 'the connections to be gone' })).resolves.toBe(true);
  });
});

describe('fairness', () => {
  const order: string[] = [];
  const record = (job: QueueJob): Fate => {
    order.push(job.destinationId);
    return done;
  };
  beforeEach(() => void order.splice(0));

  test('a single event passes three hundred full requests of another destination', async () => {
    for (let i = 0; i < 30; i += 1) await send(relay.api, { destinationId: 'loud', events: 100, maxChunkEvents: 10 });
    await send(relay.api, { destinationId: 'quiet', maxChunkEvents: 10 });
    const started = startWorker({ deliver: record });
    await takenTimes(started, 301);
    expect(order.indexOf('quiet')).toBeLessThan(3);
  });

  test('several loud ones share, request by request', async () => {
    for (const destinationId of ['a', 'b', 'c']) await send(relay.api, { destinationId, events: 100, maxChunkEvents: 10 });
    const started = startWorker({ deliver: record });
    await takenTimes(started, 30);
    for (const part of [order.slice(0, 9), order.slice(9, 18)]) for (const name of ['a', 'b', 'c']) expect(part.filter((one) => one === name)).toHaveLength(3);
  });

  test('an empty queue starts over at the first round', async () => {
    await send(relay.api, { destinationId: 'loud', events: 300, maxChunkEvents: 10 });
    const started = startWorker({
      async deliver(job) {
        await relay.delivery().settle(delivered(await batchOf(job)));
        return record(job);
      },
    });
    await takenTimes(started, 30);
    await emptied();
    await started.worker.close();
    await send(relay.api, { destinationId: 'later' });
    expect(await relay.redis.zrange('{relay}:metaads:prioritized', 0, '-1', 'WITHSCORES')).toEqual([expect.any(String), String(2 ** 32 + 1)]);
  });

  test('of one destination alone, first come is first served', async () => {
    for (let i = 0; i < 40; i += 1) await send(relay.api, { events: [`e${i}`], maxChunkEvents: 3 });
    const ids: string[] = [];
    const started = startWorker({
      async deliver(job) {
        ids.push(...(await job.load()).map(({ eventId }) => eventId));
        return done;
      },
    });
    await takenTimes(started, 40);
    expect(ids).toEqual(Array.from({ length: 40 }, (_, i) => `e${i}`));
  });
});
