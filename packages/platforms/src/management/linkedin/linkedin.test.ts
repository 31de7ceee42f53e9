import { describe, expect, it } from 'vitest';
import type { CreateDestinationInput, DestinationPatch, MetricsQuery } from '../management.ts';
import { NOW_MS, TOKEN, aReply, scripted, thrownBy, type Scripted } from '../scripted-call.test-kit.ts';
import { PAGE_SIZE, linkedinCallError } from './call.ts';
import { linkedinManagement as linkedin } from './destinations.ts';

const CREDENTIALS = { accessToken: TOKEN };
const ACCOUNT = 'urn%3Ali%3AsponsoredAccount%3A';
const rule = (id: number, extra: object = {}) => ({
  id,
  name: `Rule ${id}`,
  type: 'PURCHASE',
  account: 'urn:li:sponsoredAccount:5',
  conversionMethod: 'CONVERSIONS_API',
  enabled: true,
  ...extra,
});
const users = (...ids: readonly number[]): Scripted => ({ body: { elements: ids.map((id) => ({ account: `urn:li:sponsoredAccount:${id}`, user: 'urn:li:person:x', role: 'VIEWER' })) } });
const finder = (account: number, start = 0) => `GET /rest/conversions?q=account&account=${ACCOUNT}${account}&start=${start}&count=${PAGE_SIZE}`;
const elements = (...rules: readonly object[]): Scripted => ({ body: { paging: { total: -1 }, elements: rules } });
const refused = (status: number, code: string, message = 'no'): Scripted => ({ status, body: { status, code, message } });

type Answer = (body: unknown) => Scripted | Error;
function script(answers: Readonly<Record<string, Scripted | Error | Answer>>) {
  return scripted(CREDENTIALS, (line, body) => {
    const answer = answers[line];
    if (answer === undefined) throw new Error(`unexpected ${line}`);
    return typeof answer === 'function' ? answer(body) : answer;
  });
}

