import { createHmac } from 'node:crypto';
import { SEED as SANDBOX } from '@relay/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRelay, type Relay } from '../../e2e/harness.ts';
import { speak } from '../input/raw-client.ts';

const { appSecret, verifyToken, wabaId, phoneNumberId } = SANDBOX.meta.whatsapp;
const PHONE = '40746123456';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ workers: 0 });
});
afterAll(() => relay?.stop());

const message = (wamid: string, from = PHONE, clid = 'clid-1'): string =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: wabaId, changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { phone_number_id: phoneNumberId }, contacts: [{ wa_id: from }], messages: [{ from, id: wamid, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: 'hello' }, referral: { source_id: 'ad', source_type: 'ad', ctwa_clid: clid } }] } }] }],
  });
const hmac = (body: string | Uint8Array, secret: string = appSecret, algorithm = 'sha256') => createHmac(algorithm, secret).update(body).digest('hex');
const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) => fetch(`${relay.url}/webhooks/whatsapp`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
const captured = async () => relay.redis.keys('{relay}:wa:*');

const BODY = message('wamid.forged');
const FORGED: readonly (readonly [name: string, headers: Record<string, string>, body?: string | Uint8Array<ArrayBuffer>])[] = [
  ['without a signature', {}],
  ['with an empty one', { 'x-hub-signature-256': '' }],
  ['with the scheme alone', { 'x-hub-signature-256': 'sha256=' }],
  ['of another secret', { 'x-hub-signature-256': `sha256=${hmac(BODY, 'sandbox-app-secreT')}` }],
  ['of an empty secret', { 'x-hub-signature-256': `sha256=${hmac(BODY, '')}` }],
  ['of the verify token', { 'x-hub-signature-256': `sha256=${hmac(BODY, verifyToken)}` }],
  ['of an empty body', { 'x-hub-signature-256': `sha256=${hmac('')}` }],
  ['of another message', { 'x-hub-signature-256': `sha256=${hmac(message('wamid.other'))}` }],
  ['by SHA-1, as it once was', { 'x-hub-signature': `sha1=${hmac(BODY, appSecret, 'sha1')}` }],
  ['by SHA-1 under the name of SHA-256', { 'x-hub-signature-256': `sha1=${hmac(BODY, appSecret, 'sha1')}` }],
  ['without its scheme', { 'x-hub-signature-256': hmac(BODY) }],
  ['of another scheme', { 'x-hub-signature-256': `sha512=${hmac(BODY)}` }],
  ['cut by one', { 'x-hub-signature-256': `sha256=${hmac(BODY).slice(0, -1)}` }],
  ['and one more', { 'x-hub-signature-256': `sha256=${hmac(BODY)}0` }],
  ['in base64', { 'x-hub-signature-256': `sha256=${Buffer.from(hmac(BODY), 'hex').toString('base64')}` }],
  ['a wrong one before the right one', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}, sha256=${hmac(BODY)}` }],
  ['the right one before a wrong one', { 'x-hub-signature-256': `sha256=${hmac(BODY)}, sha256=${'0'.repeat(64)}` }],
  ['of the same JSON with a blank more', { 'x-hub-signature-256': `sha256=${hmac(BODY)}` }, `${BODY} `],
  ['of the same JSON in another order', { 'x-hub-signature-256': `sha256=${hmac(BODY)}` }, JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(BODY) as object).toReversed()))],
  ['of the same text with a BOM', { 'x-hub-signature-256': `sha256=${hmac(BODY)}` }, `\ufeff${BODY}`],
  ['of the same text in UTF-16', { 'x-hub-signature-256': `sha256=${hmac(BODY)}` }, new Uint8Array(Buffer.from(BODY, 'utf16le'))],
];

describe('a webhook', () => {
  test.each(FORGED.map(([name, headers, body = BODY]) => ({ name, headers, body })))('$name is refused, and nothing of it is kept', async ({ headers, body }) => {
    const answer = await post(body, headers);
    expect([answer.status, await answer.json()]).toEqual([401, { error: 'Unauthorized', type: 'authentication_error', code: 'invalid_signature' }]);
    expect(await captured()).toEqual([]);
  });

  test('of any length is read only up to what Meta sends', async () => {
    const head = `POST /webhooks/whatsapp HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256=${hmac('')}\r\nContent-Length: ${5 * 1024 * 1024}\r\n\r\n{`;
    const { answers } = await speak(relay.url, [Buffer.from(head)], { deadlineMs: 5_000, firstMs: 3_000, quietMs: 100 });
    expect(answers.map(({ status, text }) => [status, (JSON.parse(text) as { code: string }).code])).toEqual([[413, 'body_too_large']]);
  });

  test.each([
    ['no JSON', 'not json'], ['null', 'null'], ['deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`], ['prototype', '{"__proto__":{"object":"whatsapp_business_account"}}'],
    ['wrong types', JSON.stringify({ object: 'whatsapp_business_account', entry: [null, 5, { changes: 7 }, { changes: [{ field: 'messages', value: { messages: [{ id: {}, from: [] }, { id: 'x', from: { toString: 1 } }] } }] }] })],
    ['of an unknown number', BODY.replace(phoneNumberId, '999999').replace(wabaId, '888888')],
  ])('that is signed and still nothing for us (%s) is taken and leaves nothing', async (_name, body) => {
    expect((await post(body, { 'x-hub-signature-256': `sha256=${hmac(body)}` })).status).toBe(200);
    expect(await captured()).toEqual([]);
  });

  test('that is genuine counts once, however often it is played again, and a later one does not take the click away', async () => {
    const genuine = message('wamid.genuine');
    const headers = { 'x-hub-signature-256': `sha256=${hmac(genuine)}` };
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await post(genuine, headers)).status));
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    const list = async () => (await relay.call('GET', '/v1/whatsapp/conversations?accountId=acc_wa')).body.conversations;
    const [first, ...more] = await list();
    expect(more).toEqual([]);
    expect(first.metadata.ctwa_clid).toBe('clid-1');
    expect((await post(genuine, headers)).status).toBe(200);
    expect(await list()).toEqual([first]);
    // Upper case is the same signature.
    expect((await post(genuine, { 'x-hub-signature-256': `sha256=${hmac(genuine).toUpperCase()}` })).status).toBe(200);
  });
});

