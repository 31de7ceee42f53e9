import { beforeEach, describe, expect, it } from 'vitest';

import { SEED } from '../seed.ts';
import { ACTION_QUERY, aStage, call, codesIn, CUSTOMER, failureIn, search } from './testkit.ts';
import type { Headers, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const searching = async (customerId: string, headers: Headers = {}) => call(stage, `v24/customers/${customerId}/googleAds:search`, { body: { query: ACTION_QUERY }, headers });

describe('listAccessibleCustomers', () => {
  it('lists what the user reaches directly, closed ones too, whatever the login header says', async () => {
    const { status, json, headers } = await call(stage, 'v26/customers:listAccessibleCustomers', { headers: { 'login-customer-id': 'nonsense' } });
    expect(status).toBe(200);
    expect(json).toEqual({ resourceNames: ['customers/1112223333', 'customers/1234567890', 'customers/2345678901', 'customers/4567890123'] });
    expect(headers['request-id']).toEqual(expect.any(String));
    stage.switches.set('googleAds.listClosedCustomers', false);
    expect((await call(stage, 'v26/customers:listAccessibleCustomers')).json['resourceNames']).toHaveLength(3);
  });

  it('notes the request under its template', async () => {
    await call(stage, 'v26/customers:listAccessibleCustomers');
    await search(stage);
    expect(stage.requested.slice(-3).map(({ route }) => route)).toEqual([
      '/google/ads/:version/customers:listAccessibleCustomers',
      '/google/oauth/token',
      '/google/ads/:version/customers/:customerId/googleAds:search',
    ]);
  });
});

describe('credentials', () => {
  const cases: readonly (readonly [string, Headers, Readonly<Record<string, string | boolean>>, number, string])[] = [
    ['an unknown token', { authorization: 'Bearer nobody' }, {}, 401, 'authenticationError.OAUTH_TOKEN_INVALID'],
    ['no developer token', { 'developer-token': undefined }, {}, 400, 'requestError.DEVELOPER_TOKEN_PARAMETER_MISSING'],
    ['another developer token', { 'developer-token': 'x' }, {}, 401, 'authenticationError.DEVELOPER_TOKEN_INVALID'],
    ['a test-only developer token', {}, { 'googleAds.developerToken': 'not_approved' }, 403, 'authorizationError.DEVELOPER_TOKEN_NOT_APPROVED'],
    ['a prohibited developer token', {}, { 'googleAds.developerToken': 'prohibited' }, 403, 'authorizationError.DEVELOPER_TOKEN_PROHIBITED'],
    ['no Ads account', {}, { 'googleAds.notAdsUser': true }, 401, 'authenticationError.NOT_ADS_USER'],
    ['a login id with hyphens', { 'login-customer-id': '111-222-3333' }, {}, 400, 'requestError.INVALID_CUSTOMER_ID'],
    ['a login that manages others', { 'login-customer-id': '2345678901' }, {}, 403, 'authorizationError.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION'],
    ['a login without access', { 'login-customer-id': '9999999999' }, {}, 403, 'authorizationError.USER_PERMISSION_DENIED'],
  ];
  it.each(cases)('%s', async (_name, headers, switches, status, code) => {
    for (const [name, value] of Object.entries(switches)) stage.switches.set(name, value);
    const reply = await searching(SEED.google.customerId, headers);
    expect(codesIn(reply.json)).toEqual([code]);
    expect(reply.status).toBe(status);
    expect(reply.headers['request-id']).toBe(failureIn(reply.json).requestId);
  });

  it.each([
    ['expired', 'OAUTH_TOKEN_EXPIRED'],
    ['revoked', 'OAUTH_TOKEN_REVOKED'],
  ] as const)('a token that is %s', async (state, code) => {
    stage.tokens.set('ya29.mine', state);
    // A revoked token must have been issued: one that never was is plainly invalid.
    const reply = await searching(SEED.google.customerId, { authorization: 'Bearer ya29.mine' });
    expect(codesIn(reply.json)).toEqual([`authenticationError.${state === 'revoked' ? 'OAUTH_TOKEN_INVALID' : code}`]);
    stage.switches.set('googleAds.authErrorStyle', 'front_end');
    expect(codesIn((await searching(SEED.google.customerId, { authorization: 'Bearer ya29.mine' })).json)).toEqual([]);
  });

  it('needs its own scope, which a grant may lack', async () => {
    stage.tokens.set(SEED.google.refreshToken, 'no_scope'); // Data Manager only
    expect((await searching(SEED.google.customerId)).status).toBe(200);
    stage.switches.set('googleAds.grantHasScope', false);
    const { status, json } = await searching(SEED.google.customerId);
    expect(status).toBe(403);
    expect(JSON.stringify(json)).toContain('ACCESS_TOKEN_SCOPE_INSUFFICIENT');
  });
});

describe('customers and versions', () => {
  const cases: readonly (readonly [string, string, Headers, number, string])[] = [
    ['direct, without a manager', '1234567890', { 'login-customer-id': undefined }, 200, ''],
    ['a client through its manager', '3456789012', {}, 200, ''],
    ['a client without its manager', '3456789012', { 'login-customer-id': undefined }, 403, 'authorizationError.USER_PERMISSION_DENIED'],
    ['a closed customer', '4567890123', { 'login-customer-id': undefined }, 403, 'authorizationError.CUSTOMER_NOT_ENABLED'],
    ['an unknown customer', '9999999999', {}, 403, 'authorizationError.USER_PERMISSION_DENIED'],
    ['hyphens', '123-456-7890', {}, 400, 'requestError.INVALID_CUSTOMER_ID'],
  ];
  it.each(cases)('%s', async (_name, customerId, headers, status, code) => {
    const reply = await searching(customerId, headers);
    expect(reply.status).toBe(status);
    expect(codesIn(reply.json)).toEqual(code === '' ? [] : [code]);
  });

  it('knows its versions only', async () => {
    expect(codesIn((await call(stage, 'v19/customers:listAccessibleCustomers')).json)).toEqual(['requestError.UNSUPPORTED_VERSION']);
    expect((await call(stage, 'v99/customers:listAccessibleCustomers')).status).toBe(404);
    expect((await call(stage, `${CUSTOMER}/googleAds:fly`, { body: {} })).status).toBe(404);
    expect((await call(stage, `${CUSTOMER}/googleAds:search`)).status).toBe(404);
  });

  it('counts the day of the developer, each operation of a mutate', async () => {
    stage.switches.set('googleAds.operationsPerDay', 2);
    await search(stage);
    const operations = [{ create: { name: 'a', type: 'WEBPAGE' } }, { create: { name: 'b', type: 'WEBPAGE' } }];
    const { status, json } = await call(stage, `${CUSTOMER}/conversionActions:mutate`, { body: { operations } });
    expect(status).toBe(429);
    expect(failureIn(json).errors[0]?.details).toEqual({ quotaErrorDetails: { rateScope: 'DEVELOPER', rateName: expect.any(String), retryDelay: '32400s' } });
    stage.clock.nowMs += 86_400_000;
    expect((await search(stage)).status).toBe(200);
  });
});
