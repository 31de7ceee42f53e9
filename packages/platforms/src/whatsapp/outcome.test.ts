import { describe, expect, it } from 'vitest';
import type { InboundReply, Verdict } from '@relay/contract';
import { whatsappMessaging } from './index.ts';
import { isOutcomeUnknown } from './outcome.ts';

const reply = (status: number, body: unknown, headers: InboundReply['headers'] = {}): InboundReply => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 1_790_000_000_000,
});
const refusal = (code: number, subcode?: number) => ({ error: { message: 'Invalid parameter', type: 'OAuthException', code, ...(subcode !== undefined && { error_subcode: subcode }), fbtrace_id: 'A1' } });

/** Subcodes of the business-messaging part of the fact file, and whom they concern. */
describe('refusals of messaging events', () => {
  it.each<[number, Verdict['kind'], object]>([
    [2804064, 'rejected_events', {}],
    [2804066, 'rejected_events', {}],
    [2804081, 'rejected_events', {}],
    [2804087, 'rejected_events', {}],
    [2804072, 'rejected_request', { concern: 'account' }],
    [2804116, 'rejected_request', { concern: 'account' }],
    [2804131, 'rejected_request', { concern: 'destination' }],
    [2804132, 'rejected_request', { concern: 'destination' }],
    [33, 'rejected_request', { concern: 'destination' }],
  ])('100/%d is %s', (subcode, kind, more) => {
    const given = reply(400, refusal(100, subcode));
    expect(whatsappMessaging.readReply(given, { groupSizes: [1] })).toMatchObject({ kind, code: `100/${subcode}`, ...more });
    expect(isOutcomeUnknown(given)).toBe(false);
  });
});

describe('whether Meta took the event', () => {
  it.each<[string, InboundReply]>([
    ['taken', reply(200, { events_received: 1 })],
    ['told not to be taken', reply(200, { events_received: 0 })],
    ['refused', reply(400, refusal(100))],
    ['throttled', reply(400, refusal(80008))],
    ['throttled in between', reply(429, 'slow down')],
    ['a dead token', reply(400, refusal(190, 463))],
    ['an outage, in words of Graph', reply(500, refusal(2))],
    ['an error under a 200', reply(200, refusal(2))],
    ['declined until later', reply(503, '<html>', { 'retry-after': '5' })],
    ['too large', reply(413, '<html>')],
    ['redirected', reply(302, '')],
  ])('is known: %s', (_title, given) => {
    expect(isOutcomeUnknown(given)).toBe(false);
  });

  it.each<[string, InboundReply]>([
    ['a cut answer', reply(200, '{"events_recei')],
    ['an empty answer', reply(200, '')],
    ['no count', reply(200, {})],
    ['an impossible count', reply(200, { events_received: 2 })],
    ['a page of a proxy', reply(502, '<html>')],
    ['a proxy that waited in vain', reply(504, '')],
    ['an upstream that broke off', reply(503, 'upstream connect error or disconnect/reset before headers')],
    ['an error that is not in words of Graph', reply(500, '{"error":"x"}')],
    ['timed out in between', reply(408, '')],
  ])('is open: %s', (_title, given) => {
    expect(isOutcomeUnknown(given)).toBe(true);
    expect(whatsappMessaging.readReply(given, { groupSizes: [1] }).kind).toBe('retry');
  });
});
