import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@relay/testkit';
import { describe, expect, test } from 'vitest';
import { anEvent, freshIds, PIXEL, PIXEL_2, toMeta } from '../../e2e/events.ts';
import { allSettled, expectBalance, type Disturbance } from './books.ts';
import type { Chance } from './chance.ts';
import { openConversation } from './conversation.ts';
import { openDeliveries, type Platform } from './ledgers.ts';
import { startLoad, type Load } from './load.ts';
import { startRedisNode } from './redis-node.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { allReady, startStack, type Member, type Stack } from './stack.ts';

/** In the short form side by side: most of their time is the lock of a dead worker. */
const concurrent = !isLong;

async function open(parts: AsyncDisposableStack, options: Partial<Parameters<typeof startStack>[1]> = {}): Promise<Stack> {
  const redis = await startRedisNode(parts);
  // A platform that is given up on is asked again, and rightly: here only what was killed may be a reason.
  return startStack(parts, { redisUrl: redis.url, env: { PLATFORM_TIMEOUT_MS: '20000' }, ...options });
}
const whatsappOf = (load: Load): string => `${[...load.accepted.values()].filter((platform) => platform === 'whatsapp').length} of WhatsApp among them`;
const slowly = async (stack: Stack, ms: number) => {
  for (const platform of ['meta', 'google', 'linkedin'] as const) await stack.sandbox.fault({ platform, fault: { kind: 'latency', ms } });
};

const inFlight = ({ tap }: Stack, { name }: Member): number => tap.passages.filter(({ by, endedAt, eventIds }) => by === name && endedAt === undefined && eventIds.length > 0).length;

/** Kills members one after the other at moments of chance, under load, and starts each again a little later. */
async function reap(stack: Stack, load: Load, members: readonly Member[], kills: number, chance: Chance): Promise<Disturbance[]> {
  const disturbances: Disturbance[] = [];
  for (let i = 0; i < kills; i += 1) {
    await sleep(chance.between(100, 1_200));
    const victim = chance.pick(members);
    // An api has callers all the time; a worker may have nothing in hand just now.
    if (stack.workers.includes(victim)) await waitFor(() => inFlight(stack, victim) > 0, { timeoutMs: 40_000, everyMs: 2, what: `${victim.name} to have a request in flight` });
    expect(load.active()).toBeGreaterThan(0);
    const fromMs = Date.now();
    await victim.end('SIGKILL');
    disturbances.push({ fromMs, toMs: Date.now(), member: victim.name, open: await openDeliveries(stack.redis) });
    await sleep(chance.between(0, 400));
    await victim.start();
  }
  return disturbances;
}

test('SIGKILL of workers and apis at random moments under load', { timeout: 300_000, concurrent }, async () => {
  await using parts = new AsyncDisposableStack();
  const chance = chanceFor('kills');
  const stack = await open(parts, { apis: 2, workers: isLong ? 3 : 2 });
  const conversationId = await openConversation(stack);
  await slowly(stack, 150);
  const over = new AbortController();
  const load = startLoad(stack, chance.fork('load'), 'kill', { events: isLong ? 40_000 : 2_000, until: over.signal, perRequest: 60, callers: 12, pauseMs: 250, conversationId });
  const [kills, apiKills] = isLong ? [14, 6] : [2, 1];
  const [disturbances, others] = await Promise.all([reap(stack, load, stack.workers, kills, chance.fork('workers')), reap(stack, load, stack.apis, apiKills, chance.fork('apis'))]);
  over.abort();
  await load.done;
  await allReady([...stack.workers, ...stack.apis]);
  const balance = await expectBalance(stack, load, { disturbances });
  expect(load.unexpected).toEqual([]);
  expect(load.broken.count + load.refused.count).toBeGreaterThan(0);
  expect(others).toHaveLength(apiKills);
  report('crash', {
    scenario: 'SIGKILL of workers and apis under load',
    ...balance,
    kills: kills + apiKills,
    recoveryMs: Date.now() - disturbances.at(-1)!.toMs,
    note: `${load.broken.count} requests broken and sent again; ${whatsappOf(load)}, ${balance.dead} of unknown end; recovery: last kill to last final answer`,
  });
});

/** 1,000 events to Meta in one request. */
async function oneRequest(stack: Stack, prefix: string): Promise<Map<string, Platform>> {
  const ids = freshIds(prefix, 1_000);
  const answer = await stack.call('POST', '/v1/ads/conversions', toMeta(ids.map((id) => anEvent(id))), { prefer: 'respond-async' });
  expect(answer.status).toBe(202);
  return new Map(ids.map((id) => [id, 'metaads']));
}

