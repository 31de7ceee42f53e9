import { beforeEach, describe, expect, it } from 'vitest';

import { SEED } from '../seed.ts';
import { ACCOUNT, anEvent, aStage, call, FOREIGN, NOW_MS, post, SECOND, VIEWER } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const aRule = (change: Json = {}): Json => ({ name: 'New', account: 'urn:li:sponsoredAccount:500000001', conversionMethod: 'CONVERSIONS_API', type: 'LEAD', ...change });
const create = async (change: Json = {}) => call(stage, 'POST', 'conversions', { body: aRule(change) });
const get = async (id: string, account = ACCOUNT) => call(stage, 'GET', `conversions/${id}?account=${account}`);
const find = async (more = '', account = ACCOUNT) => call(stage, 'GET', `conversions?q=account&account=${account}${more}`);
const patch = async (id: string, set: Json, headers: Record<string, string | undefined> = {}) =>
  call(stage, 'POST', `conversions/${id}?account=${ACCOUNT}`, { body: { patch: { $set: set } }, headers: { 'x-restli-method': 'PARTIAL_UPDATE', ...headers } });
const elementsOf = (json: Json) => json['elements'] as readonly Json[];

describe('create', () => {
  it('answers 201 with the id and the whole rule, defaults filled in', async () => {
    const { status, headers, json } = await create();
    expect(status).toBe(201);
    expect(headers).toMatchObject({ 'x-restli-id': '90000001', location: '/conversions/90000001' });
    expect(json).toEqual({
      id: 90000001,
      name: 'New',
      account: 'urn:li:sponsoredAccount:500000001',
      conversionMethod: 'CONVERSIONS_API',
      type: 'LEAD',
      enabled: true,
      attributionType: 'LAST_TOUCH_BY_CAMPAIGN',
      postClickAttributionWindowSize: 30,
      viewThroughAttributionWindowSize: 7,
      valueType: 'DYNAMIC',
      autoAssociationType: 'NONE',
      urlRules: [],
      campaigns: [],
      associatedCampaigns: [],
      created: NOW_MS,
      lastModified: NOW_MS,
    });
    stage.switches.set('linkedin.createAnswersBody', false);
    expect((await create()).text).toBe('');
  });

  it('makes another rule of the same body, and events know both', async () => {
    await create();
    const { headers } = await create();
    expect(headers['x-restli-id']).toBe('90000002');
    expect((await post(stage, anEvent({ conversion: 'urn:lla:llaPartnerConversion:90000002' }))).statusCode).toBe(201);
    expect((await post(stage, anEvent({ conversion: 'urn:lla:llaPartnerConversion:90000003' }))).statusCode).toBe(404);
    expect((await post(stage, anEvent({ conversion: `urn:lla:llaPartnerConversion:${SEED.linkedin.inactiveRules[0]}` }))).statusCode).toBe(201);
    stage.reset();
    expect((await get('90000002')).status).toBe(404);
  });

  it.each([
    ['ALL_CAMPAIGNS', ['700000001', '700000002', '700000003']],
    ['OBJECTIVE_BASED', ['700000001', '700000002']],
    ['NONE', []],
  ])('associates %s at once', async (autoAssociationType, campaigns) => {
    const { json } = await create({ autoAssociationType });
    expect(json['campaigns']).toEqual(campaigns.map((id) => `urn:li:sponsoredCampaign:${id}`));
    const associated = campaigns.map((id) => ({ campaign: `urn:li:sponsoredCampaign:${id}`, conversion: 'urn:lla:llaPartnerConversion:90000001', associatedAt: NOW_MS }));
    expect(json['associatedCampaigns']).toEqual(associated);
  });

  it.each<[string, Json]>([
    ['long windows for types that may', { type: 'PURCHASE', postClickAttributionWindowSize: 365, viewThroughAttributionWindowSize: 180 }],
    ['a fixed value', { valueType: 'FIXED', value: { currencyCode: 'EUR', amount: '10.0' } }],
    ['a type of 202608', { type: 'SALES_QUALIFIED_LEAD' }],
  ])('takes %s', async (_name, change) => {
    expect((await create(change)).json).toMatchObject(change);
  });

  it.each<[string, Json, number, string]>([
    ['no name and no type', { name: undefined, type: undefined }, 422, 'ERROR :: /name :: field is required but not found and has no default value\nERROR :: /type :: '],
    ['an unknown type', { type: 'CART' }, 422, 'ERROR :: /type :: "CART" is not an enum symbol'],
    ['an unknown value type', { valueType: 'SOME' }, 422, 'ERROR :: /valueType :: "SOME" is not an enum symbol'],
    ['an unknown field', { colour: 'red' }, 422, 'ERROR :: /colour :: unrecognized field found but not allowed'],
    ['a read-only field', { id: 5 }, 422, 'ERROR :: /id :: ReadOnly field present in a create request'],
    ['a window as text', { postClickAttributionWindowSize: '30' }, 422, 'ERROR :: /postClickAttributionWindowSize :: "30" cannot be coerced to Integer'],
    ['an amount as number', { valueType: 'FIXED', value: { currencyCode: 'EUR', amount: 10 } }, 422, 'ERROR :: /value/amount :: 10 cannot be coerced to BigDecimal'],
    ['a value without a currency', { value: { amount: '1' } }, 422, 'ERROR :: /value/currencyCode :: field is required'],
    ['a window between', { viewThroughAttributionWindowSize: 14 }, 400, 'viewThroughAttributionWindowSize 14 is not supported for conversion type LEAD'],
    ['a long window for another type', { type: 'SIGN_UP', postClickAttributionWindowSize: 365 }, 400, 'postClickAttributionWindowSize 365 is not supported for conversion type SIGN_UP'],
    ['a fixed value that is missing', { valueType: 'FIXED' }, 400, 'needs a value'],
    ['a bare account id', { account: '500000001' }, 400, 'Invalid Urn format'],
    ['an unknown account', { account: 'urn:li:sponsoredAccount:1' }, 404, 'does not exist'],
    ['a foreign account', { account: 'urn:li:sponsoredAccount:500000099' }, 403, 'Not enough permissions to access: conversions.CREATE'],
    ['an account to look at only', { account: 'urn:li:sponsoredAccount:500000003' }, 403, 'Not enough permissions'],
  ])('refuses %s', async (_name, change, status, message) => {
    const reply = await create(change);
    expect(reply.json['message']).toContain(message);
    expect(reply.status).toBe(status);
    expect(reply.json['status']).toBe(status);
  });

  it('knows the newest types from their version on only', async () => {
    expect((await call(stage, 'POST', 'conversions', { body: aRule({ type: 'SALES_QUALIFIED_LEAD' }), headers: { 'linkedin-version': '202607' } })).status).toBe(422);
  });
});

