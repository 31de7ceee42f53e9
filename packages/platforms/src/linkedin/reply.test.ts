import { describe, expect, it } from 'vitest';
import type { InboundReply, SentBatch } from '@relay/contract';
import { readReply } from './reply.ts';

const SENT: SentBatch = { groupSizes: [3] };
const NOW_MS = Date.UTC(2026, 10, 20, 15, 0, 0);

function read(status: number, body: unknown, headers: InboundReply['headers'] = {}, receivedAtMs = NOW_MS) {
  return readReply({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body), receivedAtMs }, SENT);
}

describe('2xx', () => {
  it('is a success when every element is', () => {
    expect(read(200, { elements: [{ status: 201 }, { status: 201 }, { status: 201 }] })).toEqual({ kind: 'accepted', traceId: undefined, faults: [], warnings: [], statusId: undefined });
  });

  it('is read element by element', () => {
    const elements = [
      { status: 422, error: { message: 'email jane@example.com is bad', serviceErrorCode: 17 } },
      { status: 429, error: { code: 'TOO_MANY' } },
      { status: 503 },
    ];
    expect(read(200, { elements })).toMatchObject({
      kind: 'accepted',
      faults: [
        { index: 0, code: '17', message: 'email *** is bad', retryable: false },
        { index: 1, code: 'TOO_MANY', retryable: true, cooldownMs: 60_000 },
        { index: 2, code: '503', message: 'LinkedIn gave this event the status 503.', retryable: true },
      ],
    });
    expect(read(200, { elements: [null, { status: 'x' }, { status: 201 }] })).toMatchObject({
      faults: [{ index: 0, code: 'status_missing', retryable: true }, { index: 1, code: 'status_missing', retryable: true }],
    });
  });

  it.each(['', '<html>', '{}', '[]', '{"elements":null}', '{"elements":[]}', '{"elements":[{"status":201},{"status":201}]}', '{"elements":[{"status":201}'])('is no success with %s', (body) => {
    expect(read(200, body)).toMatchObject({ kind: 'retry', code: 'elements_missing' });
    expect(read(201, body).kind).toBe('retry');
  });
});

describe('events that LinkedIn names', () => {
  it('are read from "Index: n" blocks, each with its words', () => {
    const message =
      'Index: 0, ERROR :: /conversionValue/amount :: field is required but not found and has no default value\nERROR :: /user/userInfo/firstName :: field is required but not found and has no default value\n' +
      'Index: 2, ERROR :: /eventId :: too long\n';
    expect(read(422, { message, status: 422 })).toMatchObject({
      kind: 'rejected_events',
      indices: [0, 2],
      code: 'http_422',
      traceId: undefined,
      faults: [
        {
          index: 0,
          code: 'http_422',
          message: '/conversionValue/amount: field is required but not found and has no default value; /user/userInfo/firstName: field is required but not found and has no default value',
          retryable: false,
        },
        { index: 2, message: '/eventId: too long', retryable: false },
      ],
    });
  });

  it('are read from a list of indices', () => {
    const message = 'Incorrect conversions information provided. Bad time, indices [2, 0] (0-indexed)';
    expect(read(400, { message, status: 400, code: 'INVALID_CONVERSION_TIME_FIELD_VALUE' })).toMatchObject({
      kind: 'rejected_events',
      indices: [0, 2],
      code: 'INVALID_CONVERSION_TIME_FIELD_VALUE',
      faults: [{ index: 0, message }, { index: 2, message }],
    });
  });

  it.each(['Index: 3, ERROR :: /x :: y', 'indices [3, 99999999999999999999]', 'indices []', 'indices [ , ]', 'Index: x, ERROR'])('are none in %j', (message) => {
    expect(read(422, { message, status: 422 })).toMatchObject({ kind: 'rejected_events', indices: [], faults: [] });
  });

  it.each([
    [400, { code: 'INVALID_CONVERSION_TIME_FIELD_VALUE', message: 'bad', status: 400 }],
    [400, { code: 'INVALID_USER_IDENTIFICATION_FIELD_VALUE', message: 'bad', status: 400 }],
    [422, { message: 'something', status: 422 }],
    [400, {}],
  ])('are none in %i %j: split', (status, body) => {
    expect(read(status, body)).toMatchObject({ kind: 'rejected_events', indices: [] });
  });
});

describe('the rule', () => {
  it.each([
    [400, "Incorrect conversions information provided. Conversion's method should be CONVERSIONS_API, indices [0] (0-indexed)"],
    [400, 'Invalid Urn format. Invalid prefix. Urn: urn:li:llaPartnerConversion:1'],
    [422, 'Index: 0, ERROR :: /conversion :: "x" is not a valid URN. Invalid Urn format\nIndex: 1, ERROR :: /conversion :: Invalid Urn format'],
    [404, 'Not found'],
  ])('%i %s', (status, message) => {
    expect(read(status, { message, status })).toMatchObject({ kind: 'rejected_request', groups: [0], concern: 'destination', message: expect.stringMatching(/\S/) });
  });
  it('is not at fault for the URN of a lead', () => {
    expect(read(422, { message: 'Index: 1, ERROR :: /user/lead :: Invalid Urn format' })).toMatchObject({ kind: 'rejected_events', indices: [1] });
  });
});

