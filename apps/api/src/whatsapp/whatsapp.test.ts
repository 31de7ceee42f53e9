import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Conversation } from '@relay/delivery';
import { anAccount, fakeAccounts, T0 } from '../testing/fake-accounts.ts';
import { aDelivery } from '../testing/fake-deliveries.ts';
import { fakeConversations, fakeSend, type FakeReply } from '../testing/fake-whatsapp.ts';
import { openApi } from '../testing/open-api.ts';

const SECRET = 'app-secret-0123456789abcdef';
const READY = { wabaId: '200', phoneNumberId: '300', metaCapiDatasetId: '900000000000900' };

const accountsWith = (metadata: Record<string, unknown>) =>
  fakeAccounts([anAccount({ id: 'acc_wa', platform: 'whatsapp', metadata }), anAccount({ id: 'acc_wa2', platform: 'whatsapp', metadata: {} }), anAccount({ id: 'acc_meta' })]);

function aConversation(over: Partial<Conversation> = {}): Conversation {
  return { id: 'conv_1', accountId: 'acc_wa', phoneE164: '40746123456', ctwa: { ctwa_clid: 'clid-1', ctwa_captured_at: new Date(T0 - 3_600_000).toISOString() }, createdAtMs: T0, updatedAtMs: T0, ...over };
}

const open = (rows: readonly Conversation[] = [aConversation()], metadata: Record<string, unknown> = READY, ...replies: readonly FakeReply[]) =>
  openApi({ accounts: accountsWith(metadata), conversations: fakeConversations(rows), send: fakeSend(...replies) });

const lead = (over: Record<string, unknown> = {}) => ({ accountId: 'acc_wa', eventName: 'LeadSubmitted', eventId: 'lead-1', conversationId: 'conv_1', ...over });
const ASYNC = { prefer: 'respond-async' };

describe('POST /v1/whatsapp/conversions', () => {
  it('queues a conversion for the conversation and answers as metaads', async () => {
    await using api = await open();
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead(), headers: ASYNC });
    expect(status).toBe(202);
    expect(body).toMatchObject({ platform: 'metaads', eventsReceived: 0, eventsFailed: 0, status: 'queued' });
  });

  it('finds the conversation by phone, and lets the id win', async () => {
    await using api = await open();
    const { conversationId: _id, ...byPhone } = lead({ phoneE164: '40746123456' });
    expect((await api.call('POST', '/v1/whatsapp/conversions', { body: byPhone, headers: ASYNC })).status).toBe(202);
    const both = await api.call('POST', '/v1/whatsapp/conversions', { body: lead({ phoneE164: '49000000000' }), headers: ASYNC });
    expect(both.status).toBe(202);
  });

  it.each([
    ['Lead', 'LeadSubmitted'],
    ['Schedule', 'LeadSubmitted, Purchase, AddToCart, InitiateCheckout, ViewContent'],
  ])('refuses the event name %s and says what to send', async (eventName, says) => {
    await using api = await open();
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead({ eventName }) });
    expect(status).toBe(400);
    expect(body).toMatchObject({ type: 'invalid_request_error', param: 'eventName' });
    expect(body['error']).toContain('2804066');
    expect(body['error']).toContain(says);
  });

  it.each([
    [{ conversationId: undefined }, 400, 'invalid_request', 'conversationId'],
    [{ conversationId: undefined, phoneE164: '+40746123456' }, 400, 'invalid_request', 'phoneE164'],
    [{ conversationId: undefined, phoneE164: 'abc' }, 400, 'invalid_request', 'phoneE164'],
    [{ conversationId: 'unknown' }, 404, 'conversation_not_found', 'conversationId'],
    [{ conversationId: undefined, phoneE164: '49111111111' }, 422, 'nothing_to_attribute', 'phoneE164'],
    [{ eventId: undefined }, 400, 'invalid_request', 'eventId'],
    [{ eventTime: 1_795_000_000_000 }, 400, 'invalid_request', 'eventTime'],
    [{ accountId: 'acc_meta' }, 405, 'wrong_platform', 'accountId'],
    [{ accountId: 'nobody' }, 404, 'account_not_found', 'accountId'],
  ])('%j is %i %s', async (over, status, code, param) => {
    await using api = await open();
    const reply = await api.call('POST', '/v1/whatsapp/conversions', { body: lead(over) });
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ code, param });
  });

  it("does not find another account's conversation", async () => {
    await using api = await open([aConversation({ accountId: 'acc_wa2' })]);
    expect((await api.call('POST', '/v1/whatsapp/conversions', { body: lead() })).body).toMatchObject({ code: 'conversation_not_found' });
  });

  it.each([
    ['no click', [aConversation({ ctwa: undefined })], READY, 'nothing_to_attribute'],
    ['a referral without a click id', [aConversation({ ctwa: { ctwa_captured_at: new Date(T0).toISOString(), ctwa_source_id: 'ad' } })], READY, 'nothing_to_attribute'],
    ['no dataset', [aConversation()], { wabaId: '200' }, 'prerequisite_missing'],
    ['neither business account nor Page', [aConversation()], { metaCapiDatasetId: '900000000000900' }, 'prerequisite_missing'],
  ])('answers 422 with the reason for %s', async (_what, rows, metadata, code) => {
    await using api = await open(rows, metadata);
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead() });
    expect(status).toBe(422);
    expect(body['code']).toBe(code);
  });

  it('sends a conversion of an old click and says that it will not be attributed', async () => {
    await using api = await open([aConversation({ ctwa: { ctwa_clid: 'clid', ctwa_captured_at: new Date(T0 - 8 * 86_400_000).toISOString() } })]);
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead(), headers: ASYNC });
    expect(status).toBe(202);
    expect(body['warnings']).toMatchObject([{ code: 'click_too_old' }]);
  });

  it('answers what Meta is certain to refuse at once', async () => {
    await using api = await open();
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead({ eventName: 'Purchase', value: 10, currency: 'EURO' }) });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'failed', eventsFailed: 1, failures: [{ eventIndex: 0, eventId: 'lead-1', code: 'currency_invalid' }] });
  });
});

