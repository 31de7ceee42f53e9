import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeliveryStatus } from '@relay/delivery';
import { globals, keys } from '@relay/redis/testing';
import { batchOf, DAY_MS, delivered, died, HOUR_MS, openRelay, send, type Relay } from './a-relay.ts';
import { hold, retry } from './book-moves.ts';

let relay: Relay;
beforeAll(async () => {
  // Waits are ended by messages, not by looking.
  relay = await openRelay({ replyPollMs: 60_000 });
});
afterAll(() => relay[Symbol.asyncDispose]());

const tag = '{relay}';
const recent = (accountId: string, limit = 10, cursor?: string, status?: DeliveryStatus) =>
  relay.api.deliveries.recent({ accountId, platform: 'metaads', limit, cursor, status });
const jobsOf = async (accountId: string) => (await relay.jobs()).filter((job) => job.accountId === accountId);

describe('the log', () => {
  test('is newest first, page by page, each row once, also while new ones come in', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 25; i += 1) ids.unshift(await send(relay.api, { accountId: 'log' }));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await recent('log', 10, cursor);
      seen.push(...page.rows.map((row) => row.deliveryId));
      cursor = page.nextCursor;
      await send(relay.api, { accountId: 'log' });
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);
  });

  test('shows one status only, and finds it far down', async () => {
    const done = await send(relay.api, { accountId: 'status' });
    const [job] = await jobsOf('status');
    await relay.delivery().settle(delivered(await batchOf(job!)));
    await Promise.all(Array.from({ length: 250 }, () => send(relay.api, { accountId: 'status' })));
    expect((await recent('status', 5, undefined, 'delivered')).rows.map((row) => row.deliveryId)).toEqual([done]);
    const queued = await recent('status', 100, undefined, 'queued');
    const rest = await recent('status', 200, queued.nextCursor, 'queued');
    expect(queued.rows.length + rest.rows.length).toBe(250);
  });

  test.each(['x', '1', '1-', '-1', '0-0', '1-1-1', '1-1', '1-1.0', '1-1.0.x', '0-0.0.1', '99999999999999999999-0', '1-99999999999999999999', '(1-1', '+'])('says that "%s" is no cursor', async (cursor) => {
    await expect(recent('log', 10, cursor)).rejects.toMatchObject({ code: 'invalid_cursor', extras: { param: 'cursor' } });
  });

  test('of an account that is not there is empty', async () => {
    expect(await recent('nobody')).toEqual({ rows: [], nextCursor: undefined });
  });

  test('keeps about LOG_MAX_ENTRIES rows, the newest', async () => {
    await using small = await openRelay({ logMaxEntries: 100 });
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 100 }, () => send(small.api, { accountId: 'many' })));
    const rows = await small.redis.xlen(keys.log(tag, 'many'));
    // Redis trims whole nodes of 100 entries.
    expect(rows).toBeGreaterThanOrEqual(100);
    expect(rows).toBeLessThan(300);
  });

  test.each([1, 3])('lists at most LOG_MAX_ENTRIES rows of an account, the newest, over %i lanes', async (lanes) => {
    await using small = await openRelay({ logMaxEntries: 7, lanes });
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      ids.unshift(await send(small.api, { accountId: 'few', destinationId: `d${i}` }));
      // Two lanes' rows of one millisecond have an order of their own.
      await sleep(2);
    }
    for (const limit of [1, 3, 7, 100]) {
      for (const status of [undefined, 'queued', 'failed'] as const) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await small.api.deliveries.recent({ accountId: 'few', platform: 'metaads', limit, cursor, status });
          seen.push(...page.rows.map((row) => row.deliveryId));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(status === 'failed' ? [] : ids.slice(0, 7));
      }
    }
  });

  test('lets rows go whose receipts are gone', async () => {
    const first = await send(relay.api, { accountId: 'gone' });
    const second = await send(relay.api, { accountId: 'gone' });
    await relay.redis.del(keys.receipt(tag, second));
    expect((await recent('gone')).rows.map((row) => row.deliveryId)).toEqual([first]);
    expect(await relay.api.deliveries.get(second)).toBeUndefined();
  });

  test.each(['', 'dlv_', 'dlv_x', '../x', 'dlv_0mwp6w8bjz20jga1ezlm:f', 'dlv_0mwp6w8bjz20jga1ezlm_metaads.99999'])('an id that is none ("%s") is not there', async (id) => {
    expect(await relay.api.deliveries.get(id)).toBeUndefined();
  });
});

