import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toGoogle, toLinkedin, toMeta, toSecondMeta } from './events.ts';
import { BALANCED, startRelay, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  // One attempt: whatever a rate limit spent would be a dead letter.
  relay = await startRelay({ env: { MAX_ATTEMPTS: '1' }, workers: 2 });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const aLead = () => anEvent(freshIds('limit', 1)[0]!);
const METRIC = /^relay_account_cooldown_seconds\{account="([^"]+)"\} (\S+)$/gm;
/** Seconds by account; Redis is read at most every 2 s for them. */
const cooldowns = async () => new Map([...(await relay.metrics()).matchAll(METRIC)].map(([, account, seconds]) => [account!, Number(seconds)]));
const cooling = (account: string) => waitFor(async () => (await cooldowns()).get(account), { what: `${account} to cool down` });

/** Meta's answer for an ad account, with a hint in seconds: its own are in minutes. */
const limited = (seconds: number, code = 80004) => ({
  kind: 'status',
  status: 400,
  body: { error: { message: `(#${code}) There have been too many calls.`, type: 'OAuthException', code, fbtrace_id: 'AbCdEf' } },
  headers: { 'retry-after': String(seconds), 'content-type': 'application/json' },
});

describe('a rate limit', () => {
  test('rests the account, spends no attempt and lets another account go on', async () => {
    await relay.sandbox.fault({ platform: 'meta', match: { token: 'sandbox-meta-token' }, times: 1, fault: limited(15) });
    const first = await relay.queue(toMeta([aLead()]));
    const seconds = await cooling('acc_meta');
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(15);
    expect(await relay.delivery(first)).toMatchObject({ status: 'retrying', eventsPending: 1, chunks: [{ code: '80004', message: expect.stringContaining('too many calls') }] });

    // What comes meanwhile waits as well, without a request; the other account is served.
    const more = await Promise.all(Array.from({ length: 20 }, () => relay.queue(toMeta([aLead()]))));
    const other = await relay.send(toSecondMeta([aLead()]));
    expect(other.body.status).toBe('delivered');

    for (const deliveryId of [first, ...more]) expect(await relay.settled(deliveryId, 40_000)).toMatchObject({ status: 'delivered', eventsReceived: 1, eventsFailed: 0 });
    const requests = await relay.sandbox.requests('meta');
    const [refused, ...rest] = requests;
    expect(refused!.status).toBe(400);
    // The other account's one request, and no other, came before the time was over.
    expect(rest.filter(({ atMs }) => atMs - refused!.atMs < 14_950)).toHaveLength(1);
    expect(rest.every(({ status }) => status === 200)).toBe(true);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 22, duplicates: 0 });
  });

  test('three times in a row still spends no attempt', async () => {
    await relay.sandbox.fault({ platform: 'meta', match: { token: 'sandbox-meta-token' }, times: 3, fault: limited(1, 17) });
    const deliveryId = await relay.queue(toMeta([aLead()]));
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
    expect((await relay.sandbox.requests('meta')).map(({ status }) => status)).toEqual([400, 400, 400, 200]);
  });

  test('as a bare 429 with Retry-After', async () => {
    await relay.sandbox.fault({ platform: 'meta', times: 1, fault: { kind: 'status', status: 429, headers: { 'retry-after': '2' } } });
    const deliveryId = await relay.queue(toMeta([aLead()]));
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
    const [refused, taken] = await relay.sandbox.requests('meta');
    expect(taken!.atMs - refused!.atMs).toBeGreaterThanOrEqual(1990);
  });

  test("of the app rests all of Meta's accounts", async () => {
    await relay.sandbox.fault({ platform: 'meta', match: { token: 'sandbox-meta-token' }, times: 1, fault: limited(10, 4) });
    const first = await relay.queue(toMeta([aLead()]));
    const app = await waitFor(async () => [...(await cooldowns()).keys()].find((account) => account.startsWith('app:metaads:')), { timeoutMs: 9_000, what: 'the app to cool down' });
    expect(app).toMatch(/^app:metaads:[0-9a-f]+$/);
    const second = await relay.queue(toSecondMeta([aLead()]));
    for (const deliveryId of [first, second]) expect(await relay.settled(deliveryId, 30_000)).toMatchObject({ status: 'delivered' });
    const [refused, ...rest] = await relay.sandbox.requests('meta');
    expect(rest).toHaveLength(2);
    for (const { atMs } of rest) expect(atMs - refused!.atMs).toBeGreaterThanOrEqual(9_950);
  });

  test("of Google's project and of a LinkedIn token rests for a minute", async () => {
    await relay.sandbox.fault({ platform: 'google', match: { path: 'events:ingest' }, times: 1, fault: { kind: 'rate_limit' } });
    await relay.sandbox.fault({ platform: 'linkedin', match: { path: 'conversionEvents' }, times: 1, fault: { kind: 'rate_limit' } });
    const deliveries = await Promise.all([relay.queue(toGoogle([aLead()])), relay.queue(toLinkedin([aLead()]))]);
    const found = await waitFor(async () => {
      const all = await cooldowns();
      const google = [...all.keys()].find((name) => name.startsWith('app:googleads:'));
      return google !== undefined && all.has('acc_linkedin') && [google, all.get(google)!, all.get('acc_linkedin')!] as const;
    });
    // Never the OAuth client itself.
    expect(found[0]).toMatch(/^app:googleads:[0-9a-f]{12}$/);
    for (const seconds of found.slice(1)) {
      expect(seconds).toBeGreaterThan(50);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    for (const deliveryId of deliveries) expect(await relay.delivery(deliveryId)).toMatchObject({ status: 'retrying', eventsPending: 1, eventsFailed: 0 });
    for (const platform of ['google', 'linkedin'] as const) {
      const sent = (await relay.sandbox.requests(platform)).filter(({ route }) => /ingest|conversionEvents/.test(route));
      expect(sent.map(({ status }) => status)).toEqual([429]);
    }
  });

  test("with Meta's hint in minutes rests for minutes", async () => {
    await relay.sandbox.fault({ platform: 'meta', match: { token: 'sandbox-meta-token-2' }, times: 1, fault: { kind: 'rate_limit', variant: '80004', regainMinutes: 2 } });
    const deliveryId = await relay.queue(toSecondMeta([aLead()]));
    const seconds = await cooling('acc_meta_2');
    expect(seconds).toBeGreaterThan(110);
    expect(seconds).toBeLessThanOrEqual(120);
    expect((await relay.send(toSecondMeta([aLead()]), { prefer: 'wait=1' })).status).toBe(202);
    expect((await relay.sandbox.requests('meta')).length).toBe(1);
    expect(await relay.delivery(deliveryId)).toMatchObject({ eventsPending: 1, eventsFailed: 0 });
  });
});

test('the ledger adds up in the end, with the four that still wait', async () => {
  await expect.poll(() => relay.books()).toEqual({ ...BALANCED, pending: 4 });
  expect(await relay.deadLetters('')).toEqual([]);
});
