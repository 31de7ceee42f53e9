import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand, waitFor } from '@relay/testkit';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { actionOf, anEvent, freshIds, PIXEL, PIXEL_2, PIXEL_3, RULE, RULE_2, toGoogle, toLinkedin, toMeta } from '../../e2e/events.ts';
import { allSettled, expectBalance } from './books.ts';
import { SANDBOX_NAME, startLoad } from './load.ts';
import { startRedisNode, type RedisNode } from './redis-node.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { allReady, PLATFORMS, startStack, type Member, type Platform, type Stack } from './stack.ts';

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

const everybody = (stack: Stack): readonly Member[] => [...stack.apis, ...stack.workers];

interface Pair {
  readonly url: string;
  readonly master: RedisNode;
  readonly replica: RedisNode;
  readonly sentinel: Redis;
}

/** A master, its replica and three sentinels. */
async function startPair(...args: readonly string[]): Promise<Pair> {
  const master = await startRedisNode(parts, args);
  const replica = await startRedisNode(parts, ['--replicaof', `127.0.0.1 ${master.port}`, ...args]);
  await waitFor(async () => (await replica.client.info('replication')).includes('master_link_status:up'), { what: 'the replica to follow' });
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(master.port)));
  const sentinel = sentinels[0]!.client;
  await waitFor(async () => sentinels.length === 3 && (await masterOf(sentinel)).get('num-other-sentinels') === '2' && (await masterOf(sentinel)).get('num-slaves') === '1', { timeoutMs: 20_000, what: 'the sentinels to know each other' });
  return { url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main`, master, replica, sentinel };
}

async function masterOf(sentinel: Redis): Promise<Map<string, string>> {
  const flat = (await sentinel.call('SENTINEL', 'MASTER', 'main')) as string[];
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!]] : [])));
}

async function startSentinel(masterPort: number): Promise<RedisNode> {
  const node = await startRedisNode(parts, [], 'redis-sentinel');
  await node.client.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(masterPort), '2');
  for (const [name, value] of [['down-after-milliseconds', '1000'], ['failover-timeout', '5000']] as const) await node.client.call('SENTINEL', 'SET', 'main', name, value);
  return node;
}

/** Events that callers were promised and that the promoted replica has never heard of. */
async function forgotten(stack: Stack, accepted: ReadonlyMap<string, Platform>): Promise<number> {
  await allSettled(stack);
  let missing = 0;
  for (const platform of PLATFORMS) {
    const ids = [...accepted].filter(([, own]) => own === platform).map(([id]) => id);
    if (ids.length === 0) continue;
    const taken = await stack.sandbox.timesTaken(SANDBOX_NAME[platform], ids);
    missing += ids.filter((id) => !taken.has(id)).length;
    const { accepted: booked, delivered, dead, held, pending } = await stack.ledger(platform);
    expect(booked - delivered - dead - held - pending).toBe(0);
  }
  return missing;
}

describe.runIf(isLong)('Sentinel', () => {
  test('the master is killed, and the replica takes over', { timeout: 240_000 }, async () => {
    const chance = chanceFor('sentinel kill');
    const pair = await startPair();
    const stack = await startStack(parts, { redisUrl: pair.url, apis: 2, workers: 2 });
    const load = startLoad(stack, chance.fork('load'), 'sentinel', { events: 20_000, perRequest: 60, callers: 10, pauseMs: 150 });
    await sleep(chance.between(1_000, 2_000));
    const fromMs = Date.now();
    await pair.master.end('SIGKILL');
    await waitFor(async () => (await pair.replica.client.role())[0] === 'master', { timeoutMs: 30_000, everyMs: 50, what: 'the replica to be promoted' });
    const promotedMs = Date.now() - fromMs;
    const recoveryMs = await allReady(everybody(stack));
    await load.done;
    expect(load.unexpected).toEqual([]);
    const lost = await forgotten(stack, load.accepted);
    // Replication is asynchronous: what the master acknowledged in its last moment the replica may never have got.
    expect(lost).toBeLessThanOrEqual(1_000);
    const twice = await duplicatesOf(stack, load.accepted);
    report('redis', { scenario: 'Sentinel: master killed, replica promoted', events: load.accepted.size, kills: 1, lost, duplicates: twice, recoveryMs, note: `promoted after ${(promotedMs / 1000).toFixed(1)} s; lost: acknowledged, not replicated yet` });
  });

  test('a switch-over by hand', { timeout: 240_000 }, async () => {
    const chance = chanceFor('sentinel switch');
    const pair = await startPair();
    const stack = await startStack(parts, { redisUrl: pair.url, apis: 2, workers: 2 });
    const load = startLoad(stack, chance.fork('load'), 'switch', { events: 20_000, perRequest: 60, callers: 10, pauseMs: 150 });
    await sleep(chance.between(1_000, 2_000));
    const fromMs = Date.now();
    await pair.sentinel.call('SENTINEL', 'FAILOVER', 'main');
    await waitFor(async () => (await pair.replica.client.role())[0] === 'master' && (await pair.master.client.role())[0] === 'slave', { timeoutMs: 30_000, everyMs: 20, what: 'the two to change places' });
    const recoveryMs = await allReady(everybody(stack));
    await load.done;
    expect(load.unexpected).toEqual([]);
    const lost = await forgotten(stack, load.accepted);
    const twice = await duplicatesOf(stack, load.accepted);
    expect(lost).toBeLessThanOrEqual(1_000);
    report('redis', { scenario: 'Sentinel: switch-over by hand', events: load.accepted.size, kills: 0, lost, duplicates: twice, recoveryMs, note: `from the order to consumption ${((Date.now() - fromMs) / 1000).toFixed(1)} s with the load` });
  });

  test('with min-replicas-to-write nothing is accepted that has no second copy', { timeout: 180_000 }, async () => {
    const chance = chanceFor('min replicas');
    const pair = await startPair('--min-replicas-to-write', '1', '--min-replicas-max-lag', '2');
    const stack = await startStack(parts, { redisUrl: pair.url, apis: 2, workers: 2 });
    const load = startLoad(stack, chance.fork('load'), 'replicas', { events: 10_000, perRequest: 60, callers: 10, pauseMs: 150 });
    await sleep(1_000);
    const fromMs = Date.now();
    pair.replica.signal('SIGSTOP');
    await waitFor(() => load.refused.count > 20, { timeoutMs: 20_000, what: 'writes to be refused' });
    const stored = load.accepted.size;
    await sleep(3_000);
    // Requests whose answer was on its way.
    expect(load.accepted.size - stored).toBeLessThanOrEqual(60 * 10);
    pair.replica.signal('SIGCONT');
    const backMs = Date.now();
    await waitFor(() => load.accepted.size > stored + 600, { timeoutMs: 20_000, everyMs: 20, what: 'callers to be served again' });
    const recoveryMs = Date.now() - backMs;
    await load.done;
    const balance = await expectBalance(stack, load.accepted, { disturbances: [{ fromMs, toMs: backMs + recoveryMs }] });
    expect(load.refused.withoutRetryAfter).toBe(0);
    report('redis', { scenario: 'min-replicas-to-write, replica away', ...balance, kills: 1, recoveryMs, note: `${load.refused.count} requests refused with 503` });
  });
});

/** What the watchdog has found out: lanes that did not consume although Redis was back. */
function restartsOf(stack: Stack): string {
  const stuck = stack.logged('worker.stuck').length;
  return stuck === 0 ? '' : `${stuck} worker${stuck === 1 ? '' : 's'} found not consuming and restarted; `;
}

async function duplicatesOf(stack: Stack, accepted: ReadonlyMap<string, Platform>): Promise<number> {
  let duplicates = 0;
  for (const platform of new Set(accepted.values())) {
    const taken = await stack.sandbox.timesTaken(SANDBOX_NAME[platform], [...accepted].filter(([, own]) => own === platform).map(([id]) => id));
    for (const times of taken.values()) duplicates += times - 1;
  }
  return duplicates;
}

async function startCluster(): Promise<{ readonly url: string; readonly nodes: readonly RedisNode[] }> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-require-full-coverage', 'no', '--cluster-config-file', 'nodes.conf'];
  const nodes = await Promise.all([1, 2, 3].map(() => startRedisNode(parts, args)));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const made = await runCommand('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeoutMs: 60_000 });
  if (made.code !== 0) throw new Error(made.output);
  await waitFor(async () => (await Promise.all(nodes.map(({ client }) => client.cluster('INFO')))).every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')), { timeoutMs: 20_000, what: 'the cluster to be one' });
  return { url: `redis+cluster://${addresses.join(',')}`, nodes };
}