describe('one event', () => {
  const event = (accountId: string, id: string) => relay.api.deliveries.event(accountId, 'metaads', id);

  test('is queued, retrying, held, delivered, dead or refused', async () => {
    const deliveryId = await send(relay.api, { accountId: 'ev', events: ['ok', 'no', 'bad'], refused: [2] });
    const [job] = await jobsOf('ev');
    expect(await event('ev', 'ok')).toMatchObject([{ deliveryId, eventIndex: 0, destinationId: 'pixel', status: 'queued' }]);
    expect(await event('ev', 'bad')).toMatchObject([{ status: 'refused', eventIndex: 2, code: 'too_old' }]);
    await retry(relay, job!);
    expect(await event('ev', 'ok')).toMatchObject([{ status: 'retrying' }]);
    await hold(relay, job!);
    expect(await event('ev', 'ok')).toMatchObject([{ status: 'held' }]);
    const lane = relay.delivery();
    await lane.settle(delivered(await batchOf(job!, [0])));
    await lane.settle(died(await batchOf(job!), '100', 'Invalid parameter'));
    expect(await event('ev', 'ok')).toMatchObject([{ status: 'delivered', code: undefined }]);
    expect(await event('ev', 'no')).toMatchObject([{ status: 'dead', code: 100, message: 'Invalid parameter' }]);
    expect(await event('ev', 'unknown')).toEqual([]);
    expect(await event('other', 'ok')).toEqual([]);
  });

  test('is not its adjustments, which go by the same id', async () => {
    const accountId = 'adjusted';
    const deliveryId = await send(relay.api, { accountId, events: ['order-1'] });
    await send(relay.api, { accountId, events: ['order-1', 'order-2'], refused: [1], kind: 'adjustment' });
    expect((await event(accountId, 'order-1')).map((state) => state.deliveryId)).toEqual([deliveryId]);
    expect(await event(accountId, 'order-2')).toEqual([]);
  });

  test('that came in several deliveries has them all, the newest first', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) ids.unshift(await send(relay.api, { accountId: 'twice', events: ['same'], acceptedAtMs: Date.now() + i }));
    expect((await event('twice', 'same')).map((state) => state.deliveryId)).toEqual(ids);
  });

  test('that came twice at once, also within one request, is found each time', async () => {
    const ids = await Promise.all(['a', 'same', 'same', 'same'].map((id) => send(relay.api, { accountId: 'burst', events: [id] })));
    expect(new Set((await event('burst', 'same')).map((state) => state.deliveryId))).toEqual(new Set(ids.slice(1)));
    const twice = await send(relay.api, { accountId: 'burst', events: ['dup', 'x', 'dup'] });
    expect((await event('burst', 'dup')).map((state) => [state.deliveryId, state.eventIndex]).toSorted(([, a], [, b]) => Number(a) - Number(b))).toEqual([
      [twice, 0],
      [twice, 2],
    ]);
  });

  test('with a long id is found too, and kept as a hash', async () => {
    const long = 'order-'.repeat(30);
    await send(relay.api, { accountId: 'long', events: [long] });
    expect(await event('long', long)).toHaveLength(1);
  });

  test('is found over the hours until the index lets it go', async () => {
    await using other = await openRelay({ eventIndexHours: 3 });
    await send(other.api, { events: ['hours'] });
    const key = (await other.redis.keys(`${tag}:ev:*`))[0]!;
    expect(await other.redis.ttl(key)).toBeGreaterThan(3.9 * 3600);
    other.advance(3 * HOUR_MS);
    await send(other.api, { events: ['hours'] });
    expect(await other.api.deliveries.event('acc', 'metaads', 'hours')).toHaveLength(2);
    other.advance(DAY_MS);
    expect(await other.api.deliveries.event('acc', 'metaads', 'hours')).toEqual([]);
  });

  test('is not indexed at all with EVENT_INDEX_HOURS=0', async () => {
    await using off = await openRelay({ eventIndexHours: 0 });
    await send(off.api, { events: ['off'] });
    expect(await off.redis.keys(`${tag}:ev:*`)).toEqual([]);
  });
});