describe('an event id that was used before', () => {
  const repeated = (deliveryId: string) => openApi({ accounts: accountsWith(READY), conversations: fakeConversations([aConversation()]), enqueue: async () => ({ kind: 'repeated', deliveryId }) });

  it('answers with the state of the first send, and says so', async () => {
    await using api = await repeated('dlv_first');
    api.deliveries.rows.set('dlv_first', aDelivery({ deliveryId: 'dlv_first', platform: 'whatsapp', accountId: 'acc_wa' }));
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead() });
    expect([status, body['deliveryId'], body['status']]).toEqual([200, 'dlv_first', 'delivered']);
    expect(body['warnings']).toMatchObject([{ code: 'event_already_sent' }]);
  });

  it('is a 409 once nothing is kept of the first send', async () => {
    await using api = await repeated('dlv_gone');
    const { status, body } = await api.call('POST', '/v1/whatsapp/conversions', { body: lead() });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'conflict', param: 'eventId', error: expect.stringContaining('dlv_gone') });
  });
});

describe('the dataset', () => {
  const found = { body: '{"data":[{"id":"900000000000900"}]}' };
  const none = { body: '{"data":[]}' };

  it('is read from the account and never from Meta', async () => {
    await using api = await open([], { wabaId: '200' });
    expect((await api.call('GET', '/v1/whatsapp/dataset?accountId=acc_wa')).body).toEqual({ datasetId: null });
  });

  it('is created where there is none, and kept', async () => {
    await using api = await open([], { wabaId: '200' }, none, { body: '{"id":"900000000000901"}' });
    expect((await api.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } })).body).toEqual({ datasetId: '900000000000901', created: true });
    expect((await api.call('GET', '/v1/whatsapp/dataset?accountId=acc_wa')).body).toEqual({ datasetId: '900000000000901' });
  });

  it('is found where there is one', async () => {
    await using api = await open([], { wabaId: '200' }, found);
    expect((await api.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } })).body).toEqual({ datasetId: '900000000000900', created: false });
  });

  it("shows Meta's refusal with the way to fix it", async () => {
    const refusal = '{"error":{"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"fbtrace_id":"A1"}}';
    await using api = await open([], { wabaId: '200' }, none, { status: 400, body: refusal });
    const { status, body } = await api.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } });
    expect(status).toBe(422);
    expect(body).toMatchObject({ type: 'platform_error', platform: 'whatsapp', platformError: { error: { code: 100 } } });
    expect(body['error']).toMatch(/verif/i);
  });

  it('answers 504 when Meta does not, and 422 without a business account', async () => {
    await using api = await open([], { wabaId: '200' }, 'timeout');
    expect((await api.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } })).status).toBe(504);
    await using bare = await open([], {});
    expect((await bare.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } })).body).toMatchObject({ code: 'prerequisite_missing' });
  });
});

