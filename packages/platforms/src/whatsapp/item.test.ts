import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../identity/hash.ts';
import { ATTRIBUTION_WINDOW_MS, isPastAttribution } from './attribution.ts';
import { explainEventName, isMessagingEventName, MESSAGING_EVENT_NAMES } from './event-names.ts';
import { aConversion, CONTEXT, NOW_SECONDS, wireOf } from './event.test-kit.ts';
import { toMessagingItem, type MessagingConversion } from './item.ts';

const DAY = 86_400;

describe('the wire event', () => {
  it('is a messaging event of the account, with hashed person and amounts', () => {
    expect(wireOf(aConversion({ email: ' Jo@Example.com ', externalId: 'User 7', contentIds: ['sku-1', 'sku-2'], currency: 'eur' }))).toEqual({
      event_name: 'Purchase',
      event_time: NOW_SECONDS - 60,
      event_id: 'evt-1',
      action_source: 'business_messaging',
      messaging_channel: 'whatsapp',
      user_data: {
        whatsapp_business_account_id: '2000000000000001',
        ctwa_clid: 'Aff-n8ZTODiE79d22KtAwQKj9e',
        em: [sha256Hex('jo@example.com')],
        external_id: [sha256Hex('user7')],
      },
      custom_data: { currency: 'EUR', value: 49.9, content_ids: ['sku-1', 'sku-2'] },
    });
  });

  it.each(MESSAGING_EVENT_NAMES)('can be a %s', (eventName) => {
    expect(wireOf(aConversion({ eventName }))['event_name']).toBe(eventName);
  });

  it('has no custom_data where there is nothing to say', () => {
    expect(wireOf(aConversion({ eventName: 'LeadSubmitted', value: undefined, currency: ' ', contentIds: [] }))).not.toHaveProperty('custom_data');
  });

  it('names the Page only where the account is not known, and never both', () => {
    expect(wireOf(aConversion({ wabaId: undefined, pageId: '4000000000000001' }))['user_data']).toEqual({ page_id: '4000000000000001', ctwa_clid: 'Aff-n8ZTODiE79d22KtAwQKj9e' });
    expect(wireOf(aConversion({ pageId: '4000000000000001' }))['user_data']).not.toHaveProperty('page_id');
    expect(wireOf(aConversion({ wabaId: '', pageId: '4000000000000001' }))['user_data']).not.toHaveProperty('whatsapp_business_account_id');
  });

  it('keeps the click id as it came, and a hash as it is', () => {
    const hash = sha256Hex('jo@example.com');
    const { user_data: user } = wireOf(aConversion({ ctwaClid: 'AbC_-=+/.é', email: hash.toUpperCase() }));
    expect(user).toMatchObject({ ctwa_clid: 'AbC_-=+/.é', em: [hash] });
  });

  it('leaves out what is no address or id, and sends the rest', () => {
    const { user_data: user } = wireOf(aConversion({ email: 'not an address', externalId: '  ' }));
    expect(user).toEqual({ whatsapp_business_account_id: '2000000000000001', ctwa_clid: 'Aff-n8ZTODiE79d22KtAwQKj9e' });
  });

  it('never carries what Meta refuses there, whatever else the caller hangs on', () => {
    const stray = { ...aConversion(), fbc: 'fb.1.1.x', fbp: 'fb.1.1.y', ipAddress: '192.0.2.1', userAgent: 'UA', phoneE164: '4915112345678' };
    expect(JSON.stringify(wireOf(stray))).not.toMatch(/fbc|fbp|192\.0\.2\.1|UA|client_|49151/);
  });

  it('expires seven days after the event', () => {
    expect(toMessagingItem(aConversion(), CONTEXT)).toMatchObject({ kind: 'item', expiresAtMs: (NOW_SECONDS - 60 + 7 * DAY) * 1000 });
  });

  it.each([0, -5, 1e-7])('takes a value of %d', (value) => {
    expect(wireOf(aConversion({ value }))['custom_data']).toMatchObject({ value });
  });
});

