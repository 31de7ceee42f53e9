import { describe, expect, it } from 'vitest';
import type { ConversionEvent } from '@relay/contract';
import { sha256Hex } from '../identity/hash.ts';
import { CONTEXT, NOW_SECONDS, anEvent, wireOf } from './event.test-kit.ts';
import { metaItem } from './item.ts';

const DAY = 86_400;

function codeOf(some: Partial<ConversionEvent>): string {
  const result = metaItem(anEvent(some), CONTEXT);
  return result.kind === 'refused' ? result.code : 'item';
}

describe('metaItem', () => {
  it('puts every field where Meta wants it', () => {
    const event: ConversionEvent = {
      eventName: 'Purchase',
      eventTime: NOW_SECONDS - 10,
      eventId: 'order-1',
      value: 49.9,
      currency: ' usd',
      actionSource: 'web',
      sourceUrl: 'https://shop.example/thanks?x=1',
      user: {
        email: 'Jo@Example.com',
        phone: '+1 (650) 555-1212',
        firstName: 'Jo',
        lastName: "O'Neil",
        externalId: 'User-1',
        ipAddress: ' 2001:db8::1 ',
        userAgent: 'Mozilla/5.0 (X11)',
        country: 'US',
        city: 'New York',
        state: 'New York',
        zip: '10001-1234',
        dob: '19970216',
        gender: 'F',
        leadId: '12345678901234567',
        clickIds: { fbc: 'fb.1.1554763741205.AbCdEf_x.AQQCAQMC', fbp: ' fb.1.1558571054389.1098115397', gclid: 'g', li_fat_id: 'l' },
      },
      items: [
        { id: 'sku-1', name: 'Shirt', price: 19.95, quantity: 2, category: 'clothes' },
        { id: 'sku-2', price: 10 },
      ],
      platformData: { order_id: 'o-1', value: 1, currency: 'xxx', contents: 'mine', num_items: 99, user_data: { em: ['x'] } },
    };
    expect(wireOf(event)).toEqual({
      event_name: 'Purchase',
      event_time: NOW_SECONDS - 10,
      event_id: 'order-1',
      action_source: 'website',
      event_source_url: 'https://shop.example/thanks?x=1',
      user_data: {
        em: [sha256Hex('jo@example.com')],
        ph: [sha256Hex('16505551212')],
        fn: [sha256Hex('jo')],
        ln: [sha256Hex('oneil')],
        db: [sha256Hex('19970216')],
        external_id: [sha256Hex('user-1')],
        ge: [sha256Hex('f')],
        ct: [sha256Hex('newyork')],
        st: [sha256Hex('ny')],
        zp: [sha256Hex('10001')],
        country: [sha256Hex('us')],
        client_ip_address: '2001:db8::1',
        client_user_agent: 'Mozilla/5.0 (X11)',
        fbc: 'fb.1.1554763741205.AbCdEf_x.AQQCAQMC',
        fbp: ' fb.1.1558571054389.1098115397',
        lead_id: '12345678901234567',
      },
      custom_data: {
        order_id: 'o-1',
        user_data: { em: ['x'] },
        value: 49.9,
        currency: 'USD',
        contents: [{ id: 'sku-1', quantity: 2, item_price: 19.95 }, { id: 'sku-2', item_price: 10 }],
        num_items: 3,
      },
    });
  });

  it('sends no more than it has', () => {
    expect(wireOf(anEvent({ items: [], sourceUrl: '' }))).toEqual({
      event_name: 'Lead',
      event_time: NOW_SECONDS - 60,
      event_id: 'evt-1',
      action_source: 'system_generated',
      user_data: { em: [sha256Hex('jo@example.com')] },
    });
  });

  it.each([
    ['web', undefined, 'website'],
    ['offline', undefined, 'physical_store'],
    ['crm', undefined, 'system_generated'],
    ['phone_call', undefined, 'phone_call'],
    ['system_generated', 'https://a.example', 'system_generated'],
    [undefined, 'https://a.example', 'website'],
    [undefined, undefined, 'system_generated'],
  ] as const)('actionSource %s with sourceUrl %s is %s', (actionSource, sourceUrl, expected) => {
    const event = anEvent({ ...(actionSource && { actionSource }), ...(sourceUrl && { sourceUrl }) });
    expect(wireOf(event)['action_source']).toBe(expected);
  });

  it.each([
    [undefined, false],
    [{}, false],
    [{ adUserData: 'GRANTED', adPersonalization: 'GRANTED' }, false],
    [{ adUserData: 'DENIED' }, true],
    [{ adUserData: 'GRANTED', adPersonalization: 'DENIED' }, true],
  ] as const)('consent %j: limited data use %s', (consent, isLimited) => {
    const { data_processing_options: options, data_processing_options_country: country, data_processing_options_state: state } = wireOf(anEvent(), { ...CONTEXT, consent });
    expect([options, country, state]).toEqual(isLimited ? [['LDU'], 0, 0] : [undefined, undefined, undefined]);
  });

  it('counts lines where quantities are no counts', () => {
    expect(wireOf(anEvent({ items: [{ id: 'a', quantity: 0.5 }, { id: 'b', quantity: 1 }] }))['custom_data']).toMatchObject({ num_items: 2 });
    expect(wireOf(anEvent({ items: [{ id: 'a', quantity: -3 }] }))['custom_data']).toMatchObject({ num_items: 1 });
  });

  it('drops a bad identifier and keeps the event', () => {
    const user = { email: 'no address', phone: '12', ipAddress: 'unknown', country: 'zz', leadId: 'l:1', userAgent: ' ', clickIds: { fbc: '', fbp: 'fb.1.2.3' } };
    expect(wireOf(anEvent({ user }))['user_data']).toEqual({ fbp: 'fb.1.2.3' });
  });

  it('gives the wire until when Meta takes it', () => {
    expect(metaItem(anEvent({ eventTime: NOW_SECONDS - 5 }), CONTEXT)).toMatchObject({ expiresAtMs: (NOW_SECONDS - 5 + 7 * DAY) * 1000 });
    expect(metaItem(anEvent({ eventTime: NOW_SECONDS - 5, actionSource: 'offline' }), CONTEXT)).toMatchObject({ expiresAtMs: (NOW_SECONDS - 5 + 62 * DAY) * 1000 });
  });
});

