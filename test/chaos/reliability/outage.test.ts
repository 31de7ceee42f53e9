import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const HOUR_MS = 3_600_000;
const OUTAGE_HOURS = 12;
/** At least, of each request looked at: the backoff is 0.4 s at most, and requests share their turns. */
const ATTEMPTS = 20;

/** The clock of all processes of a scenario but Redis and the test: it can be put forward while they run. */
async function openClock() {
  const folder = await mkdtemp(join(tmpdir(), 'relay-chaos-clock-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'offset-ms');
  const putTo = (offsetMs: number) => writeFile(file, String(offsetMs));
  await putTo(0);
  return { putTo, env: { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'moving-clock.mjs')}`, CLOCK_FILE: file } };
}

describe.runIf(isLong)('in the long form', () => {
  // Hours are the clock's, which is put forward in the middle. With the defaults they would bring more attempts than MAX_ATTEMPTS.
  test(`a platform is down for ${OUTAGE_HOURS} hours of the clock and ${ATTEMPTS} attempts; what grows too old meanwhile dies of it`, { timeout: 240_000 }, async () => {
    const chance = chanceFor('outage');
    const clock = await openClock();
    const redis = await startRedisNode(parts);
    const stack = await startStack(parts, { redisUrl: redis.url, apis: 2, workers: 2, env: clock.env, sandboxEnv: clock.env });
    const outage = await stack.sandbox.fault({ platform: 'meta', fault: { kind: 'unavailable' } });
    const load = startLoad(stack, chance.fork('load'), 'outage', { events: 10_000, perRequest: 200, callers: 10, targets: [PIXEL, PIXEL_2, PIXEL_3].map((pixel) => ['metaads', (events) => toMeta(events, pixel)]) });
    // Meta takes these for 6 hours more.
    const old = freshIds('old', 200);
    const eventTime = Math.floor((Date.now() - (WEEK_S * 1000 - 6 * HOUR_MS)) / 1000);
    const sent = await stack.call('POST', '/v1/ads/conversions', toSecondMeta(old.map((id) => anEvent(id, { eventTime }))), { prefer: 'respond-async' });
    expect(sent.status).toBe(202);
    await load.done;
    const attemptsOf = async (deliveryId: string): Promise<number> => (await stack.call('GET', `/v1/deliveries/${deliveryId}`)).body.attempts as number;
    await waitFor(async () => (await attemptsOf(load.stored[0]!.deliveryId)) >= ATTEMPTS / 2, { timeoutMs: 60_000, what: 'half of the attempts' });
    expect(await stack.ledger('metaads')).toMatchObject({ accepted: 10_200, delivered: 0, dead: 0, pending: 10_200 });
    await clock.putTo(OUTAGE_HOURS * HOUR_MS);
    await waitFor(async () => (await stack.ledger('metaads')).dead === old.length, { timeoutMs: 60_000, what: 'what is too old now to die' });
    const attempts = await waitFor(async () => {
      const fewest = Math.min(...(await Promise.all([load.stored[0]!, load.stored.at(-1)!].map(({ deliveryId }) => attemptsOf(deliveryId)))));
      return fewest >= ATTEMPTS && fewest;
    }, { timeoutMs: 60_000, what: 'all of the attempts' });
    expect(await stack.ledger('metaads')).toMatchObject({ accepted: 10_200, delivered: 0, dead: 200, pending: 10_000 });
    expect(await stack.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 0 });
    expect(await stack.sandbox.faults()).toMatchObject([{ id: outage }]);
    const letters = (await stack.call('GET', '/v1/dead-letters?platform=metaads&limit=200')).body.deadLetters as { readonly reason: string }[];
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['expired']));
    await stack.sandbox.clearFaults();
    const upAt = Date.now();
    await allSettled(stack);
    const recoveryMs = Date.now() - upAt;
    const accepted = new Map([...load.accepted, ...old.map((id) => [id, 'metaads'] as const)]);
    const balance = await expectBalance(stack, { accepted, stored: load.stored }, { dead: new Set(old) });
    expect(balance).toMatchObject({ lost: 0, duplicates: 0, dead: 200 });
    const note = `${attempts} attempts; 200 events expired meanwhile, as dead letters; recovery: until all others were delivered`;
    report('platform', { scenario: `Meta down for ${OUTAGE_HOURS} h (clocks put forward)`, ...balance, kills: 0, recoveryMs, note });
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
    const balance = await expectBalance(stack, { accepted: new Map([...load.accepted, ['other-1', 'metaads']]), stored: load.stored });
    expect(balance).toMatchObject({ lost: 0, duplicates: 0 });
    report('platform', { scenario: 'a token revoked with 10,000 events queued', ...balance, kills: 0, recoveryMs, note: 'recovery: new credentials to last delivery' });
  });
});
