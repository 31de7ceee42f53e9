import { waitFor } from '@relay/testkit';
import { ZernioApiError } from '@zernio/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshIds } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';
import { found, readAll } from './planted.ts';
import { ACCOUNT, APP_SECRET, aPhone, clientOf, NUMBER, PAGE, WA_TOKEN, WABA, withWhatsapp, type Whatsapp } from './whatsapp-kit.ts';

/** Odd enough to be found wherever it lies. */
const PLANTED = { phone: '4930876543210', name: 'Xanthippeia Quetzal', text: 'Planted Grüße 77', headline: 'Planted headline 77', sourceUrl: 'https://fb.me/planted-77' } as const;
const EVENTS = { path: '/events' };
const DATASET = /^5\d{15}$/;

let relay: Relay;
let wa: Whatsapp;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  relay = await startRelay({ tap: true, env: { PLATFORM_TIMEOUT_MS: '1500' } });
  wa = withWhatsapp(relay);
  client = clientOf(relay.client());
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const eventId = () => freshIds('wa', 1)[0]!;
/** A person who came from an ad, on an account that can send. */
async function aClick(): Promise<{ readonly phone: string; readonly ctwaClid: string; readonly conversationId: string }> {
  expect((await wa.provision()).status).toBe(200);
  const { phone, ctwaClid } = await wa.tap();
  return { phone, ctwaClid: ctwaClid!, conversationId: (await wa.conversationOf(phone)).id };
}
const faultOf = (call: Promise<unknown>): Promise<ZernioApiError> =>
  call.then(
    () => Promise.reject(new Error('no fault')),
    (error: unknown) => (error instanceof ZernioApiError ? error : Promise.reject(error as Error)),
  );
const anAccount = async (metadata: Readonly<Record<string, string>>): Promise<string> => {
  const id = `acc_wa_${eventId()}`;
  const { status } = await relay.call('POST', '/v1/admin/accounts', { body: { id, platform: 'whatsapp', credentials: { accessToken: WA_TOKEN }, metadata } });
  expect(status).toBe(201);
  return id;
};

