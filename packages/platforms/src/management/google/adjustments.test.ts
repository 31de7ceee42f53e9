import { createHash } from 'node:crypto';
import type { Verdict } from '@relay/contract';
import { describe, expect, it } from 'vitest';
import { utf8, withText } from '../../conformance.test-kit.ts';
import { ENDPOINTS, NOW_MS, TOKEN, aReply, type Scripted } from '../scripted-call.test-kit.ts';
import { MAX_CONVERSION_AGE_MS, adjustmentIdentity, adjustmentToItem, adsDateTime, type ConversionAdjustment } from './adjustment-item.ts';
import { MAX_ADJUSTMENTS, adjustmentsRequest, readAdjustmentsReply } from './adjustment-reply.ts';
import { createGoogleAdjustments } from './adjustments.ts';
import { ADJUSTMENT_WAIT_MS, ADS_CODES, ALREADY_ADJUSTED_CODES } from './ads-codes.ts';

const DESTINATION = 'customers/1234567890/conversionActions/77';
const NOW = NOW_MS / 1000;
const DAY = 86_400;
const sha = (text: string) => createHash('sha256').update(text).digest('hex');

const item = (adjustment: Partial<ConversionAdjustment>) =>
  adjustmentToItem({ adjustmentType: 'RETRACTION', adjustmentTime: NOW - 60, ...adjustment }, { nowMs: NOW_MS, destinationId: DESTINATION });
const wire = (adjustment: Partial<ConversionAdjustment>): Record<string, unknown> => {
  const result = item(adjustment);
  if (result.kind !== 'item') throw new Error(result.message);
  return JSON.parse(result.wire) as Record<string, unknown>;
};

