import { describe, expect, it } from 'vitest';
import type { InboundReply, SentBatch } from '@relay/contract';
import { REASONS } from './codes.ts';
import { readReply } from './reply.ts';

const SENT: SentBatch = { groupSizes: [3, 2] };
const ALONE: SentBatch = { groupSizes: [5] };
const NOW_MS = Date.UTC(2026, 10, 20, 15, 0, 0);

interface Violation {
  readonly field?: string;
  readonly description?: string;
  readonly reason?: string;
}
interface Given {
  readonly status?: string;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly Violation[];
  readonly retryDelay?: string;
}

/** A body as Google writes it; the details in an order of their own. */
function anError(code: number, { status = 'INVALID_ARGUMENT', reason, metadata, violations, retryDelay }: Given = {}): string {
  const details: object[] = [{ '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 't-1' }];
  if (retryDelay) details.unshift({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });
  if (violations) details.unshift({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations });
  if (reason ?? metadata) details.push({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'datamanager.googleapis.com', metadata });
  return JSON.stringify({ error: { code, message: 'There was a problem with the request.', status, details } });
}

function read(status: number, body: string, sent: SentBatch = SENT, headers: InboundReply['headers'] = {}) {
  return readReply({ status, headers, body, receivedAtMs: NOW_MS }, sent);
}
const rejected = (...violations: readonly Violation[]) => read(400, anError(400, { reason: 'INVALID_ARGUMENT', violations }));

describe('success', () => {
  it('gives the request id as trace and status id', () => {
    expect(read(200, '{"requestId":"r-1"}')).toEqual({ kind: 'accepted', traceId: 'r-1', statusId: 'r-1', faults: [], warnings: [] });
  });

  it('counts warnings by reason', () => {
    const fieldWarnings = [
      { field: 'events.events[0].cart_data', description: 'Not with gbraid.', reason: 'WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID' },
      { field: 'events.events[4].cart_data', description: 'Not with gbraid.', reason: 'WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID' },
      { field: 'events.events[1]', description: 'saw jane@example.com', reason: 'WARNING_REASON_GENERIC' },
      null,
    ];
    expect(read(200, JSON.stringify({ requestId: 'r', fieldWarnings }))).toMatchObject({
      kind: 'accepted',
      warnings: ['CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID (2): cart_data: Not with gbraid.', 'GENERIC (1): saw ***', 'UNSPECIFIED (1): UNSPECIFIED'],
    });
  });

  it.each(['', '<html>', '{}', '{"requestId":""}', '{"requestId":7}', '[]', '{"requestId":"r","error":{"code":503,"status":"UNAVAILABLE"}}', '{"requestId":"cut'])('is not %j under 200', (body) => {
    expect(read(200, body).kind).toBe('retry');
  });
});

describe('events that Google names', () => {
  it('come out together, with their own reasons', () => {
    expect(
      rejected(
        { field: 'events.events[4].event_timestamp', description: 'Too old.', reason: 'EVENT_TIME_INVALID' },
        { field: 'events.events[0].user_data.user_identifiers[1]', description: 'The HEX encoded value is malformed.', reason: 'INVALID_HEX_ENCODING' },
        { field: 'events.events[0].currency', description: 'No such currency.', reason: 'INVALID_CURRENCY_CODE' },
      ),
    ).toEqual({
      kind: 'rejected_events',
      indices: [0, 4],
      faults: [
        { index: 0, code: 'INVALID_HEX_ENCODING', message: 'user_data.user_identifiers[1]: The HEX encoded value is malformed.; currency: No such currency.', retryable: false },
        { index: 4, code: 'EVENT_TIME_INVALID', message: 'event_timestamp: Too old.', retryable: false },
      ],
      code: 'INVALID_HEX_ENCODING',
      message: 'user_data.user_identifiers[1]: The HEX encoded value is malformed.; currency: No such currency.',
      traceId: 't-1',
    });
  });

  it.each(['events[2]', 'events.events[2]', 'events[2].consent.ad_user_data', 'events.events[2].custom_variables[7].value'])('are read from %s', (field) => {
    expect(rejected({ field, description: 'x', reason: 'INVALID_EVENT' })).toMatchObject({ kind: 'rejected_events', indices: [2] });
  });

  it('are also those of the front end, which gives no reason', () => {
    const body = JSON.stringify({
      error: {
        code: 400,
        message: 'Invalid JSON payload received. Unknown name "x" at \'events[1]\': Cannot find field.',
        status: 'INVALID_ARGUMENT',
        details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'events[1]', description: 'Invalid JSON payload received. Unknown name "x"' }] }],
      },
    });
    expect(read(400, body)).toMatchObject({ kind: 'rejected_events', indices: [1], code: 'INVALID_ARGUMENT', faults: [{ index: 1, message: 'Invalid JSON payload received. Unknown name "x"' }] });
  });

  it('are none when the index was never sent', () => {
    expect(rejected({ field: 'events.events[5]', reason: 'INVALID_EVENT' })).toMatchObject({ kind: 'rejected_events', indices: [], faults: [] });
    expect(rejected({ field: 'events.events[99999999999999999999]', reason: 'INVALID_EVENT' })).toMatchObject({ kind: 'rejected_events', indices: [] });
  });

  it('are none when nothing is named: split', () => {
    expect(read(400, anError(400))).toMatchObject({ kind: 'rejected_events', indices: [], code: 'INVALID_ARGUMENT', message: 'There was a problem with the request.' });
    expect(rejected({ description: 'Invalid JSON payload received. Unexpected token.' })).toMatchObject({ kind: 'rejected_events', indices: [] });
  });

  it.each(Object.entries(REASONS).filter(([, kind]) => kind === 'event'))('%s is the event’s', (reason) => {
    expect(rejected({ field: 'events.events[1].x', description: 'x', reason })).toMatchObject({ kind: 'rejected_events', indices: [1], code: reason });
  });

  it('may carry reasons that nobody knows yet', () => {
    expect(rejected({ field: 'events.events[1].x', description: 'x', reason: 'BRAND_NEW' })).toMatchObject({ kind: 'rejected_events', indices: [1], code: 'BRAND_NEW' });
  });
});