describe('LinkedIn: list of destinations', () => {
  it('reads the active Conversions API rules of every ad account, page by page', async () => {
    const page = Array.from({ length: PAGE_SIZE }, (_, index) => rule(index + 1));
    const { ctx, seen } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': users(10, 5, 5),
      [finder(5)]: elements(...page),
      [finder(5, PAGE_SIZE)]: elements(rule(500, { type: 'LEAD' }), rule(501, { enabled: false }), rule(502, { conversionMethod: 'INSIGHT_TAG_URL_MATCH_RULES' }), { name: 'no id' }),
      [finder(10)]: elements(rule(7, { account: 'urn:li:sponsoredAccount:10', name: 'Ten' })),
    });
    const { destinations, warnings } = await linkedin.listDestinations(ctx);
    expect(destinations).toHaveLength(PAGE_SIZE + 2);
    expect(destinations.slice(-2)).toEqual([
      { id: '500', name: 'Rule 500', type: 'LEAD', status: 'active', adAccountId: '5' },
      { id: '7', name: 'Ten', type: 'PURCHASE', status: 'active', adAccountId: '10' },
    ]);
    expect(warnings).toEqual([]);
    expect(seen[0]).toMatchObject({
      headers: { authorization: `Bearer ${TOKEN}`, 'linkedin-version': '202609', 'x-restli-protocol-version': '2.0.0', 'content-type': 'application/json' },
      body: undefined,
      repeatable: true,
    });
  });

  it('goes on when LinkedIn gives smaller pages than were asked for', async () => {
    const clamped = (start: number, ...ids: readonly number[]): Scripted => ({ body: { paging: { start, count: 2, total: -1 }, elements: ids.map((id) => rule(id)) } });
    const { ctx } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': users(5),
      [finder(5)]: clamped(0, 1, 2),
      [finder(5, 2)]: clamped(2, 3, 4),
      [finder(5, 4)]: clamped(4, 5),
    });
    expect((await linkedin.listDestinations(ctx)).destinations.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
  });

  it.each<[string, object, string]>([
    ['a page token', { metadata: { nextPageToken: 'T/1' } }, 'pageToken=T%2F1'],
    ['a link', { paging: { start: 0, count: 10, links: [{ rel: 'next', href: 'https://evil.test/rest/adAccountUsers?q=authenticatedUser&start=10&count=10' }] } }, 'start=10&count=10'],
  ])('follows %s of the ad accounts', async (_, paging, next) => {
    const first = users(5);
    const { ctx, lines } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': { body: { ...(first.body as object), ...paging } },
      [`GET /rest/adAccountUsers?q=authenticatedUser&${next}`]: users(10),
      [finder(5)]: elements(rule(1)),
      [finder(10)]: elements(),
    });
    expect((await linkedin.listDestinations(ctx)).destinations).toHaveLength(1);
    expect(lines()).toHaveLength(4);
  });

  const paged = (ids: readonly number[], paging: object): Scripted => ({ body: { ...(users(...ids).body as object), paging } });
  it.each<[string, readonly (readonly [string, Scripted])[]]>([
    ['up to the total', [['', paged([5, 10], { start: 0, count: 2, total: 3 })], ['&start=2&count=2', paged([15], { start: 2, count: 2, total: 3 })]]],
    ['up to the total, by what came', [['', paged([5], { start: 0, count: 2, total: 3 })], ['&start=1&count=2', paged([10, 15], { start: 1, count: 2, total: 3 })]]],
    ['to a short page where the total is not known', [['', paged([5, 10], { start: 0, count: 2, total: -1 })], ['&start=2&count=2', paged([15], { start: 2, count: 2, total: -1 })]]],
    ['to an empty page', [['', paged([5, 10, 15], { start: 0, count: 3 })], ['&start=3&count=3', paged([], { start: 3, count: 3 })]]],
    ['once where the answer is for another page', [['', paged([5, 10], { start: 0, count: 2 })], ['&start=2&count=2', paged([5, 10, 15], { start: 0, count: 2 })]]],
    ['once where all are there', [['', paged([5, 10, 15], { start: 0, count: 10, total: 3, links: [] })]]],
    ['once where nothing is said of pages', [['', users(5, 10, 15)]]],
  ])('reads the ad accounts %s', async (_, pages) => {
    const { ctx, lines } = script({
      ...Object.fromEntries(pages.map(([query, reply]) => [`GET /rest/adAccountUsers?q=authenticatedUser${query}`, reply])),
      ...Object.fromEntries([5, 10, 15].map((id) => [finder(id), elements(rule(id))])),
    });
    expect((await linkedin.listDestinations(ctx)).destinations.map(({ id }) => id)).toEqual(['5', '10', '15']);
    expect(lines()).toHaveLength(pages.length + 3);
  });

  it('leaves out an account that it may not read', async () => {
    const { ctx } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': users(5, 10),
      [finder(5)]: refused(403, 'ACCESS_DENIED'),
      [finder(10)]: elements(rule(1)),
    });
    expect(await linkedin.listDestinations(ctx)).toMatchObject({ destinations: [{ id: '1' }], warnings: ['ad account 5 was left out: ACCESS_DENIED'] });
  });

  it('answers with the refusal where it may read none', async () => {
    const { ctx } = script({ 'GET /rest/adAccountUsers?q=authenticatedUser': users(5), [finder(5)]: refused(403, 'ACCESS_DENIED') });
    expect(await thrownBy(() => linkedin.listDestinations(ctx))).toMatchObject({ kind: 'permission' });
  });
});

