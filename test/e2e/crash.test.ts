import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { anEvent, freshIds, PIXEL_2, toGoogle, toLinkedin, toMeta } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeEach(async () => {
  relay = await startRelay({ tap: true });
});
afterEach(() => relay?.stop());

/** A dead worker's jobs are free after 20 s without a renewal, and looked for every 5 s. */
const LOCKS_END_MS = 40_000;
/** From the platform's answer to the moment the worker has written it down, on a machine that is very busy. */
const WRITING_MS = 5_000;

/** Ids of the events of requests that were under way at that moment. */
function inFlightAt(atMs: number): ReadonlySet<string> {
  const open = relay.wire().filter(({ answeredAtMs }) => answeredAtMs === undefined || answeredAtMs > atMs - WRITING_MS);
  return new Set(open.flatMap(({ body }) => (JSON.parse(body).data as Json[]).map(({ event_id }) => event_id as string)));
}

/** Ids of the events of chunks that had their final answer. A large request is cut into chunks of Meta's 1000 in its order. */
const writtenDownOf = ({ chunks }: Json, ids: readonly string[]): readonly string[] =>
  (chunks as Json[]).filter(({ status }) => status !== 'queued' && status !== 'retrying').flatMap(({ chunk }) => ids.slice(chunk * 1000, (chunk + 1) * 1000));

test('SIGKILL in the middle of twenty thousand events: none is lost, none but those in flight goes twice', async () => {
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 300 } });
  const ids = freshIds('crash', 20_000);
  const bad = [700, 9_999, 19_001].map((index) => ids[index]!);
  await relay.sandbox.switches({ 'meta.poisonNamesIndex': true });
  await relay.sandbox.poison('meta', bad);
  const deliveries = await Promise.all([0, 1, 2, 3].map((n) => relay.queue(toMeta(ids.slice(n * 5000, (n + 1) * 5000).map((id) => anEvent(id))))));
  await waitFor(async () => (await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).total >= 5000, { everyMs: 10 });
  const killedAtMs = Date.now();
  expect(await relay.killWorker('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  // Looked at after the kill: a request that went out just before it was in flight, too.
  // What is not written down in Redis cannot be written down any more: the worker is dead.
  const writtenDown = new Set((await Promise.all(deliveries.map(async (deliveryId, n) => writtenDownOf(await relay.delivery(deliveryId), ids.slice(n * 5000, (n + 1) * 5000))))).flat());
  expect(writtenDown.size).toBeGreaterThan(0);
  const inFlight = inFlightAt(killedAtMs).difference(writtenDown);
  const { total: atKill } = await relay.sandbox.accepted({ platform: 'meta', limit: 0 });
  expect(atKill).toBeLessThan(20_000);

  await relay.startWorker();
  for (const [n, failed] of [1, 1, 0, 1].entries()) {
    expect(await relay.settled(deliveries[n]!, LOCKS_END_MS)).toMatchObject({ status: failed === 0 ? 'delivered' : 'partial', eventsReceived: 5000 - failed, eventsFailed: failed });
  }
  const times = await relay.sandbox.timesTaken('meta', ids);
  expect(times.size).toBe(19_997);
  expect((await relay.deadLetters('limit=200')).flatMap(({ eventIds }) => eventIds as string[]).toSorted((a, b) => a.localeCompare(b))).toEqual(bad.toSorted((a, b) => a.localeCompare(b)));
  const twice = [...times].filter(([, count]) => count > 1).map(([id]) => id);
  expect(inFlight.size).toBeLessThanOrEqual(6000);
  for (const id of twice) if (!inFlight.has(id)) throw new Error(`${id} was sent again although its answer had been written down`);
  await expect.poll(() => relay.books()).toEqual(BALANCED);
  expect(await relay.ledger('metaads')).toMatchObject({ accepted: 20_000, delivered: 19_997, dead: 3 });
});

test('SIGTERM: what is in flight ends, the rest is the next worker\'s, nothing goes twice', async () => {
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 400 } });
  const ids = freshIds('term', 12_000);
  const deliveries = [
    await relay.queue(toMeta(ids.slice(0, 8000).map((id) => anEvent(id)))),
    await relay.queue(toMeta(ids.slice(8000).map((id) => anEvent(id)), PIXEL_2)),
  ];
  await waitFor(async () => (await relay.sandbox.requests('meta')).length >= 2, { everyMs: 10 });
  const second = relay.startWorker();
  const stoppedAt = Date.now();
  expect(await relay.killWorker('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(Date.now() - stoppedAt).toBeLessThan(9000);
  await second;
  for (const deliveryId of deliveries) expect(await relay.settled(deliveryId, 15_000)).toMatchObject({ status: 'delivered', eventsFailed: 0 });
  expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 12_000, unique: 12_000, duplicates: 0 });
  // What was given back spent no attempt.
  for (const deliveryId of deliveries) for (const chunk of (await relay.delivery(deliveryId)).chunks) expect(chunk).toMatchObject({ status: 'delivered', attempts: 1 });
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});

