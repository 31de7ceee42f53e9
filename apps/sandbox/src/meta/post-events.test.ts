import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { anEvent, control, daysAgo, EM, EVENTS_URL, events, metaSandbox, PIXEL, secondsAgo, send } from './meta-testing.ts';

let app = metaSandbox();
beforeEach(() => {
  app = metaSandbox();
});
afterEach(() => app.close());

const switches = (values: object) => control(app, 'PUT', 'switches', values);
const sha = 'a'.repeat(64);
const purchase = (custom: object) => anEvent({ event_name: 'Purchase', custom_data: custom });
const user = (userData: object) => anEvent({ user_data: userData });
const custom = (customData: object) => anEvent({ custom_data: customData });
const extinfo = (osVersion: string) => ['a2', '', '', '', osVersion, ...Array.from({ length: 11 }, () => '')];

describe('accepted', () => {
  it.each<[string, object]>([
    ['a lead with a hashed e-mail', anEvent()],
    ['a purchase', purchase({ value: 49.9, currency: 'USD', contents: [{ id: 'a', quantity: 1, item_price: 49.9 }], num_items: 1 })],
    ['a purchase worth nothing, in lower case', purchase({ value: 0, currency: 'usd' })],
    ['a value as string, as the docs also show', purchase({ value: '12.30', currency: 'EUR' })],
    ['the contents keys of SDK and offline pages', custom({ contents: [{ id: 1, title: 't', description: 'd', brand: 'b', category: 'c', price: 1, delivery_category: 'in_store' }] })],
    ['any custom property', custom({ shop_tier: 'gold', nested: { a: 1 } })],
    ['a website event without a user agent', anEvent({ action_source: 'website', event_source_url: 'https://shop.example/thanks' })],
    ['address and user agent', user({ client_ip_address: '2001:db8::1', client_user_agent: 'UA/1.0' })],
    ['first and last name', user({ fn: sha, ln: [sha] })],
    ['a plain external id', user({ external_id: 'user-123' })],
    ['a hash with the parameter builder\'s suffix', user({ em: `${EM}.AQQCAQMC`, ph: [`${EM}.Bg`], client_ip_address: '192.0.2.1.AQQCAQMC' })],
    ['fbc and fbp as they are', user({ fbc: 'fb.1.1554763741205.AbCd', fbp: 'fb.1.1558571054389.109811' })],
    ['a lead id as a string or a number', anEvent({ user_data: { lead_id: '1234567890123456' } })],
    ['a CRM event', anEvent({ user_data: { lead_id: 123456789012345 }, custom_data: { event_source: 'crm', lead_event_source: 'Acme' } })],
    ['limited data use', anEvent({ data_processing_options: ['LDU'], data_processing_options_country: 1, data_processing_options_state: 1013 })],
    ['null for what is absent', anEvent({ custom_data: null, opt_out: null, user_data: { em: EM, ph: null } })],
    ['an event just under seven days old', anEvent({ event_time: daysAgo(7) + 30 })],
    ['a physical_store event of 61 days', anEvent({ action_source: 'physical_store', event_time: daysAgo(61) })],
    ['an app event', anEvent({ action_source: 'app', app_data: { advertiser_tracking_enabled: 1, extinfo: extinfo('14.1') } })],
    ['a stamp slightly ahead of the clock', anEvent({ event_time: secondsAgo(-50) })],
    ['an event without an id', anEvent({ event_id: undefined })],
  ])('%s', async (_title, event) => {
    const reply = await send(app, { data: [event] });
    expect(reply.text).toContain('"events_received":1');
    expect(reply.json).toEqual({ events_received: 1, messages: [], fbtrace_id: expect.any(String) });
  });

  it('takes a full request and records every event', async () => {
    expect((await send(app, { data: events(1000), test_event_code: 'TEST1' })).json.events_received).toBe(1000);
    const { json } = await control(app, 'GET', `accepted?platform=meta&destinationId=${PIXEL}&limit=1`);
    expect(json).toMatchObject({ total: 1000, unique: 1000, duplicates: 0 });
  });

  it('counts a repeated event id instead of dropping it', async () => {
    await send(app, { data: [anEvent(), anEvent()] });
    await send(app, { data: [anEvent()] });
    expect((await control(app, 'GET', 'accepted?eventId=e1')).json.events).toEqual([{ platform: 'meta', destinationId: PIXEL, eventId: 'e1', times: 3 }]);
  });

  it('reads forms and events that are JSON strings', async () => {
    const form = new URLSearchParams({ data: JSON.stringify([anEvent()]), access_token: 'sandbox-meta-token' });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send(app, form.toString(), { token: '', headers })).json.events_received).toBe(1);
    expect((await send(app, { data: [JSON.stringify(anEvent())] })).json.events_received).toBe(1);
  });
});

