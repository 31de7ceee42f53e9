import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, describe, expect, test } from 'vitest';
import type { Fate } from '@relay/delivery';
import { createTokenCache } from '@relay/redis';
import { keys } from '@relay/redis/testing';
import { freshDatabase, provideRedis, waitFor } from '@relay/testkit';
import { aRequest, aSealer, batchOf, delivered, died, dump, idempotent, idOf, isHousekeeping, openRelay, send } from './a-relay.ts';
import { openProxy } from './redis-proxy.ts';

const unavailable = { name: 'RelayError', code: 'storage_unavailable', extras: { retryAfterSeconds: 5 } };
const tag = '{relay}';

/** A relay behind a proxy, on a database of the run's Redis. */
async function openTapped(stack: AsyncDisposableStack) {
  const url = await freshDatabase(inject('redisUrl'));
  const proxy = stack.use(await openProxy(url));
  const sealer = aSealer();
  const relay = stack.use(await openRelay({ redisUrl: proxy.url, sealer }));
  const direct = stack.use(await openRelay({ redisUrl: url, sealer }));
  return { proxy, relay, direct };
}

describe('a write whose answer is lost', () => {
  test('is not sent again by itself: stored once, and the caller hears 503', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay, direct } = await openTapped(stack);
    await send(relay.api, { events: 1 });
    const lost = proxy.loseAnswerTo(/exec\r\n/i);
    await expect(relay.api.enqueue(aRequest({ events: 2 }), { wantsReply: false })).rejects.toMatchObject(unavailable);
    await lost;

    await waitFor(() => send(relay.api, { events: 4 }), { what: 'the connection to be back' });
    expect(await direct.ledger()).toMatchObject({ accepted: 7, pending: 7 });
    expect((await direct.jobs()).map(({ events }) => events).toSorted((a, b) => a - b)).toEqual([1, 2, 4]);
    expect((await direct.api.deliveries.recent({ accountId: 'acc', platform: 'metaads', limit: 10, cursor: undefined, status: undefined })).rows).toHaveLength(3);
  });

  test('is found again by its Idempotency-Key', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay } = await openTapped(stack);
    const request = aRequest();
    const lost = proxy.loseAnswerTo(/exec\r\n/i);
    await expect(relay.api.enqueue(request, idempotent('k', 'body'))).rejects.toMatchObject(unavailable);
    await lost;
    const again = await waitFor(() => relay.api.enqueue(request, idempotent('k', 'body')), { what: 'the connection to be back' });
    expect(again.kind).toBe('repeated');
    expect(await relay.api.deliveries.get(idOf(again)!)).toMatchObject({ status: 'queued', eventsPending: 1 });
  });

  test('of a settlement with dead letters is repeated by the worker and counts once', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay, direct } = await openTapped(stack);
    await send(direct.api, { events: 3 });
    const [job] = await relay.jobs();
    const lost = proxy.loseAnswerTo(/exec\r\n/i);
    await relay.delivery().settle(died(await batchOf(job!, [0, 2])));
    await lost;
    expect(await direct.ledger()).toMatchObject({ accepted: 3, dead: 2, pending: 1 });
    const { rows } = await direct.api.deadLetters.list({}, 10, undefined);
    expect(rows.map(({ eventCount }) => eventCount)).toEqual([2]);
  });

  test('of a replay replays once', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay, direct } = await openTapped(stack);
    await send(direct.api, { events: 2 });
    const [job] = await direct.jobs();
    await direct.delivery().settle(died(await batchOf(job!)));
    const [letter] = (await direct.api.deadLetters.list({}, 10, undefined)).rows;
    const lost = proxy.loseAnswerTo(/exec\r\n/i);
    await expect(relay.api.deadLetters.replay(letter!.id, { force: false })).rejects.toMatchObject(unavailable);
    await lost;
    const again = await waitFor(() => relay.api.deadLetters.replay(letter!.id, { force: false }), { what: 'the connection to be back' });
    expect(again).toMatchObject({ kind: 'refused', why: expect.stringContaining('replayed already') });
    expect(await direct.ledger()).toMatchObject({ accepted: 2, dead: 0, pending: 2 });
    expect(await direct.api.deadLetters.list({}, 10, undefined)).toEqual({ rows: [], nextCursor: undefined });
  });
});

