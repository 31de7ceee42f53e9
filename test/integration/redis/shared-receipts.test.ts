import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueueJob } from '@relay/redis';
import { keys, MIN_SHARED, sharedPlace } from '@relay/redis/testing';
import { batchOf, delivered, died, openRelay, send, type Relay, type RequestShape } from './a-relay.ts';
import { hold, retry } from './book-moves.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay({ replyPollMs: 60_000 });
});
afterAll(() => relay[Symbol.asyncDispose]());

const tag = '{relay}';
const MONTH_S = 29 * 86_400;
let accounts = 0;

interface Sent {
  readonly accountId: string;
  readonly ids: readonly string[];
  readonly job: QueueJob;
}

/** Requests of a fresh account that come at once: one write, and as a rule one job. */
async function sendAtOnce(count: number, shape: (n: number) => RequestShape = () => ({}), wantsReply = false): Promise<Sent> {
  accounts += 1;
  const accountId = `shared${accounts}`;
  const ids = await Promise.all(Array.from({ length: count }, (_, n) => send(relay.api, { accountId, ...shape(n) }, wantsReply)));
  const jobs = (await relay.jobs()).filter((job) => job.accountId === accountId);
  return { accountId, ids, job: jobs[0]! };
}
const taken = (events: Awaited<ReturnType<typeof batchOf>>, traceId: string | undefined) => ({ delivered: { events, traceId, poll: undefined }, requestMs: 12 });
const get = async (id: string | undefined) => (await relay.api.deliveries.get(id!))!;
const hasOwn = async (id: string | undefined) => (await relay.redis.exists(keys.receipt(tag, id!))) === 1;
const shared = ({ ids }: Sent): string => sharedPlace(tag, ids.at(-1)!)!.key;
/** All that is told of a delivery, without what is each one's own. */
const told = async (id: string | undefined) => {
  const { deliveryId: _, accountId: __, eventIds, acceptedAtMs, finishedAtMs, durationMs: ___, chunks, ...rest } = await get(id);
  const times = { accepted: acceptedAtMs > 0, finished: finishedAtMs === undefined ? undefined : finishedAtMs >= acceptedAtMs };
  return { ...rest, ...times, eventIds: eventIds?.length, chunks: chunks.map(({ lastAttemptAtMs, ...chunk }) => ({ ...chunk, last: lastAttemptAtMs !== undefined })) };
};

