import { beforeEach, describe, expect, it } from 'vitest';

import { buildSandbox } from '../build-sandbox.ts';
import { googleEmulator } from '../google/index.ts';
import { SEED } from '../seed.ts';
import { ACTION, aConversion, adjust, anAdjustment, aStage, call, codesIn, create, CUSTOMER, failureIn, HASH, WEBPAGE } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const HOUR_MS = 3_600_000;
const restatement = (change: Json = {}) => anAdjustment({ adjustmentType: 'RESTATEMENT', restatementValue: { adjustedValue: 5, currencyCode: 'EUR' }, ...change });
const enhancement = (change: Json = {}) =>
  anAdjustment({ conversionAction: WEBPAGE, adjustmentType: 'ENHANCEMENT', orderId: 'seed-web-1', userIdentifiers: [{ hashedEmail: HASH, userIdentifierSource: 'FIRST_PARTY' }], ...change });
const first = async (row: Json) => codesIn((await adjust(stage, [row])).json);
const upload = 'conversionAdjustmentUploadError';

describe('rows that are taken', () => {
  it.each<[string, () => Json]>([
    ['a retraction', anAdjustment],
    ['a restatement', restatement],
    ['an enhancement', enhancement],
    ['an enhancement without a time', () => enhancement({ adjustmentDateTime: undefined })],
    ['a seeded click', () => anAdjustment({ orderId: undefined, gclidDateTimePair: { gclid: 'seed-gclid-1', conversionDateTime: '2026-11-10 10:00:00+00:00' } })],
  ])('%s', async (_name, row) => {
    const { status, json, headers } = await adjust(stage, [row()]);
    expect(status).toBe(200);
    expect(json).toEqual({ results: [expect.objectContaining({ adjustmentType: expect.any(String), conversionAction: expect.any(String) })], jobId: expect.any(String) });
    expect(headers['request-id']).toEqual(expect.any(String));
  });

  it('knows what the Data Manager took, by order and by click', async () => {
    expect(await first(anAdjustment({ orderId: 'evt-9' }))).toEqual([`${upload}.CONVERSION_NOT_FOUND`]);
    await aConversion(stage, { transactionId: 'evt-9', adIdentifiers: { gclid: 'g-9' }, eventTimestamp: '2026-11-20T10:00:00Z' });
    expect(await first(anAdjustment({ orderId: 'evt-9' }))).toEqual([]);
    const pair = { orderId: undefined, gclidDateTimePair: { gclid: 'g-9', conversionDateTime: '2026-11-20 12:00:00+02:00' } };
    expect(await first(anAdjustment(pair))).toEqual([]);
    expect(await first(anAdjustment({ orderId: 'evt-9', conversionAction: ACTION.replace('111', '112') }))).toEqual([`${upload}.CONVERSION_NOT_FOUND`]);
  });

  it('is read back, and forgotten, through the control API', async () => {
    const { app } = buildSandbox({ emulators: [googleEmulator()], logLevel: 'silent' });
    await app.inject({ method: 'PUT', url: '/_control/tokens', payload: { platform: 'google', token: 'ya29.t', state: 'valid' } });
    const headers = { authorization: 'Bearer ya29.t', 'developer-token': SEED.google.developerToken };
    const payload = { conversionAdjustments: [anAdjustment({ adjustmentDateTime: '2050-01-01 00:00:00+00:00' })], partialFailure: true };
    await app.inject({ method: 'POST', url: `/google/ads/${CUSTOMER}:uploadConversionAdjustments`, headers, payload });
    expect((await app.inject('/_control/adjustments?orderId=seed-order-1')).json()).toEqual({
      total: 1,
      adjustments: [expect.objectContaining({ conversionAction: ACTION, adjustmentType: 'RETRACTION', orderId: 'seed-order-1', userIdentifiers: 0 })],
    });
    expect((await app.inject('/_control/accepted?platform=google')).json()).toMatchObject({ total: 0 });
    await app.inject({ method: 'POST', url: '/_control/reset' });
    expect((await app.inject('/_control/adjustments')).json()).toMatchObject({ total: 0 });
    await app.close();
  });
});

