import { RelayError } from '@relay/contract';
import type { Lane, QueueProbe } from '@relay/redis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchLanes, type Watchdog } from './watchdog.ts';

const STUCK_AFTER_MS = 20_000;
const LOOK_MS = 5_000;

let lane: { lane: { lane: Lane }; active: number; worked: number; lastAliveMs: number };
let waiting: number | undefined;
let found: unknown[];
let watchdog: Watchdog;

beforeEach(() => {
  vi.useFakeTimers();
  lane = { lane: { lane: { platform: 'metaads', queue: 'metaads', tag: '{relay}' } }, active: 0, worked: 0, lastAliveMs: Date.now() };
  waiting = 0;
  found = [];
  const answer = <T>(value: () => T) => (waiting === undefined ? Promise.reject(new RelayError('storage_unavailable', 'away')) : Promise.resolve(value()));
  const probe: QueueProbe = { waiting: () => answer(() => waiting!), ping: () => answer(() => 1), [Symbol.asyncDispose]: () => Promise.resolve() };
  watchdog = watchLanes({ lanes: [lane], probe, stuckAfterMs: STUCK_AFTER_MS, onStuck: (what) => found.push(what), now: Date.now });
});
afterEach(async () => {
  await watchdog[Symbol.asyncDispose]();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** Time goes by and the lane asks for jobs, as an idle one does. */
async function ask(): Promise<void> {
  await pass(1);
  lane.lastAliveMs = Date.now();
}

test('is ready once the lane has asked for jobs, and no longer when it does not ask again', async () => {
  expect(await watchdog.look()).toMatchObject({ redis: { ok: true }, notConsuming: ['metaads'] });
  await ask();
  expect(await watchdog.look()).toMatchObject({ notConsuming: [] });
  await pass(20_000);
  expect(await watchdog.look()).toMatchObject({ redis: { ok: true }, notConsuming: ['metaads'] });
});

test('is not ready while Redis is away, nor after it came back, before the lane has asked again', async () => {
  await ask();
  waiting = undefined;
  expect(await watchdog.look()).toEqual({ redis: { ok: false }, notConsuming: ['metaads'] });
  waiting = 0;
  expect(await watchdog.look()).toMatchObject({ redis: { ok: true }, notConsuming: ['metaads'] });
  await ask();
  expect(await watchdog.look()).toMatchObject({ notConsuming: [] });
});

test('one whose hands are full is ready as long as something moves', async () => {
  await ask();
  lane.active = 100;
  for (let i = 0; i < 20; i += 1) {
    lane.worked += 1;
    await pass(LOOK_MS);
  }
  expect(await watchdog.look()).toMatchObject({ notConsuming: [] });
  expect(found).toEqual([]);
});

test('jobs that wait while none is taken: stuck, said once', async () => {
  waiting = 7;
  await pass(LOOK_MS + STUCK_AFTER_MS - 1);
  expect(found).toEqual([]);
  await pass(1);
  expect(found).toEqual([{ queue: 'metaads', waiting: 7, active: 0, forMs: STUCK_AFTER_MS }]);
  await pass(10 * STUCK_AFTER_MS);
  expect(found).toHaveLength(1);
});

test('jobs in hand of which none moves: stuck, although nothing waits and the lane asks for more', async () => {
  lane.active = 3;
  for (let i = 0; i < 5; i += 1) {
    await pass(LOOK_MS);
    lane.lastAliveMs = Date.now();
  }
  expect(found).toEqual([{ queue: 'metaads', waiting: 0, active: 3, forMs: STUCK_AFTER_MS }]);
});

test('an idle lane that asks is not stuck, however long it idles', async () => {
  for (let i = 0; i < 100; i += 1) {
    await ask();
    await pass(10_000);
  }
  expect(found).toEqual([]);
});

test('an idle lane that does not ask any more is stuck, although nothing waits', async () => {
  await ask();
  await pass(40_000);
  expect(found).toEqual([{ queue: 'metaads', waiting: 0, active: 0, forMs: 30_000 }]);
});

test('any progress starts the count over', async () => {
  waiting = 7;
  for (let i = 0; i < 10; i += 1) {
    await pass(STUCK_AFTER_MS - LOOK_MS);
    lane.worked += 1;
    lane.lastAliveMs = Date.now();
  }
  expect(found).toEqual([]);
});

test('so does Redis being away: a new process would not help', async () => {
  for (let i = 0; i < 10; i += 1) {
    waiting = 7;
    await pass(STUCK_AFTER_MS - LOOK_MS);
    waiting = undefined;
    await pass(LOOK_MS);
  }
  expect(found).toEqual([]);
});