describe('the challenge', () => {
  const verify = (query: string) => fetch(`${relay.url}/webhooks/whatsapp?${query}`);
  const right = `hub.mode=subscribe&hub.verify_token=${verifyToken}`;

  test.each([
    'hub.challenge=x', right, `hub.mode=subscribe&hub.challenge=x`, `hub.mode=subscribe&hub.verify_token=&hub.challenge=x`, `hub.mode=unsubscribe&hub.verify_token=${verifyToken}&hub.challenge=x`, `hub.mode=subscribe&hub.verify_token=${verifyToken.slice(0, -1)}&hub.challenge=x`,
    `hub.mode=subscribe&hub.verify_token=${verifyToken}x&hub.challenge=x`, `hub.mode=subscribe&hub.verify_token=${verifyToken.toUpperCase()}&hub.challenge=x`, `${right}&hub.verify_token=wrong&hub.challenge=x`, `hub.mode=subscribe&hub.verify_token[]=${verifyToken}&hub.challenge=x`, `${right}&hub.challenge=x&hub.challenge=y`, `hub.mode=subscribe&hub.verify_token=${appSecret}&hub.challenge=x`,
  ])('is not answered to %s', async (query) => {
    const answer = await verify(query);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, 'verify_token_mismatch']);
  });

  test('is repeated as text that no browser runs', async () => {
    const answer = await verify(`${right}&hub.challenge=${encodeURIComponent('<script>alert(1)</script>')}`);
    expect([answer.status, await answer.text()]).toEqual([200, '<script>alert(1)</script>']);
    expect([answer.headers.get('content-type'), answer.headers.get('x-content-type-options')]).toEqual(['text/plain; charset=utf-8', 'nosniff']);
  });
});
