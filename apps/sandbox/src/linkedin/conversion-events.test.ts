import { beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HASH, NOW_MS, aStage, anEvent, batch, post } from './testkit.ts';
import type { HeaderChange, Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const REQUIRED = 'field is required but not found and has no default value';
const rule = (id: string): string => `urn:lla:llaPartnerConversion:${id}`;
const user = (change: Json): Json => anEvent({ user: { userIds: [], ...change } });
const userId = (idType: string, idValue: string): Json => user({ userIds: [{ idType, idValue }] });

describe('taken events', () => {
  const cases: readonly (readonly [string, Json])[] = [
    ['an e-mail hash', anEvent()],
    ['a value', anEvent({ conversionValue: { currencyCode: 'EUR', amount: '50.0' } })],
    ['a click id', userId('LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', 'df5gf5-gh6t7-ph4j7h-fgf6n1')],
    ['an IPv4 address', userId('PLAINTEXT_IP_ADDRESS', '203.0.113.7')],
    ['a hashed IP address', userId('SHA256_IP_ADDRESS', HASH)],
    ['names alone', user({ userInfo: { firstName: 'Jane', lastName: 'Doe', countryCode: 'DE' } })],
    ['hashed names, from 202609', user({ userInfo: { hashedFirstName: HASH, hashedLastName: HASH } })],
    ['an external id alone', user({ externalIds: ['crm-4711'] })],
    ['a lead alone', user({ lead: 'urn:li:leadGenFormResponse:1-2' })],
    ['no event id', anEvent({ eventId: undefined })],
    ['89 days ago', anEvent({ conversionHappenedAt: NOW_MS - 89 * DAY_MS })],
  ];
  it.each(cases)('%s: single and batch', async (_name, event) => {
    const single = await post(stage, event);
    expect({ status: single.statusCode, body: single.body }).toEqual({ status: 201, body: '' });
    const many = await batch(stage, [event, anEvent()]);
    expect(many.statusCode).toBe(200);
    expect(many.json()).toEqual({ elements: [{ status: 201 }, { status: 201 }] });
    expect(stage.accepted).toHaveLength(2);
  });

  it('are recorded by rule and event id, under the trace header', async () => {
    const reply = await batch(stage, [anEvent(), anEvent({ conversion: rule('50002'), eventId: 'evt-2' })]);
    expect(stage.accepted).toEqual([
      {
        platform: 'linkedin',
        traceId: reply.headers['x-li-uuid'],
        events: [
          { destinationId: '50001', eventId: 'evt-1' },
          { destinationId: '50002', eventId: 'evt-2' },
        ],
      },
    ]);
    expect(stage.requested).toMatchObject([{ platform: 'linkedin', route: '/linkedin/rest/conversionEvents', status: 200, events: 2 }]);
  });

  it('come in batches of up to 5000', async () => {
    const events = Array.from({ length: 5000 }, (_, index) => anEvent({ eventId: `e${index}` }));
    const reply = await batch(stage, events);
    expect(reply.statusCode).toBe(200);
    expect(reply.json<{ elements: unknown[] }>().elements).toHaveLength(5000);
    const refused = await batch(stage, [...events, anEvent()]);
    expect(refused.statusCode).toBe(400);
    expect(stage.accepted).toHaveLength(1);
  });
});

describe('headers', () => {
  const cases: readonly (readonly [string, HeaderChange, number, Json])[] = [
    ['no version', { 'linkedin-version': undefined }, 400, { code: 'VERSION_MISSING', status: 400 }],
    ['a sunset version', { 'linkedin-version': '202510' }, 426, { code: 'NONEXISTENT_VERSION', status: 426 }],
    ['a future version', { 'linkedin-version': '202701' }, 426, { code: 'NONEXISTENT_VERSION' }],
    ['a version that is no month', { 'linkedin-version': '202613' }, 426, { code: 'NONEXISTENT_VERSION' }],
    ['no protocol version', { 'x-restli-protocol-version': undefined }, 400, { status: 400 }],
    ['another protocol version', { 'x-restli-protocol-version': '1.0.0' }, 400, { status: 400 }],
    ['another content type', { 'content-type': 'text/plain' }, 415, { status: 415 }],
    ['another method', { 'x-restli-method': 'BATCH_UPDATE' }, 400, { status: 400 }],
  ];
  it.each(cases)('%s', async (_name, headers, status, body) => {
    const reply = await post(stage, anEvent(), headers);
    expect(reply.statusCode).toBe(status);
    expect(reply.json()).toMatchObject(body);
    expect(stage.accepted).toEqual([]);
  });

  it.each(['202511', '202612'])('version %s is active', async (version) => {
    expect((await post(stage, anEvent(), { 'linkedin-version': version })).statusCode).toBe(201);
  });

  it('a batch needs X-RestLi-Method', async () => {
    expect((await post(stage, { elements: [anEvent()] })).statusCode).toBe(400);
    stage.switches.set('linkedin.missingMethodStatus', 422);
    expect((await post(stage, { elements: [anEvent()] })).statusCode).toBe(422);
  });

  it.each(['', '{"elements":', 'null'])('broken or empty bodies are refused: %j', async (body) => {
    expect((await post(stage, body, { 'x-restli-method': 'BATCH_CREATE' })).statusCode).toBe(400);
  });
});

describe('schema errors', () => {
  const withHash = { userIds: [{ idType: 'SHA256_EMAIL', idValue: HASH }] };
  const cases: readonly (readonly [string, unknown, readonly string[]])[] = [
    ['no amount', anEvent({ conversionValue: { currencyCode: 'EUR' } }), [`/conversionValue/amount :: ${REQUIRED}`]],
    ['no currency', anEvent({ conversionValue: { amount: '1' } }), [`/conversionValue/currencyCode :: ${REQUIRED}`]],
    ['a number as amount', anEvent({ conversionValue: { currencyCode: 'EUR', amount: 50 } }), ['/conversionValue/amount :: 50 cannot be coerced to String']],
    ['an exponent', anEvent({ conversionValue: { currencyCode: 'EUR', amount: '1e3' } }), ['/conversionValue/amount :: "1e3" cannot be coerced to BigDecimal']],
    ['a lower-case currency', anEvent({ conversionValue: { currencyCode: 'eur', amount: '1' } }), ['/conversionValue/currencyCode :: "eur" is not an enum symbol']],
    ['no time', anEvent({ conversionHappenedAt: undefined }), [`/conversionHappenedAt :: ${REQUIRED}`]],
    ['a time in quotes', anEvent({ conversionHappenedAt: '1' }), ['/conversionHappenedAt :: "1" cannot be coerced to Long']],
    ['no rule', anEvent({ conversion: undefined }), [`/conversion :: ${REQUIRED}`]],
    ['no user', anEvent({ user: undefined }), [`/user :: ${REQUIRED}`]],
    ['no userIds', anEvent({ user: { externalIds: ['x'] } }), [`/user/userIds :: ${REQUIRED}`]],
    ['half a name', user({ userInfo: { lastName: 'Doe' } }), [`/user/userInfo/firstName :: ${REQUIRED}`]],
    ['half a hashed name', user({ userInfo: { hashedFirstName: HASH } }), [`/user/userInfo/hashedLastName :: ${REQUIRED}`]],
    ['a lower-case country', user({ userInfo: { firstName: 'a', lastName: 'b', countryCode: 'de' } }), ['/user/userInfo/countryCode :: "de" is not an ISO 3166 alpha-2 code']],
    ['two external ids', user({ externalIds: ['a', 'b'] }), ['/user/externalIds :: length must be less than or equal to 1']],
    ['a phone type', userId('SHA256_PHONE', HASH), ['/user/userIds/0/idType :: "SHA256_PHONE" is not an enum symbol']],
    ['a gone id type', userId('ORACLE_MOAT_ID', 'x'), ['/user/userIds/0/idType :: "ORACLE_MOAT_ID" is not an enum symbol']],
    ['an id without value', user({ userIds: [{ idType: 'SHA256_EMAIL' }] }), [`/user/userIds/0/idValue :: ${REQUIRED}`]],
    ['a number as event id', anEvent({ eventId: 7 }), ['/eventId :: 7 cannot be coerced to String']],
    ['unknown fields', anEvent({ eventName: 'x', user: { ...withHash, phone: 'y' } }), ['/eventName :: unrecognized field found but not allowed', '/user/phone :: unrecognized field found but not allowed']],
    ['no record', 'x', ['/ :: "x" cannot be coerced to record']],
  ];
  it.each(cases)('%s', async (_name, event, texts) => {
    const reply = await batch(stage, [anEvent(), event]);
    const lines = texts.map((text) => `ERROR :: ${text}`).join('\n');
    expect(reply.json()).toEqual({ message: `Index: 1, ${lines}\n`, status: 422 });
    expect(reply.statusCode).toBe(422);
    expect(stage.accepted).toEqual([]);
  });

  it('of all elements come in one answer', async () => {
    const bad = anEvent({ conversionValue: { currencyCode: 'EUR' }, user: { userIds: [], userInfo: { lastName: 'Doe' } } });
    const reply = await batch(stage, [bad, anEvent(), anEvent({ user: undefined })]);
    expect(reply.json<Json>()['message']).toBe(
      `Index: 0, ERROR :: /conversionValue/amount :: ${REQUIRED}\nERROR :: /user/userInfo/firstName :: ${REQUIRED}\nIndex: 2, ERROR :: /user :: ${REQUIRED}\n`,
    );
  });

  it('of a single event name no index unless switched on', async () => {
    expect((await post(stage, anEvent({ user: undefined }))).json()).toEqual({ message: `ERROR :: /user :: ${REQUIRED}\n`, status: 422 });
    stage.switches.set('linkedin.singleNamesIndex', true);
    expect((await post(stage, anEvent({ user: undefined }))).json()).toEqual({ message: `Index: 0, ERROR :: /user :: ${REQUIRED}\n`, status: 422 });
  });

  it('hashed names are unknown before 202609', async () => {
    const reply = await batch(stage, [user({ userInfo: { hashedFirstName: HASH, hashedLastName: HASH } })], { 'linkedin-version': '202608' });
    expect(reply.statusCode).toBe(422);
    expect(reply.json<Json>()['message']).toContain('ERROR :: /user/userInfo/hashedFirstName :: unrecognized field');
  });

  it.each([
    ['linkedin.rejectUnknownFields', false, anEvent({ eventName: 'x' })],
    ['linkedin.acceptLegacyIdTypes', true, userId('ORACLE_MOAT_ID', 'x')],
  ] as const)('%s = %s lets the event through', async (name, value, event) => {
    stage.switches.set(name, value);
    expect((await post(stage, event)).statusCode).toBe(201);
  });
});

describe('refusals of sound-looking events', () => {
  const time = 'INVALID_CONVERSION_TIME_FIELD_VALUE';
  const identification = 'INVALID_USER_IDENTIFICATION_FIELD_VALUE';
  const cases: readonly (readonly [string, Json, number, Json])[] = [
    ['the li namespace', anEvent({ conversion: 'urn:li:llaPartnerConversion:50001' }), 400, { message: expect.stringMatching(/^Invalid Urn format\. Invalid prefix/) }],
    ['a bare rule id', anEvent({ conversion: '50001' }), 400, { message: expect.stringMatching(/^Invalid Urn format/) }],
    ['an unknown rule', anEvent({ conversion: rule('99999') }), 404, { status: 404 }],
    ['an Insight Tag rule', anEvent({ conversion: rule('50009') }), 400, { message: "Incorrect conversions information provided. Conversion's method should be CONVERSIONS_API, indices [1] (0-indexed)" }],
    ['older than 90 days', anEvent({ conversionHappenedAt: NOW_MS - 90 * DAY_MS - 1 }), 400, { code: time, message: 'Invalid conversion time: not within the past 90 days' }],
    ['in the future', anEvent({ conversionHappenedAt: NOW_MS + 1 }), 400, { code: time, message: 'Invalid conversion time: not within the past 90 days' }],
    ['seconds for milliseconds', anEvent({ conversionHappenedAt: NOW_MS / 1000 }), 400, { code: time, message: 'Invalid conversion time: not within the past 90 days' }],
    ['a plain e-mail', userId('SHA256_EMAIL', 'jane@example.com'), 400, { code: identification, message: 'Invalid user identification' }],
    ['an IPv6 address', userId('PLAINTEXT_IP_ADDRESS', '2001:db8::1'), 400, { code: identification, message: 'Invalid user identification' }],
    ['nobody', user({}), 400, { code: identification, message: 'Invalid user identification' }],
    ['a lead that is no URN', user({ lead: '123' }), 400, { code: identification, message: 'Invalid user identification' }],
    ['a hashed name that is no hash', user({ userInfo: { hashedFirstName: 'Jane', hashedLastName: HASH } }), 400, { code: identification, message: 'Invalid user identification' }],
  ];
  it.each(cases)('%s', async (_name, event, status, body) => {
    const reply = await batch(stage, [anEvent(), event]);
    expect(reply.statusCode).toBe(status);
    expect(reply.json()).toMatchObject({ status, ...body });
    expect(stage.accepted).toEqual([]);
  });

  it.each([
    ['linkedin.timeErrorNamesIndex', anEvent({ conversionHappenedAt: 1 })],
    ['linkedin.identifierErrorNamesIndex', user({})],
  ] as const)('%s puts the indices into the message', async (name, bad) => {
    stage.switches.set(name, true);
    const reply = await batch(stage, [anEvent(), bad, bad]);
    expect(reply.json<Json>()['message']).toMatch(/, indices \[1, 2\] \(0-indexed\)$/);
  });
});

describe('poison', () => {
  const events = [anEvent({ eventId: 'good' }), anEvent({ eventId: 'bad' }), anEvent({ eventId: 'worse' })];

  it('names the index', async () => {
    stage.poison.set('bad', {}).set('worse', { code: 'SOME_CODE' });
    const reply = await batch(stage, events);
    expect(reply.statusCode).toBe(422);
    expect(reply.json<Json>()['message']).toBe(
      'Index: 1, ERROR :: /user :: INVALID_USER_IDENTIFICATION_FIELD_VALUE: the user identification is not valid\nIndex: 2, ERROR :: /user :: SOME_CODE: the user identification is not valid\n',
    );
    expect(stage.accepted).toEqual([]);
  });

  it('can keep the index to itself', async () => {
    stage.poison.set('bad', {});
    stage.switches.set('linkedin.poisonNamesIndex', false);
    const reply = await batch(stage, events);
    expect(reply.json()).toEqual({ message: 'Invalid conversion event', status: 400, code: 'INVALID_USER_IDENTIFICATION_FIELD_VALUE' });
  });
});

describe('mixed results', () => {
  it('answer per element and take the good ones', async () => {
    stage.switches.set('linkedin.mixedResults', true);
    stage.poison.set('poisoned', {});
    const reply = await batch(stage, [anEvent(), anEvent({ user: undefined }), anEvent({ eventId: 'poisoned' }), anEvent({ conversion: rule('99999') }), anEvent({ eventId: 'last' })]);
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({
      elements: [
        { status: 201 },
        { status: 422, error: { status: 422, message: `ERROR :: /user :: ${REQUIRED}\n` } },
        { status: 422, error: { status: 422 } },
        { status: 404, error: { status: 404 } },
        { status: 201 },
      ],
    });
    expect(stage.accepted[0]?.events.map((event) => event.eventId)).toEqual(['evt-1', 'last']);
  });

  it('do not exist for a single event', async () => {
    stage.switches.set('linkedin.mixedResults', true);
    expect((await post(stage, anEvent({ user: undefined }))).statusCode).toBe(422);
  });
});

describe('the fault partial', () => {
  const events = ['a', 'b', 'c'].map((eventId) => anEvent({ eventId }));

  it('takes the first half and says so', async () => {
    stage.fault.partial = true;
    const reply = await batch(stage, events);
    expect(reply.json<{ elements: { status: number }[] }>().elements.map((element) => element.status)).toEqual([201, 500, 500]);
    expect(stage.accepted[0]?.events.map((event) => event.eventId)).toEqual(['a']);
  });

  it('can answer with a list that is too short, and takes nothing of a single event', async () => {
    stage.fault.partial = true;
    stage.switches.set('linkedin.partialShape', 'short');
    expect((await batch(stage, events)).json()).toEqual({ elements: [{ status: 201 }] });
    expect((await post(stage, anEvent())).statusCode).toBe(500);
    expect(stage.accepted).toHaveLength(1);
  });
});

it('linkedin.quotaPerMinute answers 429 until the next minute, per token', async () => {
  stage.switches.set('linkedin.quotaPerMinute', 1).set('linkedin.retryAfterSeconds', 60);
  stage.tokens.set('other', 'valid');
  expect((await post(stage, anEvent())).statusCode).toBe(201);
  const refused = await post(stage, anEvent());
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('60');
  expect(refused.json()).toMatchObject({ serviceErrorCode: 101, status: 429, message: expect.stringContaining('MINUTE limit') });
  expect((await post(stage, anEvent(), { authorization: 'Bearer other' })).statusCode).toBe(201);
  stage.clock.nowMs += 60_000;
  expect((await post(stage, anEvent())).statusCode).toBe(201);
});

it('sends trace headers unless switched off', async () => {
  expect((await post(stage, anEvent())).headers).toMatchObject({ 'x-li-fabric': 'sandbox' });
  stage.switches.set('linkedin.traceHeaders', false);
  expect((await post(stage, anEvent())).headers).not.toHaveProperty('x-li-uuid');
});
