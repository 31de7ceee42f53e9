import { randomBytes } from 'node:crypto';
import { SEED as SANDBOX } from '@relay/sandbox';
import { freshDatabase, waitFor } from '@relay/testkit';
import { afterEach, expect, inject, test } from 'vitest';
import { anEvent, toGoogle, toLinkedin, toMeta, toSecondMeta } from '../../e2e/events.ts';
import { BALANCED, GOOGLE_CREDENTIALS, startRelay, type Json, type Relay } from '../../e2e/harness.ts';
import { SECOND_META_TOKEN } from '../../e2e/sandbox-control.ts';

const [A, B] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const { whatsapp } = SANDBOX.meta;
const EVENTS = { meta: ['queued-1', 'queued-2', 'held', 'dead', 'wa'], google: ['google-queued', 'google-dead'], linkedin: ['linkedin-queued'] } as const;

let running: Relay | undefined;
afterEach(() => running?.stop());

/** The same store under another `RELAY_SECRET_KEY`; the bootstrap file is left out, for it would write the credentials anew. */
async function restart(redisUrl: string, keys: string, more: Readonly<Record<string, string>> = { RELAY_BOOTSTRAP: '' }): Promise<Relay> {
  await running?.stop();
  running = await startRelay({ redisUrl, env: { RELAY_SECRET_KEY: keys, ...more }, workers: 0, sandbox: { 'meta.testClid': true } });
  return running;
}

const credentials = {
  acc_meta: { accessToken: SANDBOX.meta.accessToken }, acc_meta_2: { accessToken: SECOND_META_TOKEN }, acc_google: GOOGLE_CREDENTIALS, acc_wa: { accessToken: whatsapp.accessToken },
  acc_linkedin: { accessToken: SANDBOX.linkedin.accessToken, scopes: ['rw_conversions', 'r_ads'] },
} as const;
const statuses = async (relay: Relay): Promise<Record<string, string>> =>
  Object.fromEntries(((await relay.call('GET', '/v1/admin/accounts')).body.accounts as Json[]).filter(({ id }) => id in credentials).map(({ id, status }) => [id, status]));
const lead = { accountId: 'acc_wa', eventName: 'LeadSubmitted', conversationId: 'conv_1', testCode: 'TEST1' };

test('keys rotate with everything there: under A, then B and A, then B alone; and what still needs A waits for it', { timeout: 120_000 }, async () => {
  const redisUrl = await freshDatabase(inject('redisUrl'));

  // Under A alone: something of every kind is left behind.
  const first = await restart(redisUrl, A, {});
  const worker = await first.startWorker();
  await first.sandbox.poison('meta', ['dead', 'left']);
  await first.sandbox.poison('google', ['google-dead']);
  for (const body of [toMeta([anEvent('dead')]), toMeta([anEvent('left')]), toGoogle([anEvent('google-dead')])]) expect((await first.send(body)).body.status).toBe('failed');
  await first.sandbox.token('meta', SECOND_META_TOKEN, 'revoked');
  const held = await first.queue(toSecondMeta([anEvent('held')]));
  await waitFor(async () => (await first.delivery(held)).status === 'held');
  await first.killWorker('SIGTERM', worker);
  await first.call('PATCH', '/v1/admin/accounts/acc_wa', { body: { metadata: { wabaId: whatsapp.wabaId } } });
  await first.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } });
  await first.call('PUT', '/v1/whatsapp/conversations/conv_1', { body: { accountId: 'acc_wa', phoneE164: '40746123456', metadata: { ctwa_clid: 'TEST' } } });
  for (const body of [toMeta([anEvent('queued-1'), anEvent('queued-2')]), toGoogle([anEvent('google-queued')]), toLinkedin([anEvent('linkedin-queued')])]) await first.queue(body);
  expect((await first.call('POST', '/v1/whatsapp/conversions', { body: { ...lead, eventId: 'wa' }, headers: { prefer: 'respond-async' } })).status).toBe(202);

  // Under B and A: all of it opens, and what is new is sealed under B.
  const both = await restart(redisUrl, `${B},${A}`);
  expect(await statuses(both)).toEqual({ acc_meta: 'active', acc_meta_2: 'needs_reconnect', acc_google: 'active', acc_linkedin: 'active', acc_wa: 'active' });
  expect((await both.call('GET', '/v1/whatsapp/conversations?accountId=acc_wa')).body.conversations[0]).toMatchObject({ phoneE164: '40746123456', metadata: { ctwa_clid: 'TEST' } });
  expect((await both.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } })).status).toBe(200);
  const letters = await both.deadLetters('limit=200');
  const letterOf = (id: string): string => letters.find(({ eventIds }) => eventIds[0] === id)!.id;
  for (const id of ['dead', 'google-dead']) expect((await both.call('POST', `/v1/dead-letters/${letterOf(id)}/replay`)).status).toBe(200);
  // Sealed anew under B: what the documents ask for before A is taken out. One has had its token revoked besides.
  for (const id of Object.keys(credentials)) expect((await both.call('PATCH', `/v1/admin/accounts/${id}`, { body: { metadata: {} } })).status).toBe(200);
  expect((await both.call('PATCH', '/v1/admin/accounts/acc_meta_2', { body: { credentials: credentials.acc_meta_2 } })).status).toBe(200);
  await both.startWorker();
  await expect.poll(() => both.books(), { timeout: 30_000 }).toEqual(BALANCED);
  for (const [platform, ids] of Object.entries(EVENTS)) expect(Object.fromEntries(await both.sandbox.timesTaken(platform as 'meta', ids))).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
  expect(both.logs().filter(({ text }) => /"level":"(error|fatal)"/.test(text))).toEqual([]);

  // Under B alone, drained: everything goes on; one letter of A's time was left, and is not lost.
  const alone = await restart(redisUrl, B);
  await alone.startWorker();
  expect(new Set(Object.values(await statuses(alone)))).toEqual(new Set(['active']));
  for (const body of [toMeta([anEvent('new-1')]), toGoogle([anEvent('new-2')]), toLinkedin([anEvent('new-3')]), toSecondMeta([anEvent('new-4')])]) expect((await alone.send(body)).body.status).toBe('delivered');
  const left = await alone.call('POST', `/v1/dead-letters/${letterOf('left')}/replay`);
  expect([left.status, left.body]).toEqual([422, { type: 'invalid_request_error', code: 'not_replayable', error: expect.stringMatching(/RELAY_SECRET_KEY\. Put the key back/) }]);
  expect((await alone.deadLetters('accountId=acc_meta')).map(({ id, replayable, whyNot }) => ({ id, replayable, whyNot }))).toEqual([{ id: letterOf('left'), replayable: false, whyNot: left.body.error }]);
  expect((await alone.call('POST', '/v1/dead-letters/replay', { body: { force: true } })).body).toMatchObject({ replayed: 0, refused: 1, results: [{ id: letterOf('left'), result: 'refused', why: left.body.error }] });

  // With A back it goes out.
  const again = await restart(redisUrl, `${B},${A}`);
  await again.startWorker();
  expect((await again.call('POST', `/v1/dead-letters/${letterOf('left')}/replay`)).status).toBe(200);
  await expect.poll(() => again.books(), { timeout: 30_000 }).toEqual(BALANCED);
  expect(await again.sandbox.accepted({ eventId: 'left', limit: 0 })).toMatchObject({ total: 1 });
});