describe('a key that changes between the look and the write', () => {
  test('makes EXEC refuse everything, and the group is planned anew', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay, direct } = await openTapped(stack);
    const request = aRequest({ events: ['first'] });
    // Takes the key while the other process' MULTI … EXEC is on its way.
    let taken: string | undefined;
    proxy.before(/exec\r\n/i, async () => {
      taken = idOf(await direct.api.enqueue(request, idempotent('k', 'body')));
    });
    const [repeated, other] = await Promise.all([
      relay.api.enqueue(request, idempotent('k', 'body')),
      relay.api.enqueue(aRequest({ events: ['second'] }), { wantsReply: false }),
    ]);
    expect(repeated).toEqual({ kind: 'repeated', deliveryId: taken });
    expect(other.kind).toBe('accepted');
    expect(await direct.ledger()).toMatchObject({ accepted: 2, pending: 2 });
  });

  test('makes a second replay of the same letter be refused', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay, direct } = await openTapped(stack);
    await send(direct.api, { events: 2 });
    const [job] = await direct.jobs();
    await direct.delivery().settle(died(await batchOf(job!)));
    const [letter] = (await direct.api.deadLetters.list({}, 10, undefined)).rows;
    proxy.before(/exec\r\n/i, () => direct.api.deadLetters.replay(letter!.id, { force: false }));
    expect(await relay.api.deadLetters.replay(letter!.id, { force: false })).toMatchObject({ kind: 'refused' });
    expect(await direct.ledger()).toMatchObject({ dead: 0, pending: 2 });
    expect((await direct.jobs()).filter(({ data }) => data.rl === letter!.id)).toHaveLength(1);
  });
});

describe('Redis away', () => {
  test('is said within the deadline, for writes and reads; back again, all works', async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, relay } = await openTapped(stack);
    const deliveryId = await send(relay.api);
    const held = await relay.api.tokens.lock('held', 20_000);
    const { tokens } = relay.api;
    proxy.cut(true);
    const start = performance.now();
    const calls = [
      relay.api.enqueue(aRequest(), { wantsReply: false }),
      relay.api.enqueue(aRequest(), idempotent('k', 'body')),
      relay.api.deliveries.get(deliveryId),
      relay.api.deadLetters.list({}, 10, undefined),
      relay.api.accounts.get('acc'),
      relay.api.apiKeys.authenticate('rk_unknown'),
      relay.api.health.ping(),
      tokens.get('acc', 1),
      tokens.put('acc', 1, 'token', 60_000),
      tokens.drop('acc', 'token'),
      tokens.lock('acc', 20_000),
      relay.api.accounts.storeRefreshToken('acc', 1, 'rotated'),
      relay.api.locks.run('dataset:acc', 1_000, () => Promise.resolve()),
    ];
    // What was done under a lock is not undone by a lock that cannot be given back; it runs out by itself.
    const released = held!.release();
    for (const result of await Promise.allSettled(calls)) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
    await released;
    expect(performance.now() - start).toBeLessThan(9_000);
    proxy.open();
    await waitFor(() => send(relay.api), { what: 'Redis to be back' });
    await waitFor(async () => (await relay.api.deliveries.get(deliveryId))?.status === 'queued', { what: 'reads to work again' });
  });

  test('for a restart: jobs, books and scripts are all there again', async () => {
    await using stack = new AsyncDisposableStack();
    const dataDir = await mkdtemp(join(tmpdir(), 'relay-restart-'));
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const first = await provideRedis({ docker: false, dataDir });
    const proxy = stack.use(await openProxy(first.url));
    const relay = stack.use(await openRelay({ redisUrl: proxy.url }));
    await send(relay.api, { events: 2 });
    await relay.delivery().settle(delivered(await batchOf((await relay.jobs())[0]!, [0])));
    await relay.redis.call('WAITAOF', '1', '0', '5000').catch(() => undefined); // from Redis 7.2 on
    await first.stop();
    const second = await provideRedis({ docker: false, dataDir });
    stack.defer(() => second.stop());
    proxy.target = new URL(second.url);
    await waitFor(() => send(relay.api, { events: 3 }), { what: 'Redis to be back' });
    await relay.delivery().settle(delivered(await batchOf((await relay.jobs()).find(({ events }) => events === 2)!)));
    expect(await relay.ledger()).toMatchObject({ accepted: 5, delivered: 2, pending: 3 });
  });

  test('that answers no more (it hangs) is said within the deadline', async () => {
    await using stack = new AsyncDisposableStack();
    const server = await provideRedis({ docker: false, install: false });
    stack.defer(() => server.stop());
    const relay = stack.use(await openRelay({ redisUrl: server.url }));
    process.kill(server.pid!, 'SIGSTOP');
    const start = performance.now();
    try {
      await expect(relay.api.enqueue(aRequest(), { wantsReply: false })).rejects.toMatchObject(unavailable);
      expect(performance.now() - start).toBeLessThan(9_000);
    } finally {
      process.kill(server.pid!, 'SIGCONT');
    }
    await waitFor(() => send(relay.api), { what: 'Redis to answer again' });
  });
});

