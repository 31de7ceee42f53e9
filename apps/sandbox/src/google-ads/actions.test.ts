import { beforeEach, describe, expect, it } from 'vitest';

import { ACTION_QUERY, aConversion, aStage, call, codesIn, create, CUSTOMER, failureIn, search } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

type Result = { readonly conversionAction: Json };
const resultsOf = (json: Json) => (json['results'] as readonly Result[] | undefined) ?? [];
const idOf = (json: Json) => String((json['results'] as readonly Json[])[0]?.['resourceName']).split('/').at(-1) ?? '';

describe('search', () => {
  it('answers exactly what was selected, ids as strings', async () => {
    const { json } = await search(stage);
    expect(resultsOf(json)).toHaveLength(14);
    expect(resultsOf(json)[0]).toEqual({
      conversionAction: {
        resourceName: 'customers/1234567890/conversionActions/111',
        id: '111',
        name: 'Sandbox purchase 111',
        type: 'UPLOAD_CLICKS',
        status: 'ENABLED',
        category: 'PURCHASE',
        primaryForGoal: true,
        countingType: 'MANY_PER_CLICK',
        ownerCustomer: 'customers/1234567890',
        valueSettings: { defaultValue: 1 },
      },
    });
    expect(json['fieldMask']).toContain('conversionAction.valueSettings.defaultValue');
    expect(json).not.toHaveProperty('nextPageToken');
    expect(resultsOf((await search(stage, 'SELECT conversion_action.name FROM conversion_action LIMIT 1')).json)[0]).toEqual({
      conversionAction: { resourceName: 'customers/1234567890/conversionActions/111', name: 'Sandbox purchase 111' },
    });
  });

  it.each([
    ["WHERE conversion_action.type = 'WEBPAGE'", 1],
    ['WHERE conversion_action.type IN (WEBPAGE, UPLOAD_CLICKS)', 13],
    ["WHERE conversion_action.status != 'REMOVED' AND conversion_action.name LIKE '%signup%'", 4],
    ["WHERE conversion_action.name = 'nobody'", 0],
  ])('filters: %s', async (where, count) => {
    expect(resultsOf((await search(stage, `SELECT conversion_action.id FROM conversion_action ${where} ORDER BY conversion_action.id DESC`)).json)).toHaveLength(count);
  });

  it('finds names that hold quotes and the query’s own words', async () => {
    const name = `Bob's "Search AND Rescue", FROM here`;
    await create(stage, { name });
    const query = `SELECT conversion_action.name FROM conversion_action WHERE conversion_action.name = 'Bob\\'s "Search AND Rescue", FROM here' AND conversion_action.type IN ('UPLOAD_CLICKS')`;
    expect(resultsOf((await search(stage, query)).json).map(({ conversionAction }) => conversionAction['name'])).toEqual([name]);
  });

  it('leaves an empty list out', async () => {
    const query = "SELECT conversion_action.id FROM conversion_action WHERE conversion_action.name = 'nobody'";
    expect((await search(stage, query)).json).toEqual({ fieldMask: 'conversionAction.id' });
    stage.switches.set('googleAds.emptyResults', 'list');
    expect((await search(stage, query)).json).toMatchObject({ results: [] });
  });

  it('pages by token', async () => {
    stage.switches.set('googleAds.pageSize', 5);
    const seen: unknown[] = [];
    let pageToken: unknown = '';
    do {
      const { json } = await search(stage, ACTION_QUERY, { pageToken });
      seen.push(...resultsOf(json).map(({ conversionAction }) => conversionAction['id']));
      pageToken = json['nextPageToken'];
    } while (pageToken !== undefined);
    expect(new Set(seen).size).toBe(14);
    expect(seen).toHaveLength(14);
    const token = String((await search(stage)).json['nextPageToken']);
    expect(codesIn((await search(stage, 'SELECT conversion_action.id FROM conversion_action', { pageToken: token })).json)).toEqual(['requestError.INVALID_PAGE_TOKEN']);
  });

  it.each<[string, string, Json, string]>([
    ['a page size', ACTION_QUERY, { pageSize: 100 }, 'requestError.PAGE_SIZE_NOT_SUPPORTED'],
    ['a broken page token', ACTION_QUERY, { pageToken: 'x' }, 'requestError.INVALID_PAGE_TOKEN'],
    ['an unknown field', 'SELECT conversion_action.colour FROM conversion_action', {}, 'queryError.UNRECOGNIZED_FIELD'],
    ['an unknown resource', 'SELECT campaign.id FROM campaign', {}, 'queryError.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE'],
    ['no query', '', {}, 'queryError.EXPECTED_SELECT'],
  ])('refuses %s', async (_name, query, more, code) => {
    const { status, json } = await search(stage, query, more);
    expect(status).toBe(400);
    expect(codesIn(json)).toEqual([code]);
  });

  it('refuses unknown members in the front end', async () => {
    const { status, json } = await search(stage, ACTION_QUERY, { cursor: 'x' });
    expect(status).toBe(400);
    expect(JSON.stringify(json)).toContain('Unknown name \\"cursor\\"');
  });

  it('shows a manager its clients', async () => {
    const query = 'SELECT customer_client.id, customer_client.level, customer_client.manager FROM customer_client WHERE customer_client.level <= 1';
    const { json } = await call(stage, 'v24/customers/1112223333/googleAds:search', { body: { query } });
    expect((json['results'] as readonly { customerClient: Json }[]).map(({ customerClient }) => customerClient['id'])).toEqual(['1112223333', '1234567890', '3456789012']);
  });
});