describe('adjustmentToItem', () => {
  it('retracts by order id', () => {
    expect(wire({ orderId: ' 4711 ', user: { email: 'jane@example.com' }, userAgent: 'UA', currency: 'EUR' })).toEqual({
      conversionAction: DESTINATION,
      adjustmentType: 'RETRACTION',
      adjustmentDateTime: '2026-11-20 11:59:00+00:00',
      orderId: '4711',
    });
  });

  it('restates by click', () => {
    expect(wire({ adjustmentType: 'RESTATEMENT', gclid: 'abc', conversionTime: NOW - DAY - 0.5, restatementValue: 0, currency: ' eur' })).toEqual({
      conversionAction: DESTINATION,
      adjustmentType: 'RESTATEMENT',
      adjustmentDateTime: '2026-11-20 11:59:00+00:00',
      gclidDateTimePair: { gclid: 'abc', conversionDateTime: '2026-11-19 11:59:59+00:00' },
      restatementValue: { adjustedValue: 0, currencyCode: 'EUR' },
    });
  });

  it('enhances with hashes', () => {
    expect(wire({ adjustmentType: 'ENHANCEMENT', orderId: '4711', user: { email: ' Jane@Example.com ', phone: '+1 (650) 253-0000' }, userAgent: ' UA ' })).toMatchObject({
      userIdentifiers: [
        { userIdentifierSource: 'FIRST_PARTY', hashedEmail: sha('jane@example.com') },
        { userIdentifierSource: 'FIRST_PARTY', hashedPhoneNumber: '3ad9f10d73829a714b1383221691d4dbf08484f3ceeae884f53053a1c7bb0a92' },
      ],
      userAgent: 'UA',
    });
  });

  it.each([
    ['j.ane+news@gmail.com', sha('jane@gmail.com')],
    ['j.ane+news@example.com', sha('j.ane+news@example.com')],
    [sha('x').toUpperCase(), sha('x')],
  ])('hashes %s by the rules of Google', (email, hashedEmail) => {
    expect(wire({ adjustmentType: 'ENHANCEMENT', orderId: '1', user: { email } })['userIdentifiers']).toEqual([{ userIdentifierSource: 'FIRST_PARTY', hashedEmail }]);
  });

  it('carries nobody in the clear', () => {
    const result = item({ adjustmentType: 'ENHANCEMENT', orderId: '1', user: { email: 'jane@example.com', phone: '+16502530000' } });
    expect(JSON.stringify(result)).not.toMatch(/jane|6502530000/);
  });

  it('expires 54 days after the conversion, or after the adjustment where that is all that is known', () => {
    expect(item({ orderId: '1' })).toMatchObject({ expiresAtMs: NOW_MS - 60_000 + MAX_CONVERSION_AGE_MS });
    expect(item({ gclid: 'g', conversionTime: NOW - DAY })).toMatchObject({ expiresAtMs: NOW_MS - DAY * 1000 + MAX_CONVERSION_AGE_MS });
  });

  it.each<[string, Partial<ConversionAdjustment>, string, string]>([
    ['no key', {}, 'field_invalid', 'orderId'],
    ['empty key', { orderId: ' ', gclid: '' }, 'field_invalid', 'orderId'],
    ['both keys', { orderId: '1', gclid: 'g', conversionTime: NOW - DAY }, 'field_invalid', 'gclid'],
    ['gclid alone', { gclid: 'g' }, 'field_invalid', 'conversionTime'],
    ['enhancement by gclid', { adjustmentType: 'ENHANCEMENT', gclid: 'g', conversionTime: NOW - DAY, user: { email: 'a@b.c' } }, 'field_invalid', 'orderId'],
    ['enhancement by both', { adjustmentType: 'ENHANCEMENT', orderId: '1', gclid: 'g', conversionTime: NOW - DAY, user: { email: 'a@b.c' } }, 'field_invalid', 'gclid'],
    ['enhancement of nobody', { adjustmentType: 'ENHANCEMENT', orderId: '1' }, 'no_match_keys', 'user'],
    ['enhancement with rubbish', { adjustmentType: 'ENHANCEMENT', orderId: '1', user: { email: 'jane', phone: '12' } }, 'no_match_keys', 'user'],
    ['enhancement with a value', { adjustmentType: 'ENHANCEMENT', orderId: '1', restatementValue: 1, user: { email: 'a@b.c' } }, 'field_invalid', 'restatementValue'],
    ['retraction with a value', { orderId: '1', restatementValue: 1 }, 'field_invalid', 'restatementValue'],
    ['restatement without a value', { adjustmentType: 'RESTATEMENT', orderId: '1' }, 'value_missing', 'restatementValue'],
    ['restatement to infinity', { adjustmentType: 'RESTATEMENT', orderId: '1', restatementValue: Number.POSITIVE_INFINITY }, 'value_invalid', 'restatementValue'],
    ['unknown currency', { adjustmentType: 'RESTATEMENT', orderId: '1', restatementValue: 1, currency: 'EURO' }, 'currency_invalid', 'currency'],
    ['from the future', { orderId: '1', adjustmentTime: NOW + 301 }, 'event_in_future', 'adjustmentTime'],
    ['before the conversion', { gclid: 'g', conversionTime: NOW - 30 }, 'field_invalid', 'adjustmentTime'],
    ['of an old conversion', { gclid: 'g', conversionTime: NOW - 54 * DAY - 1 }, 'event_too_old', 'conversionTime'],
    ['old itself', { orderId: '1', adjustmentTime: NOW - 54 * DAY - 1 }, 'event_too_old', 'adjustmentTime'],
  ])('refuses: %s', (_, adjustment, code, param) => {
    expect(item(adjustment)).toMatchObject({ kind: 'refused', code, param, message: expect.stringMatching(/\S/) });
  });

  it('writes times as Google wants them', () => {
    expect([adsDateTime(0), adsDateTime(1_700_000_000.9)]).toEqual(['1970-01-01 00:00:00+00:00', '2023-11-14 22:13:20+00:00']);
  });
});

const ACCESS = {
  destinationId: DESTINATION,
  credentials: { clientId: 'c', clientSecret: 's', refreshToken: 'r', developerToken: 'dev', loginCustomerId: '9999999999' },
  accessToken: TOKEN,
  endpoints: ENDPOINTS,
  googleAdsVersion: 'v24',
};