describe('refused events: 400, code 100, one subcode each', () => {
  const at = (...keys: string[]) => `$['data'][0]${keys.map((key) => `['${key}']`).join('')}`;
  const shape: [string, unknown, string][] = [
    ['no object', 7, at()],
    ['unknown event key', anEvent({ test_event_code: 'T' }), `Unexpected key "test_event_code" on param "${at()}"`],
    ['no user_data', anEvent({ user_data: undefined }), `The parameter ${at('user_data')} is required`],
    ['no event_name', anEvent({ event_name: '' }), `The parameter ${at('event_name')} is required`],
    ['no event_time', anEvent({ event_time: null }), `The parameter ${at('event_time')} is required`],
    ['event_time as text', anEvent({ event_time: '1700000000' }), at('event_time')],
    ['no action_source', anEvent({ action_source: undefined }), at('action_source')],
    ['upper-case action_source', anEvent({ action_source: 'WEBSITE' }), at('action_source')],
    ['business messaging without a channel', anEvent({ action_source: 'business_messaging' }), at('messaging_channel')],
    ['another channel', anEvent({ action_source: 'business_messaging', messaging_channel: 'messenger' }), at('messaging_channel')],
    ['website without url', anEvent({ action_source: 'website' }), at('event_source_url')],
    ['unknown user key', user({ em: EM, email: 'x' }), `Unexpected key "email" on param "${at('user_data')}"`],
    ['list for a single value', user({ em: EM, fbc: ['fb.1.1.x'] }), at('user_data', 'fbc')],
    ['number for a hash', user({ em: 5 }), at('user_data', 'em')],
    ['bad address', user({ em: EM, client_ip_address: '999.1.1.1' }), at('user_data', 'client_ip_address')],
    ['unknown contents key', custom({ contents: [{ id: 'a' }, { id: 'b', name: 'n' }] }), `Unexpected key "name" on param "${at('custom_data', 'contents')}[1]"`],
    ['bad currency', custom({ value: 1, currency: 'EURO' }), at('custom_data', 'currency')],
    ['bad value', purchase({ value: 'ten', currency: 'EUR' }), at('custom_data', 'value')],
    ['content_type', custom({ content_type: 'thing' }), at('custom_data', 'content_type')],
    ['unknown processing option', anEvent({ data_processing_options: ['GDPR'] }), at('data_processing_options')],
    ['country without state', anEvent({ data_processing_options: ['LDU'], data_processing_options_country: 1 }), at('data_processing_options_state')],
    ['state out of list', anEvent({ data_processing_options_state: 1014 }), at('data_processing_options_state')],
    ['customer_segmentation', anEvent({ customer_segmentation: 'vip' }), at('customer_segmentation')],
    ['app event without app_data', anEvent({ action_source: 'app' }), at('app_data')],
    ['short extinfo', anEvent({ action_source: 'app', app_data: { extinfo: ['a2'] } }), at('app_data', 'extinfo')],
  ];
  it.each(shape)('2804019 for %s', async (_title, event, text) => {
    const { status, json } = await send(app, { data: [event] });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({
      message: 'Invalid parameter',
      type: 'OAuthException',
      code: 100,
      error_subcode: 2804019,
      is_transient: false,
      error_user_title: 'Server Side Api Parameter Error',
    });
    expect(json.error.error_user_msg).toContain(text);
    expect(json.error.fbtrace_id).toMatch(/^A/);
  });

  it.each<[number, string, object]>([
    [2804003, 'eight days', anEvent({ event_time: daysAgo(8) })],
    [2804003, 'seconds past seven days', anEvent({ event_time: daysAgo(7) - 5 })],
    [2804003, '63 days in a store', anEvent({ action_source: 'physical_store', event_time: daysAgo(63) })],
    [2804003, 'time goes before user keys', anEvent({ event_time: daysAgo(8), user_data: { client_user_agent: 'UA' } })],
    [2804016, 'plain e-mail', user({ em: 'john@example.com' })],
    [2804016, 'upper-case hex', user({ em: EM.toUpperCase() })],
    [2804016, 'MD5', user({ ct: '5f4dcc3b5aa765d61d8327deb882cf99' })],
    [2804016, 'one of several', user({ ph: [EM, '+14155551234'] })],
    [2804008, 'contents is an object', custom({ contents: { id: 'a' } })],
    [2804008, 'contents of strings', custom({ contents: ['a'] })],
    [2804008, 'quantity is no number', custom({ contents: [{ id: 'a', quantity: 'two' }] })],
    [2804050, 'no keys', user({})],
    [2804050, 'empty keys', user({ em: [], external_id: '', ph: null })],
    [2804050, 'place, gender and user agent', user({ ct: sha, country: sha, st: sha, zp: sha, ge: sha, client_user_agent: 'UA' })],
    [2804050, 'birthday and user agent', user({ db: sha, client_user_agent: 'UA' })],
    [2804050, 'first name and gender', user({ fn: sha, ge: sha })],
    [2804050, 'last name and gender', user({ ln: sha, ge: sha })],
    [2804009, 'purchase without value', purchase({ currency: 'EUR' })],
    [2804009, 'purchase without custom_data', anEvent({ event_name: 'Purchase' })],
    [2804010, 'purchase without currency', purchase({ value: 1 })],
    [2804036, 'short lead id', user({ lead_id: '12345' })],
    [2804043, 'blank OS version', anEvent({ action_source: 'app', app_data: { extinfo: extinfo(' ') } })],
  ])('%d: %s', async (subcode, _title, event) => {
    const { status, json } = await send(app, { data: [event] });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: 100, error_subcode: subcode, message: 'Invalid parameter', is_transient: false });
    expect(json.error.error_user_msg).not.toContain("$['data']");
  });

  it('answers a future stamp without a subcode', async () => {
    const { json } = await send(app, { data: [anEvent({ event_time: Date.now() })] });
    expect(json.error.code).toBe(100);
    expect(json.error).not.toHaveProperty('error_subcode');
  });

  it('takes nothing of a request with one bad event, and the first bad event answers', async () => {
    const { json } = await send(app, { data: [...events(5), anEvent({ event_time: daysAgo(9) }), user({})] });
    expect(json.error.error_subcode).toBe(2804003);
    expect((await control(app, 'GET', 'accepted')).json.total).toBe(0);
  });
});

