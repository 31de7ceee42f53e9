import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectBalance, type Disturbance } from './books.ts';
import { startLoad, type Load } from './load.ts';
import { startRedisNode, type RedisNode } from './redis-node.ts';
import { openRedisPath } from './redis-path.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { allReady, PLATFORMS, readiness, startStack, type Member, type Stack } from './stack.ts';

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

const slowly = async (stack: Stack, ms: number) => {
  for (const platform of ['meta', 'google', 'linkedin'] as const) await stack.sandbox.fault({ platform, fault: { kind: 'latency', ms } });
};
const everybody = (stack: Stack): readonly Member[] => [...stack.apis, ...stack.workers];

function expectRefusals(load: Load): void {
  expect(load.unexpected).toEqual([]);
  expect(load.refused.count).toBeGreaterThan(0);
  expect(load.refused.withoutRetryAfter).toBe(0);
}

/** Ends Redis and starts it again on its file after `awayMs`; every process must notice, and consume again afterwards. */
async function takeAway(stack: Stack, redis: RedisNode, signal: 'SIGKILL' | 'SIGTERM', awayMs: number): Promise<Disturbance & { readonly recoveryMs: number }> {
  const fromMs = Date.now();
  await redis.end(signal);
  await Promise.all(everybody(stack).map((one) => waitFor(async () => (await readiness(one)) === 503, { timeoutMs: 9_000, everyMs: 20, what: `${one.name} to notice` })));
  await sleep(Math.max(awayMs - (Date.now() - fromMs), 0));
  await redis.start();
  const recoveryMs = await allReady(everybody(stack));
  return { fromMs, toMs: Date.now(), recoveryMs };
}

test('Redis is killed and comes back on its append-only file', { timeout: 240_000 }, async () => {
  const chance = chanceFor('redis kills');
  const redis = await startRedisNode(parts);
  const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2 });
  await slowly(stack, 100);
  const load = startLoad(stack, chance.fork('load'), 'aof', { events: isLong ? 30_000 : 3_000, perRequest: 60, callers: 10, pauseMs: 150 });
  const disturbances: (Disturbance & { readonly recoveryMs: number })[] = [];
  for (let i = 0; i < (isLong ? 5 : 1); i += 1) {
    await sleep(chance.between(500, 2_000));
    disturbances.push(await takeAway(stack, redis, 'SIGKILL', chance.between(200, 1_500)));
  }
  await load.done;
  const balance = await expectBalance(stack, load.accepted, { disturbances });
  expectRefusals(load);
  expect(balance.lost).toBe(0);
  report('redis', { scenario: 'Redis killed, restarted on its AOF', ...balance, kills: disturbances.length, recoveryMs: Math.max(...disturbances.map((one) => one.recoveryMs)), note: `${load.refused.count} requests refused with 503` });
});

test('memory is full', { timeout: 120_000 }, async () => {
  const chance = chanceFor('full');
  const redis = await startRedisNode(parts);
  const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2 });
  await slowly(stack, 400);
  const events = isLong ? 20_000 : 5_000;
  const load = startLoad(stack, chance.fork('load'), 'full', { events, perRequest: 100, callers: 16 });
  await waitFor(() => load.accepted.size > events / 4, { timeoutMs: 20_000, everyMs: 5, what: 'a queue to fill' });
  // Not a byte more: what Redis has is far above it.
  await redis.client.config('SET', 'maxmemory', '1');
  await waitFor(() => load.refused.count > 30, { timeoutMs: 20_000, what: 'callers to be refused' });
  const stored = load.accepted.size;
  expect(stored).toBeLessThan(events);
  // The way out stays open: what was accepted is delivered although nothing more can be.
  const open = async () => (await Promise.all(PLATFORMS.map((platform) => stack.ledger(platform)))).reduce((sum, { pending }) => sum + pending, 0);
  await waitFor(async () => (await open()) === 0, { timeoutMs: 30_000, what: 'the full queue to drain' });
  expect(load.accepted.size).toBe(stored);
  await redis.client.config('SET', 'maxmemory', '0');
  const roomMs = Date.now();
  await waitFor(() => load.accepted.size > stored, { timeoutMs: 10_000, everyMs: 10, what: 'callers to be served again' });
  const recoveryMs = Date.now() - roomMs;
  await load.done;
  const balance = await expectBalance(stack, load.accepted);
  expectRefusals(load);
  expect(balance.duplicates).toBe(0);
  expect(balance.lost).toBe(0);
  report('redis', { scenario: 'Redis full (maxmemory)', ...balance, kills: 0, recoveryMs, note: `${load.refused.count} requests refused with 503` });
});

