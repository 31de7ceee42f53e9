import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@relay/testkit';
import { describe, expect, test } from 'vitest';
import { anEvent, freshIds, PIXEL, PIXEL_2, toMeta } from '../../e2e/events.ts';
import { allSettled, expectBalance, type Disturbance } from './books.ts';
import type { Chance } from './chance.ts';
import { startLoad } from './load.ts';
import { startRedisNode } from './redis-node.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { allReady, startStack, type Member, type Platform, type Stack } from './stack.ts';

/** In the short form side by side: most of their time is the lock of a dead worker. */
const concurrent = !isLong;

async function open(parts: AsyncDisposableStack, options: Partial<Parameters<typeof startStack>[1]> = {}): Promise<Stack> {
  const redis = await startRedisNode(parts);
  return startStack(parts, { redisUrl: redis.url, ...options });
}
const slowly = async (stack: Stack, ms: number) => {
  for (const platform of ['meta', 'google', 'linkedin'] as const) await stack.sandbox.fault({ platform, fault: { kind: 'latency', ms } });
};

/** Kills members one after the other at moments of chance, and starts each again a little later. */
async function reap(members: readonly Member[], kills: number, chance: Chance): Promise<Disturbance[]> {
  const disturbances: Disturbance[] = [];
  for (let i = 0; i < kills; i += 1) {
    await sleep(chance.between(100, 1_200));
    const victim = chance.pick(members);
    const fromMs = Date.now();
    await victim.end('SIGKILL');
    disturbances.push({ fromMs, toMs: Date.now() });
    await sleep(chance.between(0, 400));
    await victim.start();
  }
  return disturbances;
}

test('SIGKILL of workers and apis at random moments under load', { timeout: 300_000, concurrent }, async () => {
  await using parts = new AsyncDisposableStack();
  const chance = chanceFor('kills');
  const stack = await open(parts, { apis: 2, workers: isLong ? 3 : 2 });
  await slowly(stack, 150);
  const load = startLoad(stack, chance.fork('load'), 'kill', { events: isLong ? 40_000 : 4_000, perRequest: 60, callers: 12, pauseMs: isLong ? 150 : 100 });
  const [kills, apiKills] = isLong ? [14, 6] : [2, 1];
  const [disturbances, others] = await Promise.all([reap(stack.workers, kills, chance.fork('workers')), reap(stack.apis, apiKills, chance.fork('apis'))]);
  await load.done;
  await allReady([...stack.workers, ...stack.apis]);
  const balance = await expectBalance(stack, load.accepted, { disturbances });
  expect(load.unexpected).toEqual([]);
  expect(load.broken.count + load.refused.count).toBeGreaterThan(0);
  expect(balance.lost).toBe(0);
  report('crash', {
    scenario: 'SIGKILL of workers and apis under load',
    ...balance,
    kills: kills + apiKills,
    recoveryMs: Date.now() - disturbances.at(-1)!.toMs,
    note: `${load.broken.count} requests broken and sent again; recovery: last kill to last final answer`,
  });
  expect(others).toHaveLength(apiKills);
});

/** 1,000 events to Meta in one request. */
async function oneRequest(stack: Stack, prefix: string): Promise<Map<string, Platform>> {
  const ids = freshIds(prefix, 1_000);
  const answer = await stack.call('POST', '/v1/ads/conversions', toMeta(ids.map((id) => anEvent(id))), { prefer: 'respond-async' });
  expect(answer.status).toBe(202);
  return new Map(ids.map((id) => [id, 'metaads']));
}