describe('receipts that share a hash', () => {
  test.each([{ traceId: 'trace|1', told: 'trace/1' }, { traceId: undefined, told: undefined }])('say the same as those that do not, before and after ($traceId)', async (trace) => {
    const [many, few] = [await sendAtOnce(MIN_SHARED * 2, (n) => ({ events: (n % 4) + 1 })), await sendAtOnce(4, (n) => ({ events: (n % 4) + 1 }))];
    expect(await Promise.all(many.ids.map(hasOwn))).not.toContain(true);
    expect(await Promise.all(few.ids.map(hasOwn))).not.toContain(false);
    for (const settled of [false, true]) {
      if (settled) for (const { job } of [many, few]) await relay.delivery().settle(taken(await batchOf(job), trace.traceId));
      const expected = await Promise.all(few.ids.map(told));
      for (const [n, id] of many.ids.entries()) expect(await told(id)).toEqual(expected[n % 4]);
      expect(expected[1]).toMatchObject(settled ? { status: 'delivered', eventsReceived: 2, traceId: trace.told, attempts: 1, finished: true } : { status: 'queued', eventsPending: 2 });
    }
    expect(await Promise.all(many.ids.map(hasOwn))).not.toContain(true);
  });

  test('have no end while one of them is open, and one when none is', async () => {
    const sent = await sendAtOnce(MIN_SHARED);
    expect(await relay.redis.ttl(shared(sent))).toBe(-1);
    await relay.delivery().settle(delivered(await batchOf(sent.job)));
    expect(await relay.redis.ttl(shared(sent))).toBeGreaterThan(MONTH_S);
  });

  test('of several destinations end with the last job', async () => {
    const sent = await sendAtOnce(MIN_SHARED, (n) => ({ destinationId: `d${n % 3}` }));
    const jobs = (await relay.jobs()).filter((job) => job.accountId === sent.accountId);
    expect(jobs).toHaveLength(3);
    for (const [n, job] of jobs.entries()) {
      expect(await relay.redis.ttl(shared(sent))).toBe(-1);
      await relay.delivery().settle(delivered(await batchOf(job), `trace-${n}`));
      for (const id of sent.ids) {
        const { status, destinationId, traceId } = await get(id);
        const settled = jobs.slice(0, n + 1).findIndex((done) => done.destinationId === destinationId);
        expect([status, traceId]).toEqual(settled === -1 ? ['queued', undefined] : ['delivered', `trace-${settled}`]);
      }
    }
    expect(await relay.redis.ttl(shared(sent))).toBeGreaterThan(MONTH_S);
  });

  test('are listed, and found by their events', async () => {
    const sent = await sendAtOnce(MIN_SHARED, (n) => ({ events: [`find-${n}`, `pipe|${n}`] }));
    const page = await relay.api.deliveries.recent({ accountId: sent.accountId, platform: 'metaads', limit: 50, cursor: undefined, status: undefined });
    expect(page.rows.map(({ deliveryId, eventIds }) => [deliveryId, eventIds])).toEqual(sent.ids.map((id, n) => [id, [`find-${n}`, `pipe|${n}`]]).toReversed());
    const event = () => relay.api.deliveries.event(sent.accountId, 'metaads', 'pipe|3');
    expect(await event()).toMatchObject([{ deliveryId: sent.ids[3], eventIndex: 1, status: 'queued' }]);
    await relay.delivery().settle(delivered(await batchOf(sent.job)));
    expect(await event()).toMatchObject([{ deliveryId: sent.ids[3], eventIndex: 1, status: 'delivered' }]);
  });

  test.each(['trace-9', undefined])('wake those who wait, each with what became of its request (%s)', async (traceId) => {
    const sent = await sendAtOnce(MIN_SHARED, (n) => ({ events: (n % 2) + 1 }), true);
    const waits = sent.ids.map((id) => relay.api.deliveries.waitFor(id, 5_000, undefined, true));
    await relay.delivery().settle(taken(await batchOf(sent.job), traceId));
    // Without a trace they look for themselves.
    expect(await Promise.all(waits)).toEqual(sent.ids.map((_, n) => (traceId === undefined ? undefined : { eventsReceived: (n % 2) + 1, traceId })));
    for (const [n, id] of sent.ids.entries()) expect(await get(id)).toMatchObject({ status: 'delivered', eventsReceived: (n % 2) + 1, traceId });
  });

  test('stay as they are when what was settled is said once more, or its opposite', async () => {
    const sent = await sendAtOnce(MIN_SHARED);
    const all = await batchOf(sent.job);
    await relay.delivery().settle(delivered(all));
    const before = await relay.redis.hgetall(shared(sent));
    await relay.delivery().settle(delivered(all, 'another'));
    await relay.delivery().settle(died(all));
    await retry(relay, sent.job);
    await hold(relay, sent.job);
    expect(await relay.redis.hgetall(shared(sent))).toEqual(before);
    expect(await Promise.all(sent.ids.map(hasOwn))).not.toContain(true);
  });
});