describe('adjustmentsRequest', () => {
  it('joins items with partial failure', () => {
    expect(withText(adjustmentsRequest(['{"a":1}', '{"b":2}'].map(utf8), ACCESS))).toEqual({
      method: 'POST',
      url: 'https://googleads.test/v24/customers/1234567890:uploadConversionAdjustments',
      headers: { authorization: `Bearer ${TOKEN}`, accept: 'application/json', 'content-type': 'application/json', 'developer-token': 'dev', 'login-customer-id': '9999999999' },
      body: '{"conversionAdjustments":[{"a":1},{"b":2}],"partialFailure":true}',
    });
  });
  it.each([0, MAX_ADJUSTMENTS + 1])('carries not %i', (count) => {
    expect(() => adjustmentsRequest(Array.from({ length: count }, () => utf8('{}')), ACCESS)).toThrow(/1 to 2000/);
  });

  it('is delivered like events', () => {
    const platform = createGoogleAdjustments('v26');
    const batch = { groups: [{ destinationId: DESTINATION, items: [utf8('{}')] }], testCode: undefined, consent: undefined, credentials: ACCESS.credentials, accessToken: TOKEN };
    expect(platform.toRequest(batch, ENDPOINTS).url).toBe('https://googleads.test/v26/customers/1234567890:uploadConversionAdjustments');
    expect(() => platform.toRequest({ ...batch, groups: [...batch.groups, ...batch.groups] }, ENDPOINTS)).toThrow(/one destination/);
    expect(platform).toMatchObject({ id: 'googleads', maxEvents: 2000, maxDestinations: 1, readReply: readAdjustmentsReply });
    expect(platform.status).toBeUndefined();
    expect(platform.tokens).toBeDefined();
  });
});

const SENT = { groupSizes: [3] };
const TAKEN = { adjustmentType: 'RETRACTION', orderId: '1' };
const fault = (index: number | undefined, code: string, category = 'conversionAdjustmentUploadError') => ({
  errorCode: { [category]: code },
  message: `said ${code}`,
  ...(index !== undefined && { location: { fieldPathElements: [{ fieldName: 'conversion_adjustments', index }, { fieldName: 'order_id' }] } }),
});
const details = (...errors: readonly object[]) => [{ '@type': 'type.googleapis.com/google.ads.googleads.v24.errors.GoogleAdsFailure', errors, requestId: 'req-1' }];
const partial = (results: readonly object[] | undefined, ...errors: readonly object[]): Scripted => ({
  body: { partialFailureError: { code: 3, message: 'Multiple errors, at conversion_adjustments[1]', details: details(...errors) }, ...(results && { results }), jobId: '55' },
});
const refusal = (status: number, ...errors: readonly object[]): Scripted => ({
  status,
  body: { error: { code: status, message: 'm', status: 'INVALID_ARGUMENT', details: details(...errors) } },
});
const read = (reply: Scripted, sent = SENT): Verdict => readAdjustmentsReply(aReply(reply), sent);

describe('adjustmentIdentity', () => {
  const base: ConversionAdjustment = { adjustmentType: 'RETRACTION', adjustmentTime: 1000.2, orderId: '1' };
  it.each<[string, Partial<ConversionAdjustment>, Partial<ConversionAdjustment>, boolean]>([
    ['the same', {}, { orderId: ' 1 ', adjustmentTime: 1000.9 }, true],
    ['another order', {}, { orderId: '2' }, false],
    ['another time', {}, { adjustmentTime: 1001 }, false],
    ['another type', {}, { adjustmentType: 'RESTATEMENT', restatementValue: 1 }, false],
    ['enhancements of two times', { adjustmentType: 'ENHANCEMENT' }, { adjustmentType: 'ENHANCEMENT', adjustmentTime: 2000 }, true],
    ['the same click', { orderId: undefined, gclid: 'g', conversionTime: 5 }, { orderId: '', gclid: 'g', conversionTime: 5.5 }, true],
    ['the click of another conversion', { orderId: undefined, gclid: 'g', conversionTime: 5 }, { orderId: undefined, gclid: 'g', conversionTime: 6 }, false],
  ])('%s', (_, one, other, alike) => {
    expect(adjustmentIdentity({ ...base, ...one }) === adjustmentIdentity({ ...base, ...other })).toBe(alike);
  });
});

