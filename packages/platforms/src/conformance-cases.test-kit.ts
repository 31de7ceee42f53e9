import fc from 'fast-check';
import { ACTION_SOURCES, type ConversionEvent } from '@relay/contract';

export const STATUSES = [200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 425, 426, 429, 451, 500, 501, 502, 503, 504, 520, 599];

/** What proxies, outages and half-written replies have looked like; none of it is any platform's success. */
export const BROKEN_BODIES: readonly string[] = [
  '',
  ' \n',
  '<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>',
  'upstream connect error or disconnect/reset before headers',
  'null',
  'true',
  '0',
  '"text"',
  '[]',
  '[null]',
  '[{}]',
  '{}',
  '{"error":null}',
  '{"error":"text"}',
  '{"error":[]}',
  '{"error":{}}',
  '{"error":{"code":null,"message":null}}',
  '{"error":{"code":"100","message":17,"error_subcode":{},"error_data":[],"details":"x","status":5}}',
  '{"error":{"code":1e400,"message":"x","details":[null,1,"x",{"@type":5,"fieldViolations":[null,{"field":7}]}]}}',
  '{"error":{"code":100,"message":"$[\'data\'][99999999999999999999] $[\'data\'][-1] $[\'data\'][1.5]"}}',
  '{"code":null,"message":null,"status":"x","serviceErrorCode":"x"}',
  '{"elements":null}',
  '{"elements":[null,{"status":"x"},{"status":201}]}',
  '{"events_received":"all","fbtrace_id":7}',
  '{"requestId":7}',
  '{"message":"cut',
  '{"error":{"message":"cut in the mid',
  '\uFEFF{}',
  '\u0000',
  '['.repeat(5000),
  `{"error":{"message":${JSON.stringify('long '.repeat(20_000))}}}`,
  `<html>${'x'.repeat(200_000)}`,
];

export const BROKEN_HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  {
    'retry-after': 'soon',
    'x-app-usage': '{',
    'x-business-use-case-usage': '[null]',
    'x-ad-account-usage': 'null',
    'x-li-uuid': '',
    'x-restli-error-response': 'x',
  },
  {
    'retry-after': '-5',
    'x-app-usage': '{"call_count":"x"}',
    'x-business-use-case-usage': '{"1":[{"estimated_time_to_regain_access":"x"},null],"2":{}}',
    'x-ad-account-usage': '{"reset_time_duration":-1}',
  },
  { 'retry-after': '99999999999999999999999' },
  { 'retry-after': '0' },
  { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' },
];

/** The body whole and cut off at some forty places. */
export function cutsOf(body: string): readonly string[] {
  const step = Math.max(1, Math.floor(body.length / 40));
  const cuts = [body];
  for (let at = 1; at < body.length; at += step) cuts.push(body.slice(0, at));
  return cuts;
}

export interface ArbitraryEvent {
  readonly nowMs: number;
  readonly base: ConversionEvent;
  /** Is a part of every e-mail address that comes up. */
  readonly planted: string;
}

/** Events of every kind that pass the schema: from fine to absurd. */
export function anArbitraryEvent({ nowMs, base, planted }: ArbitraryEvent): fc.Arbitrary<ConversionEvent> {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('', ' ', '0', '\u0000', 'null', '__proto__'));
  const email = fc
    .tuple(fc.constantFrom('', '', ' ', 'x.', '"', '<'), fc.constantFrom(planted, planted.toUpperCase()), fc.oneof(fc.constantFrom('@example.com', '+tag@GMail.com ', ''), text))
    .map((parts) => parts.join(''));
  const nowSeconds = Math.floor(nowMs / 1000);
  const user = record({
    email,
    phone: fc.oneof(text, fc.constantFrom('+1 (650) 555-1212', '0049 151 23456789', '+')),
    firstName: text,
    lastName: text,
    externalId: text,
    ipAddress: fc.oneof(text, fc.ipV4(), fc.ipV6()),
    userAgent: text,
    country: fc.oneof(text, fc.constantFrom('US', 'de', 'UK', 'Germany')),
    city: text,
    state: text,
    zip: text,
    dob: fc.oneof(text, fc.constantFrom('19970216', '2/16/1997')),
    gender: fc.oneof(text, fc.constantFrom('f', 'M')),
    leadId: text,
    clickIds: record({ fbc: text, fbp: text, gclid: text, gbraid: text, wbraid: text, li_fat_id: text }),
  });
  const price = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, -1, 19.99, 1e308, 5e-324));
  const item = record({ id: text, name: text, price, quantity: price, category: text });
  return fc
    .record({
      eventName: fc.oneof(text.filter(isNotEmpty), fc.constantFrom('Purchase', 'Lead', base.eventName)),
      // Mostly in time, with a currency and from the web: else nearly all would be refused before they become interesting.
      eventTime: fc.oneof(
        { weight: 6, arbitrary: fc.constant(base.eventTime) },
        fc.integer({ min: nowSeconds - 100 * 86_400, max: nowSeconds + 120 }),
        fc.integer({ min: 0, max: 99_999_999_999 }),
      ),
      eventId: text.filter(isNotEmpty),
      user: fc.oneof(user, user.map((some) => ({ ...base.user, ...some }))),
      rest: record({
        value: price,
        currency: fc.oneof({ weight: 6, arbitrary: fc.constantFrom('USD', 'eur') }, text),
        items: fc.array(item, { maxLength: 4 }),
        sourceUrl: fc.oneof(text, fc.webUrl()),
        actionSource: fc.oneof({ weight: 3, arbitrary: fc.constant('web' as const) }, fc.constantFrom(...ACTION_SOURCES)),
        platformData: fc.dictionary(fc.oneof(text, fc.constantFrom('value', 'currency', 'contents', '__proto__', 'toJSON')), fc.jsonValue()),
      }),
    })
    .map(({ rest, ...event }) => ({ ...event, ...rest }));
}

function isNotEmpty(text: string): boolean {
  return text !== '';
}

/** Every key may be absent. */
function record<T extends Record<string, fc.Arbitrary<unknown>>>(shape: T) {
  return fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<{ [Key in keyof T]?: T[Key] extends fc.Arbitrary<infer Value> ? Value : never }>;
}
