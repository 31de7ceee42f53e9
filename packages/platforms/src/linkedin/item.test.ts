import { describe, expect, it } from 'vitest';
import type { ConversionEvent, ItemContext } from '@relay/contract';
import { sha256Hex } from '../identity/hash.ts';
import { wireUser } from './identifiers.ts';
import { toItem } from './item.ts';
import { decimalText, leadUrn, normaliseEmail, normaliseHashedName } from './normalise.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 15, 0, 0);
const NOW_S = NOW_MS / 1000;
const DAY_S = 86_400;
const CONTEXT: ItemContext = { nowMs: NOW_MS, destinationId: '104012', consent: { adUserData: 'DENIED' } };

// The fact file's vectors, computed with node:crypto; the fourth is also asserted by Segment's connector.
const JANE = '8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d';
const EMAILS = [
  ['jane@example.com', 'jane@example.com', JANE],
  ['  Jane@Example.COM ', 'jane@example.com', JANE],
  ['ja ne@example.com', 'jane@example.com', JANE],
  ['testing@testing.com', 'testing@testing.com', '584c4423c421df49955759498a71495aba49b8780eb9387dff333b6f0982c777'],
  ['Jane.Doe+news@Gmail.com', 'jane.doe+news@gmail.com', 'f41439c944a763c9812d700a779941cec169de13c9ccd13aaf9424ba5231620a'],
  ['jane.doe@googlemail.com', 'jane.doe@googlemail.com', '9c2764e1af636435a4bcf2a98733aeb0e027d6e78855043310150e99d73d3440'],
  ['alexz@example.com', 'alexz@example.com', '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a'],
  ['\tUSER@EXAMPLE.ORG\n', 'user@example.org', 'd159ef624ed86697b4f1f3ff086aacddfdfd42d463a8003694f775e1e2d95e2c'],
  ['user@example.com', 'user@example.com', 'b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514'],
  ['Müller@Example.de', 'müller@example.de', 'eb2f85748266705ba113bc5c4ee633d9c2a7cc769d5f6d9f9767b854584b3c88'],
  ['first.last@sub.example.co.uk', 'first.last@sub.example.co.uk', 'bdf7e1736551c6b23742d59ae7977805288689eb9c30a55fc23cdd17aa729fc7'],
  ['JOHN_SMITH@LINKEDIN.COM', 'john_smith@linkedin.com', '16a8c04296dcca75943a9f0b3d267b41a5c62f5e0301dd6a891d443dc541fab2'],
] as const;