describe('access', () => {
  it.each([
    [401, { status: 401, serviceErrorCode: 65_600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' }, 'INVALID_ACCESS_TOKEN', true],
    [401, { status: 401, serviceErrorCode: 65_601, code: 'REVOKED_ACCESS_TOKEN', message: 'The token used in the request has been revoked by the user' }, 'REVOKED_ACCESS_TOKEN', true],
    [401, { status: 401, serviceErrorCode: 65_602, message: 'expired' }, '65602', true],
    [401, { status: 401, code: 'EMPTY_ACCESS_TOKEN', message: 'Empty' }, 'EMPTY_ACCESS_TOKEN', true],
    [401, '', 'unreadable_reply', true],
    [400, { status: 400, serviceErrorCode: 65_602, message: 'expired' }, '65602', true],
    [403, { status: 403, code: 'USER_NOT_AUTHORIZED', message: 'no' }, 'USER_NOT_AUTHORIZED', false],
    [403, { status: 403, serviceErrorCode: 100, code: 'ACCESS_DENIED', message: 'Not enough permissions to access: conversionEvents.BATCH_CREATE' }, 'ACCESS_DENIED', false],
    [403, {}, 'http_403', false],
  ])('%i %j', (status, body, code, refreshable) => {
    expect(read(status, body)).toMatchObject({ kind: 'unauthorised', refreshable, code });
  });
  it('is not what a page on the way refuses', () => {
    expect(read(403, '<html>')).toMatchObject({ kind: 'retry', code: 'unreadable_reply' });
  });
});

describe('the operator', () => {
  it.each([
    [426, { status: 426, code: 'NONEXISTENT_VERSION', message: 'Requested version 202401 is not active' }],
    [426, ''],
    [400, { status: 400, code: 'VERSION_MISSING', message: 'A version must be present.' }],
    [400, { status: 400, message: 'Specify a version by adding the LinkedIn-Version header.' }],
  ])('%i %j', (status, body) => {
    expect(read(status, body)).toMatchObject({ kind: 'rejected_request', concern: 'operator', groups: [0] });
  });
});

describe('rate limits', () => {
  const day = { serviceErrorCode: 101, message: 'Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached', status: 429 };
  it.each([
    [day, {}, 9 * 3_600_000],
    [day, { 'retry-after': '120' }, 120_000],
    [{ ...day, message: 'throttle MINUTE limit' }, {}, 60_000],
    [{ ...day, message: 'throttle' }, { 'retry-after': '5' }, 5_000],
    [{ ...day, message: 'throttle' }, { 'retry-after': '0' }, 60_000],
    [day, { 'retry-after': 'Fri, 20 Nov 2026 14:59:59 GMT' }, 9 * 3_600_000],
    ['', {}, 60_000],
  ])('%j %j', (body, headers, cooldownMs) => {
    expect(read(429, body, headers)).toMatchObject({ kind: 'rate_limited', scope: 'account', cooldownMs });
  });
  it('of single elements pause the account for as long', () => {
    const limited = (message: string, headers = {}) => read(200, { elements: [{ status: 429, error: { message } }, { status: 201 }, { status: 503 }] }, headers);
    expect(limited('throttle')).toMatchObject({ kind: 'accepted', faults: [{ index: 0, retryable: true, cooldownMs: 60_000 }, { index: 2, retryable: true }] });
    expect(limited(day.message)).toMatchObject({ faults: [{ cooldownMs: 9 * 3_600_000 }, {}] });
    expect(limited('throttle', { 'retry-after': '5' })).toMatchObject({ faults: [{ cooldownMs: 5_000 }, {}] });
  });
  it('wait at least a minute just before midnight', () => {
    expect(read(429, day, {}, Date.UTC(2026, 10, 20, 23, 59, 59))).toMatchObject({ cooldownMs: 60_000 });
  });
});

describe('the rest', () => {
  it.each([408, 409, 500, 502, 503, 504, 999, 302])('%i is tried again', (status) => {
    expect(read(status, { message: 'Internal Server Error', status })).toMatchObject({ kind: 'retry', afterMs: undefined, message: 'Internal Server Error' });
    expect(read(status, '<html>', { 'retry-after': '3' })).toMatchObject({ kind: 'retry', afterMs: 3000 });
  });
  it.each([400, 404, 422])('%i from something else than LinkedIn is tried again', (status) => {
    expect(read(status, '<html>').kind).toBe('retry');
  });
  it.each([413, 414])('%i is halved', (status) => {
    expect(read(status, '').kind).toBe('too_large');
  });
  it('blots out persons', () => {
    expect(read(422, { message: 'Index: 0, ERROR :: /user/userIds/0/idValue :: jane@example.com is not a hash' })).toMatchObject({
      message: expect.not.stringContaining('jane'),
      faults: [{ message: '/user/userIds/0/idValue: *** is not a hash' }],
    });
  });
});