describe('conversations', () => {
  it('are imported, kept as they are, and listed', async () => {
    await using api = await open([]);
    const body = { accountId: 'acc_wa', phoneE164: '40746123456', metadata: { ctwa_clid: 'clid-9', ctwa_source_id: 'ad-9' } };
    expect((await api.call('PUT', '/v1/whatsapp/conversations/mine', { body })).status).toBe(201);
    const again = await api.call('PUT', '/v1/whatsapp/conversations/mine', { body: { ...body, metadata: { ctwa_clid: 'other' } } });
    expect(again.status).toBe(200);
    expect(again.body['metadata']).toMatchObject({ ctwa_clid: 'clid-9' });
    const listed = await api.call('GET', '/v1/whatsapp/conversations?accountId=acc_wa');
    expect(listed.body).toMatchObject({ conversations: [{ id: 'mine', accountId: 'acc_wa', phoneE164: '40746123456' }], nextCursor: null });
    // The id of another account is as good as any other here.
    const own = await api.call('PUT', '/v1/whatsapp/conversations/mine', { body: { accountId: 'acc_wa2' } });
    expect([own.status, own.body['metadata']]).toEqual([201, {}]);
    expect((await api.call('GET', '/v1/whatsapp/conversations?accountId=acc_wa')).body).toEqual(listed.body);
  });

  it('cannot be imported with a click that is yet to come', async () => {
    await using api = await open([]);
    const { status, body } = await api.call('PUT', '/v1/whatsapp/conversations/mine', { body: { accountId: 'acc_wa', metadata: { ctwa_clid: 'c', ctwa_captured_at: new Date(T0 + 3_600_000).toISOString() } } });
    expect([status, body['param']]).toEqual([400, 'metadata.ctwa_captured_at']);
  });
});