describe('readAdjustmentsReply: 200', () => {
  it('all taken', () => {
    expect(read({ body: { results: [TAKEN, TAKEN, TAKEN], jobId: '55' }, headers: { 'request-id': 'req-9' } })).toEqual({ kind: 'accepted', traceId: 'req-9', faults: [], warnings: [], statusId: undefined });
  });

  it('some failed, each by itself', () => {
    const reply = partial([TAKEN, {}, {}], fault(1, 'CONVERSION_NOT_FOUND'), fault(2, 'TOO_RECENT_CONVERSION'), fault(1, 'ORDER_ID_CONTAINS_PII'));
    expect(read(reply)).toEqual({
      kind: 'accepted',
      traceId: 'req-1',
      faults: [
        { index: 1, code: 'CONVERSION_NOT_FOUND', message: 'said CONVERSION_NOT_FOUND; said ORDER_ID_CONTAINS_PII', retryable: false },
        { index: 2, code: 'TOO_RECENT_CONVERSION', message: 'said TOO_RECENT_CONVERSION', retryable: true, afterMs: 24 * 3_600_000 },
      ],
      warnings: [],
      statusId: undefined,
    });
  });

  it.each([
    ['TOO_RECENT_CONVERSION', true],
    ['TOO_RECENT_CONVERSION_ACTION', true],
    ['DUPLICATE_ADJUSTMENT_IN_REQUEST', true],
    ['DUPLICATE_ENHANCEMENT_IN_REQUEST', true],
    ['CONVERSION_EXPIRED', false],
    ['CONVERSION_ALREADY_RETRACTED', false],
    ['MORE_RECENT_RESTATEMENT_FOUND', false],
    ['NO_CONVERSION_ACTION_FOUND', false],
    ['BRAND_NEW', false],
  ])('%s may pass: %s', (code, retryable) => {
    expect(read(partial([TAKEN, TAKEN, {}], fault(2, code)))).toMatchObject({ kind: 'accepted', faults: [{ index: 2, code, retryable }] });
  });

  it('cuts apart what is nothing but doubled', () => {
    const doubled = [0, 1, 2].map((index) => fault(index, 'DUPLICATE_ADJUSTMENT_IN_REQUEST'));
    expect(read(partial([{}, {}, {}], ...doubled))).toMatchObject({ kind: 'too_large', code: 'DUPLICATE_ADJUSTMENT_IN_REQUEST' });
    expect(read(refusal(400, fault(undefined, 'DUPLICATE_ADJUSTMENT_IN_REQUEST')))).toMatchObject({ kind: 'too_large' });
    // By itself it may be doubled with what Google is still at; too_large would bury it.
    expect(read(partial([{}], doubled[0]!), { groupSizes: [1] })).toMatchObject({ kind: 'accepted', faults: [{ index: 0, retryable: true }] });
    expect(read(refusal(400, fault(undefined, 'DUPLICATE_ADJUSTMENT_IN_REQUEST')), { groupSizes: [1] })).toMatchObject({ kind: 'retry' });
  });

  it('a passing fault of Google inside may pass', () => {
    expect(read(partial([TAKEN, TAKEN, {}], fault(2, 'INTERNAL_ERROR', 'internalError')))).toMatchObject({ faults: [{ retryable: true }] });
  });

  it.each([
    ['NO_CONVERSION_ACTION_FOUND', 'destination'],
    ['INVALID_CONVERSION_ACTION_TYPE', 'destination'],
    ['CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT', 'destination'],
    ['CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS', 'account'],
    ['CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT', 'account'],
  ])('%s for all is about the %s', (code, concern) => {
    expect(read(partial([{}, {}, {}], fault(0, code), fault(1, code), fault(2, code)))).toMatchObject({ kind: 'rejected_request', groups: [0], concern, code, traceId: 'req-1' });
  });

  it('all failed for reasons of their own', () => {
    expect(read(partial([{}, {}, {}], fault(0, 'CONVERSION_NOT_FOUND'), fault(1, 'NO_CONVERSION_ACTION_FOUND'), fault(2, 'CONVERSION_EXPIRED')))).toMatchObject({
      kind: 'accepted',
      faults: [{ index: 0 }, { index: 1 }, { index: 2 }],
    });
  });

  it('gives a fault that names nobody to the rows that were not taken', () => {
    expect(read(partial([TAKEN, {}, {}], fault(undefined, 'INVALID_JOB_ID')))).toMatchObject({ faults: [{ index: 1, code: 'INVALID_JOB_ID' }, { index: 2 }] });
  });

  it('never takes silence for a success', () => {
    expect(read({ body: { results: [TAKEN, {}] } })).toMatchObject({ kind: 'accepted', faults: [{ index: 1, code: 'unacknowledged', retryable: true }, { index: 2, code: 'unacknowledged' }] });
  });

  it('trusts the names where there are no results', () => {
    expect(read(partial(undefined, fault(1, 'CONVERSION_NOT_FOUND')))).toMatchObject({ kind: 'accepted', faults: [{ index: 1 }] });
  });

  it('ignores rows that were never sent', () => {
    expect(read(partial([TAKEN, TAKEN, TAKEN], fault(7, 'CONVERSION_NOT_FOUND')))).toMatchObject({ kind: 'accepted', faults: [] });
  });

  it.each<[string, Scripted]>([
    ['nothing', {}],
    ['HTML', { body: '<html>' }],
    ['cut JSON', { body: '{"results":[' }],
    ['a list', { body: [] }],
    ['no results', { body: {} }],
    ['a failure without details', { body: { partialFailureError: { code: 3 } } }],
  ])('%s is tried again', (_, reply) => {
    expect(read(reply)).toMatchObject({ kind: 'retry', code: 'unreadable_reply' });
  });
});