describe('destinations', () => {
  it('are named by index', () => {
    expect(rejected({ field: 'destinations[1].login_account.account_id', description: 'String is not a valid number.', reason: 'INVALID_NUMBER_FORMAT' })).toEqual({
      kind: 'rejected_request',
      groups: [1],
      concern: 'destination',
      code: 'INVALID_NUMBER_FORMAT',
      message: 'destinations[1].login_account.account_id: String is not a valid number.',
      traceId: 't-1',
    });
  });

  it('come before events named in the same answer', () => {
    expect(rejected({ field: 'events.events[0]', reason: 'INVALID_EVENT' }, { field: 'destinations[0]', reason: 'INVALID_DESTINATION' })).toMatchObject({ kind: 'rejected_request', groups: [0] });
  });

  it.each(Object.entries(REASONS).filter(([, kind]) => kind === 'destination' || kind === 'account'))('%s is never split', (reason, concern) => {
    expect(rejected({ field: 'destinations[0]', reason })).toMatchObject({ kind: 'rejected_request', groups: [0], concern, code: reason });
    expect(rejected({ field: 'events.events[3].user_data', reason })).toMatchObject({ kind: 'rejected_request', groups: [1], concern });
  });

  it.each(Object.entries(REASONS).filter(([, kind]) => kind === 'destination' || kind === 'account'))('%s that names none of several may be any one’s', (reason, concern) => {
    for (const body of [anError(400, { reason }), anError(400, { violations: [{ description: 'x', reason }] }), anError(400, { violations: [{ field: 'destinations[2]', reason }] })]) {
      expect(read(400, body)).toMatchObject({ kind: 'rejected_request', groups: [], concern, code: reason });
      expect(read(400, body, ALONE)).toMatchObject({ kind: 'rejected_request', groups: [0], concern, code: reason });
    }
  });

  it('that are named go first, with their own words', () => {
    expect(rejected({ description: 'x', reason: 'NOT_ALLOWLISTED' }, { field: 'destinations[1]', description: 'No such action.', reason: 'INVALID_CONVERSION_ACTION_ID' })).toMatchObject({
      kind: 'rejected_request',
      groups: [1],
      concern: 'destination',
      code: 'INVALID_CONVERSION_ACTION_ID',
    });
  });

  it('that do not take an event’s source reject that event, if it is named', () => {
    const reason = 'EVENT_SOURCE_AND_DESTINATION_MISMATCH';
    expect(rejected({ field: 'events.events[3].event_source', reason })).toMatchObject({ kind: 'rejected_events', indices: [3] });
    expect(rejected({ field: 'destinations[1]', reason })).toMatchObject({ kind: 'rejected_request', groups: [1], concern: 'destination' });
    expect(read(400, anError(400, { reason }))).toMatchObject({ kind: 'rejected_request', groups: [] });
  });

  it('are meant by 404', () => {
    expect(read(404, anError(404, { status: 'NOT_FOUND' }))).toMatchObject({ kind: 'rejected_request', groups: [], concern: 'destination', code: 'NOT_FOUND' });
    expect(read(404, anError(404, { status: 'NOT_FOUND' }), ALONE)).toMatchObject({ kind: 'rejected_request', groups: [0], concern: 'destination' });
    expect(read(404, anError(404, { status: 'NOT_FOUND', violations: [{ field: 'destinations[1]', reason: 'INVALID_CONVERSION_ACTION_ID' }] }))).toMatchObject({ groups: [1] });
    expect(read(404, '<html>').kind).toBe('retry');
  });
});

