import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { control, daysAgo, EM, metaSandbox, PIXEL } from '../meta/meta-testing.ts';
import { aClick, aDataset, aMessagingEvent, PAGE, sendTo, WABA } from './whatsapp-testing.ts';

const PAGE_DATASET = '1000000000000002';

let app = metaSandbox();
let dataset = '';
let clid = '';
beforeEach(async () => {
  app = metaSandbox();
  dataset = await aDataset(app);
  clid = await aClick(app);
});
afterEach(() => app.close());

const switches = (values: object) => control(app, 'PUT', 'switches', values);

async function subcodeOf(event: unknown, to = dataset): Promise<number | undefined> {
  const { status, json } = await sendTo(app, to, event);
  if (status === 200) return undefined;
  expect(json.error).toMatchObject({ code: 100, message: 'Invalid parameter', is_transient: false });
  return json.error.error_subcode as number;
}

describe('taken', () => {
  it('a purchase of the account with a real click', async () => {
    const reply = await sendTo(app, dataset, aMessagingEvent(clid, { em: [EM], external_id: [EM], ph: [EM] }));
    expect(reply.json).toEqual({ events_received: 1, messages: [], fbtrace_id: expect.any(String) });
  });

  it.each(['LeadSubmitted', 'InitiateCheckout', 'AddToCart', 'ViewContent', 'OrderShipped', 'OrderDelivered', 'OrderCanceled', 'OrderReturned', 'CartAbandoned', 'QualifiedLead', 'RatingProvided', 'ReviewProvided'])(
    '%s without any money',
    async (name) => {
      expect(await subcodeOf(aMessagingEvent(clid, {}, { event_name: name, custom_data: undefined }))).toBeUndefined();
    },
  );

  it('the same event twice: Meta does not deduplicate these', async () => {
    await sendTo(app, dataset, aMessagingEvent(clid));
    await sendTo(app, dataset, aMessagingEvent(clid));
    expect((await control(app, 'GET', 'accepted?eventId=e1')).json.events).toEqual([{ platform: 'meta', destinationId: dataset, eventId: 'e1', times: 2 }]);
  });

  it('a click of any age: it is only not attributed', async () => {
    const old = await aClick(app, { secondsAgo: 30 * 86_400 });
    expect(await subcodeOf(aMessagingEvent(old))).toBeUndefined();
  });

  it('TEST, where the switch says so', async () => {
    expect(await subcodeOf(aMessagingEvent('TEST'))).toBe(2804087);
    await switches({ 'meta.testClid': true });
    expect(await subcodeOf(aMessagingEvent('TEST'))).toBeUndefined();
    expect(await subcodeOf(aMessagingEvent('TEST2'))).toBe(2804087);
  });
});

describe('names', () => {
  it.each(['Lead', 'Schedule', 'CompleteRegistration', 'leadsubmitted', 'my_event'])('%s is 2804066', async (name) => {
    expect(await subcodeOf(aMessagingEvent(clid, {}, { event_name: name }))).toBe(2804066);
  });

  it('have a title of their own', async () => {
    const { json } = await sendTo(app, dataset, aMessagingEvent(clid, {}, { event_name: 'Lead' }));
    expect(json.error.error_user_title).toBe('Messaging Event Invalid Event Type');
  });
});

/** Measured live by others, 23 Sep 2026. */
describe('identity and dataset', () => {
  const account = undefined;
  it.each<[string, 'account' | 'pixel' | 'page', object, number | undefined]>([
    ['its own account', 'account', {}, undefined],
    ['a Page to an account\'s dataset', 'account', { whatsapp_business_account_id: account, page_id: PAGE }, 2804131],
    ['nobody', 'account', { whatsapp_business_account_id: account }, 2804116],
    ['nobody, spelt out', 'account', { whatsapp_business_account_id: '', page_id: null }, 2804116],
    ['an account to a website\'s pixel', 'pixel', {}, 2804132],
    ['a Page to a website\'s pixel', 'pixel', { whatsapp_business_account_id: account, page_id: PAGE }, 2804131],
    ['another account', 'account', { whatsapp_business_account_id: '2999' }, 2804132],
    ['both to an account\'s dataset', 'account', { page_id: PAGE }, 2804131],
    ['the Page to its dataset', 'page', { whatsapp_business_account_id: account, page_id: PAGE }, undefined],
    ['an account to a Page\'s dataset', 'page', {}, 2804132],
    ['another Page than the ad\'s', 'page', { whatsapp_business_account_id: account, page_id: '4999' }, 2804072],
  ])('%s', async (_title, to, user, subcode) => {
    await switches({ 'meta.pageDatasets': PAGE_DATASET });
    expect(await subcodeOf(aMessagingEvent(clid, user), { account: dataset, pixel: PIXEL, page: PAGE_DATASET }[to])).toBe(subcode);
  });
});

describe('clicks', () => {
  it.each(['Aff-invented', '', undefined])('%j is no click', async (made) => {
    expect(await subcodeOf(aMessagingEvent(clid, { ctwa_clid: made }))).toBe(2804087);
  });

  it('of another account are none of this one', async () => {
    expect(await subcodeOf(aMessagingEvent(await aClick(app, { wabaId: '2000000000000002' })))).toBe(2804087);
  });

  it('are forgotten with a reset, and so is the dataset', async () => {
    await control(app, 'POST', 'reset');
    expect((await sendTo(app, dataset, aMessagingEvent(clid))).json.error).toMatchObject({ code: 100, error_subcode: 33 });
    expect(await aDataset(app)).toBe(dataset);
    expect(await subcodeOf(aMessagingEvent(clid))).toBe(2804087);
  });
});

it.each([{ fbc: 'fb.1.1554763741205.AbCd' }, { fbp: 'fb.1.1558571054389.109811' }, { client_ip_address: '192.0.2.1' }, { client_user_agent: 'UA/1.0' }])('%o is not allowed', async (user) => {
  expect(await subcodeOf(aMessagingEvent(clid, user))).toBe(2804064);
});

describe('money', () => {
  it.each<[string, object | undefined, number]>([
    ['Purchase', { value: 1 }, 2804081],
    ['OrderCreated', undefined, 2804081],
    ['Purchase', { currency: 'EUR' }, 2804009],
  ])('%s with %o', async (name, custom, subcode) => {
    expect(await subcodeOf(aMessagingEvent(clid, {}, { event_name: name, custom_data: custom }))).toBe(subcode);
  });
});

it('asks for shape, time and hashes, then name, link and currency', async () => {
  const bad = { event_name: 'Lead', custom_data: {} };
  expect(await subcodeOf(aMessagingEvent('x', { whatsapp_business_account_id: '9' }, { ...bad, what: 1 }))).toBe(2804019);
  expect(await subcodeOf(aMessagingEvent('x', { whatsapp_business_account_id: '9' }, { ...bad, event_time: daysAgo(8) }))).toBe(2804003);
  expect(await subcodeOf(aMessagingEvent('x', { whatsapp_business_account_id: '9', em: 'jo@example.com' }, bad))).toBe(2804016);
  expect(await subcodeOf(aMessagingEvent('x', { whatsapp_business_account_id: '9' }, bad))).toBe(2804066);
  expect(await subcodeOf(aMessagingEvent('x', { whatsapp_business_account_id: '9' }, { custom_data: {} }))).toBe(2804132);
  expect(await subcodeOf(aMessagingEvent('x', { whatsapp_business_account_id: WABA }, { custom_data: {} }))).toBe(2804087);
  expect(await subcodeOf(aMessagingEvent(clid, {}, { custom_data: { value: 1 } }))).toBe(2804081);
});