test('a worker is killed between the platform\'s 200 and the end of the job', { timeout: 120_000, concurrent }, async () => {
  await using parts = new AsyncDisposableStack();
  const stack = await open(parts, { apis: 1, workers: 2 });
  let fromMs = 0;
  const killed = new Promise<unknown>((resolve) => {
    stack.tap.loseAnswer(({ eventIds, status }) => eventIds.length > 0 && status === 200, () => {
      fromMs = Date.now();
      // Whichever has it.
      resolve(Promise.all(stack.workers.map((worker) => worker.end('SIGKILL'))));
    });
  });
  const accepted = await oneRequest(stack, 'answered');
  await killed;
  const toMs = Date.now();
  for (const worker of stack.workers) await worker.start();
  const balance = await expectBalance(stack, accepted, { disturbances: [{ fromMs, toMs }] });
  // The platform has them, and nobody wrote it down: sent once more, with the same ids.
  expect(balance.duplicates).toBe(1_000);
  expect(balance.lost).toBe(0);
  report('crash', { scenario: "killed between the platform's 200 and the end of the job", ...balance, kills: 2, recoveryMs: Date.now() - toMs, note: "recovery: the dead worker's lock (20 s)" });
});

describe.runIf(isLong)('in the long form', () => {
  test('SIGTERM of every worker and api in turn during full flight', { timeout: 300_000 }, async () => {
    await using parts = new AsyncDisposableStack();
    const chance = chanceFor('terms');
    const stack = await open(parts, { apis: 2, workers: 3 });
    await slowly(stack, 400);
    const load = startLoad(stack, chance.fork('load'), 'term', { events: 20_000, perRequest: 60, callers: 12, pauseMs: 150 });
    let slowest = 0;
    for (const member of [...stack.workers, ...stack.apis]) {
      await sleep(chance.between(300, 1_500));
      const startedAt = Date.now();
      expect(await member.end('SIGTERM')).toEqual({ code: 0, signal: null });
      slowest = Math.max(slowest, Date.now() - startedAt);
      await member.start();
    }
    const lastStart = Date.now();
    await load.done;
    // What was given back waits for nobody's lock: no event may take as long as one.
    const balance = await expectBalance(stack, load.accepted, { timeoutMs: 20_000 });
    expect(balance.duplicates).toBe(0);
    expect(balance.lost).toBe(0);
    report('crash', { scenario: 'SIGTERM in turn during full flight', ...balance, kills: 5, recoveryMs: Date.now() - lastStart, note: `slowest stop ${(slowest / 1000).toFixed(1)} s` });
  });

  test('a worker frozen past its lock and resumed', { timeout: 180_000 }, async () => {
    await using parts = new AsyncDisposableStack();
    const chance = chanceFor('freeze');
    const stack = await open(parts, { apis: 1, workers: 1 });
    await slowly(stack, 700);
    // More than two requests' worth for a destination: some in flight, some waiting in the worker's memory.
    const load = startLoad(stack, chance.fork('load'), 'frozen', {
      events: 12_000,
      perRequest: 400,
      callers: 20,
      targets: [['metaads', (events) => toMeta(events, PIXEL)], ['metaads', (events) => toMeta(events, PIXEL_2)]],
    });
    await waitFor(() => stack.tap.passages.length >= 6, { everyMs: 5, what: 'requests to be in flight' });
    const [frozen] = stack.workers;
    const fromMs = Date.now();
    frozen!.process.kill('SIGSTOP');
    const toMs = Date.now();
    await load.done;
    const second = await stack.addWorker();
    await allSettled(stack);
    const takenOver = Date.now() - toMs;
    frozen!.process.kill('SIGCONT');
    const resumedAt = Date.now();
    await allReady([frozen!, second]);
    const recoveryMs = Date.now() - resumedAt;
    // Whatever it still holds it would send now.
    await sleep(8_000);
    const balance = await expectBalance(stack, load.accepted, { disturbances: [{ fromMs, toMs }] });
    expect(balance.lost).toBe(0);
    report('crash', { scenario: 'a worker frozen past its lock, then resumed', ...balance, kills: 1, recoveryMs, note: `another worker was done after ${(takenOver / 1000).toFixed(1)} s` });
  });
});