describe('the data parameter', () => {
  it.each<[string, object | string, string]>([
    ['absent', {}, '(#100) The parameter data is required'],
    ['no list', { data: { a: 1 } }, '(#100) Param data must be an array.'],
    ['empty', { data: [] }, '(#100) Param data must be non-empty.'],
    ['too long', { data: events(1001) }, '(#100) Param data must have at most 1000 elements.'],
    ['not JSON at all', '{"data":[', '(#100) The parameter data is required'],
  ])('%s', async (_title, body, message) => {
    const { status, json } = await send(app, body);
    expect(status).toBe(400);
    expect(json.error).toEqual({ message, type: 'OAuthException', code: 100, fbtrace_id: expect.any(String) });
  });
});

describe('poison', () => {
  it('refuses the whole request without saying which event it was', async () => {
    await control(app, 'PUT', 'poison', { platform: 'meta', eventIds: ['e3'] });
    const { status, text, json } = await send(app, { data: events(5) });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: 100, error_subcode: 2804019, error_user_msg: 'Invalid parameter' });
    expect(text).not.toContain('$[');
    expect((await send(app, { data: events(3) })).json.events_received).toBe(3);
  });

  it('names the index when switched', async () => {
    await control(app, 'PUT', 'poison', { platform: 'meta', eventIds: ['e3'] });
    await switches({ 'meta.poisonNamesIndex': true });
    expect((await send(app, { data: events(5) })).json.error.error_user_msg).toContain("$['data'][3]");
  });

  it.each([
    ['2804036', { code: 100, error_subcode: 2804036 }],
    [100, { code: 100 }],
  ])('answers with the code %s', async (code, error) => {
    await control(app, 'PUT', 'poison', { platform: 'meta', eventIds: ['e0'], code });
    expect((await send(app, { data: events(1) })).json.error).toMatchObject(error);
  });
});

