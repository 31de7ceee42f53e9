import { describe, expect, it } from 'vitest';
import type { ConversionEvent, ItemContext } from '@relay/contract';
import { sha256Hex } from '../identity/hash.ts';
import { toItem } from './item.ts';
import { rfc3339 } from './timestamp.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 15, 0, 0);
const DAY_S = 86_400;
const CONTEXT: ItemContext = { nowMs: NOW_MS, destinationId: 'customers/1234567890/conversionActions/42', consent: undefined };

function anEvent(over: Partial<ConversionEvent> = {}): ConversionEvent {
  return { eventName: 'Purchase', eventTime: NOW_MS / 1000 - 60, eventId: 'order-4711', user: { email: 'alexz@example.com' }, ...over };
}

function wireOf(over: Partial<ConversionEvent> = {}): Record<string, unknown> {
  const result = toItem(anEvent(over), CONTEXT);
  if (result.kind !== 'item') throw new Error(`${result.code}: ${result.message}`);
  return JSON.parse(result.wire) as Record<string, unknown>;
}

function refusalOf(over: Partial<ConversionEvent>) {
  const result = toItem(anEvent(over), CONTEXT);
  return result.kind === 'refused' ? result : undefined;
}

describe('a whole event', () => {
  it('has every field in its place', () => {
    expect(
      wireOf({
        eventTime: Date.UTC(2026, 10, 20, 14, 48, 0) / 1000,
        value: 19.99,
        currency: ' usd ',
        actionSource: 'web',
        user: {
          email: 'alexz@example.com',
          phone: '+1 800-555-0100',
          firstName: 'Alex',
          lastName: 'Quinn',
          country: 'us',
          zip: '94045',
          city: 'Mountain View',
          externalId: 'crm-1',
          ipAddress: '203.0.113.7',
          userAgent: 'Mozilla/5.0',
          clickIds: { gclid: 'Cj0', gbraid: 'x', fbc: 'fb.1' },
        },
        items: [{ id: 'SKU1', name: 'Shirt', price: 9.5, quantity: 2, category: 'c' }, { id: 'SKU2', quantity: 1.5 }, { name: 'nothing' }],
        platformData: {
          content_type: 'product',
          destinationReferences: ['d9'],
          customVariables: [{ variable: 'U1', value: 'a', destinationReferences: ['d9'] }],
          experimentalFields: [{ field: 'f', value: 7 }],
          userProperties: { customerType: 'NEW', other: 1, additionalUserProperties: [{ propertyName: 'p', value: 'v' }] },
          cartData: { merchantId: 123, couponCodes: ['X'], transactionDiscount: 1.5, items: [{ evil: 1 }] },
        },
      }),
    ).toEqual({
      transactionId: 'order-4711',
      eventTimestamp: '2026-11-20T14:48:00Z',
      eventSource: 'WEB',
      userData: {
        userIdentifiers: [
          { emailAddress: sha256Hex('alexz@example.com') },
          { phoneNumber: sha256Hex('+18005550100') },
          { address: { givenName: sha256Hex('alex'), familyName: sha256Hex('quinn'), regionCode: 'US', postalCode: '94045' } },
        ],
      },
      adIdentifiers: { gclid: 'Cj0' },
      eventDeviceInfo: { userAgent: 'Mozilla/5.0', ipAddress: '203.0.113.7' },
      currency: 'USD',
      conversionValue: 19.99,
      cartData: {
        merchantId: '123',
        couponCodes: ['X'],
        transactionDiscount: 1.5,
        items: [{ merchantProductId: 'SKU1', quantity: '2', unitPrice: 9.5 }, { merchantProductId: 'SKU2' }],
      },
      customVariables: [{ variable: 'U1', value: 'a' }],
      experimentalFields: [{ field: 'f', value: '7' }],
      userProperties: { customerType: 'NEW', additionalUserProperties: [{ propertyName: 'p', value: 'v' }] },
    });
  });

  it('has nothing that was not given', () => {
    expect(wireOf()).toEqual({
      transactionId: 'order-4711',
      eventTimestamp: '2026-11-20T14:59:00Z',
      eventSource: 'OTHER',
      userData: { userIdentifiers: [{ emailAddress: sha256Hex('alexz@example.com') }] },
    });
  });

  it('takes platformData.merchantId as a short form', () => {
    expect(wireOf({ platformData: { merchantId: '5' }, items: [{ id: 'a' }] })['cartData']).toEqual({ merchantId: '5', items: [{ merchantProductId: 'a' }] });
  });
});

