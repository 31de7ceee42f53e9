import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toGoogle, toLinkedin, toMeta, toSecondMeta } from './events.ts';
import { BALANCED, GOOGLE_CREDENTIALS, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ workers: 2, tap: true, env: { MAX_ATTEMPTS: '1000' } });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const aLead = () => anEvent(freshIds('hold', 1)[0]!);
const account = async (id: string): Promise<Json> => (await relay.call('GET', `/v1/admin/accounts/${id}`)).body;
const reconnect = (id: string, credentials: object) => relay.call('PATCH', `/v1/admin/accounts/${id}`, { body: { credentials } });
const held = (id: string, count: number) =>
  waitFor(
    async () => {
      const state = await account(id);
      return state.heldEvents === count && state;
    },
    { what: `${count} events of ${id} to be held`, timeoutMs: 15_000 },
  );

describe('a revoked token', () => {
  test('holds its account, lets others go on, and new credentials release all of it once', async () => {
    await relay.sandbox.token('meta', SEED.meta.accessToken, 'revoked');
    const ids = freshIds('held', 25);
    const deliveries = await Promise.all(ids.map((id) => relay.queue(toMeta([anEvent(id)]))));
    const big = await relay.queue(toMeta(freshIds('big', 1500).map((id) => anEvent(id))));
    const state = await held('acc_meta', 1525);
    expect(state).toMatchObject({ status: 'needs_reconnect', statusReason: expect.stringContaining('190') });
    expect(JSON.stringify(state)).not.toContain(SEED.meta.accessToken);
    for (const deliveryId of deliveries) expect(await relay.delivery(deliveryId)).toMatchObject({ status: 'held', eventsHeld: 1, eventsPending: 1 });
    expect(await relay.delivery(big)).toMatchObject({ status: 'held', eventsHeld: 1500 });
    expect(await relay.ledger('metaads')).toMatchObject({ held: 1525, pending: 0, imbalance: 0 });
    await expect.poll(() => relay.metrics(), { timeout: 4_000 }).toContain('relay_held_events{platform="metaads"} 1525');
    const asked = (await relay.sandbox.requests('meta')).length;

    // What comes now is held as well, without asking Meta again; the other account goes on.
    const late = await relay.send(toMeta([aLead()]), { prefer: 'wait=1' });
    expect([late.status, late.body.status]).toEqual([202, 'held']);
    expect((await relay.send(toSecondMeta([aLead()]))).body.status).toBe('delivered');
    expect((await relay.sandbox.requests('meta')).length).toBe(asked + 1);

    await relay.sandbox.token('meta', 'reconnected-token', 'valid');
    const patched = await reconnect('acc_meta', { accessToken: 'reconnected-token' });
    expect([patched.status, patched.body.status, patched.body.releasedEvents]).toEqual([200, 'active', 1526]);
    expect(patched.text).not.toContain('reconnected-token');
    for (const deliveryId of [...deliveries, big, late.body.deliveryId as string]) {
      expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered', eventsFailed: 0, eventsHeld: 0 });
    }
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 1527, unique: 1527, duplicates: 0 });
    expect(await account('acc_meta')).toMatchObject({ status: 'active', heldEvents: 0 });
    expect(await account('acc_meta')).not.toHaveProperty('statusReason');
  });

  test('of LinkedIn that cannot be refreshed holds, too', async () => {
    await relay.sandbox.token('linkedin', SEED.linkedin.accessToken, 'expired');
    const deliveryId = await relay.queue(toLinkedin([aLead()]));
    await held('acc_linkedin', 1);
    await relay.sandbox.token('linkedin', 'another-linkedin-token', 'valid');
    await reconnect('acc_linkedin', { accessToken: 'another-linkedin-token', scopes: ['rw_conversions'] });
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
  });

  test('credentials that are refused again hold again, and lose nothing', async () => {
    const reachable = await account('acc_meta_2');
    expect(reachable.status).toBe('active');
    await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'revoked');
    const deliveryId = await relay.queue(toSecondMeta([aLead()]));
    await held('acc_meta_2', 1);
    expect((await reconnect('acc_meta_2', { accessToken: 'unknown-token' })).body.releasedEvents).toBe(1);
    await waitFor(async () => (await account('acc_meta_2')).status === 'needs_reconnect');
    await held('acc_meta_2', 1);
    await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'valid');
    await reconnect('acc_meta_2', { accessToken: 'sandbox-meta-token-2' });
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered', eventsReceived: 1 });
  });
});