describe('get and find', () => {
  it('reads one rule beside its account', async () => {
    expect((await get('50001')).json).toMatchObject({ id: 50001, type: 'PURCHASE', enabled: true, campaigns: ['urn:li:sponsoredCampaign:700000001'] });
    expect((await get('50004')).json).toMatchObject({ enabled: false });
    expect((await get('50001', SECOND)).status).toBe(404);
    expect((await get('50021', VIEWER)).status).toBe(200);
    expect((await get('50001', FOREIGN)).status).toBe(403);
    expect((await call(stage, 'GET', 'conversions/50001')).json).toMatchObject({ status: 400, message: "Parameter 'account' is required" });
  });

  it('finds every rule of the account, of any method, with an unknown total', async () => {
    const { json } = await find('&start=0&count=100');
    expect(json['paging']).toEqual({ start: 0, count: 100, links: [], total: -1 });
    expect(elementsOf(json).map(({ id, conversionMethod, enabled }) => [id, conversionMethod, enabled])).toEqual([
      [50001, 'CONVERSIONS_API', true],
      [50002, 'CONVERSIONS_API', true],
      [50003, 'CONVERSIONS_API', true],
      [50004, 'CONVERSIONS_API', false],
      [50009, 'INSIGHT_TAG_URL_MATCH_RULES', true],
    ]);
    stage.switches.set('linkedin.unknownTotal', false);
    expect((await find()).json['paging']).toMatchObject({ total: 5 });
  });

  it('pages by start and count; a full page promises another one', async () => {
    const first = (await find('&count=5')).json;
    expect(first['paging']).toEqual({
      start: 0,
      count: 5,
      total: -1,
      links: [{ type: 'application/json', rel: 'next', href: `/rest/conversions?q=account&account=${ACCOUNT}&start=5&count=5` }],
    });
    expect(elementsOf((await find('&start=5&count=5')).json)).toEqual([]);
    stage.switches.set('linkedin.pageSizeClamp', 2);
    expect((await find('&count=100')).json).toMatchObject({ paging: { count: 2 }, elements: [{ id: 50001 }, { id: 50002 }] });
    expect((await find('&count=101')).status).toBe(400);
  });
});