describe('readAdjustmentsReply: refusals', () => {
  const quota = (scope: string | undefined, retryDelay: string | undefined) => ({
    ...fault(undefined, 'RESOURCE_EXHAUSTED', 'quotaError'),
    details: { quotaErrorDetails: { ...(scope && { rateScope: scope }), ...(retryDelay && { retryDelay }) } },
  });

  it.each<[string, Scripted, object]>([
    ['expired token', refusal(401, fault(undefined, 'OAUTH_TOKEN_EXPIRED', 'authenticationError')), { kind: 'unauthorised', refreshable: true }],
    ['401 alone', { status: 401, body: '' }, { kind: 'unauthorised', refreshable: true }],
    ['revoked', refusal(401, fault(undefined, 'OAUTH_TOKEN_REVOKED', 'authenticationError')), { kind: 'unauthorised', refreshable: false }],
    ['no permission', refusal(403, fault(undefined, 'USER_PERMISSION_DENIED', 'authorizationError')), { kind: 'rejected_request', concern: 'account', groups: [0] }],
    ['no Ads user', refusal(401, fault(undefined, 'NOT_ADS_USER', 'authenticationError')), { kind: 'rejected_request', concern: 'account' }],
    ['no second factor', refusal(401, fault(undefined, 'TWO_STEP_VERIFICATION_NOT_ENROLLED', 'authenticationError')), { kind: 'rejected_request', concern: 'account' }],
    [
      'a grant without the scope',
      { status: 403, body: { error: { code: 403, message: 'm', status: 'PERMISSION_DENIED', details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }] } } },
      { kind: 'rejected_request', concern: 'account', code: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' },
    ],
    ['developer token', refusal(403, fault(undefined, 'DEVELOPER_TOKEN_PROHIBITED', 'authorizationError')), { kind: 'rejected_request', concern: 'operator', groups: [0] }],
    ['version gone', { status: 404, body: '<html>' }, { kind: 'rejected_request', concern: 'operator' }],
    ['unknown customer', refusal(400, fault(undefined, 'CUSTOMER_NOT_FOUND', 'authenticationError')), { kind: 'rejected_request', concern: 'destination' }],
    ['quota of the developer', refusal(429, quota('DEVELOPER', '90s')), { kind: 'rate_limited', scope: 'app', cooldownMs: 90_000 }],
    ['quota of the account', refusal(429, quota('ACCOUNT', '0.2s')), { kind: 'rate_limited', scope: 'account', cooldownMs: 1000 }],
    ['quota unnamed', refusal(429, quota(undefined, undefined)), { kind: 'rate_limited', scope: 'app', cooldownMs: 3_600_000 }],
    ['429 of a proxy', { status: 429, body: 'x', headers: { 'retry-after': '5' } }, { kind: 'rate_limited', cooldownMs: 5000 }],
    ['too many', refusal(400, fault(undefined, 'TOO_MANY_ADJUSTMENTS_IN_REQUEST')), { kind: 'too_large' }],
    ['413', { status: 413, body: '' }, { kind: 'too_large' }],
    ['internal', refusal(500, fault(undefined, 'INTERNAL_ERROR', 'internalError')), { kind: 'retry', code: 'INTERNAL_ERROR' }],
    ['503', { status: 503, body: '<html>', headers: { 'retry-after': '3' } }, { kind: 'retry', afterMs: 3000, code: 'unreadable_reply' }],
    ['action too new', refusal(400, fault(undefined, 'TOO_RECENT_CONVERSION_ACTION')), { kind: 'retry' }],
    ['partial failure missing', refusal(400, fault(undefined, 'PARTIAL_FAILURE_MODE_REQUIRED', 'partialFailureError')), { kind: 'rejected_request', concern: 'operator' }],
    ['named rows', refusal(400, fault(2, 'INVALID_VALUE', 'fieldError'), fault(0, 'REQUIRED', 'fieldError')), { kind: 'rejected_events', indices: [0, 2], faults: [{ index: 0, code: 'REQUIRED' }, { index: 2, code: 'INVALID_VALUE', retryable: false }] }],
    ['no rows named', { status: 400, body: { error: { code: 400, message: 'Invalid JSON payload', status: 'INVALID_ARGUMENT' } } }, { kind: 'rejected_events', indices: [], code: 'INVALID_ARGUMENT' }],
    ['a redirect', { status: 302, body: '' }, { kind: 'retry' }],
  ])('%s', (_, reply, expected) => {
    expect(read(reply)).toMatchObject(expected);
  });

  it.each([100, 204, 302, 400, 401, 403, 404, 409, 418, 429, 500, 503])('%i has a meaning whatever the body', (status) => {
    for (const body of ['', '<html>', '{', 'null', '[]', '{"error":null}', '{"error":{"details":[{"@type":"x.GoogleAdsFailure","errors":[null,{}]}]}}']) {
      expect(read({ status, body }).kind).toMatch(/^(retry|rate_limited|unauthorised|rejected_events|rejected_request|too_large)$/);
    }
  });

  it('masks what Google quotes', () => {
    expect(read(refusal(400, { ...fault(0, 'INVALID_VALUE', 'fieldError'), message: 'bad jane@example.com' }))).toMatchObject({ message: 'bad ***' });
  });
});

describe('the code table', () => {
  it('knows how long the early ones wait, and what a repeat gets', () => {
    const codesOf = (wanted: string) => Object.entries(ADS_CODES).filter(([, kind]) => kind === wanted).map(([key]) => key.split('.')[1] ?? '');
    expect(Object.keys(ADJUSTMENT_WAIT_MS).sort()).toEqual(codesOf('later').sort());
    expect([...ALREADY_ADJUSTED_CODES].sort()).toEqual(['CONVERSION_ALREADY_ENHANCED', 'CONVERSION_ALREADY_RETRACTED', 'RESTATEMENT_ALREADY_EXISTS']);
  });
});