describe.runIf(isLong)('Redis Cluster', () => {
  test('of three nodes with six lanes does the whole job, and one node is killed', { timeout: 300_000 }, async () => {
    const chance = chanceFor('cluster');
    const cluster = await startCluster();
    const stack = await startStack(parts, { redisUrl: cluster.url, lanes: 6, apis: 2, workers: 2 });
    await jobOnCluster(stack);
    await stack.sandbox.reset();
    const before = new Map(await Promise.all(PLATFORMS.map(async (platform) => [platform, await stack.ledger(platform)] as const)));
    const sizes = await Promise.all(cluster.nodes.map(({ client }) => client.dbsize()));
    expect(Math.min(...sizes), `keys by node: ${sizes.join(', ')}`).toBeGreaterThan(5);

    const load = startLoad(stack, chance.fork('load'), 'cluster', { events: 20_000, perRequest: 60, callers: 10, pauseMs: 150 });
    await sleep(chance.between(1_500, 2_500));
    const victim = chance.pick(cluster.nodes);
    const fromMs = Date.now();
    await victim.end('SIGKILL');
    await sleep(5_000);
    await victim.start();
    const recoveryMs = await allReady(everybody(stack), 90_000);
    const toMs = Date.now();
    await load.done;
    expect(load.unexpected).toEqual([]);
    expect(load.refused.withoutRetryAfter).toBe(0);
    const balance = await expectBalance(stack, load.accepted, { disturbances: [{ fromMs, toMs }], before });
    expect(balance.lost).toBe(0);
    report('redis', { scenario: 'Cluster of 3, QUEUE_LANES=6, one node killed', ...balance, kills: 1, recoveryMs, note: `node away for 5 s; ${restartsOf(stack)}${load.refused.count} requests refused with 503` });
  });
});