describe('partial update', () => {
  it('answers 204 and nothing, and changes only what it names', async () => {
    stage.clock.nowMs += 1000;
    const { status, text } = await patch('50001', { enabled: false, postClickAttributionWindowSize: 365 });
    expect([status, text]).toEqual([204, '']);
    expect((await get('50001')).json).toMatchObject({ enabled: false, postClickAttributionWindowSize: 365, name: 'Sandbox purchase 50001', lastModified: NOW_MS + 1000 });
  });

  it('goes between the kinds of value', async () => {
    await patch('50001', { valueType: 'FIXED', value: { currencyCode: 'EUR', amount: '5' } });
    await patch('50001', { valueType: 'NO_VALUE' });
    expect((await get('50001')).json).not.toHaveProperty('value');
    expect((await patch('50001', { valueType: 'FIXED' })).status).toBe(400);
  });

  it.each<[string, Json, Record<string, string | undefined>, number]>([
    ['without its header', { enabled: false }, { 'x-restli-method': undefined }, 400],
    ['with another header', { enabled: false }, { 'x-restli-method': 'UPDATE' }, 400],
    ['of the type', { type: 'LEAD' }, {}, 400],
    ['of the account', { account: 'urn:li:sponsoredAccount:500000002' }, {}, 400],
    ['of the id', { id: 3 }, {}, 422],
    ['to an impossible window', { postClickAttributionWindowSize: 45 }, {}, 400],
  ])('is refused %s', async (_name, set, headers, status) => {
    expect((await patch('50001', set, headers)).status).toBe(status);
  });

  it('may pass over what cannot change', async () => {
    stage.switches.set('linkedin.immutableRuleFields', 'ignore');
    expect((await patch('50001', { type: 'LEAD', name: 'Other' })).status).toBe(204);
    expect((await get('50001')).json).toMatchObject({ type: 'PURCHASE', name: 'Other' });
  });

  it('needs a patch, and there is no delete', async () => {
    expect((await call(stage, 'POST', `conversions/50001?account=${ACCOUNT}`, { body: { enabled: false }, headers: { 'x-restli-method': 'PARTIAL_UPDATE' } })).status).toBe(400);
    expect((await call(stage, 'DELETE', `conversions/50001?account=${ACCOUNT}`)).status).toBe(405);
  });
});

describe('what every call is asked', () => {
  it.each<[string, Record<string, string | undefined>, number]>([
    ['no token', { authorization: undefined }, 401],
    ['an unknown token', { authorization: 'Bearer x' }, 401],
    ['a token without the scope', { authorization: `Bearer ${SEED.linkedin.accessTokenWithoutScope}` }, 403],
    ['no version', { 'linkedin-version': undefined }, 400],
    ['a sunset version', { 'linkedin-version': '202401' }, 426],
    ['no protocol version', { 'x-restli-protocol-version': undefined }, 400],
    ['a method that does not fit', { 'x-restli-method': 'GET' }, 400],
  ])('%s', async (_name, headers, status) => {
    expect((await call(stage, 'GET', `conversions?q=account&account=${ACCOUNT}`, { headers })).status).toBe(status);
  });

  it.each([
    ['raw colons in a URN', 'conversions?q=account&account=urn:li:sponsoredAccount:500000001', 400],
    ['an unknown parameter', `conversions?q=account&account=${ACCOUNT}&colour=red`, 400],
    ['another finder', `conversions?q=campaign&account=${ACCOUNT}`, 400],
    ['another kind of URN', 'conversions?q=account&account=urn%3Ali%3AsponsoredCampaign%3A1', 400],
    ['an unknown resource', 'conversionRules?q=account', 404],
    ['a very long address', `conversions?q=account&account=${ACCOUNT}&colour=${'x'.repeat(8200)}`, 414],
  ])('%s', async (_name, path, status) => {
    expect((await call(stage, 'GET', path)).status).toBe(status);
  });

  it('may be lenient with single values, and takes a long query as a form', async () => {
    stage.switches.set('linkedin.strictEncoding', false);
    expect((await call(stage, 'GET', 'conversions?q=account&account=urn:li:sponsoredAccount:500000001')).status).toBe(200);
    const headers = { 'x-http-method-override': 'GET', 'content-type': 'application/x-www-form-urlencoded' };
    const { json } = await call(stage, 'POST', 'conversions', { body: `q=account&account=${ACCOUNT}`, headers });
    expect(elementsOf(json)).toHaveLength(5);
  });

  it('notes the request under its template', async () => {
    await get('50001');
    expect(stage.requested.at(-1)).toMatchObject({ platform: 'linkedin', route: '/linkedin/rest/conversions/:id', status: 200 });
  });
});
