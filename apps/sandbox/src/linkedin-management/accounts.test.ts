import { beforeEach, describe, expect, it } from 'vitest';

import { SEED } from '../seed.ts';
import { aStage, call } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const elementsOf = (json: Json) => json['elements'] as readonly Json[];
const get = async (path: string, headers: Record<string, string> = {}) => call(stage, 'GET', path, { headers });

describe('accounts', () => {
  it('lists the member’s roles, also for a token without rw_conversions', async () => {
    const { status, json } = await get('adAccountUsers?q=authenticatedUser', { authorization: `Bearer ${SEED.linkedin.accessTokenWithoutScope}` });
    expect(status).toBe(200);
    expect(elementsOf(json).map(({ account, role }) => [account, role])).toEqual([
      ['urn:li:sponsoredAccount:500000001', 'ACCOUNT_MANAGER'],
      ['urn:li:sponsoredAccount:500000002', 'CAMPAIGN_MANAGER'],
      ['urn:li:sponsoredAccount:500000003', 'VIEWER'],
    ]);
  });

  it('searches accounts, by status', async () => {
    expect(elementsOf((await get('adAccounts?q=search')).json)[1]).toMatchObject({ id: 500000002, name: 'Sandbox Leads', currency: 'USD', status: 'ACTIVE' });
    expect(elementsOf((await get('adAccounts?q=search&search=(status:(values:List(CANCELED,DRAFT)))')).json)).toEqual([]);
  });

  it('needs r_ads', async () => {
    stage.switches.set('linkedin.grantedScopes', 'rw_conversions');
    expect((await get('adAccounts?q=search')).json).toMatchObject({ status: 403, message: 'Not enough permissions to access: adAccounts.FINDER' });
  });
});

describe('campaigns', () => {
  const path = 'adAccounts/500000001/adCampaigns?q=search';

  it('lists those of an account, by status', async () => {
    const { json } = await get(`${path}&search=(status:(values:List(ACTIVE,PAUSED,DRAFT)))`);
    expect(elementsOf(json).map(({ id, status }) => [id, status])).toEqual([
      [700000001, 'ACTIVE'],
      [700000002, 'PAUSED'],
      [700000003, 'DRAFT'],
    ]);
    expect(elementsOf((await get(path)).json)).toHaveLength(4);
  });

  it('pages by token', async () => {
    const first = (await get(`${path}&pageSize=3`)).json;
    const { nextPageToken } = first['metadata'] as { readonly nextPageToken: string };
    const second = (await get(`${path}&pageSize=3&pageToken=${nextPageToken}`)).json;
    expect([...elementsOf(first), ...elementsOf(second)]).toHaveLength(4);
    expect(second['metadata']).toEqual({});
    expect((await get(`${path}&pageToken=x`)).status).toBe(400);
    expect((await get(`${path}&start=0&count=2`)).json).toMatchObject({ code: 'QUERY_PARAM_NOT_ALLOWED' });
    expect((await get(`adAccounts/500000002/adCampaigns?q=search&pageToken=${nextPageToken}`)).status).toBe(400);
  });

  it('pages by start and count where the switch says so', async () => {
    stage.switches.set('linkedin.searchPaging', 'start');
    const { json } = await get(`${path}&start=0&count=3`);
    expect(json['paging']).toMatchObject({ total: 4, links: [{ rel: 'next', href: '/rest/adAccounts/500000001/adCampaigns?q=search&start=3&count=3' }] });
    expect((await get(`${path}&start=3&count=3`)).json).toMatchObject({ paging: { links: [] }, elements: [{ id: 700000004 }] });
  });

  it.each([
    ['a foreign account', 'adAccounts/500000099/adCampaigns?q=search', 403],
    ['an unknown account', 'adAccounts/1/adCampaigns?q=search', 404],
    ['a broken search', `${path}&search=(status:List(ACTIVE))`, 400],
    ['an unknown criterion', `${path}&search=(colour:(values:List(RED)))`, 400],
    ['no finder', 'adAccounts/500000001/adCampaigns', 404],
  ])('refuses %s', async (_name, address, status) => {
    expect((await get(address)).status).toBe(status);
  });
});