describe('GET and POST /webhooks/whatsapp', () => {
  const sign = (text: string) => `sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`;
  const message = (phoneNumberId: string | undefined = '300', wabaId = '200') => JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: wabaId, changes: [{ field: 'messages', value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '1', phone_number_id: phoneNumberId },
      contacts: [{ profile: { name: 'planted name' }, wa_id: '40746123456' }],
      messages: [{ from: '40746123456', id: 'wamid.1', timestamp: String(T0 / 1000 - 5), type: 'text', text: { body: 'planted text' }, referral: { source_id: 'ad', source_type: 'ad', source_url: 'https://fb.me/x', headline: 'Hi', ctwa_clid: 'clid-1' } }],
    } }] }],
  });
  const post = (api: Awaited<ReturnType<typeof openApi>>, text: string, signature: string | undefined) =>
    api.app.inject({ method: 'POST', url: '/webhooks/whatsapp', headers: { 'content-type': 'application/json', ...(signature !== undefined && { 'x-hub-signature-256': signature }) }, payload: text });

  it('answers the challenge only with the right token', async () => {
    await using api = await open();
    const ask = (token: string, mode = 'subscribe') => api.app.inject(`/webhooks/whatsapp?hub.mode=${mode}&hub.challenge=1158201444&hub.verify_token=${token}`);
    const right = await ask('verify-me');
    expect([right.statusCode, right.payload]).toEqual([200, '1158201444']);
    expect((await ask('wrong')).statusCode).toBe(403);
    expect((await ask('verify-me', 'unsubscribe')).statusCode).toBe(403);
  });

  it('captures the click of a signed message, without text or name', async () => {
    const conversations = fakeConversations();
    await using api = await openApi({ accounts: accountsWith(READY), conversations });
    expect((await post(api, message(), sign(message()))).statusCode).toBe(200);
    expect(conversations.captured).toEqual([
      {
        accountId: 'acc_wa',
        messageId: 'wamid.1',
        identities: ['40746123456'],
        phoneE164: '40746123456',
        ctwa: { ctwa_clid: 'clid-1', ctwa_captured_at: new Date(T0 - 5000).toISOString(), ctwa_source_id: 'ad', ctwa_source_url: 'https://fb.me/x', ctwa_headline: 'Hi', ctwa_source_type: 'ad' },
      },
    ]);
    expect(api.lines.join('')).not.toContain('planted');
  });

  it.each([
    ['no signature', undefined],
    ['a wrong one', `sha256=${'0'.repeat(64)}`],
    ['one without its prefix', 'abc'],
  ])('refuses %s and stores nothing', async (_what, signature) => {
    const conversations = fakeConversations();
    await using api = await openApi({ accounts: accountsWith(READY), conversations });
    const reply = await post(api, message(), signature);
    expect(reply.statusCode).toBe(401);
    expect(reply.json()).toMatchObject({ error: 'Unauthorized', type: 'authentication_error' });
    expect(conversations.captured).toEqual([]);
  });

  it('takes what is not for it, so that Meta does not send it again', async () => {
    const conversations = fakeConversations();
    await using api = await openApi({ accounts: accountsWith(READY), conversations });
    for (const text of ['not json', '{}', '{"object":"whatsapp_business_account","entry":[]}', message('999', '888')]) {
      expect((await post(api, text, sign(text))).statusCode).toBe(200);
    }
    expect(conversations.captured).toEqual([]);
  });

  it.each<[string, Record<string, Record<string, string>>, string, string | undefined]>([
    ['the account of the number, whatever the business account', { a: { wabaId: '200' }, b: { wabaId: '201', phoneNumberId: '300' } }, '300', 'b'],
    ['the one that names no number', { a: { wabaId: '200', phoneNumberId: '301' }, b: { wabaId: '200' } }, '300', 'b'],
    ['the only one of the business account, though it names another number', { a: { wabaId: '200', phoneNumberId: '301' }, b: { wabaId: '201' } }, '300', 'a'],
    ['nobody where several of the business account name other numbers', { a: { wabaId: '200', phoneNumberId: '301' }, b: { wabaId: '200', phoneNumberId: '302' } }, '300', undefined],
    ['nobody where it is of none', { a: { wabaId: '201' }, b: { phoneNumberId: '301' } }, '300', undefined],
  ])('gives a message to %s', async (_whom, metadata, phoneNumberId, accountId) => {
    const conversations = fakeConversations();
    const accounts = fakeAccounts(Object.entries(metadata).map(([id, own]) => anAccount({ id, platform: 'whatsapp', metadata: own })));
    await using api = await openApi({ accounts, conversations });
    const text = message(phoneNumberId);
    expect((await post(api, text, sign(text))).statusCode).toBe(200);
    expect(conversations.captured.map((capture) => capture.accountId)).toEqual(accountId === undefined ? [] : [accountId]);
  });

  it('does not read the accounts for receipts of other messages', async () => {
    const accounts = accountsWith(READY);
    await using api = await openApi({ accounts: { ...accounts, list: () => Promise.reject(new Error('accounts were read')) } });
    const statuses = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '200', changes: [{ field: 'messages', value: { metadata: { phone_number_id: '300' }, statuses: [{ id: 'wamid.2', status: 'read' }] } }] }] });
    expect((await post(api, statuses, sign(statuses))).statusCode).toBe(200);
  });

  it('takes 3 MB', async () => {
    await using api = await open();
    const text = JSON.stringify({ object: 'whatsapp_business_account', entry: [], padding: 'x'.repeat(3_000_000) });
    expect((await post(api, text, sign(text))).statusCode).toBe(200);
  });

  it('says so when it is not configured', async () => {
    await using api = await openApi({ webhooks: { metaAppSecret: undefined, metaVerifyToken: undefined } });
    expect((await post(api, '{}', sign('{}'))).statusCode).toBe(501);
    expect((await api.app.inject('/webhooks/whatsapp?hub.mode=subscribe')).statusCode).toBe(501);
  });
});