describe('LinkedIn: create a destination', () => {
  const create = (input: Partial<CreateDestinationInput> = {}, reply: Scripted | Error = { status: 201, body: rule(9), headers: { 'x-restli-id': '9' } }) => {
    const made = script({ 'POST /rest/conversions': reply });
    return { ...made, run: () => linkedin.createDestination!(made.ctx, { adAccountId: '5', name: ' Shop ', type: 'Purchase', ...input }) };
  };

  it('says the defaults aloud and is never repeatable', async () => {
    const made = create({ adAccountId: 'urn:li:sponsoredAccount:5' });
    expect(await made.run()).toEqual({ destination: { id: '9', name: 'Rule 9', type: 'PURCHASE', status: 'active', adAccountId: '5' }, created: true });
    expect(JSON.parse(made.seen[0]?.body ?? '')).toEqual({
      name: 'Shop',
      account: 'urn:li:sponsoredAccount:5',
      conversionMethod: 'CONVERSIONS_API',
      type: 'PURCHASE',
      enabled: true,
      attributionType: 'LAST_TOUCH_BY_CAMPAIGN',
      postClickAttributionWindowSize: 30,
      viewThroughAttributionWindowSize: 7,
      valueType: 'DYNAMIC',
      autoAssociationType: 'ALL_CAMPAIGNS',
    });
    expect(made.seen.map(({ repeatable }) => repeatable)).toEqual([false]);
  });

  it('passes what is given', async () => {
    const made = create({
      type: 'QUALIFIED_LEAD',
      attributionType: 'LAST_TOUCH_BY_CONVERSION',
      postClickAttributionWindowSize: 365,
      viewThroughAttributionWindowSize: 1,
      valueType: 'FIXED',
      value: { currencyCode: 'usd', amount: '49.99' },
      autoAssociationType: 'NONE',
    });
    await made.run();
    expect(JSON.parse(made.seen[0]?.body ?? '')).toMatchObject({
      type: 'QUALIFIED_LEAD',
      attributionType: 'LAST_TOUCH_BY_CONVERSION',
      postClickAttributionWindowSize: 365,
      viewThroughAttributionWindowSize: 1,
      valueType: 'FIXED',
      value: { currencyCode: 'USD', amount: '49.99' },
      autoAssociationType: 'NONE',
    });
  });

  it.each([
    ['Lead', 'LEAD'],
    ['AddToCart', 'ADD_TO_CART'],
    ['SubmitApplication', 'SUBMIT_APPLICATION'],
    ['DOWNLOAD', 'DOWNLOAD'],
    ['SOMETHING_NEW', 'SOMETHING_NEW'],
    ['toString', 'toString'],
  ])('type %s is %s', async (type, sent) => {
    const made = create({ type });
    await made.run();
    expect(JSON.parse(made.seen[0]?.body ?? '')).toMatchObject({ type: sent });
  });

  it.each<[string, Scripted]>([
    ['x-restli-id', { status: 201, headers: { 'x-restli-id': '9' } }],
    ['location', { status: 201, headers: { location: '/rest/conversions/9?account=urn%3Ali%3AsponsoredAccount%3A5' } }],
    ['body', { status: 201, body: { id: 9 } }],
  ])('finds the id in %s', async (_, reply) => {
    expect(await create({}, reply).run()).toMatchObject({ destination: { id: '9', name: 'Shop', type: 'PURCHASE', status: 'active', adAccountId: '5' } });
  });

  it('does not invent an id', async () => {
    expect(await thrownBy(create({}, { status: 201 }).run)).toMatchObject({ kind: 'unavailable', code: 'unreadable_reply' });
  });

  it('asks once, also after an unclear end', async () => {
    for (const reply of [new Error('reset'), refused(503, 'BUSY')]) {
      const made = create({}, reply);
      await thrownBy(made.run);
      expect(made.seen).toHaveLength(1);
    }
  });

  it.each([1, 7, 30, 90, 365])('takes a window of %i days', async (days) => {
    const made = create({ postClickAttributionWindowSize: days, viewThroughAttributionWindowSize: days });
    await made.run();
    expect(JSON.parse(made.seen[0]?.body ?? '')).toMatchObject({ postClickAttributionWindowSize: days, viewThroughAttributionWindowSize: days });
  });

  it.each(['Lead', 'LEAD', 'Purchase', 'ADD_TO_CART', 'QUALIFIED_LEAD', 'SUBMIT_APPLICATION'])('365 days go with %s', async (type) => {
    expect(await create({ type, postClickAttributionWindowSize: 365 }).run()).toMatchObject({ created: true });
  });

  it.each<[Partial<CreateDestinationInput>, string]>([
    [{ type: 'SIGN_UP', postClickAttributionWindowSize: 365 }, 'postClickAttributionWindowSize'],
    [{ type: 'Schedule', viewThroughAttributionWindowSize: 365 }, 'viewThroughAttributionWindowSize'],
    [{ postClickAttributionWindowSize: 180 }, 'postClickAttributionWindowSize'],
    [{ viewThroughAttributionWindowSize: 0 }, 'viewThroughAttributionWindowSize'],
    [{ attributionType: 'FIRST' }, 'attributionType'],
    [{ valueType: 'SOME' }, 'valueType'],
    [{ valueType: 'FIXED' }, 'value'],
    [{ value: { amount: '1' } }, 'value.currencyCode'],
    [{ value: { currencyCode: 'EURO', amount: '1' } }, 'value.currencyCode'],
    [{ value: { currencyCode: 'EUR' } }, 'value.amount'],
    [{ value: { currencyCode: 'EUR', amount: '1e3' } }, 'value.amount'],
    [{ value: { currencyCode: 'EUR', amount: '-1' } }, 'value.amount'],
    [{ autoAssociationType: 'SOME' }, 'autoAssociationType'],
    [{ name: '' }, 'name'],
    [{ type: ' ' }, 'type'],
    [{ adAccountId: 'urn:li:organization:5' }, 'adAccountId'],
  ])('refuses %j here', async (input, param) => {
    const made = create(input);
    expect(await thrownBy(made.run)).toMatchObject({ name: 'LocalRuleError', param, code: 'invalid_request' });
    expect(made.seen).toEqual([]);
  });
});