describe('waiting for a delivery', () => {
  const settleLater = async (accountId: string) => {
    const [job] = await jobsOf(accountId);
    const batch = await batchOf(job!);
    return () => relay.delivery().settle(delivered(batch));
  };
  const timed = async (work: Promise<unknown>) => {
    const start = performance.now();
    await work;
    return performance.now() - start;
  };

  test('wakes when it is final', async () => {
    const deliveryId = await send(relay.api, { accountId: 'wake' }, true);
    const finish = await settleLater('wake');
    const woken = timed(relay.api.deliveries.waitFor(deliveryId, 10_000));
    await new Promise((resolve) => setImmediate(resolve));
    await finish();
    expect(await woken).toBeLessThan(5_000); // without the message it would take all of the ten seconds
    expect(await timed(relay.api.deliveries.waitFor(deliveryId, 10_000))).toBeLessThan(5_000);
  });

  test('is told how it ended, where all events were taken, before and after it asks', async () => {
    for (const early of [true, false]) {
      const accountId = `told-${early}`;
      const deliveryId = await send(relay.api, { accountId, events: 2 }, true);
      const finish = await settleLater(accountId);
      if (early) {
        await finish();
        await relay.redis.ping();
        await sleep(50); // the message is here, and nobody waits for it
      }
      const told = relay.api.deliveries.waitFor(deliveryId, 10_000, undefined, true);
      if (!early) await finish();
      expect(await told).toEqual({ eventsReceived: 2, traceId: (await relay.api.deliveries.get(deliveryId))!.traceId });
    }
  });

  test('is not told more than that it ended, where an event died', async () => {
    const deliveryId = await send(relay.api, { accountId: 'mixed', events: 2 }, true);
    const [job] = await jobsOf('mixed');
    const batch = await batchOf(job!);
    const told = relay.api.deliveries.waitFor(deliveryId, 10_000, undefined, true);
    await relay.delivery().settle({ ...delivered(batch.slice(0, 1)), ...died(batch.slice(1)) });
    expect(await told).toBeUndefined();
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'partial', eventsReceived: 1, eventsFailed: 1 });
  });

  test('finds out by itself when the message is lost', async () => {
    await using looking = await openRelay();
    const deliveryId = await send(looking.api, { accountId: 'lost' }); // no reply was asked for, so none is published
    const [job] = await looking.jobs();
    const woken = timed(looking.api.deliveries.waitFor(deliveryId, 10_000));
    await looking.delivery().settle(delivered(await batchOf(job!)));
    expect(await woken).toBeLessThan(9_000);
  });

  test('ends at its deadline, on abort, and at once for one that is not there', async () => {
    const deliveryId = await send(relay.api, { accountId: 'never' }, true);
    const tookMs = await timed(relay.api.deliveries.waitFor(deliveryId, 200));
    expect(tookMs).toBeGreaterThan(150);
    expect(tookMs).toBeLessThan(5_000);
    const stop = new AbortController();
    const aborted = timed(relay.api.deliveries.waitFor(deliveryId, 10_000, stop.signal));
    stop.abort();
    expect(await aborted).toBeLessThan(5_000);
    expect(await timed(relay.api.deliveries.waitFor(deliveryId, 10_000, AbortSignal.abort()))).toBeLessThan(5_000);
    expect(await timed(relay.api.deliveries.waitFor('dlv_0mwp6w8bjz20jga1ezlm', 10_000))).toBeLessThan(5_000);
  });

  test('is not disturbed by messages about others', async () => {
    const deliveryId = await send(relay.api, { accountId: 'noise' }, true);
    const channels = (await relay.redis.pubsub('CHANNELS', globals.replies('*'))) as string[];
    const wait = timed(relay.api.deliveries.waitFor(deliveryId, 300));
    for (const channel of channels) await relay.redis.publish(channel, JSON.stringify([['dlv_other', 1, 'trace'], ['dlv_another'], 'dlv_a_third']));
    expect(await wait).toBeGreaterThan(250);
  });
});