describe('the request', () => {
  it.each(['DUPLICATE_DESTINATION_REFERENCE', 'MULTIPLE_DATA_TYPES_NOT_ALLOWED', 'INVALID_REQUEST_ID', 'TOO_MANY_DESTINATIONS'])('%s is for the operator', (reason) => {
    expect(rejected({ field: 'destinations', reason })).toMatchObject({ kind: 'rejected_request', groups: [0, 1], concern: 'operator', code: reason });
  });
  it('is at fault where a field of its own is named', () => {
    expect(rejected({ field: 'consent.ad_user_data', description: 'Invalid value' })).toMatchObject({ kind: 'rejected_request', concern: 'operator' });
  });
  it('is halved when it is too large', () => {
    expect(rejected({ field: 'events', description: 'x', reason: 'TOO_MANY_EVENTS' })).toMatchObject({ kind: 'too_large', code: 'TOO_MANY_EVENTS' });
    expect(read(400, anError(400, { reason: 'TOO_MANY_EVENTS' }))).toMatchObject({ kind: 'too_large' });
    expect(read(413, '<html>').kind).toBe('too_large');
  });
});

describe('access', () => {
  it.each([
    [401, anError(401, { status: 'UNAUTHENTICATED' }), { kind: 'unauthorised', refreshable: true, code: 'UNAUTHENTICATED' }],
    [401, '', { kind: 'unauthorised', refreshable: true, code: 'unreadable_reply' }],
    [403, anError(403, { status: 'PERMISSION_DENIED', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }), { kind: 'unauthorised', refreshable: false, code: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
    [403, anError(403, { status: 'PERMISSION_DENIED' }), { kind: 'unauthorised', refreshable: false, code: 'PERMISSION_DENIED' }],
    [403, anError(403, { status: 'PERMISSION_DENIED', reason: 'OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH' }), { kind: 'unauthorised', refreshable: false }],
    [403, anError(403, { status: 'PERMISSION_DENIED', reason: 'SERVICE_DISABLED', metadata: { service: 'datamanager.googleapis.com' } }), { kind: 'rejected_request', concern: 'operator', groups: [0, 1], code: 'SERVICE_DISABLED' }],
    [403, '<html>403', { kind: 'retry', code: 'unreadable_reply' }],
  ])('%i %s', (status, body, expected) => {
    expect(read(status, body)).toMatchObject(expected);
  });

  it.each([SENT, ALONE])('is refused to the destination that Google names, and not to the account: %j', (sent) => {
    const body = (field: string, reason?: string) => anError(403, { status: 'PERMISSION_DENIED', violations: [{ field, description: 'No access.', ...(reason && { reason }) }] });
    const last = sent.groupSizes.length - 1;
    expect(read(403, body(`destinations[${last}].operating_account`), sent)).toMatchObject({ kind: 'rejected_request', groups: [last], concern: 'destination' });
    expect(read(403, body(`destinations[${last}]`, 'NOT_ALLOWLISTED'), sent)).toMatchObject({ kind: 'rejected_request', groups: [last], concern: 'account', code: 'NOT_ALLOWLISTED' });
    for (const field of ['', 'destinations', 'destinations[2]']) expect(read(403, body(field, 'NOT_ALLOWLISTED'), sent)).toMatchObject({ kind: 'unauthorised', refreshable: false });
  });
});

describe('rate limits', () => {
  const quota = (quotaLimit?: string, retryDelay?: string) =>
    anError(429, { status: 'RESOURCE_EXHAUSTED', reason: 'RESOURCE_EXHAUSTED', ...(quotaLimit && { metadata: { quota_limit: quotaLimit } }), ...(retryDelay && { retryDelay }) });
  it.each([
    [quota('IngestionMutateRequestsPerMinutePerProject'), {}, 60_000, 'IngestionMutateRequestsPerMinutePerProject'],
    [quota('IngestionMutateRequestsPerDayPerProject'), {}, 3_600_000, 'IngestionMutateRequestsPerDayPerProject'],
    [quota('IngestionMutateRequestsPerDayPerProject', '7200s'), {}, 7_200_000, 'IngestionMutateRequestsPerDayPerProject'],
    [quota('IngestionMutateRequestsPerMinutePerProject', '90.5s'), {}, 90_500, 'IngestionMutateRequestsPerMinutePerProject'],
    [quota('IngestionMutateRequestsPerMinutePerProject', '1s'), { 'retry-after': '120' }, 120_000, 'IngestionMutateRequestsPerMinutePerProject'],
    [quota(), { 'retry-after': '5' }, 5_000, 'RESOURCE_EXHAUSTED'],
    [quota(), { 'retry-after': '0' }, 60_000, 'RESOURCE_EXHAUSTED'],
    [quota(), { 'retry-after': 'Fri, 20 Nov 2026 14:59:59 GMT' }, 60_000, 'RESOURCE_EXHAUSTED'],
    [quota(undefined, '0s'), {}, 60_000, 'RESOURCE_EXHAUSTED'],
    [quota('IngestionMutateRequestsPerDayPerProject', '0s'), {}, 3_600_000, 'IngestionMutateRequestsPerDayPerProject'],
    ['<html>', {}, 60_000, 'unreadable_reply'],
  ])('%s', (body, headers, cooldownMs, code) => {
    expect(read(429, body, SENT, headers)).toMatchObject({ kind: 'rate_limited', scope: 'app', cooldownMs, code });
  });
});

describe('what passes', () => {
  it.each([
    [500, 'INTERNAL'], [503, 'UNAVAILABLE'], [504, 'DEADLINE_EXCEEDED'], [409, 'ABORTED'], [499, 'CANCELLED'], [400, 'UNAVAILABLE'], [502, 'UNKNOWN'], [408, 'x'], [418, 'x'],
  ])('%i %s is tried again', (status, name) => {
    expect(read(status, anError(status, { status: name }))).toMatchObject({ kind: 'retry', code: name, afterMs: undefined });
  });
  it('waits as long as Google asks', () => {
    expect(read(503, anError(503, { status: 'UNAVAILABLE', retryDelay: '3s' }))).toMatchObject({ afterMs: 3000 });
    expect(read(503, '<html>', SENT, { 'retry-after': '7' })).toMatchObject({ kind: 'retry', afterMs: 7000, code: 'unreadable_reply' });
  });
});

it('blots out persons and trims long words', () => {
  const verdict = rejected({ field: 'events.events[0].x', description: `jane@example.com ${'x'.repeat(2000)}`, reason: 'INVALID_EVENT' });
  expect(verdict).toMatchObject({ message: expect.stringMatching(/^x: \*\*\* x+…$/) });
  expect(verdict).toMatchObject({ message: expect.toSatisfy((text: string) => text.length === 500) });
});
