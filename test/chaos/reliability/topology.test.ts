import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand, waitFor } from '@relay/testkit';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { actionOf, anEvent, freshIds, PIXEL, PIXEL_2, PIXEL_3, RULE, RULE_2, toGoogle, toLinkedin, toMeta } from '../../e2e/events.ts';
import { allSettled, expectBalance } from './books.ts';
import type { Chance } from './chance.ts';
import { openConversation } from './conversation.ts';
import { expectFailoverBalance, type FailoverBalance, type Promotion } from './failover-books.ts';
import { PLATFORMS } from './ledgers.ts';
import { startLoad, type Load } from './load.ts';
import { startRedisNode, type RedisNode } from './redis-node.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { allReady, startStack, type Member, type Stack } from './stack.ts';

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

interface Scene {
  readonly stack: Stack;
  readonly load: Load;
  /** Lets the callers end, and waits until they have. */
  end(): Promise<void>;
}

/** Two apis, two workers, and callers who go on until the fault is over; WhatsApp conversions among what they send. */
async function openScene(redisUrl: string, chance: Chance, name: string): Promise<Scene> {
  const stack = await startStack(parts, { redisUrl, apis: 2, workers: 2 });
  return withLoad(stack, chance, name);
}
async function withLoad(stack: Stack, chance: Chance, name: string): Promise<Scene> {
  const conversationId = await openConversation(stack);
  const over = new AbortController();
  const load = startLoad(stack, chance.fork('load'), name, { events: 2_000, until: over.signal, perRequest: 60, callers: 10, pauseMs: 200, conversationId });
  const end = async () => {
    expect(load.active()).toBeGreaterThan(0);
    over.abort();
    await load.done;
  };
  return { stack, load, end };
}

const seenOf = ({ whatsappTwice, unknown }: FailoverBalance): string => `lost: acknowledged, not replicated yet; WhatsApp: ${whatsappTwice} sent twice, ${unknown} of unknown end`;

describe.runIf(isLong)('Sentinel', () => {
  test('the master is killed, and the replica takes over', { timeout: 240_000 }, async () => {
    const chance = chanceFor('sentinel kill');
    const pair = await startPair();
    const { stack, load, end } = await openScene(pair.url, chance, 'sentinel');
    await sleep(chance.between(1_000, 2_000));
    const fromMs = Date.now();
    await pair.master.end('SIGKILL');
    // Nobody can have been answered by it any more.
    const promotion: Promotion = { fromMs, toMs: Date.now() };
    await waitFor(async () => (await pair.replica.client.role())[0] === 'master', { timeoutMs: 30_000, everyMs: 50, what: 'the replica to be promoted' });
    const promotedMs = Date.now() - fromMs;
    const recoveryMs = await allReady(everybody(stack));
    await end();
    expect(load.unexpected).toEqual([]);
    const balance = await expectFailoverBalance(stack, load, promotion);
    report('redis', { scenario: 'Sentinel: master killed, replica promoted', ...balance, kills: 1, recoveryMs, note: `promoted after ${(promotedMs / 1000).toFixed(1)} s; ${restartsOf(stack)}${seenOf(balance)}` });
  });

  test('a switch-over by hand', { timeout: 240_000 }, async () => {
    const chance = chanceFor('sentinel switch');
    const pair = await startPair();
    const { stack, load, end } = await openScene(pair.url, chance, 'switch');
    await sleep(chance.between(1_000, 2_000));
    const fromMs = Date.now();
    await pair.sentinel.call('SENTINEL', 'FAILOVER', 'main');
    await waitFor(async () => (await pair.replica.client.role())[0] === 'master' && (await pair.master.client.role())[0] === 'slave', { timeoutMs: 30_000, everyMs: 20, what: 'the two to change places' });
    const promotion: Promotion = { fromMs, toMs: Date.now() };
    const recoveryMs = await allReady(everybody(stack));
    await end();
    expect(load.unexpected).toEqual([]);
    const balance = await expectFailoverBalance(stack, load, promotion);
    report('redis', { scenario: 'Sentinel: switch-over by hand', ...balance, kills: 0, recoveryMs, note: `changed places after ${((promotion.toMs - fromMs) / 1000).toFixed(1)} s; ${restartsOf(stack)}${seenOf(balance)}` });
  });

  test('with min-replicas-to-write nothing is accepted that has no second copy', { timeout: 180_000 }, async () => {
    const chance = chanceFor('min replicas');
    const pair = await startPair('--min-replicas-to-write', '1', '--min-replicas-max-lag', '2');
    const { stack, load, end } = await openScene(pair.url, chance, 'replicas');
    await sleep(1_000);
    const fromMs = Date.now();
    pair.replica.signal('SIGSTOP');
    await waitFor(() => load.refused.count > 0, { timeoutMs: 20_000, everyMs: 10, what: 'writes to be refused' });
    const refusedMs = Date.now();
    // A caller that was refused since then has no answer of before on its way.
    await waitFor(() => load.refusedAt.every((atMs) => atMs > refusedMs), { timeoutMs: 20_000, everyMs: 10, what: 'every caller to be refused' });
    const stored = load.accepted.size;
    await sleep(3_000);
    expect(load.accepted.size).toBe(stored);
    pair.replica.signal('SIGCONT');
    const backMs = Date.now();
    await waitFor(() => load.accepted.size > stored + 600, { timeoutMs: 20_000, everyMs: 20, what: 'callers to be served again' });
    const recoveryMs = Date.now() - backMs;
    await end();
    const balance = await expectBalance(stack, load, { disturbances: [{ fromMs, toMs: backMs }] });
    expect(load.refused.withoutRetryAfter).toBe(0);
    report('redis', { scenario: 'min-replicas-to-write, replica away', ...balance, kills: 1, recoveryMs, note: `${load.refused.count} requests refused with 503; ${balance.dead} of WhatsApp of unknown end` });
  });
});

/** What the watchdog has found out: lanes that did not consume although Redis was back. */
function restartsOf(stack: Stack): string {
  const stuck = stack.logged('worker.stuck').length;
  return stuck === 0 ? '' : `${stuck} worker${stuck === 1 ? '' : 's'} found not consuming and restarted; `;
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

    const { load, end } = await withLoad(stack, chance, 'cluster');
    await sleep(chance.between(1_500, 2_500));
    const victim = chance.pick(cluster.nodes);
    const fromMs = Date.now();
    await victim.end('SIGKILL');
    await sleep(5_000);
    await victim.start();
    const toMs = Date.now();
    const recoveryMs = await allReady(everybody(stack), 90_000);
    await end();
    expect(load.unexpected).toEqual([]);
    expect(load.refused.withoutRetryAfter).toBe(0);
    const balance = await expectBalance(stack, load, { disturbances: [{ fromMs, toMs }], before });
    report('redis', { scenario: 'Cluster of 3, QUEUE_LANES=6, one node killed', ...balance, kills: 1, recoveryMs, note: `node away for 5 s; ${restartsOf(stack)}${load.refused.count} requests refused with 503; ${balance.dead} of WhatsApp of unknown end` });
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
