import { beforeEach, describe, expect, it } from 'vitest';
import { HASH, HASH64, aDestination, aRequest, aStage, aToken, anEvent, detail, found, ingest, violations } from './testkit.ts';
import type { ErrorBody, Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const event = (change: Json): Json => aRequest({ events: [anEvent(change)] });
const identifiers = (...list: readonly Json[]): Json => event({ userData: { userIdentifiers: list } });
const destination = (change: Json): Json => aRequest({ destinations: [aDestination(change)] });
const account = (accountId: string, accountType = 'GOOGLE_ADS'): Json => ({ accountId, accountType });
const address = { givenName: HASH, familyName: HASH, regionCode: 'US', postalCode: '94045' };

describe('taken requests', () => {
  const cases: readonly (readonly [string, Json])[] = [
    ['an e-mail hash', aRequest()],
    ['an upper-case hash', identifiers({ emailAddress: HASH.toUpperCase() })],
    ['a phone and an address', identifiers({ phoneNumber: HASH }, { address })],
    ['BASE64 hashes', { ...identifiers({ emailAddress: HASH64 }), encoding: 'BASE64' }],
    ['a click id alone, without encoding', { destinations: [aDestination()], events: [{ ...anEvent({ adIdentifiers: { gclid: 'g' } }), userData: undefined }] }],
    ['an IP address alone', event({ userData: undefined, eventDeviceInfo: { ipAddress: '203.0.113.7' } })],
    ['no login account', destination({ loginAccount: undefined, productDestinationId: '112' })],
    ['consent on both levels', { ...event({ consent: { adUserData: 'CONSENT_GRANTED' } }), consent: { adPersonalization: 'CONSENT_DENIED' } }],
    ['an offset in the timestamp', event({ eventTimestamp: '2026-11-20T15:48:00.123+01:00' })],
    ['snake_case names', aRequest({ events: [{ transaction_id: 't', event_timestamp: '2026-11-20T14:48:00Z', event_source: 'WEB', ad_identifiers: { gclid: 'g' } }] })],
    ['value, cart and quantity as a string', event({ currency: 'EUR', conversionValue: 12.5, cartData: { items: [{ merchantProductId: 'p', quantity: '2', unitPrice: 6.25 }] } })],
    ['an explicit null', event({ currency: null })],
    ['2000 events', aRequest({ events: Array.from({ length: 2000 }, (_, index) => anEvent({ transactionId: `t${index}` })) })],
  ];
  it.each(cases)('%s', async (_name, body) => {
    const reply = await ingest(stage, JSON.parse(JSON.stringify(body)) as Json);
    expect(reply.json()).toEqual({ requestId: expect.any(String) });
    expect(reply.statusCode).toBe(200);
    expect(stage.accepted).toHaveLength(1);
  });

  it('records every event under each destination it goes to', async () => {
    const destinations = [aDestination(), aDestination({ reference: 'd1', productDestinationId: '201' })];
    const events = [anEvent({ transactionId: 'a' }), anEvent({ transactionId: 'b', destinationReferences: ['d1'] })];
    const reply = await ingest(stage, aRequest({ destinations, events }));
    const upload = 'customers/1234567890/conversionActions/111';
    const webpage = 'customers/1234567890/conversionActions/201';
    expect(stage.accepted).toEqual([
      {
        platform: 'google',
        traceId: reply.json<Json>()['requestId'],
        events: [
          { destinationId: upload, eventId: 'a' },
          { destinationId: webpage, eventId: 'a' },
          { destinationId: webpage, eventId: 'b' },
        ],
      },
    ]);
    expect(stage.requested.at(-1)).toMatchObject({ platform: 'google', status: 200, events: 2 });
  });

  it('takes nothing when only validating', async () => {
    expect((await ingest(stage, aRequest({ validateOnly: true }))).statusCode).toBe(200);
    expect(stage.accepted).toEqual([]);
  });

  it('warns about incomplete cart items unless told not to', async () => {
    const body = event({ cartData: { items: [{ quantity: 1 }] } });
    expect((await ingest(stage, body)).json<Json>()['fieldWarnings']).toMatchObject([
      { field: 'events.events[0].cart_data.items[0].merchant_product_id', reason: 'WARNING_REASON_CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING' },
      { field: 'events.events[0].cart_data.items[0].unit_price', reason: 'WARNING_REASON_CART_DATA_ITEM_UNIT_PRICE_MISSING' },
    ]);
    stage.switches.set('google.fieldWarnings', false);
    expect((await ingest(stage, body)).json()).not.toHaveProperty('fieldWarnings');
  });
});

describe('violations', () => {
  const list = 'events.events[0].user_data.user_identifiers';
  const cases: readonly (readonly [string, Json, readonly string[]])[] = [
    ['no events', aRequest({ events: [] }), ['events REQUIRED_FIELD_MISSING']],
    ['2001 events', aRequest({ events: Array.from({ length: 2001 }, () => anEvent()) }), ['events TOO_MANY_EVENTS']],
    ['no destinations', aRequest({ destinations: [] }), ['destinations REQUIRED_FIELD_MISSING']],
    ['11 destinations', aRequest({ destinations: Array.from({ length: 11 }, (_, index) => aDestination({ reference: `d${index}` })) }), ['destinations TOO_MANY_DESTINATIONS']],
    ['a reference twice', aRequest({ destinations: [aDestination(), aDestination()] }), ['destinations[1].reference DUPLICATE_DESTINATION_REFERENCE']],
    ['no operating account', destination({ operatingAccount: null }), ['destinations[0].operating_account REQUIRED_FIELD_MISSING']],
    ['hyphens in an account id', destination({ loginAccount: account('111-222-3333') }), ['destinations[0].login_account.account_id INVALID_NUMBER_FORMAT']],
    ['no account type', destination({ operatingAccount: { accountId: '1234567890' } }), ['destinations[0].operating_account.account_type REQUIRED_FIELD_MISSING']],
    ['disagreeing product', destination({ operatingAccount: { ...account('1234567890'), product: 'DATA_PARTNER' } }), ['destinations[0].operating_account.product INVALID_ARGUMENT']],
    ['a stranger logging in', destination({ loginAccount: account('9999999999') }), ['destinations[0].operating_account OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH']],
    ['a foreign customer', destination({ operatingAccount: account('9999999999') }), ['destinations[0].operating_account OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH']],
    ['another kind of account', destination({ operatingAccount: account('1234567890', 'FLOODLIGHT_CONFIG') }), ['destinations[0].operating_account DESTINATION_ACCOUNT_TYPE_MISMATCH']],
    ['a linked account', destination({ linkedAccount: account('1234567890') }), ['destinations[0].linked_account LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT']],
    ['no action', destination({ productDestinationId: null }), ['destinations[0].product_destination_id REQUIRED_FIELD_MISSING']],
    ['an unknown action', destination({ productDestinationId: '999' }), ['destinations[0].product_destination_id INVALID_CONVERSION_ACTION_ID']],
    ['a resource name as action', destination({ productDestinationId: 'customers/1234567890/conversionActions/111' }), ['destinations[0].product_destination_id INVALID_CONVERSION_ACTION_ID']],
    ['an action of another type', destination({ productDestinationId: '301' }), ['destinations[0].product_destination_id INVALID_CONVERSION_ACTION_TYPE']],
    ['no encoding with user data', { ...aRequest(), encoding: undefined }, ['encoding REQUIRED_FIELD_MISSING']],
    ['no timestamp', event({ eventTimestamp: null }), ['events.events[0].event_timestamp REQUIRED_FIELD_MISSING']],
    ['no identifier', event({ userData: null }), ['events.events[0] NO_IDENTIFIERS_PROVIDED']],
    ['plain text as hash', identifiers({ emailAddress: 'alexz@example.com' }), [`${list}[0] INVALID_HEX_ENCODING`]],
    ['a bad hash after a good one', identifiers({ emailAddress: HASH }, { phoneNumber: 'zz' }), [`${list}[1] INVALID_HEX_ENCODING`]],
    ['a short hash', identifiers({ emailAddress: 'abcd' }), [`${list}[0] INVALID_SHA256_FORMAT`]],
    ['BASE64 expected', { ...identifiers({ emailAddress: '#' }), encoding: 'BASE64' }, [`${list}[0] INVALID_BASE64_ENCODING`]],
    ['HEX under BASE64', { ...identifiers({ emailAddress: HASH }), encoding: 'BASE64' }, [`${list}[0] INVALID_SHA256_FORMAT`]],
    ['11 identifiers', identifiers(...Array.from({ length: 11 }, () => ({ emailAddress: HASH }))), [`${list} TOO_MANY_USER_IDENTIFIERS`]],
    ['an empty identifier', identifiers({}), [`${list}[0] REQUIRED_FIELD_MISSING`]],
    ['a partial address', identifiers({ address: { givenName: HASH, familyName: HASH } }), [`${list}[0].address.region_code REQUIRED_FIELD_MISSING`, `${list}[0].address.postal_code REQUIRED_FIELD_MISSING`]],
    ['a bad country', identifiers({ address: { ...address, regionCode: 'usa' } }), [`${list}[0].address.region_code INVALID_COUNTRY_CODE`]],
    ['a bad postal code', identifiers({ address: { ...address, postalCode: '94' } }), [`${list}[0].address.postal_code INVALID_POSTAL_CODE`]],
    ['a lower-case currency', event({ currency: 'eur' }), ['events.events[0].currency INVALID_CURRENCY_CODE']],
    ['an unknown currency', event({ currency: 'XQQ' }), ['events.events[0].currency INVALID_CURRENCY_CODE']],
    ['two click ids', event({ adIdentifiers: { gclid: 'a', wbraid: 'b' } }), ['events.events[0].ad_identifiers INVALID_EVENT']],
    ['no source for an upload action', event({ eventSource: null }), ['events.events[0].event_source REQUIRED_FIELD_MISSING']],
    ['an unknown reference', event({ destinationReferences: ['d9'] }), ['events.events[0].destination_references[0] INVALID_DESTINATION']],
    ['no transaction id for a WEBPAGE action', aRequest({ destinations: [aDestination({ productDestinationId: '201' })], events: [anEvent({ transactionId: '' })] }), ['events.events[0].transaction_id REQUIRED_FIELD_MISSING']],
  ];
  it.each(cases)('%s', async (_name, body, expected) => {
    const reply = await ingest(stage, body);
    expect(reply.statusCode).toBe(400);
    expect(found(reply.json<ErrorBody>())).toEqual(expected);
    expect(stage.accepted).toEqual([]);
  });

  it('come in the documented envelope, all at once', async () => {
    const events = [anEvent({ currency: 'x' }), anEvent(), anEvent({ eventTimestamp: null, userData: null })];
    const body = (await ingest(stage, aRequest({ events }))).json<ErrorBody>();
    const requestId = detail(body, 'RequestInfo')?.['requestId'];
    expect(requestId).toMatch(/^t-[0-9a-f-]{36}$/);
    expect(body.error).toMatchObject({ code: 400, message: 'There was a problem with the request.', status: 'INVALID_ARGUMENT' });
    expect(detail(body, 'ErrorInfo')).toMatchObject({ reason: 'INVALID_ARGUMENT', domain: 'datamanager.googleapis.com', metadata: { requestId } });
    expect(found(body)).toEqual([
      'events.events[0].currency INVALID_CURRENCY_CODE',
      'events.events[2].event_timestamp REQUIRED_FIELD_MISSING',
      'events.events[2] NO_IDENTIFIERS_PROVIDED',
    ]);
    expect(stage.accepted).toEqual([]);
  });
});

describe('the front end', () => {
  const cases: readonly (readonly [string, Json | string, string, string])[] = [
    ['an unknown name in an event', event({ nope: 1 }), 'events[0]', `Invalid JSON payload received. Unknown name "nope" at 'events[0]': Cannot find field.`],
    ['a consent word without prefix', event({ consent: { adUserData: 'GRANTED' } }), 'events[0].consent.ad_user_data', `Invalid value at 'events[0].consent.ad_user_data' (type.googleapis.com/google.ads.datamanager.v1.ConsentStatus), "GRANTED"`],
    ['a number for a string', event({ transactionId: 5 }), 'events[0].transaction_id', `Invalid value at 'events[0].transaction_id' (TYPE_STRING), 5`],
    ['a broken timestamp', event({ eventTimestamp: '2026-11-20 14:48:00' }), 'events[0].event_timestamp', `Invalid value at 'events[0].event_timestamp' (type.googleapis.com/google.protobuf.Timestamp), "2026-11-20 14:48:00"`],
    ['a fraction for an int64', event({ conversionCount: 1.5 }), 'events[0].conversion_count', `Invalid value at 'events[0].conversion_count' (TYPE_INT64), 1.5`],
    ['an object for a list', aRequest({ events: {} }), 'events', `Invalid value at 'events' (repeated field), {}`],
    ['a list for a message', event({ userData: [] }), 'events[0].user_data', `Invalid value at 'events[0].user_data' (type.googleapis.com/google.ads.datamanager.v1.UserData), []`],
  ];
  it.each(cases)('refuses %s', async (_name, body, field, description) => {
    const reply = await ingest(stage, body);
    const error = reply.json<ErrorBody>();
    expect(reply.statusCode).toBe(400);
    expect(error.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT', message: description });
    expect(violations(error)).toEqual([{ field, description }]);
    expect(detail(error, 'ErrorInfo')).toBeUndefined();
  });

  it('names no field for an unknown name at the top and for broken JSON', async () => {
    const unknown = (await ingest(stage, aRequest({ nope: 1 }))).json<ErrorBody>();
    expect(violations(unknown)).toEqual([{ description: 'Invalid JSON payload received. Unknown name "nope": Cannot find field.' }]);
    const broken = await ingest(stage, '{"events":[');
    expect(broken.statusCode).toBe(400);
    expect(broken.json<ErrorBody>().error.message).toMatch(/^Invalid JSON payload received/);
  });

  it('refuses two identifiers in one', async () => {
    const body = (await ingest(stage, identifiers({ emailAddress: HASH, phoneNumber: HASH }))).json<ErrorBody>();
    expect(found(body)).toEqual(['events[0].user_data.user_identifiers[0]']);
  });
});

describe('switches', () => {
  const bad = event({ currency: 'x' });
  const cases: readonly (readonly [string, string | number | boolean, Json, readonly string[]])[] = [
    ['google.pathStyle', 'events', bad, ['events[0].currency INVALID_CURRENCY_CODE']],
    ['google.identifierPath', 'field', identifiers({ emailAddress: 'x' }), ['events.events[0].user_data.user_identifiers[0].email_address INVALID_HEX_ENCODING']],
    ['google.acceptSnakeCase', false, event({ event_name: 'x' }), ['events[0]']],
    ['google.badTimestamp', 'violation', event({ eventTimestamp: 'x' }), ['events.events[0].event_timestamp INVALID_FORMAT']],
    ['google.maxEventAgeDays', 90, event({ eventTimestamp: '2026-08-01T00:00:00Z' }), ['events.events[0].event_timestamp EVENT_TIME_INVALID']],
    ['google.maxFutureMinutes', 5, event({ eventTimestamp: '2026-11-20T15:06:00Z' }), ['events.events[0].event_timestamp EVENT_TIME_INVALID']],
    ['google.maxEvents', 1, aRequest({ events: [anEvent(), anEvent()] }), ['events TOO_MANY_EVENTS']],
    ['google.customerTermsSigned', false, aRequest(), ['destinations[0] DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED']],
  ];
  it.each(cases)('%s = %s', async (name, value, body, expected) => {
    stage.switches.set(name, value);
    const reply = await ingest(stage, body);
    expect(reply.statusCode).toBe(400);
    expect(found(reply.json<ErrorBody>())).toEqual(expected);
  });

  it.each([
    ['google.requireEventSource', false, event({ eventSource: null })],
    ['google.allowSeveralClickIds', true, event({ adIdentifiers: { gclid: 'a', gbraid: 'b' } })],
  ] as const)('%s = %s lets the request through', async (name, value, body) => {
    stage.switches.set(name, value);
    expect((await ingest(stage, body)).statusCode).toBe(200);
  });

  it('google.accountMismatch = forbidden answers 403', async () => {
    stage.switches.set('google.accountMismatch', 'forbidden');
    const reply = await ingest(stage, destination({ loginAccount: account('9999999999') }));
    expect(reply.statusCode).toBe(403);
    expect(reply.json<ErrorBody>().error.status).toBe('PERMISSION_DENIED');
    expect(found(reply.json<ErrorBody>())).toEqual(['destinations[0].operating_account OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH']);
  });

  it('google.quotaPerMinute answers 429 until the next minute', async () => {
    stage.switches.set('google.quotaPerMinute', 2).set('google.retryAfterSeconds', 30);
    const token = await aToken(stage);
    const codes = [];
    for (let call = 0; call < 3; call += 1) codes.push((await ingest(stage, aRequest(), token)).statusCode);
    expect(codes).toEqual([200, 200, 429]);
    const refused = await ingest(stage, aRequest(), token);
    expect(refused.headers['retry-after']).toBe('30');
    expect(refused.json<ErrorBody>().error.status).toBe('RESOURCE_EXHAUSTED');
    expect(detail(refused.json<ErrorBody>(), 'ErrorInfo')).toMatchObject({ metadata: { quota_limit: 'IngestionMutateRequestsPerMinutePerProject' } });
    stage.clock.nowMs += 60_000;
    expect((await ingest(stage, aRequest(), token)).statusCode).toBe(200);
  });
});

describe('poison', () => {
  const events = [anEvent({ transactionId: 'good' }), anEvent({ transactionId: 'bad' }), anEvent({ transactionId: 'worse' })];

  it('names the index, with the scripted reason', async () => {
    stage.poison.set('bad', {}).set('worse', { code: 'INVALID_FORMAT' });
    const reply = await ingest(stage, aRequest({ events }));
    expect(found(reply.json<ErrorBody>())).toEqual(['events.events[1] INVALID_EVENT', 'events.events[2] INVALID_FORMAT']);
    expect(stage.accepted).toEqual([]);
  });

  it('can keep the index to itself', async () => {
    stage.poison.set('bad', {});
    stage.switches.set('google.poisonNamesIndex', false);
    const reply = await ingest(stage, aRequest({ events }));
    expect(reply.statusCode).toBe(400);
    expect(reply.json<ErrorBody>().error).toEqual({ code: 400, status: 'INVALID_ARGUMENT', message: 'Request contains an invalid argument.' });
    expect(stage.accepted).toEqual([]);
  });
});
