import { createHmac } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { control, metaSandbox } from '../meta/meta-testing.ts';
import { SEED } from '../seed.ts';
import { aClick, aDataset, aMessagingEvent, aReceiver, sendTo } from './whatsapp-testing.ts';

const { appSecret, phoneNumberId, verifyToken, wabaId } = SEED.meta.whatsapp;
const TAP = { adId: '120226305854810726', waId: '4915112345678' };

let app = metaSandbox();
let relay: Awaited<ReturnType<typeof aReceiver>>;
beforeEach(async () => {
  app = metaSandbox();
  relay = await aReceiver();
});
afterEach(async () => {
  await app.close();
  await relay.close();
});

const click = async (given: object = {}) => (await control(app, 'POST', 'whatsapp/click', { ...TAP, webhookUrl: relay.url, ...given })).json;
const batch = async (given: object) => (await control(app, 'POST', 'whatsapp/batch', { webhookUrl: relay.url, ...given })).json;
const signed = (body: string, secret: string = appSecret) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
const messagesIn = (body: string | undefined) =>
  (JSON.parse(body ?? '') as { entry: { id: string; changes: { value: { metadata: { phone_number_id: string }; messages?: Record<string, unknown>[] } }[] }[] }).entry.flatMap(({ changes }) => changes.flatMap(({ value }) => value.messages ?? []));

describe('a click', () => {
  it('sends a signed message with a referral, and tells what it did', async () => {
    const done = await click({ headline: 'Chat with us', sourceUrl: 'https://fb.me/3cr4Wqqkv', name: 'Jo', text: 'Hi' });
    expect(done).toEqual({ ctwaClid: expect.stringMatching(/^Aff-/), wamid: expect.stringMatching(/^wamid\./), deliveredStatus: 200, deliveredStatuses: [200] });
    const [received] = relay.received;
    expect(received).toMatchObject({ method: 'POST', url: '/webhooks/whatsapp', signature: signed(received?.body ?? '') });
    expect(JSON.parse(received?.body ?? '')).toMatchObject({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: wabaId,
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                metadata: { phone_number_id: phoneNumberId },
                contacts: [{ profile: { name: 'Jo' }, wa_id: TAP.waId }],
                messages: [
                  {
                    from: TAP.waId,
                    id: done.wamid,
                    timestamp: expect.stringMatching(/^\d{10}$/),
                    type: 'text',
                    text: { body: 'Hi' },
                    referral: { source_type: 'ad', source_id: TAP.adId, source_url: 'https://fb.me/3cr4Wqqkv', headline: 'Chat with us', ctwa_clid: done.ctwaClid },
                  },
                ],
              },
            },
          ],
        },
      ],
    });
  });

  it('escapes what is not ASCII, as Meta does, and signs that', async () => {
    await click({ name: 'Zoë 🎯' });
    const [{ body, signature } = { body: '', signature: '' }] = relay.received;
    expect(Buffer.byteLength(body)).toBe(body.length);
    expect(body).toContain(String.raw`Zo\u00eb \ud83c\udfaf`);
    expect(signature).toBe(signed(body));
  });

  it('counts for Meta whether or not a webhook told of it', async () => {
    const dataset = await aDataset(app);
    expect((await sendTo(app, dataset, aMessagingEvent(await aClick(app)))).status).toBe(200);
    expect((await sendTo(app, dataset, aMessagingEvent((await click()).ctwaClid))).status).toBe(200);
    expect(relay.received).toHaveLength(1);
  });

  it.each([
    ['withoutClid', 'referral.ctwa_clid'],
    ['withoutReferral', 'referral'],
    ['withoutPhone', 'from'],
  ])('%s has no %s', async (flag, path) => {
    const done = await click({ [flag]: true });
    const [message] = messagesIn(relay.received[0]?.body);
    expect(message).not.toHaveProperty(path);
    expect(done.ctwaClid === null).toBe(flag !== 'withoutPhone');
    expect(message).toHaveProperty('from_user_id');
  });

  it('without a phone has none among the contacts either, but stays the same person', async () => {
    await click({ withoutPhone: true });
    await click({ withoutPhone: true });
    expect(relay.received[0]?.body).not.toContain(TAP.waId);
    expect(messagesIn(relay.received[0]?.body)[0]?.['from_user_id']).toBe(messagesIn(relay.received[1]?.body)[0]?.['from_user_id']);
  });

  it('can be delivered several times, one by one or at once', async () => {
    const { wamid } = await click({ times: 3 });
    const { deliveredStatuses } = await click({ times: 4, together: true, wamid });
    expect(deliveredStatuses).toEqual([200, 200, 200, 200]);
    expect(relay.received.flatMap(({ body }) => messagesIn(body)).map(({ id }) => id)).toEqual(Array.from({ length: 7 }, () => wamid));
  });

  it('can be long ago', async () => {
    await click({ secondsAgo: 8 * 86_400 });
    expect(Date.now() / 1000 - Number(messagesIn(relay.received[0]?.body)[0]?.['timestamp'])).toBeGreaterThan(8 * 86_400 - 60);
  });

  it.each([
    ['none', undefined],
    ['malformed', 'sha256=not-a-signature'],
  ])('can be signed %s', async (signature, header) => {
    await click({ signature });
    expect(relay.received[0]?.signature).toBe(header);
  });

  it.each(['wrong', 'altered'])('can be signed %s', async (signature) => {
    await click({ signature });
    const [{ body, signature: header } = { body: '', signature: '' }] = relay.received;
    expect(header).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(header).not.toBe(signed(body));
  });

  it('is signed with the switch\'s secret', async () => {
    await control(app, 'PUT', 'switches', { 'meta.appSecret': 'other' });
    await click();
    const [{ body, signature } = { body: '', signature: '' }] = relay.received;
    expect(signature).toBe(signed(body, 'other'));
  });

  it('tells what the receiver answered, and 0 where nobody is', async () => {
    const grumpy = await aReceiver(() => ({ status: 401 }));
    expect((await click({ webhookUrl: grumpy.url })).deliveredStatus).toBe(401);
    await grumpy.close();
    expect((await click({ webhookUrl: grumpy.url })).deliveredStatus).toBe(0);
    expect((await click({ webhookUrl: undefined })).deliveredStatus).toBeNull();
  });

  it('is struck by no fault of the platform', async () => {
    await control(app, 'POST', 'faults', { platform: 'meta', fault: { kind: 'hang' } });
    expect((await click()).deliveredStatus).toBe(200);
  });
});

