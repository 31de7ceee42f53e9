import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectBalance, type Disturbance } from './books.ts';
import type { Chance } from './chance.ts';
import { openConversation } from './conversation.ts';
import { PLATFORMS } from './ledgers.ts';
import { startLoad, type Load, type LoadOptions } from './load.ts';
import { startRedisNode, type RedisNode } from './redis-node.ts';
import { openRedisPath } from './redis-path.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { allReady, readiness, startStack, type Member, type Stack } from './stack.ts';

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

const slowly = async (stack: Stack, ms: number) => {
  for (const platform of ['meta', 'google', 'linkedin'] as const) await stack.sandbox.fault({ platform, fault: { kind: 'latency', ms } });
};
const everybody = (stack: Stack): readonly Member[] => [...stack.apis, ...stack.workers];

const pendingEvents = async (stack: Stack): Promise<number> => (await Promise.all(PLATFORMS.map((platform) => stack.ledger(platform)))).reduce((sum, { pending }) => sum + pending, 0);

interface Scene {
  readonly stack: Stack;
  readonly load: Load;
  /** Lets the callers end, and waits until they have. */
  end(): Promise<void>;
}

/** Two apis, two workers, and callers who go on until the fault is over; WhatsApp conversions among what they send. */
async function openScene(redisUrl: string, chance: Chance, name: string, latencyMs: number, load: Partial<LoadOptions> = {}): Promise<Scene> {
  // A platform that is given up on is asked again, and rightly: here only Redis may be a reason.
  const stack = await startStack(parts, { redisUrl, apis: 2, workers: 2, env: { PLATFORM_TIMEOUT_MS: '20000' } });
  const conversationId = await openConversation(stack);
  await slowly(stack, latencyMs);
  const over = new AbortController();
  const started = startLoad(stack, chance.fork('load'), name, { events: 2_000, perRequest: 60, callers: 10, pauseMs: isLong ? 300 : 150, ...load, until: over.signal, conversationId });
  const end = async () => {
    expect(started.active()).toBeGreaterThan(0);
    over.abort();
    await started.done;
  };
  return { stack, load: started, end };
}

function expectRefusals(load: Load): void {
  expect(load.unexpected).toEqual([]);
  expect(load.refused.count).toBeGreaterThan(0);
  expect(load.refused.withoutRetryAfter).toBe(0);
}
const refusalsOf = (load: Load, dead: number): string => {
  const whatsapp = [...load.accepted.values()].filter((platform) => platform === 'whatsapp').length;
  return `${load.refused.count} requests refused with 503; ${whatsapp} of WhatsApp among the events${dead === 0 ? '' : `, ${dead} of unknown end`}`;
};

/** Ends Redis and starts it again on its file after `awayMs`; every process must notice, and consume again afterwards. */
async function takeAway(stack: Stack, redis: RedisNode, signal: 'SIGKILL' | 'SIGTERM', awayMs: number): Promise<Disturbance & { readonly recoveryMs: number }> {
  await waitFor(async () => (await pendingEvents(stack)) > 0, { timeoutMs: 20_000, everyMs: 2, what: 'events under way' });
  const fromMs = Date.now();
  await redis.end(signal);
  await Promise.all(everybody(stack).map((one) => waitFor(async () => (await readiness(one)) === 503, { timeoutMs: 9_000, everyMs: 20, what: `${one.name} to notice` })));
  await sleep(Math.max(awayMs - (Date.now() - fromMs), 0));
  await redis.start();
  const toMs = Date.now();
  return { fromMs, toMs, recoveryMs: await allReady(everybody(stack)) };
}

test('Redis is killed and comes back on its append-only file', { timeout: 240_000 }, async () => {
  const chance = chanceFor('redis kills');
  // With `everysec` it may answer before it has written, while its disk is slow: then a kill takes what was acknowledged.
  const redis = await startRedisNode(parts, ['--appendfsync', 'always']);
  const { stack, load, end } = await openScene(redis.url, chance, 'aof', 100);
  const disturbances: (Disturbance & { readonly recoveryMs: number })[] = [];
  for (let i = 0; i < (isLong ? 5 : 1); i += 1) {
    await sleep(chance.between(500, 2_000));
    disturbances.push(await takeAway(stack, redis, 'SIGKILL', chance.between(200, 1_500)));
  }
  await end();
  const { dead, ...balance } = await expectBalance(stack, load, { disturbances });
  expectRefusals(load);
  expect(balance.lost).toBe(0);
  report('redis', { scenario: 'Redis killed, restarted on its AOF', ...balance, kills: disturbances.length, recoveryMs: Math.max(...disturbances.map((one) => one.recoveryMs)), note: refusalsOf(load, dead) });
});