const GET_RULE = `GET /rest/conversions/9?account=${ACCOUNT}5`;
const POST_RULE = `POST /rest/conversions/9?account=${ACCOUNT}5`;
const REF = { destinationId: '9', adAccountId: '5' };

describe('LinkedIn: one destination', () => {
  it('serves an inactive one', async () => {
    const { ctx } = script({ [GET_RULE]: { body: rule(9, { enabled: false }) } });
    expect(await linkedin.getDestination!(ctx, { destinationId: 'urn:lla:llaPartnerConversion:9', adAccountId: 'urn:li:sponsoredAccount:5' })).toEqual({
      id: '9',
      name: 'Rule 9',
      type: 'PURCHASE',
      status: 'inactive',
      adAccountId: '5',
    });
  });

  it('looks for its ad account where none is given', async () => {
    const { ctx } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': users(3, 4, 5),
      [finder(3)]: refused(403, 'ACCESS_DENIED'),
      [finder(4)]: elements(rule(90)),
      [finder(5)]: elements(rule(9)),
    });
    expect(await linkedin.getDestination!(ctx, { destinationId: '9' })).toMatchObject({ id: '9', adAccountId: '5' });
  });

  it.each<[string, Readonly<Record<string, Scripted>>, string | undefined]>([
    ['of no account', { 'GET /rest/adAccountUsers?q=authenticatedUser': users(5), [finder(5)]: elements() }, undefined],
    ['of the Insight Tag', { [GET_RULE]: { body: rule(9, { conversionMethod: 'INSIGHT_TAG_URL_MATCH_RULES' }) } }, '5'],
    ['unknown', { [GET_RULE]: refused(404, 'NOT_FOUND') }, '5'],
  ])('does not find one %s', async (_, answers, adAccountId) => {
    expect(await thrownBy(() => linkedin.getDestination!(script(answers).ctx, { destinationId: '9', adAccountId }))).toMatchObject({ kind: 'not_found' });
  });

  it('refuses what is no rule id', async () => {
    expect(await thrownBy(() => linkedin.getDestination!(script({}).ctx, { destinationId: '../x', adAccountId: '5' }))).toMatchObject({ param: 'destinationId', code: 'invalid_destination' });
  });

  const update = (patch: DestinationPatch, extra: object = {}) => {
    const made = script({ [POST_RULE]: { status: 204 }, [GET_RULE]: { body: rule(9, extra) } });
    return { ...made, run: () => linkedin.updateDestination!(made.ctx, REF, patch) };
  };

  it('changes what may be changed and answers with what it is then', async () => {
    const made = update({ name: ' New ', enabled: false, attributionType: 'LAST_TOUCH_BY_CONVERSION', postClickAttributionWindowSize: 7, viewThroughAttributionWindowSize: 1, valueType: 'FIXED', value: { currencyCode: 'EUR', amount: '5' } }, { enabled: false, name: 'New' });
    expect(await made.run()).toEqual({ id: '9', name: 'New', type: 'PURCHASE', status: 'inactive', adAccountId: '5' });
    expect(made.lines()).toEqual([POST_RULE, GET_RULE]);
    expect(made.seen[0]).toMatchObject({ headers: { 'x-restli-method': 'PARTIAL_UPDATE' }, repeatable: true });
    expect(JSON.parse(made.seen[0]?.body ?? '')).toEqual({
      patch: {
        $set: {
          name: 'New',
          enabled: false,
          attributionType: 'LAST_TOUCH_BY_CONVERSION',
          postClickAttributionWindowSize: 7,
          viewThroughAttributionWindowSize: 1,
          valueType: 'FIXED',
          value: { currencyCode: 'EUR', amount: '5' },
        },
      },
    });
  });

  it('asks for the type before a window of a year', async () => {
    const made = update({ postClickAttributionWindowSize: 365 });
    await made.run();
    expect(made.lines()).toEqual([GET_RULE, POST_RULE, GET_RULE]);
    const refusedHere = update({ viewThroughAttributionWindowSize: 365 }, { type: 'DOWNLOAD' });
    expect(await thrownBy(refusedHere.run)).toMatchObject({ param: 'viewThroughAttributionWindowSize' });
    expect(refusedHere.lines()).toEqual([GET_RULE]);
  });

  it.each<[DestinationPatch & Readonly<Record<string, unknown>>, string]>([
    [{}, 'name'],
    [{ account: 'urn:li:sponsoredAccount:6' }, 'name'],
    [{ name: 'x', type: 'LEAD' }, 'type'],
    [{ name: '' }, 'name'],
    [{ postClickAttributionWindowSize: 2 }, 'postClickAttributionWindowSize'],
    [{ value: {} }, 'value.currencyCode'],
  ])('refuses the patch %j here', async (patch, param) => {
    const made = update(patch);
    expect(await thrownBy(made.run)).toMatchObject({ name: 'LocalRuleError', param });
    expect(made.seen).toEqual([]);
  });

  it('deletes by switching off', async () => {
    const { ctx, seen } = script({ [POST_RULE]: { status: 204 } });
    expect(await linkedin.deleteDestination!(ctx, REF)).toBeUndefined();
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ patch: { $set: { enabled: false } } });
  });

  it('deletes without an ad account given', async () => {
    const { ctx, lines } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': users(5),
      [finder(5)]: elements(rule(9)),
      [POST_RULE]: { status: 204 },
    });
    await linkedin.deleteDestination!(ctx, { destinationId: '9' });
    expect(lines().at(-1)).toBe(POST_RULE);
  });
});