describe('switches', () => {
  it.each<[object, object, number]>([
    [{ 'meta.physicalStoreDays': 7 }, anEvent({ action_source: 'physical_store', event_time: daysAgo(8) }), 2804003],
    [{ 'meta.strictWebsite': true }, anEvent({ action_source: 'website', event_source_url: 'https://a.example' }), 2804019],
  ])('%o refuses what passes by default', async (values, event, subcode) => {
    expect((await send(app, { data: [event] })).status).toBe(200);
    await switches(values);
    expect((await send(app, { data: [event] })).json.error.error_subcode).toBe(subcode);
  });

  it.each<[object, object]>([
    [{ 'meta.websiteNeedsUrl': false }, anEvent({ action_source: 'website' })],
    [{ 'meta.futureSeconds': 7200 }, anEvent({ event_time: secondsAgo(-3600) })],
    [{ 'meta.strictIp': false }, user({ em: EM, client_ip_address: 'unknown' })],
  ])('%o lets pass what is refused by default', async (values, event) => {
    expect((await send(app, { data: [event] })).status).toBe(400);
    await switches(values);
    expect((await send(app, { data: [event] })).status).toBe(200);
  });

  it('localises texts but keeps the English JSONPath fragment', async () => {
    await switches({ 'meta.locale': 'de' });
    const old = (await send(app, { data: [anEvent({ event_time: daysAgo(8) })] })).json.error;
    expect(old).toMatchObject({ error_subcode: 2804003, error_user_title: 'Zeitstempel des Events zu alt' });
    const shape = (await send(app, { data: [anEvent({ index: 1 })] })).json.error;
    expect(shape.error_user_title).toContain('Fehler');
    expect(shape.error_user_msg).toBe(`Unexpected key "index" on param "$['data'][0]"`);
  });

  it('moves with the clock', async () => {
    await control(app, 'PUT', 'clock', { offsetMs: 8 * 86_400_000 });
    expect((await send(app, { data: [anEvent()] })).json.error.error_subcode).toBe(2804003);
  });
});

it('notes each answered request once', async () => {
  await send(app, { data: events(3) });
  await send(app, { data: [] });
  await send(app, { data: events(1) }, { url: EVENTS_URL.replace('events', 'nothing') });
  const { json } = await control(app, 'GET', 'summary');
  expect(json.meta).toMatchObject({ requests: 3, answered: { 200: 1, 400: 2 }, accepted: 3, sizes: { min: 3, max: 3, mean: 3 } });
});