describe('an event from the web', () => {
  const sourceUrl = 'https://shop.example/';
  const user = { email: 'jo@example.com', userAgent: 'Mozilla/5.0' };
  it.each<[boolean, Partial<ConversionEvent>]>([
    [false, { actionSource: 'web', sourceUrl, user }],
    [true, { actionSource: 'web', user }],
    [true, { actionSource: 'web', sourceUrl: '', user }],
    [true, { actionSource: 'web', sourceUrl }],
    [true, { actionSource: 'web', sourceUrl, user: { ...user, userAgent: '' } }],
    [true, { sourceUrl }],
    [false, { sourceUrl, user }],
    [false, {}],
    [false, { actionSource: 'crm' }],
  ])('is known to lack its address or user agent (%s): %j', (lacksWebContext, some) => {
    expect(metaItem(anEvent(some), CONTEXT)).toMatchObject({ kind: 'item', lacksWebContext });
  });
});

describe('metaItem refuses', () => {
  it.each<[string, Partial<ConversionEvent>]>([
    ['action_source_unsupported', { actionSource: 'app' }],
    ['item', { eventTime: NOW_SECONDS - 7 * DAY }],
    ['event_too_old', { eventTime: NOW_SECONDS - 7 * DAY - 1 }],
    ['item', { eventTime: NOW_SECONDS - 62 * DAY, actionSource: 'offline' }],
    ['event_too_old', { eventTime: NOW_SECONDS - 62 * DAY - 1, actionSource: 'offline' }],
    ['item', { eventTime: NOW_SECONDS + 60 }],
    ['event_in_future', { eventTime: NOW_SECONDS + 61 }],
    ['currency_invalid', { currency: 'ABC' }],
    ['currency_invalid', { currency: '' }],
    ['currency_invalid', { currency: 'dollars', value: 1 }],
    ['currency_invalid', { platformData: { currency: 7 } }],
    ['item', { currency: 'eur' }],
    ['value_missing', { eventName: 'Purchase', currency: 'USD' }],
    ['currency_missing', { eventName: 'Purchase', value: 1 }],
    ['value_missing', { eventName: 'Purchase', platformData: { value: null, currency: 'USD' } }],
    ['value_invalid', { eventName: 'Purchase', platformData: { value: 'much', currency: 'USD' } }],
    ['item', { eventName: 'Purchase', value: 0, currency: 'USD' }],
    ['item', { eventName: 'Purchase', value: -5, currency: 'USD' }],
    ['item', { eventName: 'Purchase', platformData: { value: '12.50', currency: 'usd' } }],
    ['item', { eventName: 'Purchase', value: 3, platformData: { currency: 'USD' } }],
    ['item', { eventName: 'purchase' }],
    ['value_invalid', { platformData: { value: 'whatever' } }],
    ['item', { platformData: { value: '1.5' } }],
    ['field_invalid', { platformData: { contents: 'sku' } }],
    ['field_invalid', { platformData: { contents: ['sku'] } }],
    ['field_invalid', { platformData: { contents: [{ id: 'sku', name: 'x' }] } }],
    ['item', { platformData: { contents: [{ id: 'sku', brand: 'x', delivery_category: 'in_store' }] } }],
    ['item', { platformData: { contents: null } }],
    ['item', { platformData: { contents: 'sku' }, items: [{ id: 'sku' }] }],
    ['event_too_large', { platformData: { note: 'é'.repeat(2_100_000) } }],
    ['item', { platformData: { note: 'e'.repeat(2_100_000) } }],
  ])('%s for %j', (code, some) => {
    expect(codeOf(some)).toBe(code);
  });

  it('what is nested too deeply to be written', () => {
    expect(codeOf({ platformData: { deep: JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)) as unknown } })).toBe('field_invalid');
  });
});