const key = (campaign: number | string) => `(campaign:urn%3Ali%3AsponsoredCampaign%3A${campaign},conversion:urn%3Alla%3AllaPartnerConversion%3A9)`;
const idsQuery = (...campaigns: readonly (number | string)[]) => `/rest/campaignConversions?ids=List(${campaigns.map(key).join(',')})`;

describe('LinkedIn: associations', () => {
  it('lists those of the rule with their times', async () => {
    const { ctx } = script({
      [GET_RULE]: { body: rule(9, { campaigns: ['urn:li:sponsoredCampaign:20', 'urn:li:sponsoredCampaign:3'], associatedCampaigns: [{ campaign: 'urn:li:sponsoredCampaign:4' }, 'urn:li:sponsoredCampaign:20'] }) },
      [`GET ${idsQuery(3, 4, 20)}`]: {
        body: {
          results: { [key(20)]: { associatedAt: 1_700_000_000_000 }, '(campaign:urn:li:sponsoredCampaign:3,conversion:urn:lla:llaPartnerConversion:9)': {} },
          errors: { [key(4)]: { status: 404 } },
        },
      },
    });
    expect(await linkedin.listAssociations!(ctx, REF)).toEqual([
      { campaignId: '3', conversionId: '9' },
      { campaignId: '20', conversionId: '9', associatedAt: 1_700_000_000_000 },
    ]);
  });

  it('asks nothing more for a rule without campaigns', async () => {
    const { ctx, lines } = script({ [GET_RULE]: { body: rule(9) } });
    expect(await linkedin.listAssociations!(ctx, REF)).toEqual([]);
    expect(lines()).toHaveLength(1);
  });

  it('adds, each for itself', async () => {
    const { ctx, seen } = script({
      [`PUT ${idsQuery(1, 2, 3, 4, 5)}`]: {
        body: {
          results: { [key(1)]: { status: 204 }, [key(3)]: { status: 400, error: { message: 'odd jane@example.com' } } },
          errors: { [key(2)]: { status: 409, message: 'already' }, [key(4)]: { status: 404, message: 'Campaign not found' } },
        },
      },
    });
    expect(await linkedin.addAssociations!(ctx, REF, ['2', 'urn:li:sponsoredCampaign:1', '3', '4', '5', '1'])).toEqual({
      succeeded: ['1', '2'],
      failed: [
        { campaignId: '3', reason: 'odd ***' },
        { campaignId: '4', reason: 'Campaign not found' },
        { campaignId: '5', reason: 'LinkedIn said nothing about this campaign.' },
      ],
    });
    expect(seen[0]?.repeatable).toBe(true);
    expect(JSON.parse(seen[0]?.body ?? '').entities[key(1)]).toEqual({ campaign: 'urn:li:sponsoredCampaign:1', conversion: 'urn:lla:llaPartnerConversion:9' });
  });

  it('removes, and what was not there is a failure', async () => {
    const { ctx, seen } = script({
      [`DELETE ${idsQuery(1, 2)}`]: { body: { results: { [key(1)]: { status: 204 } }, errors: { [key(2)]: { status: 404 } } } },
    });
    expect(await linkedin.removeAssociations!(ctx, REF, ['1', '2'])).toEqual({ succeeded: ['1'], failed: [{ campaignId: '2', reason: 'LinkedIn answered with status 404.' }] });
    expect(seen[0]).toMatchObject({ method: 'DELETE', body: undefined });
  });

  const many = Array.from({ length: 30 }, (_, index) => String(index + 1));
  const done = (campaigns: readonly string[]): Scripted => ({ body: { results: Object.fromEntries(campaigns.map((id) => [key(id), { status: 204 }])) } });

  it('goes in chunks, and a refusal of a later one is that one’s', async () => {
    const { ctx } = script({ [`PUT ${idsQuery(...many.slice(0, 25))}`]: done(many.slice(0, 25)), [`PUT ${idsQuery(...many.slice(25))}`]: refused(429, '101', 'Resource level throttle') });
    const { succeeded, failed } = await linkedin.addAssociations!(ctx, REF, many);
    expect([succeeded.length, failed.length]).toEqual([25, 5]);
    expect(failed[0]).toMatchObject({ campaignId: '26', reason: expect.stringContaining('throttle') });
  });

  it('lets the refusal of the first chunk through', async () => {
    const { ctx } = script({ [`PUT ${idsQuery(1)}`]: refused(403, 'ACCESS_DENIED') });
    expect(await thrownBy(() => linkedin.addAssociations!(ctx, REF, ['1']))).toMatchObject({ kind: 'permission' });
  });

  it.each<[readonly string[], string]>([
    [[], 'campaignIds'],
    [['1', 'x'], 'campaignIds[1]'],
    [[''], 'campaignIds[0]'],
    [['urn:li:sponsoredAccount:1'], 'campaignIds[0]'],
    [Array.from({ length: 501 }, (_, index) => String(index)), 'campaignIds'],
  ])('refuses the campaigns %j here', async (campaignIds, param) => {
    const { ctx, seen } = script({});
    expect(await thrownBy(() => linkedin.addAssociations!(ctx, REF, campaignIds))).toMatchObject({ name: 'LocalRuleError', param });
    expect(await thrownBy(() => linkedin.removeAssociations!(ctx, REF, campaignIds))).toMatchObject({ name: 'LocalRuleError', param });
    expect(seen).toEqual([]);
  });
});