test('scripts that Redis forgot are sent again, and nothing is stored half', async () => {
  await using relay = await openRelay();
  await send(relay.api, { events: 3 });
  const [job] = await relay.jobs();
  const lane = relay.delivery();
  await lane.settle(died(await batchOf(job!, [0])));
  await relay.redis.script('FLUSH');
  const before = [...(await dump(relay.redis))].filter(([key]) => !isHousekeeping(key));
  await expect(relay.api.enqueue(aRequest({ events: 2 }), { wantsReply: false })).rejects.toMatchObject(unavailable);
  await expect(lane.settle(died(await batchOf(job!, [1])))).rejects.toThrow('NOSCRIPT');
  expect([...(await dump(relay.redis))].filter(([key]) => !isHousekeeping(key))).toEqual(before);

  await waitFor(() => send(relay.api, { events: 4 }), { what: 'the API to have its scripts again' });
  const batch = await batchOf(job!, [1]);
  await waitFor(() => lane.settle(died(batch)).then(() => true), { what: 'the worker to have its scripts again' });
  const ledger = await relay.ledger();
  expect(ledger.accepted).toBe(ledger.dead + ledger.pending);
  expect(ledger).toMatchObject({ accepted: 7, dead: 2 });
});

describe('Redis with its memory full', () => {

  test('takes nothing of a request, keeps the way out open, and takes requests again once there is room', async () => {
    await using stack = new AsyncDisposableStack();
    const server = await provideRedis({ docker: false, install: false });
    stack.defer(() => server.stop());
    const relay = stack.use(await openRelay({ redisUrl: server.url }));
    const ids = await Promise.all(Array.from({ length: 20 }, () => send(relay.api, { events: 50 })));
    const before = await dump(relay.redis);
    await relay.redis.config('SET', 'maxmemory', '1');

    for (const options of [{ wantsReply: false }, idempotent('k', 'body')]) {
      const error = await relay.api.enqueue(aRequest({ events: 2000, refused: [3] }), options).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ name: 'RelayError', extras: { retryAfterSeconds: 5 } });
      expect((error as { code: string }).code).toBe('queue_full');
    }
    expect(await dump(relay.redis)).toEqual(before);

    const errors: string[] = [];
    const lane = relay.delivery();
    const worker = lane.start({
      concurrency: 4,
      async deliver(job) {
        await lane.settle(delivered(await batchOf(job)));
        return { kind: 'done' };
      },
      pollStatus: () => Promise.resolve(undefined),
      onError: (error) => errors.push(error.message),
    });
    stack.defer(() => worker.close());
    await waitFor(async () => (await relay.ledger()).delivered === 1000, { what: 'the full queue to drain' });
    expect(errors).toEqual([]);
    expect(await relay.api.deliveries.get(ids[0]!)).toMatchObject({ status: 'delivered' });

    await relay.redis.config('SET', 'maxmemory', '0');
    await send(relay.api);
    await waitFor(async () => (await relay.ledger()).pending === 0, { what: 'the last event' });
    expect(await relay.redis.hgetall(keys.backlog(tag, 'metaads'))).toEqual({});
  });

  async function fullRedis(stack: AsyncDisposableStack) {
    const server = await provideRedis({ docker: false, install: false });
    stack.defer(() => server.stop());
    const relay = stack.use(await openRelay({ redisUrl: server.url }));
    return { relay, fill: () => relay.redis.config('SET', 'maxmemory', '1'), empty: () => relay.redis.config('SET', 'maxmemory', '0') };
  }

  test('writes down what was delivered although the later look at its status finds no room', async () => {
    await using stack = new AsyncDisposableStack();
    const { relay, fill } = await fullRedis(stack);
    const deliveryId = await send(relay.api, { events: 3 });
    const events = await batchOf((await relay.jobs())[0]!);
    await fill();
    await relay.delivery().settle({ delivered: { events, traceId: 'trace', poll: { statusId: 'req-1', afterMs: 1_000 } }, requestMs: 5 });
    expect(await relay.ledger()).toMatchObject({ accepted: 3, delivered: 3, pending: 0 });
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'delivered', eventsReceived: 3, platformStatus: undefined });
  });

  test('leaves open what cannot be buried, and sends what was delivered beside it no second time', async () => {
    await using stack = new AsyncDisposableStack();
    const { relay, fill, empty } = await fullRedis(stack);
    await send(relay.api, { events: 3 });
    const job = (await relay.jobs())[0]!;
    const settlement = { ...died(await batchOf(job, [1])), ...delivered(await batchOf(job, [0, 2])) };
    await fill();
    await expect(relay.delivery().settle(settlement)).rejects.toThrow(/OOM|EXECABORT/);
    expect(await relay.ledger()).toMatchObject({ accepted: 3, delivered: 2, dead: 0, pending: 1 });
    await empty();
    await relay.delivery().settle(settlement);
    expect(await relay.ledger()).toMatchObject({ accepted: 3, delivered: 2, dead: 1, pending: 0 });
  });

  test('knows the scripts of a transaction that it discarded, so that the next one is not applied in part', async () => {
    await using stack = new AsyncDisposableStack();
    const { relay, fill, empty } = await fullRedis(stack);
    await fill();
    await expect(relay.api.enqueue(aRequest(), { wantsReply: false })).rejects.toMatchObject({ code: 'queue_full' });
    await empty();
    // Somebody else makes one of its scripts known, and not the others.
    const other = (await relay.anotherApi()).queues.find(({ name }) => name === 'metaads')!;
    await (await other.add('status', {}, { priority: 1, jobId: 'other' })).remove();
    const deliveryId = await send(relay.api, { events: 2 });
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'queued', eventsPending: 2 });
    expect(await relay.jobs()).toHaveLength(1);
    expect(await relay.ledger()).toMatchObject({ accepted: 2, pending: 2 });
  });

  test('takes back what a stopping worker has not sent, and an idle one has it at once', async () => {
    await using stack = new AsyncDisposableStack();
    const { relay, fill, empty } = await fullRedis(stack);
    const errors: string[] = [];
    const start = (deliver: () => Promise<Fate>) => {
      const worker = relay.delivery().start({ concurrency: 1, deliver, pollStatus: () => Promise.resolve(undefined), onError: (error) => errors.push(error.message) });
      stack.defer(() => worker.close());
      return worker;
    };
    stack.defer(() => void empty());
    const taken = Promise.withResolvers<void>();
    const fate = Promise.withResolvers<Fate>();
    const stopping = start(() => (taken.resolve(), fate.promise));
    await send(relay.api);
    await taken.promise;
    await fill();
    let again = false;
    const idle = start(() => ((again = true), Promise.resolve({ kind: 'done' })));
    const asked = idle.lastAliveMs;
    await waitFor(async () => idle.lastAliveMs > asked && (await relay.redis.exists(keys.marker(relay.lane()))) === 0, { what: 'the second worker to wait' });
    const closing = stopping.close();
    fate.resolve({ kind: 'give_back' });
    // Without a marker it would ask again after 5 s.
    await waitFor(() => again, { timeoutMs: 4_000, what: 'the other worker to have the job' });
    await closing;
    expect(errors).toEqual([]);
  });

  test('still takes what the way out needs: cool-downs, access tokens, holds', async () => {
    await using stack = new AsyncDisposableStack();
    const { relay, fill } = await fullRedis(stack);
    await relay.api.accounts.create({ id: 'acc', platform: 'metaads', credentials: { accessToken: 'one' }, metadata: {} });
    await fill();
    await relay.worker.cooldowns.start('acc', Date.now() + 60_000);
    expect(await relay.worker.cooldowns.until(['acc'])).toBeGreaterThan(Date.now());
    const tokens = createTokenCache(relay.worker.connection, relay.sealer);
    const lock = await tokens.lock('acc', 5_000);
    expect(await tokens.lock('acc', 5_000)).toBeUndefined();
    await tokens.put('acc', 1, 'token', 60_000);
    expect(await tokens.get('acc', 1)).toBe('token');
    await lock!.release();
    expect(await relay.worker.accounts.markNeedsReconnect('acc', 1, 'revoked')).toBe(true);
    expect(await relay.api.accounts.patch('acc', { credentials: { accessToken: 'two' } })).toMatchObject({ account: { status: 'active' } });
  });
});