describe('rows that fail', () => {
  it.each<[string, Json, string]>([
    ['an unknown order', anAdjustment({ orderId: 'nobody' }), `${upload}.CONVERSION_NOT_FOUND`],
    ['an order of another action', anAdjustment({ orderId: 'seed-web-1' }), `${upload}.CONVERSION_NOT_FOUND`],
    ['an old conversion', anAdjustment({ orderId: 'seed-order-old' }), `${upload}.CONVERSION_EXPIRED`],
    ['a time before the conversion', anAdjustment({ adjustmentDateTime: '2026-11-01 00:00:00+00:00' }), `${upload}.ADJUSTMENT_PRECEDES_CONVERSION`],
    ['both keys', anAdjustment({ gclidDateTimePair: { gclid: 'g', conversionDateTime: '2026-11-10 10:00:00+00:00' } }), `${upload}.GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET`],
    ['no key', anAdjustment({ orderId: undefined }), 'fieldError.REQUIRED'],
    ['an e-mail as order id', anAdjustment({ orderId: 'jane@example.com' }), `${upload}.ORDER_ID_CONTAINS_PII`],
    ['an ISO time', anAdjustment({ adjustmentDateTime: '2026-11-20T14:00:00Z' }), 'dateError.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET'],
    ['no type', anAdjustment({ adjustmentType: undefined }), 'fieldError.REQUIRED'],
    ['a restatement without a value', restatement({ restatementValue: undefined }), 'fieldError.REQUIRED'],
    ['a retraction with a value', anAdjustment({ restatementValue: { adjustedValue: 1 } }), 'fieldError.VALUE_MUST_BE_UNSET'],
    ['a bare action id', anAdjustment({ conversionAction: '111' }), 'requestError.RESOURCE_NAME_MALFORMED'],
    ['an unknown action', anAdjustment({ conversionAction: `${ACTION}9` }), `${upload}.NO_CONVERSION_ACTION_FOUND`],
    ['a call action', anAdjustment({ conversionAction: ACTION.replace('111', '301') }), `${upload}.INVALID_CONVERSION_ACTION_TYPE`],
    ['enhancing an upload action', enhancement({ conversionAction: ACTION, orderId: 'seed-order-1' }), `${upload}.CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT`],
    ['enhancing without an order id', enhancement({ orderId: undefined }), `${upload}.MISSING_ORDER_ID_FOR_WEBPAGE`],
    ['an upper-case hash', enhancement({ userIdentifiers: [{ hashedEmail: HASH.toUpperCase() }] }), `${upload}.INVALID_USER_IDENTIFIER`],
    ['a mobile id', enhancement({ userIdentifiers: [{ mobileId: 'm' }] }), `${upload}.UNSUPPORTED_USER_IDENTIFIER`],
    ['no identifiers', enhancement({ userIdentifiers: [] }), 'fieldError.REQUIRED'],
  ])('%s', async (_name, row, code) => {
    const { status, json } = await adjust(stage, [row]);
    expect(status).toBe(200);
    expect(codesIn(json)).toEqual([code]);
    expect(json['results']).toEqual([{}]);
  });

  it('names the rows, and leaves their results empty', async () => {
    const { json } = await adjust(stage, [anAdjustment({ orderId: 'x' }), anAdjustment(), anAdjustment({ orderId: 'y' })]);
    expect(json['partialFailureError']).toMatchObject({ code: 3, message: 'Multiple errors in ‘details’. First error: The conversion was not found., at conversion_adjustments[0]' });
    expect(failureIn(json).errors.map(({ location }) => location?.fieldPathElements[0])).toEqual([
      { fieldName: 'conversion_adjustments', index: 0 },
      { fieldName: 'conversion_adjustments', index: 2 },
    ]);
    expect(json['results']).toEqual([{}, expect.objectContaining({ orderId: 'seed-order-1' }), {}]);
  });

  it('remembers what was done before', async () => {
    expect(await first(restatement())).toEqual([]);
    expect(await first(restatement())).toEqual([`${upload}.RESTATEMENT_ALREADY_EXISTS`]);
    expect(await first(restatement({ adjustmentDateTime: '2026-11-20 13:00:00+00:00' }))).toEqual([`${upload}.MORE_RECENT_RESTATEMENT_FOUND`]);
    expect(await first(anAdjustment())).toEqual([]);
    expect(await first(anAdjustment())).toEqual([`${upload}.CONVERSION_ALREADY_RETRACTED`]);
    expect(await first(enhancement())).toEqual([]);
    expect(await first(enhancement())).toEqual([`${upload}.CONVERSION_ALREADY_ENHANCED`]);
  });

  it('refuses doubled rows: the later one, or all', async () => {
    const rows = [anAdjustment(), anAdjustment(), enhancement(), enhancement()];
    const doubled = [`${upload}.DUPLICATE_ADJUSTMENT_IN_REQUEST`, `${upload}.DUPLICATE_ENHANCEMENT_IN_REQUEST`];
    expect(codesIn((await adjust(stage, rows, { validateOnly: true })).json)).toEqual(doubled);
    stage.switches.set('googleAds.duplicateRows', 'all');
    expect((await adjust(stage, rows)).json['results']).toEqual([{}, {}, {}, {}]);
  });

  it('may find conversions and actions too young', async () => {
    stage.switches.set('googleAds.tooRecentConversion', true);
    stage.switches.set('googleAds.tooRecentConversionAction', true);
    await aConversion(stage, { transactionId: 'fresh', eventTimestamp: '2026-11-20T14:00:00Z' });
    const row = anAdjustment({ orderId: 'fresh' });
    expect(await first(row)).toEqual([`${upload}.TOO_RECENT_CONVERSION`]);
    stage.clock.nowMs += 24 * HOUR_MS;
    expect(await first(row)).toEqual([]);
    const made = (await create(stage, { name: 'Young' })).json['results'] as readonly { resourceName: string }[];
    const young = anAdjustment({ conversionAction: made[0]?.resourceName, orderId: 'x' });
    expect(await first(young)).toEqual([`${upload}.TOO_RECENT_CONVERSION_ACTION`]);
    stage.clock.nowMs += 6 * HOUR_MS;
    expect(await first(young)).toEqual([`${upload}.CONVERSION_NOT_FOUND`]);
  });

  it('follows the terms and the poison', async () => {
    stage.switches.set('google.customerTermsSigned', false);
    expect(await first(enhancement())).toEqual([`${upload}.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS`]);
    stage.poison.set('seed-order-2', { code: 'TOO_MANY_ADJUSTMENTS' });
    expect(await first(anAdjustment({ orderId: 'seed-order-2' }))).toEqual([`${upload}.TOO_MANY_ADJUSTMENTS`]);
  });
});

describe('requests that are refused whole', () => {
  it.each<[string, Json, string]>([
    ['without partialFailure', { partialFailure: undefined }, 'partialFailureError.PARTIAL_FAILURE_MODE_REQUIRED'],
    ['without rows', { conversionAdjustments: [] }, 'requestError.REQUIRED_FIELD_MISSING'],
    ['with 2001 rows', { conversionAdjustments: Array.from({ length: 2001 }, () => anAdjustment()) }, `${upload}.TOO_MANY_ADJUSTMENTS_IN_REQUEST`],
  ])('%s', async (_name, change, code) => {
    const { status, json } = await adjust(stage, [anAdjustment()], change);
    expect(status).toBe(400);
    expect(codesIn(json)).toEqual([code]);
  });

  it('carries the version of the call in its type name', async () => {
    const { json } = await call(stage, `v25/customers/${SEED.google.customerId}:uploadConversionAdjustments`, { body: { partialFailure: true } });
    expect(JSON.stringify(json)).toContain('google.ads.googleads.v25.errors.GoogleAdsFailure');
  });
});