describe('events that grow too old on the way', () => {
  const WEEK = 7 * 86_400;
  /** Meta takes it for this many seconds more. */
  const expiringIn = (seconds: number) => anEvent(freshIds('old', 1)[0]!, { eventTime: Math.floor(Date.now() / 1000) - WEEK + seconds });
  const expectExpired = async (deliveryId: string) => {
    expect(await relay.settled(deliveryId, 40_000)).toMatchObject({ status: 'failed', eventsFailed: 1, failures: [{ eventIndex: 0, code: 'expired' }] });
    const letters = await relay.deadLetters('reason=expired');
    const letter = letters.find((one) => one.deliveryId === deliveryId);
    expect(letter).toMatchObject({ reason: 'expired', eventCount: 1, replayable: false, whyNot: expect.stringMatching(/older/) });
    const replay = await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`, { body: { force: true } });
    expect([replay.status, replay.body.code]).toEqual([422, 'not_replayable']);
  };

  test('while they are held', async () => {
    await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'revoked');
    const deliveryId = await relay.queue(toSecondMeta([expiringIn(15)]));
    await held('acc_meta_2', 1);
    await expectExpired(deliveryId);
    expect(await held('acc_meta_2', 0)).toMatchObject({ status: 'needs_reconnect' });
    await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'valid');
    await reconnect('acc_meta_2', { accessToken: 'sandbox-meta-token-2' });
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 0 });
  });

  test('while the platform is down', async () => {
    await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'status', status: 503 } });
    await expectExpired(await relay.queue(toSecondMeta([expiringIn(3)])));
    expect((await relay.sandbox.requests('meta')).length).toBeGreaterThan(2);
  });

  test('leave the others of their request alone', async () => {
    await relay.sandbox.fault({ platform: 'meta', times: 1, fault: { kind: 'status', status: 503, headers: { 'retry-after': '4' } } });
    const young = aLead();
    const deliveryId = await relay.queue(toSecondMeta([young, expiringIn(3)]));
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'partial', eventsReceived: 1, failures: [{ eventIndex: 1, code: 'expired' }] });
    expect(await relay.sandbox.accepted({ eventId: young.eventId })).toMatchObject({ total: 1 });
  });
});

describe("Google's tokens", () => {
  const wireOf = (part: string) => relay.wire().filter(({ path }) => path.includes(part));

  test('one that has ended is refreshed once, whoever asks', async () => {
    expect((await relay.send(toGoogle([aLead()]))).body.status).toBe('delivered');
    const bearer = wireOf('events:ingest').at(-1)!.headers.authorization!;
    await relay.sandbox.token('google', bearer.slice('Bearer '.length), 'expired');
    const [asked, refreshed] = [wireOf('events:ingest').length, wireOf('/oauth/token').length];
    const answers = await Promise.all(Array.from({ length: 20 }, () => relay.send(toGoogle([aLead()]))));
    expect(new Set(answers.map(({ body }) => body.status))).toEqual(new Set(['delivered']));
    expect(wireOf('/oauth/token').length - refreshed).toBe(1);
    const after = wireOf('events:ingest').slice(asked);
    expect(after.at(-1)!.headers.authorization).not.toBe(bearer);
    expect(await relay.sandbox.accepted({ platform: 'google', limit: 0 })).toMatchObject({ total: 21, duplicates: 0 });
  });

  test('a grant that was taken back holds until it is given anew', async () => {
    await relay.sandbox.token('google', SEED.google.refreshToken, 'revoked');
    const deliveries = await Promise.all(Array.from({ length: 10 }, () => relay.queue(toGoogle([aLead()]))));
    expect(await held('acc_google', 10)).toMatchObject({ status: 'needs_reconnect', statusReason: expect.stringContaining('invalid_grant') });
    await relay.sandbox.token('google', 'second-grant', 'valid');
    const patched = await reconnect('acc_google', { ...GOOGLE_CREDENTIALS, refreshToken: 'second-grant' });
    expect(patched.body.releasedEvents).toBe(10);
    for (const deliveryId of deliveries) expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
    expect(await relay.sandbox.accepted({ platform: 'google', limit: 0 })).toMatchObject({ total: 10, duplicates: 0 });
  });

  test('a grant without the scope holds', async () => {
    await relay.sandbox.token('google', SEED.google.refreshToken, 'no_scope');
    await reconnect('acc_google', GOOGLE_CREDENTIALS);
    const deliveryId = await relay.queue(toGoogle([aLead()]));
    await held('acc_google', 1);
    await relay.sandbox.token('google', SEED.google.refreshToken, 'valid');
    await reconnect('acc_google', GOOGLE_CREDENTIALS);
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
  });
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