test('SIGTERM in the middle of a salvage: no further request of it goes out, and the next worker finishes it', async () => {
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 300 } });
  const ids = freshIds('search', 1000);
  await relay.sandbox.poison('meta', [0, 512, 731].map((index) => ids[index]!), '2804036');
  const deliveryId = await relay.queue(toMeta(ids.map((id) => anEvent(id))));
  await waitFor(() => relay.wire().length >= 3, { everyMs: 10 });
  const before = relay.wire().length;
  expect(await relay.killWorker('SIGTERM')).toEqual({ code: 0, signal: null });
  // The one that may have gone out while the signal was on its way.
  expect(relay.wire().length).toBeLessThanOrEqual(before + 1);
  await relay.sandbox.clearFaults();
  await relay.startWorker();
  expect(await relay.settled(deliveryId)).toMatchObject({ status: 'partial', eventsReceived: 997, eventsFailed: 3, attempts: 1 });
  expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 997, duplicates: 0 });
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});

test('SIGTERM while jobs wait for their next attempt, cool down or are held loses nothing', async () => {
  await relay.sandbox.fault({ platform: 'meta', times: 1, fault: { kind: 'status', status: 503, headers: { 'retry-after': '3' } } });
  await relay.sandbox.token('linkedin', 'sandbox-linkedin-token', 'revoked');
  const retrying = await relay.queue(toMeta(freshIds('retrying', 10).map((id) => anEvent(id))));
  const heldOne = await relay.queue(toLinkedin(freshIds('held', 10).map((id) => anEvent(id))));
  await waitFor(async () => (await relay.delivery(retrying)).status === 'retrying' && (await relay.delivery(heldOne)).status === 'held');
  expect(await relay.killWorker('SIGTERM')).toEqual({ code: 0, signal: null });
  const queued = await relay.queue(toGoogle(freshIds('queued', 10).map((id) => anEvent(id))));
  await relay.startWorker();
  expect(await relay.settled(queued)).toMatchObject({ status: 'delivered' });
  expect(await relay.settled(retrying)).toMatchObject({ status: 'delivered', attempts: 2 });
  expect(await relay.delivery(heldOne)).toMatchObject({ status: 'held', eventsHeld: 10 });
  await relay.sandbox.token('linkedin', 'sandbox-linkedin-token', 'valid');
  await relay.call('PATCH', '/v1/admin/accounts/acc_linkedin', { body: { credentials: { accessToken: 'sandbox-linkedin-token' } } });
  expect(await relay.settled(heldOne)).toMatchObject({ status: 'delivered' });
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});

test('SIGTERM of the api: who waits is answered with what is known, and the events go out', async () => {
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 1500 } });
  const ids = freshIds('api', 5);
  const waiting = ids.map((id) => relay.send(toMeta([anEvent(id)])));
  await waitFor(async () => (await relay.ledger('metaads')).pending === 5, { everyMs: 10 });
  const stopped = relay.stopApi();
  for (const answer of await Promise.all(waiting)) {
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'queued', statusUrl: expect.stringMatching(/^\/v1\/deliveries\//) });
  }
  // An answer given while stopping closes its connection (apps/api/src/waiting.ts): for an idle client the server would wait
  // until SHUTDOWN_GRACE_MS, and end with 1.
  expect(await stopped).toEqual({ code: 0, signal: null });
  await waitFor(async () => (await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).total === 5);
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});

test('SIGKILL of the api among a thousand requests: whatever it had answered is delivered', async () => {
  const ids = freshIds('killed', 1000);
  const answered: string[] = [];
  const left = [...ids];
  const sender = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const sent = id;
      await relay.queue(toMeta([anEvent(sent)])).then(
        () => answered.push(sent),
        () => undefined, // The api is gone: nothing was promised.
      );
    }
  };
  const senders = Array.from({ length: 50 }, sender);
  await waitFor(() => answered.length > 300, { everyMs: 5 });
  expect(await relay.killApi()).toEqual({ code: null, signal: 'SIGKILL' });
  await Promise.all(senders);
  expect(answered.length).toBeLessThan(1000);
  await waitFor(async () => (await relay.ledger('metaads')).pending === 0);
  const times = await relay.sandbox.timesTaken('meta', ids);
  for (const id of answered) expect(times.get(id)).toBe(1);
  const { accepted, delivered } = await relay.ledger('metaads');
  expect([accepted, delivered]).toEqual([times.size, times.size]);
  expect(await relay.books()).toEqual(BALANCED);
});