function anEvent(over: Partial<ConversionEvent> = {}): ConversionEvent {
  return { eventName: 'Lead', eventTime: NOW_S - 60, eventId: 'order-4711', user: { email: 'jane@example.com' }, ...over };
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

describe('normalisation', () => {
  it.each(EMAILS)('e-mail %j is %j', (input, email, hash) => {
    expect(normaliseEmail(input)).toBe(email);
    expect(wireOf({ user: { email: input } })['user']).toEqual({ userIds: [{ idType: 'SHA256_EMAIL', idValue: hash }] });
  });
  it.each(['not-an-email', '', ' ', '@', 'a@', '@b', 'a@b@c'])('e-mail %j is none', (input) => {
    expect(normaliseEmail(input)).toBeUndefined();
  });
  it.each([['John', 'john', '96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a'], [' Smith ', 'smith', '6627835f988e2c5e50533d491163072d3f4f41f5c8b04630150debb3722ca2dd']])('name %j to be hashed is %s', (input, name, hash) => {
    expect(normaliseHashedName(input)).toBe(name);
    expect(sha256Hex(name)).toBe(hash);
  });
  it.each([['203.0.113.7', 'fec52565aa0cf18f57d7cf5b3ac728503b8992d2d6f7d46da1d1201090902b02'], ['198.51.100.23', 'bfeb4c6192985efa05e7fa0740ac45708a515e569e7edaec7fc060ff72b44a0c']])('%s may go hashed', (ipAddress, hash) => {
    expect(wireUser({ ipAddress }, { ip: 'SHA256_IP_ADDRESS', names: 'plain' })).toEqual({ userIds: [{ idType: 'SHA256_IP_ADDRESS', idValue: hash }] });
  });
  it.each([['urn:li:leadGenFormResponse:abc-1', 'urn:li:leadGenFormResponse:abc-1'], [' urn:li:x:1 ', 'urn:li:x:1'], ['12345', undefined], ['urn:li:', undefined], ['urn:li:a b', undefined]])('lead %j is %s', (input, urn) => {
    expect(leadUrn(input)).toBe(urn);
  });
  it.each([
    [50, '50'], [19.99, '19.99'], [0, '0'], [-0, '0'], [-5.5, '-5.5'], [1e21, '1000000000000000000000'], [1.5e300, BigInt(1.5e300).toString()], [1e-7, '0.0000001'],
    [-1e-7, '-0.0000001'], [5e-324, '0'], [-5e-324, '0'], [123_456_789_012, '123456789012'],
  ])('amount %d is %s', (value, text) => {
    expect(decimalText(value)).toBe(text);
    expect(decimalText(value)).toMatch(/^-?\d+(\.\d+)?$/);
  });
});

describe('a whole event', () => {
  it('has every field in its place and nothing else', () => {
    expect(
      wireOf({
        value: 1234.5,
        currency: ' eur ',
        user: {
          email: 'Jane@Example.com',
          phone: '+18005550100',
          firstName: ' Jane ',
          lastName: 'Doe',
          country: 'de',
          externalId: ' crm-4711 ',
          ipAddress: '::ffff:203.0.113.7',
          userAgent: 'ua',
          leadId: 'urn:li:leadGenFormResponse:1',
          clickIds: { li_fat_id: ' df5gf5-gh6t7 ', gclid: 'g', fbc: 'f' },
        },
        items: [{ id: 'a' }],
        sourceUrl: 'https://example.com',
        actionSource: 'web',
        platformData: { a: 1 },
      }),
    ).toEqual({
      conversion: 'urn:lla:llaPartnerConversion:104012',
      conversionHappenedAt: NOW_MS - 60_000,
      conversionValue: { currencyCode: 'EUR', amount: '1234.5' },
      eventId: 'order-4711',
      user: {
        userIds: [
          { idType: 'SHA256_EMAIL', idValue: JANE },
          { idType: 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', idValue: 'df5gf5-gh6t7' },
          { idType: 'PLAINTEXT_IP_ADDRESS', idValue: '203.0.113.7' },
        ],
        userInfo: { firstName: 'Jane', lastName: 'Doe', countryCode: 'DE' },
        externalIds: ['crm-4711'],
        lead: 'urn:li:leadGenFormResponse:1',
      },
    });
  });

  it.each([
    [{ firstName: 'Jane', lastName: 'Doe' }, { userIds: [], userInfo: { firstName: 'Jane', lastName: 'Doe' } }],
    [{ firstName: 'Jane', lastName: 'Doe', country: 'Germany' }, { userIds: [], userInfo: { firstName: 'Jane', lastName: 'Doe' } }],
    [{ externalId: 'crm-4711' }, { userIds: [], externalIds: ['crm-4711'] }],
    [{ leadId: 'urn:li:leadGenFormResponse:1' }, { userIds: [], lead: 'urn:li:leadGenFormResponse:1' }],
    [{ email: JANE.toUpperCase() }, { userIds: [{ idType: 'SHA256_EMAIL', idValue: JANE }] }],
    [{ email: 'jane@example.com', ipAddress: '2001:db8::1' }, { userIds: [{ idType: 'SHA256_EMAIL', idValue: JANE }] }],
  ])('of %j is of %j', (user, expected) => {
    expect(wireOf({ user })['user']).toEqual(expected);
  });

  it('may be told to hash names and to leave addresses out', () => {
    expect(wireUser({ firstName: 'John', lastName: ' Smith ', country: 'us', ipAddress: '203.0.113.7' }, { ip: undefined, names: 'hashed' })).toEqual({
      userIds: [],
      userInfo: { hashedFirstName: sha256Hex('john'), hashedLastName: sha256Hex('smith'), countryCode: 'US' },
    });
  });
});

describe('time', () => {
  it.each([[NOW_S - 1, NOW_MS - 1000], [NOW_S, NOW_MS], [NOW_S + 1, NOW_MS], [NOW_S + 60, NOW_MS], [NOW_S - 90 * DAY_S, NOW_MS - 90 * DAY_S * 1000]])('%i happened at %i', (eventTime, ms) => {
    expect(wireOf({ eventTime })['conversionHappenedAt']).toBe(ms);
    expect(toItem(anEvent({ eventTime }), CONTEXT)).toMatchObject({ expiresAtMs: ms + 90 * DAY_S * 1000 });
  });
});

describe('money', () => {
  it('is left out where there is a currency only, whatever it is', () => {
    expect(wireOf({ currency: 'XYZ' })).not.toHaveProperty('conversionValue');
  });
});

describe('refusals', () => {
  it.each([
    ['event_too_old', { eventTime: NOW_S - 90 * DAY_S - 1 }],
    ['event_in_future', { eventTime: NOW_S + 61 }],
    ['currency_missing', { value: 5 }],
    ['currency_invalid', { value: 5, currency: 'XYZ' }],
    ['currency_invalid', { value: 5, currency: '' }],
    ['value_invalid', { value: Number.NaN, currency: 'EUR' }],
    ['no_match_keys', { user: {} }],
    ['no_match_keys', { user: { phone: '+18005550100' } }],
    ['no_match_keys', { user: { email: 'not-an-email', firstName: 'Jane', lastName: ' ', externalId: ' ', leadId: '123', clickIds: { li_fat_id: '' } } }],
    ['no_match_keys', { user: { ipAddress: '2001:db8::1' } }],
  ])('%s: %j', (code, over) => {
    expect(refusalOf(over)?.code).toBe(code);
  });

  it('name the field, not the person', () => {
    const message = refusalOf({ user: { email: 'jane', phone: '+1800', leadId: '77' } })!.message;
    expect(message).toMatch(/not usable: user\.email, user\.leadId\. LinkedIn does not match by user\.phone\.$/);
    expect(message).not.toMatch(/jane|1800|77/);
  });
});
