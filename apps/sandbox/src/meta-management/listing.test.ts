import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { buildSandbox } from '../build-sandbox.ts';
import { metaEmulator } from '../meta/index.ts';
import { SEED } from '../seed.ts';
import { metaManagementEmulator } from './index.ts';

let app: FastifyInstance;
beforeEach(() => {
  app = buildSandbox({ emulators: [metaEmulator(), metaManagementEmulator()], logLevel: 'silent' }).app;
});
afterEach(() => app.close());

const TOKEN: string = SEED.meta.accessToken;
const ACCOUNT = `act_${SEED.meta.adAccounts[0].accountId}`;
const BUSINESS = SEED.meta.businesses[0].id;
const FIELDS = 'id,account_id,name,adspixels{id,name,is_unavailable,last_fired_time}';

interface Page {
  readonly data: readonly Record<string, unknown>[];
  readonly paging?: { readonly cursors: { readonly before: string; readonly after: string }; readonly next?: string };
}

async function get(path: string, token = TOKEN) {
  const reply = await app.inject({ url: path.startsWith('/') ? path : `/meta/v25.0/${path}`, headers: token === '' ? {} : { authorization: `Bearer ${token}` } });
  return { status: reply.statusCode, headers: reply.headers, json: reply.json<Page & { readonly error: Record<string, unknown> }>() };
}

const switches = async (payload: object) => app.inject({ method: 'PUT', url: '/_control/switches', payload });
const idsOf = ({ data }: Page) => data.map(({ id }) => id);

async function allPages(path: string): Promise<unknown[]> {
  const ids: unknown[] = [];
  let after = '';
  for (;;) {
    const { json } = await get(`${path}${after === '' ? '' : `&after=${after}`}`);
    ids.push(...idsOf(json));
    if (json.paging?.next === undefined) return ids;
    after = json.paging.cursors.after;
  }
}

describe('ad accounts', () => {
  it('lists accounts with their pixels; one pixel stands under two, an account without any has no member for them', async () => {
    const { status, headers, json } = await get(`me/adaccounts?fields=${FIELDS}&limit=50`);
    expect(status).toBe(200);
    expect(headers['facebook-api-version']).toBe('v25.0');
    expect(json.data.map((account) => [account['name'], idsOf((account['adspixels'] as Page | undefined) ?? { data: [] })])).toEqual([
      ['Sandbox Shop', ['1000000000000001', '1000000000000002']],
      ['Sandbox Leads', ['1000000000000002', '1000000000000009']],
      ['Sandbox Empty', []],
    ]);
    expect(json.data[2]).toEqual({ id: 'act_5000000000000003', account_id: '5000000000000003', name: 'Sandbox Empty' });
    const pixels = (json.data[1]?.['adspixels'] as Page | undefined)?.data;
    expect(pixels).toMatchObject([{ is_unavailable: false, last_fired_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/) }, { is_unavailable: true }]);
    expect(json.paging).not.toHaveProperty('next');
    await switches({ 'meta.emptyEdge': 'list' });
    expect((await get(`me/adaccounts?fields=${FIELDS}`)).json.data[2]?.['adspixels']).toEqual({ data: [] });
  });

  it('answers the default fields when none are asked for', async () => {
    expect((await get('me/adaccounts')).json.data[0]).toEqual({ id: ACCOUNT, account_id: '5000000000000001' });
    expect((await get(`${ACCOUNT}/adspixels`)).json.data[0]).toEqual({ id: '1000000000000001' });
  });

  it('pages, by cursor and by its ready-made link, outside and inside', async () => {
    await switches({ 'meta.maxPageSize': 1 });
    expect(await allPages(`me/adaccounts?fields=${FIELDS}&limit=50`)).toEqual(SEED.meta.adAccounts.map(({ accountId }) => `act_${accountId}`));
    const { json } = await get(`me/adaccounts?fields=${FIELDS}`);
    const nested = json.data[0]?.['adspixels'] as Page;
    expect(idsOf(nested)).toEqual(['1000000000000001']);
    const next = new URL(nested.paging?.next ?? '');
    expect(next.searchParams.get('access_token')).toBe(TOKEN);
    const second = await get(`${next.pathname}${next.search}`, '');
    expect(second.json.data).toEqual([{ id: '1000000000000002', name: 'Sandbox pixel 2', is_unavailable: false, last_fired_time: expect.any(String) }]);
    expect(second.json.paging).not.toHaveProperty('next');
    await switches({ 'meta.nextCarriesToken': false });
    expect((await get('me/adaccounts')).json.paging?.next).not.toContain(TOKEN);
  });

  it('takes a limit inside the field list, and an empty page after the last cursor', async () => {
    const { json } = await get(`me/adaccounts?fields=${encodeURIComponent('id,adspixels.limit(1){id}')}`);
    expect(idsOf(json.data[0]?.['adspixels'] as Page)).toHaveLength(1);
    const last = (await get('me/adaccounts')).json.paging?.cursors.after;
    expect((await get(`me/adaccounts?after=${last}`)).json).toEqual({ data: [] });
  });
});