describe('refused', () => {
  it.each<[string, Partial<MessagingConversion>, string]>([
    ['event_too_old', { eventTime: NOW_SECONDS - 7 * DAY - 1 }, '7 days'],
    ['event_in_future', { eventTime: NOW_SECONDS + 61 }, 'seconds in UTC'],
    ['event_in_future', { eventTime: NOW_SECONDS * 1000 }, 'unix seconds'],
    ['no_match_keys', { ctwaClid: ' ' }, 'ctwa_clid'],
    ['no_match_keys', { wabaId: undefined }, '2804116'],
    ['currency_invalid', { currency: 'EURO' }, 'ISO 4217'],
    ['currency_invalid', { eventName: 'AddToCart', currency: '€' }, 'ISO 4217'],
    ['value_invalid', { value: Number.NaN }, 'number'],
    ['value_invalid', { value: Number.POSITIVE_INFINITY }, 'number'],
    ['value_missing', { value: undefined }, 'Purchase'],
    ['currency_missing', { currency: undefined }, 'Purchase'],
    ['currency_missing', { currency: '  ' }, 'Purchase'],
    ['field_invalid', { eventName: 'Lead' }, 'LeadSubmitted'],
    ['field_invalid', { eventName: 'OrderCreated' }, '2804066'],
    ['event_too_large', { contentIds: ['x'.repeat(5_000_000)] }, 'contentIds'],
  ])('%s for %o', (code, some, said) => {
    expect(toMessagingItem(aConversion(some), CONTEXT)).toMatchObject({ kind: 'refused', code, message: expect.stringContaining(said) });
  });

  it.each<[string, Partial<MessagingConversion>]>([
    ['exactly seven days', { eventTime: NOW_SECONDS - 7 * DAY }],
    ['a minute ahead', { eventTime: NOW_SECONDS + 60 }],
    ['no money on what is no purchase', { eventName: 'InitiateCheckout', value: undefined, currency: undefined }],
    ['a value alone on what is no purchase', { eventName: 'ViewContent', currency: undefined }],
  ])('not: %s', (_title, some) => {
    expect(toMessagingItem(aConversion(some), CONTEXT).kind).toBe('item');
  });
});

describe('event names', () => {
  it('are five', () => {
    expect(MESSAGING_EVENT_NAMES.filter(isMessagingEventName)).toEqual(['LeadSubmitted', 'Purchase', 'AddToCart', 'InitiateCheckout', 'ViewContent']);
    expect(MESSAGING_EVENT_NAMES.map(explainEventName)).toEqual(MESSAGING_EVENT_NAMES.map(() => undefined));
  });

  it.each([
    ['Lead', 'Send LeadSubmitted instead'],
    ['\u2028', 'eventName "\\u2028" is not one'],
    ['lead', 'Send LeadSubmitted instead'],
    ['purchase', 'Send Purchase instead'],
    ['PageView', 'Send ViewContent instead'],
    ['Schedule', 'Send one of LeadSubmitted, Purchase, AddToCart, InitiateCheckout, ViewContent'],
    ['CompleteRegistration', 'Send one of'],
    ['', 'Send one of'],
    ['__proto__', 'Send one of'],
  ])('%j is explained with the subcode', (name, advice) => {
    const said = explainEventName(name);
    expect(said).toContain('2804066');
    expect(said).toContain(advice);
  });

  it('does not repeat a long name in full', () => {
    expect(explainEventName('🎯'.repeat(500))?.length).toBeLessThan(400);
  });
});

it('attributes up to seven days after the click', () => {
  const captured = 1_790_000_000_000;
  expect(isPastAttribution(captured, captured + ATTRIBUTION_WINDOW_MS)).toBe(false);
  expect(isPastAttribution(captured, captured + ATTRIBUTION_WINDOW_MS + 1)).toBe(true);
  expect(isPastAttribution(captured, captured - 1000)).toBe(false);
});