test('memory is full', { timeout: 120_000 }, async () => {
  const chance = chanceFor('full');
  const redis = await startRedisNode(parts);
  const { stack, load, end } = await openScene(redis.url, chance, 'full', 400, { perRequest: 100, callers: 16, pauseMs: 0 });
  await waitFor(async () => load.accepted.size > (isLong ? 5_000 : 1_000) && (await pendingEvents(stack)) > 0, { timeoutMs: 20_000, everyMs: 5, what: 'a queue to fill' });
  // Not a byte more: what Redis has is far above it.
  await redis.client.config('SET', 'maxmemory', '1');
  const fullMs = Date.now();
  // A caller that was refused since then has no answer of before on its way.
  await waitFor(() => load.refusedAt.every((atMs) => atMs > fullMs), { timeoutMs: 30_000, what: 'every caller to be refused' });
  const stored = load.accepted.size;
  // The way out stays open: what was accepted is delivered although nothing more can be.
  await waitFor(async () => (await pendingEvents(stack)) === 0, { timeoutMs: 30_000, what: 'the full queue to drain' });
  expect(load.accepted.size).toBe(stored);
  await redis.client.config('SET', 'maxmemory', '0');
  const roomMs = Date.now();
  await waitFor(() => load.accepted.size > stored, { timeoutMs: 10_000, everyMs: 10, what: 'callers to be served again' });
  const recoveryMs = Date.now() - roomMs;
  await end();
  const balance = await expectBalance(stack, load);
  expectRefusals(load);
  expect(balance).toMatchObject({ duplicates: 0, dead: 0 });
  report('redis', { scenario: 'Redis full (maxmemory)', ...balance, kills: 0, recoveryMs, note: refusalsOf(load, 0) });
});

describe.runIf(isLong)('in the long form', () => {
  test.each([3_000, 60_000])('Redis is away for %i ms', { timeout: 300_000 }, async (awayMs) => {
    const chance = chanceFor(`away ${awayMs}`);
    const redis = await startRedisNode(parts);
    const { stack, load, end } = await openScene(redis.url, chance, 'away', 100);
    await sleep(chance.between(500, 1_500));
    const disturbance = await takeAway(stack, redis, 'SIGTERM', awayMs);
    await end();
    const { dead, ...balance } = await expectBalance(stack, load, { disturbances: [disturbance] });
    expectRefusals(load);
    expect(balance.lost).toBe(0);
    report('redis', { scenario: `Redis away for ${awayMs / 1000} s`, ...balance, kills: 1, recoveryMs: disturbance.recoveryMs, note: refusalsOf(load, dead) });
  });

  test('connections are cut again and again', { timeout: 180_000 }, async () => {
    const chance = chanceFor('cuts');
    const redis = await startRedisNode(parts);
    const { stack, load, end } = await openScene(redis.url, chance, 'cut', 50);
    const disturbances: Disturbance[] = [];
    const cuts = 25;
    for (let i = 0; i < cuts; i += 1) {
      await sleep(chance.between(50, 600));
      const fromMs = Date.now();
      for (const type of ['normal', 'pubsub']) await redis.client.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      disturbances.push({ fromMs, toMs: Date.now() });
    }
    const recoveryMs = await allReady(everybody(stack));
    await end();
    const { dead, ...balance } = await expectBalance(stack, load, { disturbances });
    expect(load.unexpected).toEqual([]);
    // What was to be written is written when the connection is back: nothing is sent again.
    expect(balance.duplicates).toBe(0);
    report('redis', { scenario: 'all connections to Redis cut', ...balance, kills: cuts, recoveryMs, note: refusalsOf(load, dead) });
  });

  test('connections fall silent without breaking', { timeout: 180_000 }, async () => {
    const chance = chanceFor('silence');
    const redis = await startRedisNode(parts);
    const path = await openRedisPath(parts, redis.port);
    const { stack, load, end } = await openScene(path.url, chance, 'silent', 100);
    await sleep(1_000);
    await waitFor(async () => (await pendingEvents(stack)) > 0, { timeoutMs: 20_000, everyMs: 2, what: 'events under way' });
    const fromMs = Date.now();
    path.silence();
    const recoveryMs = await waitFor(async () => {
      const all = await Promise.all(everybody(stack).map(readiness));
      return Date.now() - fromMs > 2_000 && all.every((status) => status === 200) && Date.now() - fromMs;
    }, { timeoutMs: 60_000, everyMs: 100, what: 'all to work on new connections' });
    await end();
    const { dead, ...balance } = await expectBalance(stack, load, { disturbances: [{ fromMs, toMs: fromMs + recoveryMs }] });
    expect(load.unexpected).toEqual([]);
    report('redis', { scenario: 'connections to Redis fall silent', ...balance, kills: 1, recoveryMs, note: `from the first lost byte; ${refusalsOf(load, dead)}` });
  });
});