test('a settlement that Redis does not take for now is written as soon as it does', async () => {
  await using stack = new AsyncDisposableStack();
  const server = await provideRedis({ docker: false, install: false });
  stack.defer(() => server.stop());
  const relay = stack.use(await openRelay({ redisUrl: server.url }));
  await send(relay.api, { events: 2 });
  const events = await batchOf((await relay.jobs())[0]!);
  await relay.redis.config('SET', 'min-replicas-to-write', '1');
  await expect(relay.api.enqueue(aRequest(), { wantsReply: false })).rejects.toMatchObject(unavailable);
  let written = false;
  const settling = relay.delivery().settle(delivered(events)).then(() => {
    written = true;
  });
  await expect(waitFor(() => written, { timeoutMs: 600 })).rejects.toThrow('waited');
  await relay.redis.config('SET', 'min-replicas-to-write', '0');
  await settling;
  expect(await relay.ledger()).toMatchObject({ accepted: 2, delivered: 2, pending: 0 });
});

test('a connection that falls silent is opened anew', { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { proxy, relay } = await openTapped(stack);
  await send(relay.api);
  // What is passed on from now on waits behind this, on the connection that is there.
  proxy.before(/exec/i, () => new Promise(() => undefined));
  await expect(relay.api.enqueue(aRequest(), { wantsReply: false })).rejects.toMatchObject(unavailable);
  await waitFor(() => send(relay.api), { timeoutMs: 12_000, what: 'a connection that works' });
});