/** Everything that touches several keys: all platforms, salvage, letters and their replay, hold and release, repeats. */
async function jobOnCluster(stack: Stack): Promise<void> {
  const send = async (body: unknown, headers: Readonly<Record<string, string>> = {}) => (await stack.call('POST', '/v1/ads/conversions', body, headers)).body;
  const ids = freshIds('everywhere', 7);
  const [first, second, third] = [PIXEL, PIXEL_2, PIXEL_3].map((pixel, i) => toMeta([anEvent(ids[i]!)], pixel));
  const bodies = [first, second, third, toGoogle([anEvent(ids[3]!)]), toGoogle([anEvent(ids[4]!)], actionOf('112')), toLinkedin([anEvent(ids[5]!)], RULE), toLinkedin([anEvent(ids[6]!)], RULE_2)];
  for (const [i, body] of bodies.entries()) {
    const [answer, again] = [await send(body, { 'idempotency-key': `job-${i}` }), await send(body, { 'idempotency-key': `job-${i}` })];
    expect(answer).toMatchObject({ status: 'delivered', eventsReceived: 1 });
    expect(again.deliveryId).toBe(answer.deliveryId);
    expect((await stack.call('GET', `/v1/events/${ids[i]}?accountId=${body!.accountId}`)).body.status).toBe('delivered');
  }
  const bad = freshIds('bad', 40);
  await stack.sandbox.poison('meta', [bad[7]!, bad[31]!]);
  expect(await send(toMeta(bad.map((id) => anEvent(id))))).toMatchObject({ status: 'partial', eventsReceived: 38, eventsFailed: 2 });
  await stack.sandbox.reset();
  expect((await stack.call('POST', '/v1/dead-letters/replay', { accountId: 'acc_meta' })).body).toMatchObject({ refused: 0, events: 2 });
  await allSettled(stack);
  await stack.sandbox.token('meta', 'sandbox-meta-token', 'revoked');
  const held = await Promise.all([PIXEL, PIXEL_2, PIXEL_3].map((pixel) => send(toMeta([anEvent(freshIds('held', 1)[0]!)], pixel), { prefer: 'respond-async' })));
  await waitFor(async () => (await stack.call('GET', '/v1/admin/accounts/acc_meta')).body.heldEvents === held.length, { timeoutMs: 15_000, what: 'the events to be held' });
  await stack.sandbox.token('meta', 'sandbox-meta-token', 'valid');
  expect((await stack.call('PATCH', '/v1/admin/accounts/acc_meta', { credentials: { accessToken: 'sandbox-meta-token' } })).body.releasedEvents).toBe(held.length);
  await allSettled(stack);
  expect((await stack.call('GET', '/v1/ads/conversions?accountId=acc_meta&limit=50')).body.conversions.length).toBe(7);
}
