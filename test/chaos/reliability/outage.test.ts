import { setTimeout as sleep } from 'node:timers/promises';
import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, freshIds, PIXEL, PIXEL_2, PIXEL_3, toMeta, toSecondMeta } from '../../e2e/events.ts';
import { allSettled, expectBalance } from './books.ts';
import { startLoad } from './load.ts';
import { startRedisNode } from './redis-node.ts';
import { chanceFor, isLong, report } from './scenario.ts';
import { startStack } from './stack.ts';

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

const WEEK_S = 7 * 86_400;

describe.runIf(isLong)('in the long form', () => {
  // An outage of hours, played faster: the longest backoff is 0.4 s instead of 900 s, so 20 s bring as many attempts as 12.5 h.
  test('a platform is down for as long as 50 attempts take; what grows too old meanwhile dies of it', { timeout: 240_000 }, async () => {
    const chance = chanceFor('outage');
    const redis = await startRedisNode(parts);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2 });
    const outage = await stack.sandbox.fault({ platform: 'meta', fault: { kind: 'unavailable' } });
    const downAt = Date.now();
    const load = startLoad(stack, chance.fork('load'), 'outage', { events: 10_000, perRequest: 60, callers: 10, targets: [PIXEL, PIXEL_2, PIXEL_3].map((pixel) => ['metaads', (events) => toMeta(events, pixel)]) });
    // Meta takes these for 10 s more.
    const old = freshIds('old', 200);
    const eventTime = Math.floor(Date.now() / 1000) - WEEK_S + 10;
    expect((await stack.call('POST', '/v1/ads/conversions', toSecondMeta(old.map((id) => anEvent(id, { eventTime }))), { prefer: 'respond-async' })).status).toBe(202);
    await load.done;
    await sleep(Math.max(20_000 - (Date.now() - downAt), 0));
    expect(await stack.ledger('metaads')).toMatchObject({ accepted: 10_200, delivered: 0, dead: 200, pending: 10_000 });
    expect(await stack.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 0 });
    expect(await stack.sandbox.faults()).toMatchObject([{ id: outage }]);
    await stack.sandbox.clearFaults();
    const upAt = Date.now();
    await allSettled(stack);
    const recoveryMs = Date.now() - upAt;
    const accepted = new Map([...load.accepted, ...old.map((id) => [id, 'metaads'] as const)]);
    const balance = await expectBalance(stack, accepted, { dead: { metaads: 200 } });
    expect(balance).toMatchObject({ lost: 0, duplicates: 0, dead: 200 });
    report('platform', { scenario: 'Meta down for 50 attempts (12 h of backoff)', ...balance, kills: 0, recoveryMs, note: '200 events expired meanwhile, as dead letters; recovery: until all others were delivered' });
  });

  test('a token is revoked with 10,000 events queued, and restored', { timeout: 240_000 }, async () => {
    const chance = chanceFor('revoked');
    const redis = await startRedisNode(parts);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2 });
    await stack.sandbox.token('meta', SEED.meta.accessToken, 'revoked');
    const load = startLoad(stack, chance.fork('load'), 'revoked', { events: 10_000, perRequest: 60, callers: 10, targets: [PIXEL, PIXEL_2, PIXEL_3].map((pixel) => ['metaads', (events) => toMeta(events, pixel)]) });
    const other = await stack.call('POST', '/v1/ads/conversions', toSecondMeta([anEvent('other-1')]), { prefer: 'wait=20' });
    expect(other.body.status).toBe('delivered');
    await load.done;
    await waitFor(async () => (await stack.ledger('metaads')).held === 10_000, { timeoutMs: 60_000, what: 'all of them to be held' });
    const asked = stack.tap.passages.length;
    await sleep(6_000);
    // Held means that nobody asks: not once in two sweeps.
    expect(stack.tap.passages.length).toBe(asked);
    await stack.sandbox.token('meta', SEED.meta.accessToken, 'valid');
    const restoredAt = Date.now();
    const patched = await stack.call('PATCH', '/v1/admin/accounts/acc_meta', { credentials: { accessToken: SEED.meta.accessToken } });
    expect(patched.body).toMatchObject({ status: 'active', releasedEvents: 10_000 });
    await allSettled(stack);
    const recoveryMs = Date.now() - restoredAt;
    const balance = await expectBalance(stack, new Map([...load.accepted, ['other-1', 'metaads']]));
    expect(balance).toMatchObject({ lost: 0, duplicates: 0 });
    report('platform', { scenario: 'a token revoked with 10,000 events queued', ...balance, kills: 0, recoveryMs, note: 'recovery: new credentials to last delivery' });
  });
});