test('a key that is taken out too early loses nothing: accounts need a reconnect, events wait, and both come back with it', { timeout: 60_000 }, async () => {
  const redisUrl = await freshDatabase(inject('redisUrl'));
  const first = await restart(redisUrl, A, {});
  await first.queue(toMeta([anEvent('early-1')]));

  const without = await restart(redisUrl, B, { RELAY_BOOTSTRAP: '', BACKOFF_BASE_MS: '20', BACKOFF_MAX_MS: '50', MAX_ATTEMPTS: '2' });
  await without.startWorker();
  expect((await statuses(without))['acc_meta']).toBe('needs_reconnect');
  await without.call('PATCH', '/v1/admin/accounts/acc_wa', { body: { metadata: { wabaId: whatsapp.wabaId } } });
  const accepted = await without.call('POST', '/v1/ads/conversions', { body: toMeta([anEvent('early-2')]), headers: { prefer: 'respond-async' } });
  expect([accepted.status, accepted.text]).toEqual([202, expect.any(String)]);
  await waitFor(async () => (await without.ledger('metaads')).held > 0, { what: 'what can be opened to be held' });
  const { held, pending, ...rest } = await without.ledger('metaads');
  expect([held + pending, rest.dead, rest.imbalance]).toEqual([2, 0, 0]);
  // What needs the credentials says that the account has to be reconnected.
  for (const [method, path, body] of [['GET', '/v1/accounts/acc_meta/conversion-destinations'], ['GET', '/v1/accounts/acc_google/conversion-destinations'], ['GET', '/v1/accounts/acc_linkedin/conversion-destinations'], ['POST', '/v1/whatsapp/dataset', { accountId: 'acc_wa' }]] as const) {
    const answer = await without.call(method, path, { body });
    expect([path, answer.status]).toEqual([path, expect.toBeOneOf([401, 422])]);
  }
  // New credentials open the account, not what was sealed: that waits, as often as it takes, and is not given up.
  await without.call('PATCH', '/v1/admin/accounts/acc_meta', { body: { credentials: credentials.acc_meta } });
  await waitFor(async () => (await without.sandbox.accepted({ eventId: 'early-2', limit: 0 })).total === 1);
  expect(accepted.status).toBe(202);
  expect(await without.ledger('metaads')).toMatchObject({ delivered: 1, dead: 0, imbalance: 0 });

  const back = await restart(redisUrl, `${B},${A}`);
  await back.startWorker();
  await expect.poll(() => back.books(), { timeout: 30_000 }).toEqual(BALANCED);
  expect(await back.ledger('metaads')).toMatchObject({ accepted: 2, delivered: 2, dead: 0 });
});
