import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toMeta } from '../../e2e/events.ts';
import { expectBalance } from './books.ts';
import type { Platform } from './ledgers.ts';
import { startRedisNode } from './redis-node.ts';
import { openRedisPath } from './redis-path.ts';
import { isLong, report } from './scenario.ts';
import { readiness, startStack } from './stack.ts';

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

/** 3 × PLATFORM_TIMEOUT_MS and 15 s, one look more, and the grace. */
const FOUND_OUT_WITHIN_MS = 18_000 + 5_000 + 5_000;
const GRACE_MS = 2_000;

describe.runIf(isLong)('in the long form', () => {
  test('a worker that is connected and does not consume is found out and restarted', { timeout: 120_000 }, async () => {
    const redis = await startRedisNode(parts);
    const path = await openRedisPath(parts, redis.port);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 1, workers: 0, env: { PLATFORM_TIMEOUT_MS: '1000', SHUTDOWN_GRACE_MS: String(GRACE_MS) } });
    const worker = await stack.addWorker({ REDIS_URL: path.url });
    await waitFor(async () => (await readiness(worker)) === 200, { what: 'the worker to consume' });
    // Its plain commands are answered, and so are looks from beside; no script comes through, so it can take no job.
    path.swallow(/evalsha/i);
    const ids = freshIds('stuck', 500);
    const accepted = new Map<string, Platform>(ids.map((id) => [id, 'metaads']));
    expect((await stack.call('POST', '/v1/ads/conversions', toMeta(ids.map((id) => anEvent(id))), { prefer: 'respond-async' })).status).toBe(202);
    const startedAt = Date.now();
    const stuckPid = worker.process.pid;
    await waitFor(async () => (await readiness(worker)) === 503, { timeoutMs: 20_000, what: 'the worker to say that it is not ready' });
    const unreadyMs = Date.now() - startedAt;
    await waitFor(() => stack.logged('worker.stuck').length > 0, { timeoutMs: FOUND_OUT_WITHIN_MS, what: 'the watchdog to find out' });
    expect(stack.logged('worker.stuck')[0]).toMatchObject({ level: 'fatal', queue: 'metaads', waiting: 1, active: 0 });
    path.swallow(undefined);
    await waitFor(() => worker.restarts === 1 && worker.process.pid !== stuckPid, { timeoutMs: GRACE_MS + 10_000, what: 'the process to end and be started again' });
    const { dead, ...balance } = await expectBalance(stack, { accepted });
    expect([balance.duplicates, dead]).toEqual([0, 0]);
    report('stuck', { scenario: 'a worker connected, but not consuming', ...balance, kills: 0, recoveryMs: Date.now() - startedAt, note: `not ready after ${(unreadyMs / 1000).toFixed(1)} s; recovery: until all was delivered by its successor` });
  });
});