describe('a batch', () => {
  const clicks = [
    { ...TAP, wamid: 'wamid.a' },
    { ...TAP, waId: '4915112345679', wamid: 'wamid.b', phoneNumberId: '3000000000000002' },
    { ...TAP, wamid: 'wamid.c', wabaId: '2000000000000002' },
  ];
  const idsOf = (body: string) => messagesIn(body).map(({ id }) => id);

  it('is one delivery with an entry per account and a change per message', async () => {
    const done = await batch({ clicks, withStatuses: true });
    expect(done).toEqual({ clicks: clicks.map(({ wamid }) => ({ ctwaClid: expect.any(String), wamid })), deliveredStatuses: [200] });
    const { entry } = JSON.parse(relay.received[0]?.body ?? '') as { entry: { id: string; changes: { value: { statuses?: unknown[]; metadata: { phone_number_id: string } } }[] }[] };
    expect(entry.map(({ id, changes }) => [id, changes.length])).toEqual([
      [wabaId, 4],
      ['2000000000000002', 2],
    ]);
    expect(entry[0]?.changes.map(({ value }) => [value.metadata.phone_number_id, value.statuses?.length])).toEqual([
      [phoneNumberId, 1],
      [phoneNumberId, undefined],
      ['3000000000000002', 1],
      ['3000000000000002', undefined],
    ]);
    expect(idsOf(relay.received[0]?.body ?? '')).toEqual(['wamid.a', 'wamid.b', 'wamid.c']);
  });

  it('can come one by one, out of order', async () => {
    await batch({ clicks, as: 'each', order: 'reversed' });
    expect(relay.received.map(({ body }) => idsOf(body))).toEqual([['wamid.c'], ['wamid.b'], ['wamid.a']]);
  });
});

describe('the handshake', () => {
  it('is passed by a receiver that knows the token and echoes the challenge', async () => {
    const echo = await aReceiver(({ url }) => {
      const query = new URL(url, 'http://x.test').searchParams;
      const isRight = query.get('hub.mode') === 'subscribe' && query.get('hub.verify_token') === verifyToken;
      return isRight ? { status: 200, body: query.get('hub.challenge') ?? '' } : { status: 403 };
    });
    const verify = async (given: object) => (await control(app, 'POST', 'whatsapp/verify', { webhookUrl: echo.url, ...given })).json;
    expect(await verify({})).toEqual({ status: 200, verified: true });
    expect(await verify({ verifyToken: 'wrong' })).toEqual({ status: 403, verified: false });
    expect(await verify({ mode: 'unsubscribe' })).toEqual({ status: 403, verified: false });
    await echo.close();
    expect(await verify({})).toEqual({ status: 0, verified: false });
  });

  it('is not passed by one that says yes to everything', async () => {
    expect((await control(app, 'POST', 'whatsapp/verify', { webhookUrl: relay.url })).json).toEqual({ status: 200, verified: false });
  });
});

it.each<[string, object, string]>([
  ['click', { waId: '49' }, 'adId must be'],
  ['click', { ...TAP, waId: '+49' }, 'waId must be digits'],
  ['click', { ...TAP, webhookUrl: 'file:///etc/passwd' }, 'webhookUrl must be'],
  ['click', { ...TAP, withoutCid: true }, 'there is no member withoutCid'],
  ['click', { ...TAP, signature: 'none at all' }, 'signature must be one of valid'],
  ['click', { ...TAP, times: 0 }, 'times must be'],
  ['click', { ...TAP, withoutPhone: 'yes' }, 'withoutPhone must be'],
  ['batch', { clicks: [] }, 'clicks must be'],
  ['batch', { clicks: [{ ...TAP, times: 2 }] }, 'there is no member times'],
  ['batch', { clicks: [TAP], order: 'random' }, 'order must be one of given'],
  ['verify', {}, 'webhookUrl must be'],
])('%s %o is refused', async (route, given, message) => {
  const { status, json } = await control(app, 'POST', `whatsapp/${route}`, given);
  expect(status).toBe(400);
  expect(json.error).toContain(message);
});