describe('eventSource', () => {
  it.each([['web', 'WEB'], ['app', 'APP'], ['offline', 'IN_STORE'], ['phone_call', 'PHONE'], ['crm', 'OTHER'], ['system_generated', 'OTHER'], [undefined, 'OTHER']] as const)('%s is %s', (actionSource, source) => {
    expect(wireOf(actionSource === undefined ? {} : { actionSource })['eventSource']).toBe(source);
  });
});

describe('timestamps', () => {
  it.each([0, 1, 59, 60, 3599, 3600, 86_399, 86_400, 951_782_400, 1_794_000_000, 1_795_184_880])('%i', (seconds) => {
    expect(rfc3339(seconds)).toBe(new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
  });
  it('stay right beyond the days that are kept', () => {
    for (let day = 0; day < 400; day += 1) expect(rfc3339(day * DAY_S + 1)).toBe(new Date((day * DAY_S + 1) * 1000).toISOString().replace('.000Z', 'Z'));
  });
});

describe('refusals', () => {
  const now = NOW_MS / 1000;
  it.each([
    ['event_too_old', { eventTime: now - 90 * DAY_S - 1 }],
    ['event_in_future', { eventTime: now + 301 }],
    ['currency_invalid', { currency: 'XYZ' }],
    ['currency_invalid', { currency: 'dollars' }],
    ['currency_invalid', { currency: '' }],
    ['value_invalid', { value: Number.POSITIVE_INFINITY }],
    ['no_match_keys', { user: {} }],
    ['no_match_keys', { user: { externalId: 'x', userAgent: 'ua', leadId: '1', clickIds: { li_fat_id: 'x' } } }],
    ['no_match_keys', { user: { email: 'no address', phone: '0650' } }],
    ['no_match_keys', { user: { ipAddress: '203.0.113.7', country: 'DE' } }],
    ['no_match_keys', { user: { firstName: 'A', lastName: 'B', country: 'US' } }],
    ['field_invalid', { platformData: { customVariables: 'x' } }],
    ['field_invalid', { platformData: { customVariables: [{ variable: 'x' }] } }],
    ['field_invalid', { platformData: { experimentalFields: [null] } }],
    ['field_invalid', { platformData: { userProperties: [] } }],
    ['field_invalid', { platformData: { cartData: { transactionDiscount: '1' } } }],
    ['field_invalid', { platformData: { cartData: { couponCodes: [{}] } } }],
    ['field_invalid', { platformData: { merchantId: '\uD800' } }],
  ] as const)('%s: %j', (code, over) => {
    expect(refusalOf(over as Partial<ConversionEvent>)?.code).toBe(code);
  });

  it.each([
    [{ eventTime: now - 90 * DAY_S }],
    [{ eventTime: now + 300 }],
    [{ value: 5 }],
    [{ currency: 'EUR' }],
    [{ user: { email: 'no address', phone: '+18005550100' } }],
    [{ user: { ipAddress: '2001:db8::1' } }],
    [{ user: { clickIds: { wbraid: 'w' } } }],
    [{ platformData: { customVariables: null, userProperties: {}, cartData: {} } }],
  ])('%j is taken', (over) => {
    expect(refusalOf(over)).toBeUndefined();
  });

  it('name the field, not the person', () => {
    const message = refusalOf({ user: { email: 'jane doe', phone: '0650 12', ipAddress: 'localhost' } })!.message;
    expect(message).toMatch(/not usable: user\.email, user\.phone, user\.ipAddress\.$/);
    expect(message).not.toMatch(/jane|0650|localhost/);
    expect(refusalOf({ platformData: { cartData: { couponCodes: ['a', {}] } } })!.message).toContain('platformData.cartData.couponCodes[1] has to be a text');
  });
});

it('expires 90 days after the event', () => {
  expect(toItem(anEvent(), CONTEXT)).toMatchObject({ expiresAtMs: NOW_MS - 60_000 + 90 * DAY_S * 1000 });
});