describe('the whole loop', () => {
  test('from the tap on an ad to the listing, by the public client', async () => {
    expect(await client.getDataset()).toEqual({ datasetId: null });
    const { phone, ctwaClid, deliveredStatuses } = await wa.tap({ adId: '777', headline: 'Möbel', sourceUrl: 'https://fb.me/loop', times: 3, withStatuses: true });
    expect(deliveredStatuses).toEqual([200, 200, 200]);
    const conversation = await wa.conversationOf(phone);
    expect(conversation).toEqual({
      id: expect.stringMatching(/^wac_/),
      accountId: ACCOUNT,
      phoneE164: phone,
      metadata: { ctwa_clid: ctwaClid, ctwa_captured_at: expect.stringMatching(/Z$/), ctwa_source_id: '777', ctwa_source_url: 'https://fb.me/loop', ctwa_headline: 'Möbel', ctwa_source_type: 'ad' },
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
    });

    // Two who race: one dataset, made by one of them.
    const provisioned = await Promise.all([client.createDataset(), client.createDataset()]);
    expect(provisioned.map(({ created }) => created).toSorted((a: boolean, b: boolean) => Number(a) - Number(b))).toEqual([false, true]);
    const { datasetId } = provisioned[0]!;
    expect(datasetId).toMatch(DATASET);
    expect(provisioned[1]!.datasetId).toBe(datasetId);
    const asked = relay.wire().filter(({ path }) => path.includes('/dataset')).length;
    expect(await client.getDataset()).toEqual({ datasetId });
    expect(relay.wire().filter(({ path }) => path.includes('/dataset'))).toHaveLength(asked);
    expect((await relay.call('GET', `/v1/admin/accounts/${ACCOUNT}`)).body.metadata).toMatchObject({ metaCapiDatasetId: datasetId, wabaId: WABA });

    const [lead, order] = [eventId(), eventId()];
    const eventTime = Math.floor(Date.now() / 1000) - 30;
    const byId = await client.send({ eventName: 'LeadSubmitted', eventId: lead, conversationId: conversation.id, email: ' Jane@Example.com', externalId: 'CRM-1' });
    expect(byId).toEqual({ platform: 'metaads', eventsReceived: 1, eventsFailed: 0, failures: [], traceId: expect.stringMatching(/^\S{5,}$/), deliveryId: expect.stringMatching(/^dlv_/), status: 'delivered' });
    const byPhone = await client.send({ eventName: 'Purchase', eventId: order, phoneE164: phone, eventTime, value: 49.9, currency: 'eur', contentIds: ['sku-1'], testCode: 'TEST1' });
    expect(byPhone).toMatchObject({ platform: 'metaads', eventsReceived: 1, status: 'delivered' });

    const sent = relay.wire().filter(({ path }) => path.includes('/events')).slice(-2).map(({ path, body }) => ({ path, body: JSON.parse(body) }));
    expect(sent.map(({ path }) => path)).toEqual([`/meta/v25.0/${datasetId}/events`, `/meta/v25.0/${datasetId}/events`]);
    const common = { action_source: 'business_messaging', messaging_channel: 'whatsapp' };
    expect(sent[0]!.body.data).toEqual([{ ...common, event_name: 'LeadSubmitted', event_id: lead, event_time: expect.any(Number), user_data: { whatsapp_business_account_id: WABA, ctwa_clid: ctwaClid, em: [expect.stringMatching(/^[0-9a-f]{64}$/)], external_id: [expect.stringMatching(/^[0-9a-f]{64}$/)] } }]);
    expect(Math.abs(sent[0]!.body.data[0].event_time - Date.now() / 1000)).toBeLessThan(30);
    expect(sent[1]!.body).toMatchObject({ test_event_code: 'TEST1' });
    expect(sent[1]!.body.data).toEqual([{ ...common, event_name: 'Purchase', event_id: order, event_time: eventTime, user_data: { whatsapp_business_account_id: WABA, ctwa_clid: ctwaClid }, custom_data: { currency: 'EUR', value: 49.9, content_ids: ['sku-1'] } }]);
    expect([await wa.taken(lead), await wa.taken(order)]).toEqual([1, 1]);

    const { events } = await client.list({ limit: 2 });
    const row = { conversationId: conversation.id, eventsReceived: 1, eventsFailed: 0, durationMs: expect.any(Number), timestamp: expect.stringMatching(/Z$/), status: 'delivered' };
    expect(events).toEqual([
      { ...row, eventName: 'Purchase', traceId: byPhone.traceId, deliveryId: byPhone.deliveryId },
      { ...row, eventName: 'LeadSubmitted', traceId: byId.traceId, deliveryId: byId.deliveryId },
    ]);
    expect((await client.list({ limit: 1 })).events).toHaveLength(1);
    for (const limit of [0, 201]) expect(await faultOf(client.list({ limit }))).toMatchObject({ statusCode: 400, param: 'limit' });
    expect(await relay.ledger('whatsapp')).toMatchObject({ accepted: 2, delivered: 2, dead: 0, imbalance: 0 });
  });
});

