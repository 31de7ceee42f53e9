import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fate } from '@relay/delivery';
import { createConnector, openQueueProbe, type QueueJob, type QueueProbe } from '@relay/redis';
import { provideRedis, waitFor } from '@relay/testkit';
import { watchLanes } from '../../../apps/worker/src/watchdog.ts';
import { batchOf, delivered, openRelay, send, type Relay } from './a-relay.ts';

const CHECK_MS = 250;
/** An idle lane asks every 5 s. */
const SILENT_MS = 7_000;
const STUCK_AFTER_MS = 2_000;

let stack: AsyncDisposableStack;
let relay: Relay;
let probe: QueueProbe;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const server = await provideRedis({ docker: false, install: false });
  stack.defer(() => server.stop());
  relay = stack.use(await openRelay({ redisUrl: server.url }));
  probe = stack.use(openQueueProbe(createConnector(server.url), Date.now));
});
afterEach(() => stack.disposeAsync());

/** A Redis that answers and refuses whatever writes: it wants a replica that it has not. */
const refuseWrites = (refuse: boolean) => relay.redis.config('SET', 'min-replicas-to-write', refuse ? '1' : '0');

test('a Redis that refuses writes counts as away, one whose memory is full does not', async () => {
  await send(relay.api);
  await waitFor(async () => (await probe.waiting(relay.lane())) === 1, { what: 'the connection' });
  await relay.redis.config('SET', 'maxmemory', '1');
  expect(await probe.waiting(relay.lane())).toBe(1);
  await relay.redis.config('SET', 'maxmemory', '0');
  await refuseWrites(true);
  await expect(probe.waiting(relay.lane())).rejects.toMatchObject({ code: 'storage_unavailable' });
  await refuseWrites(false);
  expect(await probe.waiting(relay.lane())).toBe(1);
});

test('no worker is stuck while Redis refuses writes: what it has in hand is written afterwards, and sent once', async () => {
  const stuck: unknown[] = [];
  const sent: string[] = [];
  const answered = Promise.withResolvers<void>();
  const done: Fate = { kind: 'done' };
  const start = (lane = relay.lane(), deliver: (job: QueueJob) => Promise<Fate> = () => Promise.resolve(done)) => {
    const worker = relay.delivery(lane).start({ concurrency: 4, deliver, pollStatus: () => Promise.resolve(undefined), onError: () => {} });
    stack.defer(() => worker.close());
    // As a lane of the process counts it: nothing comes to an end meanwhile.
    return { lane: { lane }, worked: 0, get active() { return worker.active; }, get lastAliveMs() { return worker.lastAliveMs; } };
  };
  const busy = start(relay.lane(), async (job) => {
    sent.push(job.jobId);
    await answered.promise;
    await relay.delivery().settle(delivered(await batchOf(job)));
    return done;
  });
  const idle = start(relay.lane('googleads'));
  await send(relay.api, { events: 2 });
  await waitFor(() => sent.length === 1 && idle.lastAliveMs > 0);

  await refuseWrites(true);
  const fromMs = Date.now();
  for (const lane of [busy, idle]) {
    stack.use(watchLanes({ lanes: [lane], probe, stuckAfterMs: STUCK_AFTER_MS, checkMs: CHECK_MS, silentMs: SILENT_MS, onStuck: (found) => stuck.push(found), now: Date.now }));
  }
  answered.resolve();
  // Longer than either of the two may make no progress.
  await waitFor(() => Date.now() - Math.max(fromMs, idle.lastAliveMs) > SILENT_MS + 4 * CHECK_MS, { timeoutMs: 25_000, what: 'the patience to be over' });
  const meanwhile = await relay.ledger();
  await refuseWrites(false);
  await waitFor(async () => (await relay.ledger()).delivered === 2, { what: 'the answer to be written' });
  expect(meanwhile).toMatchObject({ delivered: 0, pending: 2 });
  expect(sent).toHaveLength(1);
  expect(stuck).toEqual([]);
});