test('a worker is killed between the platform\'s 200 and the end of the job', { timeout: 300_000, concurrent }, async () => {
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
  const balance = await expectBalance(stack, { accepted }, { disturbances: [{ fromMs, toMs }] });
  // The platform has them, and nobody wrote it down: sent once more, with the same ids.
  expect(balance.duplicates).toBe(1_000);
  report('crash', { scenario: "killed between the platform's 200 and the end of the job", ...balance, kills: 2, recoveryMs: Date.now() - toMs, note: "recovery: the dead worker's lock (20 s)" });
});

describe.runIf(isLong)('in the long form', () => {
  test('SIGTERM of every worker and api in turn during full flight', { timeout: 300_000 }, async () => {
    await using parts = new AsyncDisposableStack();
    const chance = chanceFor('terms');
    const stack = await open(parts, { apis: 2, workers: 3 });
    const conversationId = await openConversation(stack);
    await slowly(stack, 400);
    const over = new AbortController();
    const load = startLoad(stack, chance.fork('load'), 'term', { events: 20_000, until: over.signal, perRequest: 60, callers: 12, pauseMs: 250, conversationId });
    let slowest = 0;
    let inHand = 0;
    for (const member of [...stack.workers, ...stack.apis]) {
      await sleep(chance.between(300, 1_500));
      if (stack.workers.includes(member)) inHand += await waitFor(() => inFlight(stack, member), { timeoutMs: 20_000, everyMs: 2, what: `${member.name} to have requests in flight` });
      expect(load.active()).toBeGreaterThan(0);
      const startedAt = Date.now();
      expect(await member.end('SIGTERM')).toEqual({ code: 0, signal: null });
      slowest = Math.max(slowest, Date.now() - startedAt);
      await member.start();
    }
    const lastStart = Date.now();
    over.abort();
    await load.done;
    const balance = await expectBalance(stack, load);
    expect(load.unexpected).toEqual([]);
    // What was given back waits for nobody's lock.
    expect(stack.logged('job.stalled')).toEqual([]);
    expect(balance).toMatchObject({ lost: 0, duplicates: 0, dead: 0 });
    const note = `${inHand} requests in flight at the workers' signals; ${whatsappOf(load)}; slowest stop ${(slowest / 1000).toFixed(1)} s`;
    report('crash', { scenario: 'SIGTERM in turn during full flight', ...balance, kills: 5, recoveryMs: Date.now() - lastStart, note });
  });

  test('a worker frozen past its lock and resumed', { timeout: 180_000 }, async () => {
    await using parts = new AsyncDisposableStack();
    const chance = chanceFor('freeze');
    const stack = await open(parts, { apis: 1, workers: 1 });
    await slowly(stack, 700);
    const conversationId = await openConversation(stack);
    const over = new AbortController();
    // More than two requests' worth for a destination: some in flight, some waiting in the worker's memory.
    const load = startLoad(stack, chance.fork('load'), 'frozen', {
      events: 12_000,
      until: over.signal,
      perRequest: 400,
      callers: 20,
      targets: [['metaads', (events) => toMeta(events, PIXEL)], ['metaads', (events) => toMeta(events, PIXEL_2)]],
      conversationId,
    });
    const [frozen] = stack.workers;
    await waitFor(() => stack.tap.passages.filter(({ eventIds }) => eventIds.length > 0).length >= 6 && inFlight(stack, frozen!) > 1, { everyMs: 5, what: 'requests to be in flight' });
    const fromMs = Date.now();
    frozen!.process.kill('SIGSTOP');
    const disturbance = { fromMs, toMs: Date.now(), member: frozen!.name, open: await openDeliveries(stack.redis) };
    over.abort();
    await load.done;
    const second = await stack.addWorker();
    await allSettled(stack);
    const takenOver = Date.now() - disturbance.toMs;
    frozen!.process.kill('SIGCONT');
    const resumedAt = Date.now();
    await allReady([frozen!, second]);
    const recoveryMs = Date.now() - resumedAt;
    // Whatever it still holds it would send now.
    await sleep(8_000);
    const balance = await expectBalance(stack, load, { disturbances: [disturbance] });
    expect(balance.lost).toBe(0);
    const note = `${whatsappOf(load)}, ${balance.dead} of unknown end; another worker was done after ${(takenOver / 1000).toFixed(1)} s`;
    report('crash', { scenario: 'a worker frozen past its lock, then resumed', ...balance, kills: 1, recoveryMs, note });
  });
});