const METRICS = 'externalWebsiteConversions,externalWebsitePostClickConversions,externalWebsitePostViewConversions,conversionValueInLocalCurrency,qualifiedLeads,costInLocalCurrency';
const analytics = (granularity: string, range: string) =>
  `GET /rest/adAnalytics?q=analytics&pivot=CONVERSION&timeGranularity=${granularity}&dateRange=${range}&accounts=List(${ACCOUNT}5)&fields=dateRange,pivotValues,${METRICS}`;
const day = (number: number) => ({ year: 2026, month: 10, day: number });

describe('LinkedIn: metrics', () => {
  it('are rows of the one rule, numbers, sorted', async () => {
    const { ctx } = script({
      [analytics('DAILY', '(start:(year:2026,month:10,day:1),end:(year:2026,month:10,day:31))')]: elements(
        { pivotValues: ['urn:lla:llaPartnerConversion:9'], dateRange: { start: day(2), end: day(2) }, externalWebsiteConversions: 3, conversionValueInLocalCurrency: '149.97', costInLocalCurrency: '-', qualifiedLeads: null },
        { pivotValues: ['urn:li:llaPartnerConversion:9'], dateRange: { start: day(1), end: day(1) }, externalWebsitePostClickConversions: 1, unknownMetric: 5 },
        { pivotValues: ['urn:lla:llaPartnerConversion:90'], dateRange: { start: day(1), end: day(1) }, externalWebsiteConversions: 8 },
      ),
    });
    expect(await linkedin.getMetrics!(ctx, REF, { startDate: '2026-10-01', endDate: '2026-10-31', granularity: 'DAILY' })).toEqual({
      granularity: 'DAILY',
      rows: [
        { start: '2026-10-01', end: '2026-10-01', metrics: { externalWebsitePostClickConversions: 1 } },
        { start: '2026-10-02', end: '2026-10-02', metrics: { externalWebsiteConversions: 3, conversionValueInLocalCurrency: 149.97 } },
      ],
    });
  });

  it('are for all days until today unless said otherwise', async () => {
    const { ctx } = script({ [analytics('ALL', '(start:(year:2020,month:2,day:29),end:(year:2026,month:11,day:20))')]: elements({ pivotValues: ['9'], externalWebsiteConversions: 1 }) });
    expect(await linkedin.getMetrics!(ctx, REF, { startDate: '2020-02-29' })).toEqual({
      granularity: 'ALL',
      rows: [{ start: '2020-02-29', end: '2026-11-20', metrics: { externalWebsiteConversions: 1 } }],
    });
  });

  it('are looked up without an ad account given', async () => {
    const { ctx } = script({
      'GET /rest/adAccountUsers?q=authenticatedUser': users(5),
      [finder(5)]: elements(rule(9)),
      [analytics('ALL', '(start:(year:2026,month:11,day:1),end:(year:2026,month:11,day:20))')]: elements(),
    });
    expect(await linkedin.getMetrics!(ctx, { destinationId: '9' }, { startDate: '2026-11-01' })).toEqual({ granularity: 'ALL', rows: [] });
  });

  it.each<[MetricsQuery, string, RegExp]>([
    [{}, 'startDate', /is needed/],
    [{ startDate: ' ' }, 'startDate', /is needed/],
    [{ startDate: '2026-02-31' }, 'startDate', /calendar/],
    [{ startDate: '2026-13-01' }, 'startDate', /calendar/],
    [{ startDate: '1.10.2026' }, 'startDate', /YYYY-MM-DD/],
    [{ startDate: '2026-10-01T00:00:00Z' }, 'startDate', /YYYY-MM-DD/],
    [{ startDate: '2026-10-01', endDate: 'today' }, 'endDate', /YYYY-MM-DD/],
    [{ startDate: '2026-10-02', endDate: '2026-10-01' }, 'endDate', /before startDate/],
    [{ startDate: '2026-11-22' }, 'startDate', /future/],
    [{ startDate: '2026-10-01', granularity: 'HOURLY' }, 'granularity', /ALL, DAILY, MONTHLY, YEARLY/],
    [{ startDate: '2026-05-18', granularity: 'DAILY' }, 'startDate', /DAILY metrics for 6 months.*MONTHLY/],
    [{ startDate: '2024-11-18', granularity: 'MONTHLY' }, 'startDate', /MONTHLY metrics for 24 months.*ALL/],
    [{ startDate: '2024-11-18', granularity: 'YEARLY' }, 'startDate', /YEARLY metrics for 24 months/],
  ])('refuse %j here', async (query, param, words) => {
    const { ctx, seen } = script({});
    expect(await thrownBy(() => linkedin.getMetrics!(ctx, REF, query))).toMatchObject({ name: 'LocalRuleError', param, message: expect.stringMatching(words) });
    expect(seen).toEqual([]);
  });

  it.each([
    ['DAILY', '2026-05-20', '(start:(year:2026,month:5,day:20),end:(year:2026,month:11,day:20))'],
    ['MONTHLY', '2024-11-20', '(start:(year:2024,month:11,day:20),end:(year:2026,month:11,day:20))'],
    ['YEARLY', '2024-11-19', '(start:(year:2024,month:11,day:19),end:(year:2026,month:11,day:20))'],
  ])('%s go back to %s', async (granularity, startDate, range) => {
    const { ctx } = script({ [analytics(granularity, range)]: elements() });
    expect(await linkedin.getMetrics!(ctx, REF, { startDate, granularity })).toEqual({ granularity, rows: [] });
  });
});