describe('webhooks', () => {
  test('answer the handshake', async () => {
    expect(await relay.sandbox.verify({ webhookUrl: wa.webhookUrl })).toEqual({ status: 200, verified: true });
    expect(await relay.sandbox.verify({ webhookUrl: wa.webhookUrl, verifyToken: 'guessed' })).toEqual({ status: 403, verified: false });
    expect(await relay.sandbox.verify({ webhookUrl: wa.webhookUrl, mode: 'unsubscribe' })).toEqual({ status: 403, verified: false });
  });

  test.each(['wrong', 'altered', 'malformed', 'none'])('with a signature that is %s store nothing', async (signature) => {
    const { phone, deliveredStatuses } = await wa.tap({ signature });
    expect(deliveredStatuses).toEqual([401]);
    expect(await wa.conversationOf(phone)).toBeUndefined();
  });

  test('repeated, all at once and much later, change nothing', async () => {
    const { phone, wamid, ctwaClid, deliveredStatuses } = await wa.tap({ times: 20, together: true });
    expect(new Set(deliveredStatuses)).toEqual(new Set([200]));
    const before = await wa.conversationOf(phone);
    await wa.tap({ waId: phone, wamid, ctwaClid: 'another-click', headline: 'another' });
    expect(await wa.conversationOf(phone)).toEqual(before);
    expect(before.metadata.ctwa_clid).toBe(ctwaClid);
  });

  test('of many people in one delivery, in any order, with what else Meta sends', async () => {
    const phones = Array.from({ length: 250 }, aPhone);
    const clicks = phones.map((waId, n) => ({ waId, adId: String(1000 + n) }));
    const one = await relay.sandbox.taps(clicks, { webhookUrl: wa.webhookUrl, withStatuses: true, times: 2 });
    expect(one.deliveredStatuses).toEqual([200, 200]);
    const reversed = await relay.sandbox.taps(phones.slice(0, 5).map((waId) => ({ waId })), { webhookUrl: wa.webhookUrl, as: 'each', order: 'reversed' });
    expect(reversed.deliveredStatuses).toEqual([200, 200, 200, 200, 200]);
    const first = new Map(phones.map((phone, n) => [phone, one.clicks[n]!.ctwaClid]));
    let seen = 0;
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await relay.call('GET', `/v1/whatsapp/conversations?accountId=${ACCOUNT}&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const own = (body.conversations as Json[]).filter(({ phoneE164 }) => first.has(phoneE164));
      for (const { phoneE164, metadata } of own) expect(metadata.ctwa_clid).toBe(first.get(phoneE164));
      seen += own.length;
      cursor = body.nextCursor as string | null;
    }
    expect(seen).toBe(250);
  });

  test('find the account by number, then by business; strangers are answered and not stored', async () => {
    const second = await anAccount({ wabaId: '2000000000000002' });
    await relay.sandbox.switches({ 'meta.wabas': '2000000000000002' });
    const { phone } = await wa.tap({ wabaId: '2000000000000002', phoneNumberId: '3000000000000002' });
    expect((await wa.conversations(second)).map(({ phoneE164 }) => phoneE164)).toEqual([phone]);
    const stranger = await wa.tap({ wabaId: '2000000000000009', phoneNumberId: '3000000000000009' });
    expect(stranger.deliveredStatuses).toEqual([200]);
    expect(await wa.conversationOf(stranger.phone)).toBeUndefined();
    expect((await wa.tap({ wabaId: '2000000000000002', phoneNumberId: NUMBER })).deliveredStatuses).toEqual([200]);
  });

  test('of three megabytes are taken, larger ones refused', async () => {
    const messages = Array.from({ length: 900 }, (_, n) => ({ from: aPhone(), id: `wamid.big-${n}`, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: 'x'.repeat(3300) }, unknown: { deep: [n] } }));
    const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: WABA, changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { phone_number_id: NUMBER }, contacts: [], messages } }] }] });
    expect(body.length).toBeGreaterThan(3_000_000);
    expect((await wa.post(body)).status).toBe(200);
    expect(await wa.conversationOf(messages.at(-1)!.from)).toMatchObject({ metadata: {} });
    expect((await wa.post(`${body}${' '.repeat(2_000_000)}`)).status).toBe(413);
    expect((await wa.post('{"object":')).status).toBe(200);
    expect((await wa.post('{}', `${APP_SECRET}-of-another-app`)).status).toBe(401);
  });

  test('of someone without a number make a conversation, found by its id', async () => {
    await wa.provision();
    const { ctwaClid } = await wa.tap({ withoutPhone: true });
    const conversation = (await wa.conversations()).find(({ metadata }) => metadata.ctwa_clid === ctwaClid);
    expect(conversation).toMatchObject({ phoneE164: null });
    expect((await wa.convert({ eventId: eventId(), conversationId: conversation.id })).body.status).toBe('delivered');
  });

  test('leave nobody behind: no name, no text, no number in Redis or in the log', async () => {
    const { ctwaClid, wamid } = await wa.tap({ waId: PLANTED.phone, name: PLANTED.name, text: PLANTED.text, headline: PLANTED.headline, sourceUrl: PLANTED.sourceUrl });
    await wa.provision();
    const id = eventId();
    expect((await wa.convert({ eventId: id, phoneE164: PLANTED.phone, email: 'planted.77@example.org', externalId: 'planted-crm-77' })).body.status).toBe('delivered');
    await relay.sandbox.fault({ platform: 'meta', match: EVENTS, times: 1, fault: { kind: 'reset', when: 'after' } });
    expect((await wa.convert({ eventId: eventId(), phoneE164: PLANTED.phone })).body.status).toBe('failed');
    const secrets = [...Object.values(PLANTED), ctwaClid!, wamid, 'planted.77@example.org', 'planted-crm-77', APP_SECRET, WA_TOKEN];
    expect(found(await readAll(relay.redis), secrets)).toEqual([]);
    expect(found(relay.logs().map(({ text }) => text).join('\n'), secrets)).toEqual([]);
    expect(relay.logs().some(({ text }) => text.includes('/webhooks/whatsapp'))).toBe(true);
  });
});

describe('a conversion that cannot be sent', () => {
  test('under a name that Meta does not take is told the right one', async () => {
    const { conversationId } = await aClick();
    const fault = await faultOf(client.send({ eventName: 'Lead', eventId: eventId(), conversationId }));
    expect(fault).toMatchObject({ statusCode: 400, code: 'invalid_request', param: 'eventName' });
    expect(fault.message).toMatch(/2804066.*LeadSubmitted/);
    for (const eventName of ['Schedule', 'CompleteRegistration', 'purchase', 'OrderCreated', 'My event', '']) {
      expect((await wa.convert({ eventId: eventId(), conversationId, eventName })).status).toBe(400);
    }
  });

  test('answers 400 and 404 for what does not name a conversation', async () => {
    const { conversationId, phone } = await aClick();
    const other = await anAccount({ phoneNumberId: '3000000000000777' });
    const foreign = await relay.call('PUT', `/v1/whatsapp/conversations/of-${other}`, { body: { accountId: other, phoneE164: phone, metadata: { ctwa_clid: 'x' } } });
    expect(foreign.status).toBe(201);
    const table: readonly (readonly [object, number, string, string])[] = [
      [{}, 400, 'invalid_request', 'conversationId'],
      [{ phoneE164: `+${phone}` }, 400, 'invalid_request', 'phoneE164'],
      [{ phoneE164: '0151abc' }, 400, 'invalid_request', 'phoneE164'],
      [{ conversationId: 'wac_unknown' }, 404, 'conversation_not_found', 'conversationId'],
      [{ conversationId: `of-${other}` }, 404, 'conversation_not_found', 'conversationId'],
      [{ conversationId: `of-${other}`, phoneE164: phone }, 404, 'conversation_not_found', 'conversationId'],
      [{ accountId: 'acc_meta', conversationId }, 405, 'wrong_platform', 'accountId'],
      [{ conversationId, eventTime: 1_795_000_000_000 }, 400, 'invalid_request', 'eventTime'],
      [{ conversationId, eventId: 'lone \ud800' }, 400, 'invalid_request', 'eventId'],
    ];
    for (const [over, status, code, param] of table) {
      const { status: got, body } = await wa.convert({ eventId: eventId(), ...over });
      expect([over, got, body.code, body.param ?? '']).toEqual([over, status, code, param]);
    }
    const own = await relay.call('PUT', `/v1/whatsapp/conversations/${conversationId}`, { body: { accountId: other } });
    expect([own.status, own.body.metadata]).toEqual([201, {}]);
    const future = await relay.call('PUT', '/v1/whatsapp/conversations/future', { body: { accountId: ACCOUNT, metadata: { ctwa_clid: 'x', ctwa_captured_at: '2099-01-01T00:00:00Z' } } });
    expect([future.status, future.body.param]).toEqual([400, 'metadata.ctwa_captured_at']);
  });

  test('answers 422 with the reason where there is nothing to attribute, or something is missing', async () => {
    const { conversationId, phone } = await aClick();
    const organic = await wa.tap({ withoutReferral: true });
    const status = await wa.tap({ withoutClid: true });
    const { wabaId, metaCapiDatasetId } = (await relay.call('GET', `/v1/admin/accounts/${ACCOUNT}`)).body.metadata;
    const [noDataset, noOwner] = [await anAccount({ wabaId }), await anAccount({ metaCapiDatasetId })];
    for (const accountId of [noDataset, noOwner]) {
      await relay.call('PUT', `/v1/whatsapp/conversations/of-${accountId}`, { body: { accountId, phoneE164: phone, metadata: { ctwa_clid: 'x' } } });
    }
    const table: readonly (readonly [object, string, RegExp])[] = [
      [{ phoneE164: organic.phone }, 'nothing_to_attribute', /ctwa_clid/],
      [{ phoneE164: status.phone }, 'nothing_to_attribute', /Status/],
      [{ conversationId: (await wa.conversationOf(status.phone)).id }, 'nothing_to_attribute', /Status/],
      [{ phoneE164: aPhone() }, 'nothing_to_attribute', /webhook/],
      [{ accountId: noDataset, phoneE164: phone }, 'prerequisite_missing', /POST \/v1\/whatsapp\/dataset/],
      [{ accountId: noOwner, phoneE164: phone }, 'prerequisite_missing', /Page id/],
    ];
    for (const [over, code, why] of table) {
      const { status: got, body } = await wa.convert({ eventId: eventId(), ...over });
      expect([over, got, body.code]).toEqual([over, 422, code]);
      expect(body.error).toMatch(why);
    }
    const noWaba = await anAccount({});
    expect((await wa.provision(noWaba)).body).toMatchObject({ code: 'prerequisite_missing', error: expect.stringMatching(/wabaId/) });
    expect((await wa.convert({ eventId: eventId(), conversationId })).body.status).toBe('delivered');
  });

  test('is answered at once where Meta is certain to refuse it, and was not sent', async () => {
    const { conversationId } = await aClick();
    const asked = await wa.asked();
    for (const [over, code] of [
      [{ eventName: 'Purchase' }, 'value_missing'],
      [{ eventName: 'Purchase', value: 1, currency: 'EURO' }, 'currency_invalid'],
      [{ eventTime: 1_700_000_000 }, 'event_too_old'],
      [{ eventTime: Math.floor(Date.now() / 1000) + 3600 }, 'event_in_future'],
    ] as const) {
      const id = eventId();
      const { status, body } = await wa.convert({ eventId: id, conversationId, ...over });
      expect([status, body.status, body.failures[0]]).toEqual([200, 'failed', { eventIndex: 0, eventId: id, code, message: expect.stringMatching(/\S/) }]);
      // It took no event id: mended, it goes out.
      expect((await wa.convert({ eventId: id, conversationId })).body.status).toBe('delivered');
    }
    expect(await wa.asked()).toBe(asked + 4);
  });
});

test('an old click is sent, and the answer says that it will not be attributed', async () => {
  await wa.provision();
  const { phone } = await wa.tap({ secondsAgo: 8 * 86_400 });
  const { status, body } = await wa.convert({ eventId: eventId(), phoneE164: phone });
  expect([status, body.status]).toEqual([200, 'delivered']);
  expect(body.warnings).toEqual([{ code: 'click_too_old', message: expect.stringMatching(/7 days/) }]);
  const fresh = await wa.tap({ secondsAgo: 6 * 86_400 });
  expect((await wa.convert({ eventId: eventId(), phoneE164: fresh.phone })).body).not.toHaveProperty('warnings');
});

test('a dataset of a Page gets the Page id', async () => {
  const pageDataset = '5900000000000001';
  await relay.sandbox.switches({ 'meta.pixels': pageDataset, 'meta.pageDatasets': pageDataset });
  const accountId = await anAccount({ metaCapiDatasetId: pageDataset, connectedFacebookPageId: PAGE, phoneNumberId: '3000000000000555' });
  const { phone } = await wa.tap({ phoneNumberId: '3000000000000555', wabaId: '2000000000000555' });
  const id = eventId();
  expect((await wa.convert({ accountId, eventId: id, phoneE164: phone })).body.status).toBe('delivered');
  expect(JSON.parse(relay.wire().at(-1)!.body).data[0].user_data).toEqual({ page_id: PAGE, ctwa_clid: expect.any(String) });
});

describe('an event id', () => {
  test('is sent once for a conversation, also when fifty ask at once', async () => {
    const { conversationId, phone } = await aClick();
    const id = eventId();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => wa.convert({ eventId: id, ...(n % 2 === 0 ? { conversationId } : { phoneE164: phone }) })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.status} ${body.eventsReceived} ${body.deliveryId}`)).size).toBe(1);
    const repeats = answers.filter(({ body }) => body.warnings?.[0]?.code === 'event_already_sent');
    expect(repeats).toHaveLength(49);
    expect(repeats[0]!.body).toMatchObject({ status: 'delivered', eventsReceived: 1, warnings: [{ message: expect.stringMatching(/Nothing was sent again/) }] });
    expect(await wa.taken(id)).toBe(1);
    const second = await aClick();
    expect((await wa.convert({ eventId: id, conversationId: second.conversationId })).body).not.toHaveProperty('warnings');
    expect(await wa.taken(id)).toBe(2);
  });

  test('of a conversion that Meta refused may be used again', async () => {
    await wa.provision();
    const invented = 'Aff-never-tapped';
    const phone = aPhone();
    const id = eventId();
    const conversationId = `imported-${id}`;
    expect((await relay.call('PUT', `/v1/whatsapp/conversations/${conversationId}`, { body: { accountId: ACCOUNT, phoneE164: phone, metadata: { ctwa_clid: invented } } })).status).toBe(201);
    const refused = await wa.convert({ eventId: id, conversationId });
    expect(refused.body).toMatchObject({ status: 'failed', failures: [{ eventId: id, code: '100/2804087' }] });
    const again = await wa.convert({ eventId: id, conversationId });
    expect(again.body).toMatchObject({ status: 'failed', failures: [{ code: '100/2804087' }] });
    expect(again.body.deliveryId).not.toBe(refused.body.deliveryId);
    // Now it is a real click.
    await relay.sandbox.tap({ waId: phone, ctwaClid: invented });
    const sent = await wa.convert({ eventId: id, conversationId });
    expect(sent.body.status).toBe('delivered');
    expect(sent.body).not.toHaveProperty('warnings');
    expect((await wa.convert({ eventId: id, conversationId })).body).toMatchObject({ status: 'delivered', warnings: [{ code: 'event_already_sent' }] });
    // The letters of the refusals must not go out as well.
    for (const { body } of [refused, again]) {
      const letter = await wa.letterOf(body.deliveryId);
      expect(letter).toMatchObject({ reason: 'rejected', replayable: false });
      expect((await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`)).status).toBe(422);
    }
    expect(await wa.taken(id)).toBe(1);
  });
});

describe('exactly once', () => {
  const dead = async (deliveryId: string) => {
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'failed', eventsFailed: 1, failures: [{ code: 'outcome_unknown', message: expect.stringMatching(/not known/) }] });
    return wa.letterOf(deliveryId);
  };

  test.each([
    ['took it and broke the connection', { kind: 'reset', when: 'after' }, 1],
    ['broke the connection before it took it', { kind: 'reset', when: 'before' }, 0],
    ['is silent', { kind: 'hang' }, 0],
    ['took it and answered half of a sentence', { kind: 'truncate' }, 1],
    ['stands behind a proxy that broke', { kind: 'html', status: 502 }, 0],
  ])('when Meta %s, the event is dead and nothing repeats it', async (_what, fault, taken) => {
    const { conversationId } = await aClick();
    await relay.sandbox.fault({ platform: 'meta', match: EVENTS, times: 1, fault });
    const id = eventId();
    const answer = await wa.convert({ eventId: id, conversationId });
    expect([answer.status, answer.body.status]).toEqual([200, 'failed']);
    const letter = await dead(answer.body.deliveryId);
    expect(letter).toMatchObject({ platform: 'whatsapp', reason: 'unknown', code: 'outcome_unknown', eventIds: [id], eventCount: 1, replayable: false, whyNot: expect.stringMatching(/force/) });
    const replay = await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`);
    expect([replay.status, replay.body.code]).toEqual([422, 'not_replayable']);
    const repeat = await wa.convert({ eventId: id, conversationId });
    expect(repeat.body).toMatchObject({ status: 'failed', deliveryId: answer.body.deliveryId, warnings: [{ code: 'event_already_sent' }] });
    expect([await wa.asked(), await wa.taken(id)]).toEqual([1, taken]);

    const forced = await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`, { body: { force: true } });
    expect([forced.status, forced.body.replayed]).toEqual([200, true]);
    expect(await relay.settled(answer.body.deliveryId)).toMatchObject({ status: 'delivered' });
    expect(await wa.taken(id)).toBe(taken + 1);
  });

  test.each([
    ['an outage in its own words', { kind: 'unavailable', variant: '2' }],
    ['a time to come back', { kind: 'status', status: 503, headers: { 'retry-after': '0' } }],
    ['that it took none', { kind: 'partial' }],
  ])('when Meta says %s, the event is sent again and taken once', async (_what, fault) => {
    const { conversationId } = await aClick();
    await relay.sandbox.fault({ platform: 'meta', match: EVENTS, times: 2, fault });
    const id = eventId();
    const { body } = await wa.convert({ eventId: id, conversationId });
    expect(body).toMatchObject({ status: 'delivered', eventsReceived: 1 });
    expect([await wa.asked(), await wa.taken(id)]).toEqual([3, 1]);
    expect((await relay.delivery(body.deliveryId)).attempts).toBe(3);
  });

  test('when Meta limits calls, the event waits and is taken once', async () => {
    const { conversationId } = await aClick();
    await relay.sandbox.fault({ platform: 'meta', match: EVENTS, times: 1, fault: { kind: 'rate_limit', variant: '17', resetSeconds: 1, httpStatus: 429 } });
    const id = eventId();
    expect((await wa.convert({ eventId: id, conversationId })).body.status).toBe('delivered');
    expect([await wa.asked(), await wa.taken(id)]).toEqual([2, 1]);
  });

  test('when the token is revoked, the event is held until there is another', async () => {
    const { conversationId } = await aClick();
    await relay.sandbox.token('meta', WA_TOKEN, 'revoked');
    const ids = [eventId(), eventId()];
    const deliveries = await Promise.all(ids.map((id) => wa.queueConversion({ eventId: id, conversationId })));
    for (const deliveryId of deliveries) await waitFor(async () => (await relay.delivery(deliveryId)).status === 'held');
    expect((await relay.call('GET', `/v1/admin/accounts/${ACCOUNT}`)).body).toMatchObject({ status: 'needs_reconnect', heldEvents: 2 });
    expect((await wa.convert({ eventId: ids[0], conversationId }, { prefer: 'wait=1' })).body).toMatchObject({ status: 'held', warnings: [{ code: 'event_already_sent' }] });
    await relay.sandbox.token('meta', 'another-token', 'valid');
    const patched = await relay.call('PATCH', `/v1/admin/accounts/${ACCOUNT}`, { body: { credentials: { accessToken: 'another-token' } } });
    expect(patched.body).toMatchObject({ status: 'active', releasedEvents: 2 });
    for (const deliveryId of deliveries) expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
    for (const id of ids) expect(await wa.taken(id)).toBe(1);
    await relay.call('PATCH', `/v1/admin/accounts/${ACCOUNT}`, { body: { credentials: { accessToken: WA_TOKEN } } });
  });

  test('when the worker is killed while Meta has the request, the event is dead and nothing repeats it', async () => {
    const { conversationId } = await aClick();
    await relay.sandbox.fault({ platform: 'meta', match: EVENTS, times: 1, fault: { kind: 'hang' } });
    const [doubtful, waiting] = [eventId(), eventId()];
    const deliveryId = await wa.queueConversion({ eventId: doubtful, conversationId });
    await waitFor(async () => (await wa.asked()) === 1, { everyMs: 10 });
    expect(await relay.killWorker('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    const later = await wa.queueConversion({ eventId: waiting, conversationId });
    await relay.startWorker();
    expect(await relay.settled(later, 40_000)).toMatchObject({ status: 'delivered' });
    expect(await relay.settled(deliveryId, 40_000)).toMatchObject({ status: 'failed', failures: [{ code: 'outcome_unknown' }] });
    expect(await wa.letterOf(deliveryId)).toMatchObject({ reason: 'unknown', message: expect.stringMatching(/worker stopped/) });
    expect([await wa.asked(), await wa.taken(doubtful), await wa.taken(waiting)]).toEqual([2, 0, 1]);
  });

  test('and the books of all of it add up', async () => {
    await expect.poll(() => relay.books()).toEqual(BALANCED);
    const { accepted, delivered, dead: died } = await relay.ledger('whatsapp');
    expect(accepted).toBe(delivered + died);
    expect(died).toBeGreaterThan(1);
  });
});

describe("Meta's refusal of a dataset", () => {
  test.each([
    ['a business that is not verified', { 'meta.unverifiedBusiness': true }, /verif/i, 100],
    ['a missing permission', { 'meta.noManageEvents': true }, /whatsapp_business_manage_events/, 200],
  ])('for %s comes with what Meta said and what to do', async (_what, switches, fix, code) => {
    await relay.sandbox.switches(switches);
    const fault = await faultOf(client.createDataset());
    expect(fault).toMatchObject({ statusCode: 422, code: 'platform_refused', type: 'platform_error', platform: 'whatsapp' });
    expect(fault.message).toMatch(fix);
    const { body } = await wa.provision();
    expect(body.platformError).toMatchObject({ error: { code, type: 'OAuthException', message: expect.any(String), fbtrace_id: expect.any(String) } });
  });

  test('for its own reasons comes as what it is', async () => {
    await relay.sandbox.fault({ platform: 'meta', match: { path: '/dataset' }, times: 1, fault: { kind: 'rate_limit', variant: '80008', regainMinutes: 2 } });
    const limited = await wa.provision();
    expect([limited.status, limited.body.code, Number(limited.headers.get('retry-after'))]).toEqual([429, 'platform_rate_limited', 120]);
    await relay.sandbox.fault({ platform: 'meta', match: { path: '/dataset' }, times: 1, fault: { kind: 'unavailable', variant: '2' } });
    expect((await wa.provision()).status).toBe(502);
    await relay.sandbox.fault({ platform: 'meta', match: { path: '/dataset' }, times: 1, fault: { kind: 'reset', when: 'after' } });
    expect((await wa.provision()).body.code).toBe('platform_unavailable');
    await relay.sandbox.token('meta', WA_TOKEN, 'revoked');
    expect((await wa.provision()).body).toMatchObject({ code: 'platform_refused', error: expect.stringMatching(/reconnect/) });
    await relay.sandbox.token('meta', WA_TOKEN, 'valid');
    expect((await wa.provision()).status).toBe(200);
    await relay.sandbox.switches({ 'meta.bareDataset': true });
    expect((await wa.provision()).body).toEqual({ datasetId: expect.stringMatching(DATASET), created: false });
  });
});