describe('one of which there is more to tell', () => {
  test('gets a hash of its own, which ends by itself; the others stay', async () => {
    const sent = await sendAtOnce(MIN_SHARED);
    await relay.delivery().settle(died(await batchOf(sent.job, [2]), '2804019', 'em is not hashed'));
    expect(await get(sent.ids[2])).toMatchObject({ status: 'failed', eventsFailed: 1, failures: [{ eventIndex: 0, code: 2804019 }], chunks: [{ status: 'dead', message: 'em is not hashed' }] });
    expect(await Promise.all(sent.ids.map(hasOwn))).toEqual(sent.ids.map((_, n) => n === 2));
    expect(await relay.redis.ttl(keys.receipt(tag, sent.ids[2]!))).toBeGreaterThan(MONTH_S);
    expect(await relay.redis.ttl(keys.failures(tag, sent.ids[2]!))).toBeGreaterThan(MONTH_S);
    expect(await relay.redis.ttl(shared(sent))).toBe(-1);
    expect(await get(sent.ids[3])).toMatchObject({ status: 'queued' });
    await relay.delivery().settle(delivered(await batchOf(sent.job)));
    for (const [n, id] of sent.ids.entries()) expect(await get(id)).toMatchObject({ status: n === 2 ? 'failed' : 'delivered', traceId: 'trace' });
    expect(await relay.redis.ttl(shared(sent))).toBeGreaterThan(MONTH_S);
  });

  test('goes on from there: retried, held, released, delivered', async () => {
    const sent = await sendAtOnce(MIN_SHARED);
    await retry(relay, sent.job, { code: '190', message: 'token died' });
    expect(await Promise.all(sent.ids.map(hasOwn))).not.toContain(false);
    expect(await relay.redis.ttl(shared(sent))).toBeGreaterThan(MONTH_S);
    await hold(relay, sent.job);
    for (const id of sent.ids) expect(await get(id)).toMatchObject({ status: 'held', eventsHeld: 1, attempts: 1, chunks: [{ code: '190' }] });
    await hold(relay, sent.job, 'release');
    await relay.delivery().settle(delivered(await batchOf(sent.job)));
    for (const id of sent.ids) expect(await get(id)).toMatchObject({ status: 'delivered', eventsReceived: 1 });
    expect(await relay.redis.ttl(keys.receipt(tag, sent.ids[0]!))).toBeGreaterThan(MONTH_S);
  });

  test('because the platform will say more of it later', async () => {
    const sent = await sendAtOnce(MIN_SHARED);
    const events = await batchOf(sent.job);
    await relay.delivery().settle({ delivered: { events, traceId: 'trace', poll: { statusId: 'status-1', afterMs: 60_000 } }, requestMs: 12 });
    for (const id of sent.ids) expect(await get(id)).toMatchObject({ status: 'delivered', platformStatus: 'processing' });
  });

  test.each<[what: string, shape: RequestShape]>([
    ['some of it was refused', { events: 2, refused: [1] }],
    ['it is in two jobs', { events: 4, maxChunkEvents: 3 }],
    ['it is of a conversation', { conversationId: 'conv_1' }],
  ])('from the start: %s', async (_what, shape) => {
    const sent = await sendAtOnce(MIN_SHARED + 1, (n) => (n === 1 ? shape : {}));
    expect(await Promise.all(sent.ids.map(hasOwn))).toEqual(sent.ids.map((_, n) => n === 1));
    for (const job of (await relay.jobs()).filter(({ accountId }) => accountId === sent.accountId)) await relay.delivery().settle(delivered(await batchOf(job)));
    for (const id of sent.ids) expect(await get(id)).toMatchObject({ eventsPending: 0 });
    expect(await relay.redis.ttl(shared(sent))).toBeGreaterThan(MONTH_S);
  });
});

test('those of a platform that says more of each later have their own from the start', async () => {
  const ids = await Promise.all(Array.from({ length: MIN_SHARED }, () => send(relay.api, { platform: 'googleads', accountId: 'google' })));
  expect(await Promise.all(ids.map(hasOwn))).not.toContain(false);
  for (const id of ids) expect(await get(id)).toMatchObject({ platform: 'googleads', status: 'queued' });
});

test('an id that only looks like one of them is not there', async () => {
  const sent = await sendAtOnce(MIN_SHARED);
  await relay.delivery().settle(delivered(await batchOf(sent.job)));
  const id = sent.ids[0]!;
  for (const alias of [`${id}0`, `${id.slice(0, -3)}o00`, `${id.slice(0, -3)}1zz`, `${id.slice(0, -3)}open`, id.slice(0, -3), `${id}:f`]) expect(await relay.api.deliveries.get(alias)).toBeUndefined();
});