describe('mutate', () => {
  it('makes an action that search shows and the Data Manager takes', async () => {
    const made = await create(stage, { name: 'Leads', category: 'IMPORTED_LEAD', primaryForGoal: false });
    expect(made.status).toBe(200);
    expect(made.json).toEqual({ results: [{ resourceName: 'customers/1234567890/conversionActions/7000000001' }] });
    const found = resultsOf((await search(stage, `${ACTION_QUERY} AND conversion_action.name = 'Leads'`)).json);
    expect(found).toEqual([{ conversionAction: expect.objectContaining({ id: '7000000001', category: 'IMPORTED_LEAD', primaryForGoal: false }) }]);
    expect((await aConversion(stage, {}, { productDestinationId: '7000000001' })).statusCode).toBe(200);
    expect(stage.accepted.at(-1)?.events[0]?.destinationId).toBe('customers/1234567890/conversionActions/7000000001');
  });

  it('fills in Google’s own defaults, and answers mutable members when asked', async () => {
    const { json } = await create(stage, { name: 'Plain' }, { responseContentType: 'MUTABLE_RESOURCE' });
    expect((json['results'] as readonly Json[])[0]?.['conversionAction']).toMatchObject({ primaryForGoal: true, category: 'DEFAULT', countingType: 'MANY_PER_CLICK' });
    expect(JSON.stringify(json)).not.toContain('tagSnippets');
  });

  it('gives website actions their snippets, read back by search', async () => {
    const made = await create(stage, { name: 'Site', type: 'WEBPAGE', category: 'PURCHASE' });
    const found = resultsOf((await search(stage, `${ACTION_QUERY} AND conversion_action.id = ${idOf(made.json)}`)).json);
    expect(found[0]?.conversionAction['tagSnippets']).toEqual([
      { type: 'WEBPAGE', pageFormat: 'HTML', globalSiteTag: expect.stringContaining('gtag/js?id=AW-'), eventSnippet: expect.stringMatching(/send_to': 'AW-\d+\/.{19}'/) },
      expect.objectContaining({ pageFormat: 'AMP' }),
    ]);
  });

  it('keeps names apart, also within one request, until an action is removed', async () => {
    const first = await create(stage, { name: 'Leads' });
    const again = await create(stage, { name: 'Leads', category: 'PURCHASE' });
    expect(again.status).toBe(400);
    expect(codesIn(again.json)).toEqual(['conversionActionError.DUPLICATE_NAME']);
    expect(failureIn(again.json).errors[0]?.location?.fieldPathElements).toEqual([{ fieldName: 'operations', index: 0 }, { fieldName: 'create' }, { fieldName: 'name' }]);
    const mutate = async (operations: readonly Json[], more: Json = {}) => call(stage, `${CUSTOMER}/conversionActions:mutate`, { body: { operations, ...more } });
    const pair = [{ create: { name: 'Twin', type: 'WEBPAGE' } }, { create: { name: 'Twin', type: 'WEBPAGE' } }];
    expect(codesIn((await mutate(pair)).json)).toEqual(['conversionActionError.DUPLICATE_NAME']);
    const partly = await mutate(pair, { partialFailure: true });
    expect(partly.status).toBe(200);
    expect(partly.json['results']).toEqual([{ resourceName: expect.any(String) }, {}]);
    await mutate([{ remove: `customers/1234567890/conversionActions/${idOf(first.json)}` }]);
    expect((await create(stage, { name: 'Leads' })).status).toBe(200);
    expect((await create(stage, { name: 'LEADS' })).status).toBe(200);
    stage.switches.set('googleAds.namesIgnoreCase', true);
    expect(codesIn((await create(stage, { name: 'leads' })).json)).toEqual(['conversionActionError.DUPLICATE_NAME']);
  });

  it.each<[string, Json, string]>([
    ['no name', { name: '' }, 'fieldError.REQUIRED'],
    ['no type', { type: undefined }, 'fieldError.REQUIRED'],
    ['a type nobody can make', { type: 'SMART_CAMPAIGN_TRACKED_CALLS' }, 'conversionActionError.CREATION_NOT_SUPPORTED'],
    ['an output-only member', { id: '5' }, 'fieldError.VALUE_MUST_BE_UNSET'],
    ['a window too long', { clickThroughLookbackWindowDays: '91' }, 'rangeError.TOO_HIGH'],
  ])('refuses %s', async (_name, action, code) => {
    const { status, json } = await create(stage, action);
    expect(status).toBe(400);
    expect(codesIn(json)).toEqual([code]);
  });

  it('refuses unknown categories in the front end, makes nothing when only validating, forgets on reset', async () => {
    expect(JSON.stringify((await create(stage, { category: 'LEAD' })).json)).toContain('ConversionActionCategory');
    expect((await create(stage, {}, { validateOnly: true })).json).toEqual({});
    await create(stage, {});
    expect(resultsOf((await search(stage)).json)).toHaveLength(15);
    stage.reset();
    expect(resultsOf((await search(stage)).json)).toHaveLength(14);
  });
});