describe('LinkedIn: refusals', () => {
  const untilMidnight = 86_400 - (NOW_MS / 1000) % 86_400;
  it.each<[string, Scripted, object]>([
    ['invalid token', { status: 401, body: { status: 401, serviceErrorCode: 65600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' } }, { kind: 'unauthorised', code: 'INVALID_ACCESS_TOKEN', refreshable: true, message: expect.stringContaining('Reconnect the account') }],
    ['revoked token', { status: 401, body: { status: 401, serviceErrorCode: 65601, message: 'The token used in the request has been revoked by the user' } }, { kind: 'unauthorised', code: '65601' }],
    ['401 alone', { status: 401 }, { kind: 'unauthorised', code: 'unreadable_reply' }],
    ['no permission', refused(403, 'ACCESS_DENIED', 'Not enough permissions to access: conversions.CREATE'), { kind: 'permission', message: expect.stringContaining('reconnect') }],
    ['service error 100', { status: 400, body: { status: 400, serviceErrorCode: 100, message: 'x' } }, { kind: 'permission', code: '100' }],
    ['403 of a proxy', { status: 403, body: '<html>' }, { kind: 'unavailable', platformError: '<html>' }],
    ['unknown rule', refused(404, 'NOT_FOUND'), { kind: 'not_found' }],
    ['404 of a proxy', { status: 404, body: '<html>' }, { kind: 'unavailable' }],
    ['conflict', refused(409, 'CONFLICT'), { kind: 'conflict' }],
    ['version gone', refused(426, 'NONEXISTENT_VERSION'), { kind: 'config', message: expect.stringContaining('operator') }],
    ['version missing', refused(400, 'VERSION_MISSING'), { kind: 'config' }],
    ['version missing, in words', { status: 400, body: { status: 400, message: 'A LinkedIn-Version header is needed' } }, { kind: 'config', code: 'http_400' }],
    ['limit of a day', { status: 429, body: { serviceErrorCode: 101, message: 'Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached', status: 429 } }, { kind: 'rate_limited', code: '101', retryAfterSeconds: untilMidnight, quotaExhausted: undefined }],
    ['limit of a minute', { status: 429, body: { message: 'slow', status: 429 } }, { kind: 'rate_limited', retryAfterSeconds: 60 }],
    ['limit with a hint', { status: 429, headers: { 'retry-after': '5' } }, { kind: 'rate_limited', retryAfterSeconds: 5 }],
    ['bad request', refused(400, 'ILLEGAL_ARGUMENT'), { kind: 'invalid', message: 'LinkedIn: no.' }],
    ['unprocessable', { status: 422, body: { status: 422, message: 'ERROR :: /name :: field is required' } }, { kind: 'invalid', code: 'http_422' }],
    ['too long', refused(414, 'URI_TOO_LONG'), { kind: 'invalid' }],
    ['down', { status: 500, body: { message: 'Internal Server Error', status: 500 } }, { kind: 'unavailable', retryAfterSeconds: undefined }],
    ['busy', { status: 503, body: '<html>', headers: { 'retry-after': '9' } }, { kind: 'unavailable', retryAfterSeconds: 9 }],
    ['timed out', refused(408, 'TIMEOUT'), { kind: 'unavailable' }],
  ])('%s', (_, reply, expected) => {
    const error = linkedinCallError(aReply(reply), TOKEN);
    expect(error).toMatchObject({ platform: 'linkedinads', ...expected });
    expect(error.platformError).toEqual(reply.body);
  });

  it('keeps LinkedIn’s own id of the answer', () => {
    expect(linkedinCallError(aReply({ status: 400, body: {}, headers: { 'x-li-uuid': 'AAX' } }), TOKEN)).toMatchObject({ traceId: 'AAX', message: expect.stringContaining('no message') });
  });

  it('200 that is no JSON', async () => {
    const { ctx } = script({ [GET_RULE]: { body: '<html>' } });
    expect(await thrownBy(() => linkedin.getDestination!(ctx, REF))).toMatchObject({ kind: 'unavailable', code: 'unreadable_reply' });
  });
});