describe.runIf(isLong)('in the long form', () => {
  test.each([3_000, 60_000])('Redis is away for %i ms', { timeout: 300_000 }, async (awayMs) => {
    const chance = chanceFor(`away ${awayMs}`);
    const redis = await startRedisNode(parts);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2 });
    await slowly(stack, 100);
    const load = startLoad(stack, chance.fork('load'), 'away', { events: 20_000, perRequest: 60, callers: 10, pauseMs: 150 });
    await sleep(chance.between(500, 1_500));
    const disturbance = await takeAway(stack, redis, 'SIGTERM', awayMs);
    await load.done;
    const balance = await expectBalance(stack, load.accepted, { disturbances: [disturbance] });
    expectRefusals(load);
    expect(balance.lost).toBe(0);
    report('redis', { scenario: `Redis away for ${awayMs / 1000} s`, ...balance, kills: 1, recoveryMs: disturbance.recoveryMs, note: `${load.refused.count} requests refused with 503` });
  });

  test('connections are cut again and again', { timeout: 120_000 }, async () => {
    const chance = chanceFor('cuts');
    const redis = await startRedisNode(parts);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2 });
    await slowly(stack, 50);
    const load = startLoad(stack, chance.fork('load'), 'cut', { events: 20_000, perRequest: 60, callers: 10, pauseMs: 150 });
    const disturbances: Disturbance[] = [];
    const cuts = 25;
    for (let i = 0; i < cuts; i += 1) {
      await sleep(chance.between(50, 600));
      const fromMs = Date.now();
      for (const type of ['normal', 'pubsub']) await redis.client.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      disturbances.push({ fromMs, toMs: Date.now() });
    }
    const recoveryMs = await allReady(everybody(stack));
    await load.done;
    const balance = await expectBalance(stack, load.accepted, { disturbances });
    expect(load.unexpected).toEqual([]);
    // What was to be written is written when the connection is back: nothing is sent again.
    expect(balance.duplicates).toBe(0);
    expect(balance.lost).toBe(0);
    report('redis', { scenario: 'all connections to Redis cut', ...balance, kills: cuts, recoveryMs, note: `${load.refused.count} requests refused with 503` });
  });

  test('connections fall silent without breaking', { timeout: 180_000 }, async () => {
    const chance = chanceFor('silence');
    const redis = await startRedisNode(parts);
    const path = await openRedisPath(parts, redis.port);
    const stack = await startStack(parts, { redisUrl: path.url, apis: 2, workers: 2 });
    const load = startLoad(stack, chance.fork('load'), 'silent', { events: 10_000, perRequest: 60, callers: 10, pauseMs: 150 });
    await sleep(1_000);
    const fromMs = Date.now();
    path.silence();
    const recoveryMs = await waitFor(async () => {
      const all = await Promise.all(everybody(stack).map(readiness));
      return Date.now() - fromMs > 2_000 && all.every((status) => status === 200) && Date.now() - fromMs;
    }, { timeoutMs: 60_000, everyMs: 100, what: 'all to work on new connections' });
    await load.done;
    const balance = await expectBalance(stack, load.accepted, { disturbances: [{ fromMs, toMs: Date.now() }] });
    expect(load.unexpected).toEqual([]);
    expect(balance.lost).toBe(0);
    report('redis', { scenario: 'connections to Redis fall silent', ...balance, kills: 1, recoveryMs, note: `from the first lost byte; ${load.refused.count} requests refused with 503` });
  });
});