describe("Meta's minimum of user_data", () => {
  it.each<[string, ConversionEvent['user']]>([
    ['no_match_keys', {}],
    ['no_match_keys', { email: 'not-an-email' }],
    ['no_match_keys', { city: 'Paris', country: 'fr', state: 'Paris', zip: '75001', gender: 'f', userAgent: 'UA' }],
    ['no_match_keys', { userAgent: 'UA' }],
    ['no_match_keys', { dob: '19970216', userAgent: 'UA' }],
    ['no_match_keys', { firstName: 'Jo', gender: 'f' }],
    ['no_match_keys', { lastName: 'Doe', gender: 'f' }],
    ['no_match_keys', { firstName: 'Jo', lastName: '...' }],
    ['item', { ipAddress: '203.0.113.7', userAgent: 'UA' }],
    ['item', { ipAddress: '203.0.113.7' }],
    ['item', { firstName: 'Jo', lastName: 'Doe' }],
    ['item', { dob: '19970216', city: 'Paris' }],
    ['item', { firstName: 'Jo', userAgent: 'UA' }],
    ['item', { email: 'jo@example.com' }],
    ['item', { phone: '+16505551212' }],
    ['item', { externalId: '7' }],
    ['item', { leadId: '123456789012345' }],
    ['no_match_keys', { leadId: '12345678901234' }],
    ['no_match_keys', { leadId: '123456789012345678' }],
    ['item', { clickIds: { fbc: 'fb.1.2.x' } }],
    ['item', { clickIds: { fbp: 'fb.1.2.3' } }],
  ])('%s for %j', (code, user) => {
    expect(codeOf({ user })).toBe(code);
  });
});