describe('one object', () => {
  it('lists the pixels of an account, sorted', async () => {
    expect(idsOf((await get(`${ACCOUNT}/adspixels?fields=id&sort_by=NAME`)).json)).toEqual(['1000000000000001', '1000000000000002']);
    expect(idsOf((await get(`act_5000000000000002/adspixels?sort_by=LAST_FIRED_TIME`)).json)).toEqual(['1000000000000002', '1000000000000009']);
  });

  it('lists a business: owned, shared, both', async () => {
    expect((await get('me/businesses')).json.data).toEqual(SEED.meta.businesses.map(({ id, name }) => ({ id, name })));
    expect(idsOf((await get(`${BUSINESS}/owned_pixels`)).json)).toEqual(SEED.meta.businesses[0].ownedPixels);
    expect(idsOf((await get(`${BUSINESS}/client_pixels`)).json)).toEqual(['1000000000000003']);
    expect(await allPages(`${BUSINESS}/adspixels?limit=1`)).toHaveLength(4);
    expect(idsOf((await get(`${BUSINESS}/adspixels?name_filter=PIXEL%203`)).json)).toEqual(['1000000000000003']);
    expect(idsOf((await get(`${BUSINESS}/adspixels?id_filter=1000000000000001`)).json)).toEqual(['1000000000000001']);
  });
});

describe('refusals', () => {
  it.each<[string, string, number, object]>([
    ['an unknown account', 'act_1/adspixels', 400, { code: 100, error_subcode: 33, type: 'GraphMethodException' }],
    ['an unknown business', '1/owned_pixels', 400, { code: 100, error_subcode: 33 }],
    ['an edge the account has not', `${ACCOUNT}/owned_pixels`, 400, { code: 100, error_subcode: 33 }],
    ['an alias', 'shop/adspixels', 404, { code: 803 }],
    ['an unknown field', 'me/adaccounts?fields=id,colour', 400, { code: 100, message: '(#100) Tried accessing nonexisting field (colour) on node type (AdAccount)' }],
    ['an unknown nested field', 'me/adaccounts?fields=adspixels{id,colour}', 400, { code: 100, message: '(#100) Tried accessing nonexisting field (colour) on node type (AdsPixel)' }],
    ['an open brace', 'me/adaccounts?fields=adspixels{id', 400, { code: 100 }],
    ['a foreign cursor', `me/adaccounts?after=${Buffer.from('x 1').toString('base64url')}`, 400, { code: 100 }],
    ['no limit at all', 'me/adaccounts?limit=0', 400, { code: 100 }],
    ['an unknown sort', `${ACCOUNT}/adspixels?sort_by=AGE`, 400, { code: 100 }],
    ['an old version', '/meta/v19.0/me/adaccounts', 400, { code: 2635 }],
    ['an edge nobody has', 'me/friends', 400, { code: 2500 }],
  ])('%s', async (_name, path, status, error) => {
    const reply = await get(path);
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatchObject(error);
  });

  it('asks the token first, and the permission for businesses apart', async () => {
    expect((await get('me/adaccounts', 'nobody')).json.error['code']).toBe(190);
    await switches({ 'meta.businessAccess': false });
    expect((await get('me/businesses')).json.error['code']).toBe(200);
    expect((await get(`${BUSINESS}/client_pixels`)).json.error['code']).toBe(200);
    expect((await get('me/adaccounts')).status).toBe(200);
    await app.inject({ method: 'PUT', url: '/_control/tokens', payload: { platform: 'meta', token: TOKEN, state: 'no_scope' } });
    expect((await get('me/adaccounts')).json.error['code']).toBe(200);
  });

  it('is read-only', async () => {
    const reply = await app.inject({ method: 'POST', url: `/meta/v25.0/${ACCOUNT}/adspixels`, headers: { authorization: `Bearer ${TOKEN}` } });
    expect(reply.json().error).toMatchObject({ code: 100, error_subcode: 33 });
  });

  it('meets faults by path and object', async () => {
    const rule = { platform: 'meta', times: 1, match: { destinationId: ACCOUNT }, fault: { kind: 'rate_limit', variant: '80004', regainMinutes: 3 } };
    await app.inject({ method: 'POST', url: '/_control/faults', payload: rule });
    expect((await get('me/adaccounts')).status).toBe(200);
    expect((await get(`${ACCOUNT}/adspixels`)).json.error['code']).toBe(80004);
    const { requests } = (await app.inject('/_control/requests?platform=meta&limit=1')).json<{ requests: object[] }>();
    expect(requests[0]).toMatchObject({ route: '/meta/:version/:objectId/adspixels', status: 400 });
  });
});
