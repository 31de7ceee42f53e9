import { describe, expect, it } from 'vitest';
import type { GoogleCredentials } from '../../google/index.ts';
import { PlatformCallError } from '../errors.ts';
import { TOKEN, aReply, scripted, thrownBy, type Scripted } from '../scripted-call.test-kit.ts';
import { createConversionAction, listConversionActions } from './actions.ts';
import { adsCallError, customerIdOf } from './call.ts';
import { googleManagement } from './destinations.ts';

const CREDENTIALS: GoogleCredentials = { clientId: 'c', clientSecret: 's', refreshToken: 'r', developerToken: 'dev' };
const ONE = '1111111111';
const TWO = '2222222222';
const MANAGER = '9999999999';

interface Action {
  readonly id: string;
  readonly name: string;
  readonly category?: string;
  readonly type?: string;
  readonly status?: string;
  readonly tagSnippets?: readonly object[];
}
const row = (customer: string, { id, name, ...rest }: Action) => ({
  conversionAction: { resourceName: `customers/${customer}/conversionActions/${id}`, id, name, category: 'PURCHASE', type: 'UPLOAD_CLICKS', status: 'ENABLED', ...rest },
});
const rows = (customer: string, ...actions: readonly Action[]): Scripted => ({ body: { results: actions.map((action) => row(customer, action)) } });
const failure = (status: number, category: string, code: string, extra: object = {}): Scripted => ({
  status,
  body: {
    error: {
      code: status,
      message: 'Request contains an invalid argument.',
      status: status === 400 ? 'INVALID_ARGUMENT' : 'PERMISSION_DENIED',
      details: [
        {
          '@type': 'type.googleapis.com/google.ads.googleads.v24.errors.GoogleAdsFailure',
          errors: [{ errorCode: { [category]: code }, message: `said ${code}`, ...extra }],
          requestId: 'req-1',
        },
      ],
    },
  },
});

type Answer = (body: { query?: string; pageToken?: string; operations?: readonly { create: Record<string, unknown> }[] }, login: string | undefined) => Scripted | Error;
function google(answers: Readonly<Record<string, Scripted | Error | Answer>>, credentials: GoogleCredentials = CREDENTIALS) {
  return scripted(credentials, (line, body, { headers }) => {
    const key = line.replace(/^\w+ \/v24\//, '').replace('googleAds:', '');
    const isClients = typeof body === 'object' && JSON.stringify(body).includes('FROM customer_client');
    const answer = answers[isClients ? `${key}#clients` : key];
    if (answer === undefined) throw new Error(`unexpected ${line}`);
    return typeof answer === 'function' ? answer(body as never, headers['login-customer-id']) : answer;
  });
}
const accessible = (...ids: readonly string[]): Scripted => ({ body: { resourceNames: ids.map((id) => `customers/${id}`) } });

describe('Google: list of destinations', () => {
  it('reads every accessible customer, page by page, without what was removed', async () => {
    const { ctx, seen, lines } = google({
      'customers:listAccessibleCustomers': accessible(TWO, ONE),
      [`customers/${ONE}/search`]: ({ pageToken }) =>
        pageToken === undefined
          ? { body: { ...(rows(ONE, { id: '10', name: 'Ten' }).body as object), nextPageToken: 'p2' } }
          : rows(ONE, { id: '9', name: 'Nine', status: 'HIDDEN', category: 'SIGNUP' }, { id: '8', name: 'Gone', status: 'REMOVED' }),
      [`customers/${TWO}/search`]: { body: {} },
    });
    expect(await googleManagement.listDestinations(ctx)).toEqual({
      destinations: [
        { id: `customers/${ONE}/conversionActions/9`, name: 'Nine', type: 'SIGNUP', status: 'inactive' },
        { id: `customers/${ONE}/conversionActions/10`, name: 'Ten', type: 'PURCHASE', status: 'active' },
      ],
      warnings: [],
    });
    expect(lines()[0]).toBe('GET /v24/customers:listAccessibleCustomers');
    expect(seen.filter(({ url }) => url.includes(ONE)).map(({ body }) => JSON.parse(body ?? '').pageToken)).toEqual([undefined, 'p2']);
    expect(seen.every(({ headers }) => headers['developer-token'] === 'dev' && headers['authorization'] === `Bearer ${TOKEN}` && headers['login-customer-id'] === undefined)).toBe(true);
    expect(seen.every(({ body, repeatable }) => repeatable && !(body ?? '').includes('pageSize') && !(body ?? '').includes('tag_snippets'))).toBe(true);
  });

  it('leaves out customers that are closed or foreign', async () => {
    const { ctx } = google({
      'customers:listAccessibleCustomers': accessible(ONE, TWO),
      [`customers/${ONE}/search`]: failure(403, 'authorizationError', 'CUSTOMER_NOT_ENABLED'),
      [`customers/${TWO}/search`]: rows(TWO, { id: '1', name: 'One' }),
    });
    const { destinations, warnings } = await googleManagement.listDestinations(ctx);
    expect(destinations.map(({ id }) => id)).toEqual([`customers/${TWO}/conversionActions/1`]);
    expect(warnings).toEqual([`customer ${ONE} was left out: CUSTOMER_NOT_ENABLED`]);
  });

  const behind = { ...CREDENTIALS, loginCustomerId: MANAGER };
  const clients = (...ids: readonly string[]): Scripted => ({ body: { results: ids.map((id) => ({ customerClient: { id, manager: id === MANAGER } })) } });
  const idsOf = (list: { readonly destinations: readonly { readonly id: string }[] }) => list.destinations.map(({ id }) => id);

  it('finds the clients of the manager that access goes through', async () => {
    const { ctx, seen } = google(
      {
        'customers:listAccessibleCustomers': accessible(MANAGER, ONE),
        [`customers/${MANAGER}/search#clients`]: clients(MANAGER, ONE),
        [`customers/${MANAGER}/search`]: rows(MANAGER),
        [`customers/${ONE}/search`]: rows(ONE, { id: '1', name: 'One' }),
      },
      behind,
    );
    expect(idsOf(await googleManagement.listDestinations(ctx))).toEqual([`customers/${ONE}/conversionActions/1`]);
    expect(seen.every(({ headers }) => headers['login-customer-id'] === MANAGER)).toBe(true);
    // Whoever is both a client and accessible is read once.
    expect(seen).toHaveLength(4);
  });

  it('finds customers with direct access besides, past the manager where it has to', async () => {
    const { ctx, seen } = google(
      {
        'customers:listAccessibleCustomers': accessible(MANAGER, TWO),
        [`customers/${MANAGER}/search#clients`]: clients(MANAGER),
        [`customers/${MANAGER}/search`]: rows(MANAGER),
        [`customers/${TWO}/search`]: (_body, login) =>
          login === undefined ? rows(TWO, { id: '2', name: 'Two' }) : failure(403, 'authorizationError', 'INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION'),
      },
      behind,
    );
    expect(await googleManagement.listDestinations(ctx)).toEqual({ destinations: [expect.objectContaining({ id: `customers/${TWO}/conversionActions/2` })], warnings: [] });
    expect(seen.filter(({ url }) => url.includes(TWO)).map(({ headers }) => headers['login-customer-id'])).toEqual([MANAGER, undefined]);
    expect(await listConversionActions(ctx)).toMatchObject({ customerId: TWO, actions: [{ id: '2' }] });
  });

  it('says what was said of the manager where there is no access either way', async () => {
    const { ctx } = google(
      {
        'customers:listAccessibleCustomers': accessible(),
        [`customers/${MANAGER}/search#clients`]: clients(ONE),
        [`customers/${ONE}/search`]: (_body, login) =>
          failure(403, 'authorizationError', login === undefined ? 'USER_PERMISSION_DENIED' : 'INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION'),
      },
      behind,
    );
    expect(await thrownBy(() => googleManagement.listDestinations(ctx))).toMatchObject({ code: 'INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION' });
  });

  it.each<[string, Scripted]>([
    ['as invalid', failure(400, 'queryError', 'UNRECOGNIZED_FIELD')],
    ['to the user', failure(403, 'authorizationError', 'USER_PERMISSION_DENIED')],
    ['to the developer token', failure(403, 'authorizationError', 'DEVELOPER_TOKEN_NOT_APPROVED')],
  ])('does without the client list where it is refused %s', async (_, refusal) => {
    const { ctx } = google(
      {
        'customers:listAccessibleCustomers': accessible(ONE),
        [`customers/${MANAGER}/search#clients`]: refusal,
        [`customers/${ONE}/search`]: rows(ONE, { id: '1', name: 'One' }),
      },
      behind,
    );
    const list = await googleManagement.listDestinations(ctx);
    expect(idsOf(list)).toEqual([`customers/${ONE}/conversionActions/1`]);
    expect(list.warnings).toEqual([expect.stringMatching(`^clients of manager ${MANAGER} was left out: `)]);
  });

  it('answers with the refusal where neither the manager nor direct access gives a customer', async () => {
    const { ctx } = google({ 'customers:listAccessibleCustomers': accessible(), [`customers/${MANAGER}/search#clients`]: failure(403, 'authorizationError', 'DEVELOPER_TOKEN_NOT_APPROVED') }, behind);
    expect(await thrownBy(() => googleManagement.listDestinations(ctx))).toMatchObject({ kind: 'config', code: 'DEVELOPER_TOKEN_NOT_APPROVED' });
  });
});

describe('Google: create a destination', () => {
  const create = (input: object, existing: readonly Action[] = [], mutate: Scripted | Answer = { body: { results: [{ resourceName: `customers/${ONE}/conversionActions/77` }] } }) => {
    const script = google({ [`customers/${ONE}/search`]: rows(ONE, ...existing), [`customers/${ONE}/conversionActions:mutate`]: mutate });
    const run = () => googleManagement.createDestination!(script.ctx, { adAccountId: ONE, name: 'Shop', type: 'Purchase', ...input });
    return { ...script, run };
  };
  const mutated = ({ seen }: { readonly seen: readonly { readonly url: string; readonly body: string | undefined }[] }) =>
    JSON.parse(seen.find(({ url }) => url.endsWith(':mutate'))?.body ?? '{}').operations?.[0]?.create;

  it('makes an upload action with everything said', async () => {
    const made = create({ adAccountId: 'customers/111-111-1111' });
    expect(await made.run()).toEqual({ destination: { id: `customers/${ONE}/conversionActions/77`, name: 'Shop', type: 'PURCHASE', status: 'active' }, created: true });
    expect(mutated(made)).toEqual({ name: 'Shop', type: 'UPLOAD_CLICKS', category: 'PURCHASE', countingType: 'MANY_PER_CLICK', primaryForGoal: false, status: 'ENABLED' });
    expect(made.seen.map(({ repeatable }) => repeatable)).toEqual([true, false]);
  });

  it.each([
    ['Purchase', 'PURCHASE'],
    ['Subscribe', 'SUBSCRIBE_PAID'],
    ['CompleteRegistration', 'SIGNUP'],
    ['Lead', 'IMPORTED_LEAD'],
    ['Schedule', 'BOOK_APPOINTMENT'],
    ['QUALIFIED_LEAD', 'QUALIFIED_LEAD'],
    ['SomethingNew', 'SomethingNew'],
    ['constructor', 'constructor'],
  ])('type %s is category %s', async (type, category) => {
    const made = create({ type });
    await made.run();
    expect(mutated(made)).toMatchObject({ category });
  });

  it('takes countingType and primaryForGoal', async () => {
    const made = create({ countingType: 'ONE_PER_CLICK', primaryForGoal: true });
    await made.run();
    expect(mutated(made)).toMatchObject({ countingType: 'ONE_PER_CLICK', primaryForGoal: true });
  });

  it('answers with the one of that name and category', async () => {
    const made = create({}, [{ id: '5', name: 'Shop' }]);
    expect(await made.run()).toEqual({ destination: { id: `customers/${ONE}/conversionActions/5`, name: 'Shop', type: 'PURCHASE', status: 'active' }, created: false });
    expect(mutated(made)).toBeUndefined();
  });

  it('refuses the name with another category', async () => {
    const error = await thrownBy(create({ type: 'Lead' }, [{ id: '5', name: 'Shop' }]).run);
    expect(error).toBeInstanceOf(PlatformCallError);
    expect(error).toMatchObject({ kind: 'conflict', code: 'IDEMPOTENCY_CONFLICT', message: expect.stringContaining('PURCHASE instead of IMPORTED_LEAD') });
  });

  it.each<[string, string, object]>([
    ['same category', 'Purchase', { destination: { id: `customers/${ONE}/conversionActions/6` }, created: false }],
    ['other category', 'Lead', { code: 'IDEMPOTENCY_CONFLICT' }],
  ])('looks again when somebody was faster: %s', async (_, type, expected) => {
    let looks = 0;
    const { ctx } = google({
      [`customers/${ONE}/search`]: () => rows(ONE, ...((looks += 1) === 1 ? [] : [{ id: '6', name: 'SHOP' }])),
      [`customers/${ONE}/conversionActions:mutate`]: failure(400, 'conversionActionError', 'DUPLICATE_NAME'),
    });
    const result = await googleManagement.createDestination!(ctx, { adAccountId: ONE, name: 'Shop', type }).catch((error: unknown) => error);
    expect(result).toMatchObject(expected);
    expect(looks).toBe(2);
  });

  it('says so where the name is taken by what cannot be seen', async () => {
    expect(await thrownBy(create({}, [], failure(400, 'conversionActionError', 'DUPLICATE_NAME')).run)).toMatchObject({ kind: 'conflict', code: 'DUPLICATE_NAME' });
  });

  it.each<[object, string]>([
    [{ adAccountId: '12' }, 'adAccountId'],
    [{ adAccountId: 'customers/1111111111/x' }, 'adAccountId'],
    [{ name: '  ' }, 'name'],
    [{ type: '' }, 'type'],
    [{ countingType: 'SOME' }, 'countingType'],
  ])('refuses %j here', async (input, param) => {
    const made = create(input);
    expect(await thrownBy(made.run)).toMatchObject({ name: 'LocalRuleError', param, code: 'invalid_request' });
    expect(made.seen).toEqual([]);
  });

  it('does not invent a result', async () => {
    expect(await thrownBy(create({}, [], { body: { results: [] } }).run)).toMatchObject({ kind: 'unavailable', code: 'unreadable_reply' });
  });

  it('has no members for single ones', () => {
    expect(Object.keys(googleManagement)).toEqual(['listDestinations', 'createDestination']);
  });
});

const SNIPPET = { type: 'WEBPAGE', pageFormat: 'HTML', globalSiteTag: '<script>a</script>', eventSnippet: '<script>b</script>' };

describe('Google: conversion actions', () => {
  it('lists those of the only customer, with snippets', async () => {
    const { ctx, seen } = google({
      'customers:listAccessibleCustomers': accessible(ONE),
      [`customers/${ONE}/search`]: rows(ONE, { id: '10', name: 'Ten' }, { id: '9', name: 'Nine', type: 'WEBPAGE', tagSnippets: [SNIPPET, { type: 'PHONE' }] }),
    });
    expect(await listConversionActions(ctx)).toEqual({
      customerId: ONE,
      actions: [
        { id: '9', name: 'Nine', type: 'WEBPAGE', status: 'ENABLED', category: 'PURCHASE', tagSnippets: [SNIPPET, { type: 'PHONE' }] },
        { id: '10', name: 'Ten', type: 'UPLOAD_CLICKS', status: 'ENABLED', category: 'PURCHASE', tagSnippets: [] },
      ],
      warnings: [],
    });
    expect(seen[1]?.body).toContain('conversion_action.tag_snippets');
  });

  it('filters by type and takes a customer with hyphens', async () => {
    const { ctx } = google({ [`customers/${ONE}/search`]: rows(ONE, { id: '10', name: 'Ten' }, { id: '9', name: 'Nine', type: 'WEBPAGE' }) });
    expect((await listConversionActions(ctx, { adAccountId: '111-111-1111', type: 'WEBPAGE' })).actions.map(({ id }) => id)).toEqual(['9']);
  });

  it.each([
    [[ONE, TWO], `${ONE}, ${TWO}`],
    [[], 'reaches no Google Ads customer'],
  ])('wants a customer named where there are %j', async (ids, words) => {
    const { ctx } = google({ 'customers:listAccessibleCustomers': accessible(...ids) });
    expect(await thrownBy(() => listConversionActions(ctx))).toMatchObject({ name: 'LocalRuleError', param: 'adAccountId', message: expect.stringContaining(words) });
  });

  it('takes the only client behind a manager', async () => {
    const { ctx } = google(
      {
        'customers:listAccessibleCustomers': accessible(MANAGER),
        [`customers/${MANAGER}/search#clients`]: { body: { results: [{ customerClient: { id: MANAGER, manager: true } }, { customerClient: { id: ONE } }] } },
        [`customers/${ONE}/search`]: rows(ONE),
      },
      { ...CREDENTIALS, loginCustomerId: MANAGER },
    );
    expect(await listConversionActions(ctx)).toMatchObject({ customerId: ONE });
  });

  const create = (input: object, search: Scripted | Error = rows(ONE, { id: '77', name: 'Tag', type: 'WEBPAGE', category: 'DEFAULT', tagSnippets: [SNIPPET] })) => {
    const script = google({
      [`customers/${ONE}/search`]: search,
      [`customers/${ONE}/conversionActions:mutate`]: { body: { results: [{ resourceName: `customers/${ONE}/conversionActions/77` }] } },
    });
    return { ...script, run: () => createConversionAction(script.ctx, { adAccountId: ONE, name: 'Tag', type: 'WEBPAGE', ...input }) };
  };

  it('makes one and reads its snippets back', async () => {
    const made = create({ defaultValue: 9.5 });
    expect(await made.run()).toEqual({ customerId: ONE, action: { id: '77', name: 'Tag', type: 'WEBPAGE', status: 'ENABLED', category: 'DEFAULT', tagSnippets: [SNIPPET] } });
    expect(JSON.parse(made.seen[0]?.body ?? '').operations[0].create).toEqual({
      name: 'Tag',
      type: 'WEBPAGE',
      category: 'DEFAULT',
      primaryForGoal: false,
      valueSettings: { defaultValue: 9.5, alwaysUseDefaultValue: true },
      status: 'ENABLED',
    });
    expect(made.seen[1]?.body).toContain('conversion_action.id = 77');
  });

  it.each<[object, object | undefined]>([
    [{}, undefined],
    [{ defaultValue: 1, alwaysUseDefaultValue: false }, { defaultValue: 1, alwaysUseDefaultValue: false }],
    [{ alwaysUseDefaultValue: false }, { alwaysUseDefaultValue: false }],
  ])('values %j are sent as %j', async (input, valueSettings) => {
    const made = create(input);
    await made.run();
    expect(JSON.parse(made.seen[0]?.body ?? '').operations[0].create.valueSettings).toEqual(valueSettings);
  });

  it.each<[string, Scripted | Error]>([
    ['refused', failure(400, 'queryError', 'X')],
    ['lost', new Error('reset')],
    ['empty', { body: {} }],
  ])('is made although reading back is %s', async (_, search) => {
    expect(await create({}, search).run()).toMatchObject({ action: { id: '77', name: 'Tag', tagSnippets: [] } });
  });

  it.each<[object, string]>([
    [{ name: ' ' }, 'name'],
    [{ type: 'UPLOAD_CLICKS' }, 'type'],
    [{ defaultValue: Number.NaN }, 'defaultValue'],
    [{ alwaysUseDefaultValue: true }, 'alwaysUseDefaultValue'],
    [{ adAccountId: 'x' }, 'adAccountId'],
  ])('refuses %j here', async (input, param) => {
    const made = create(input);
    expect(await thrownBy(made.run)).toMatchObject({ name: 'LocalRuleError', param });
    expect(made.seen).toEqual([]);
  });
});

describe('Google: refusals', () => {
  const quota = (scope: string) => ({ details: { quotaErrorDetails: { rateScope: scope, rateName: 'Operations', retryDelay: '12.5s' } } });
  const status = (code: number, name: string, reason?: string): Scripted => ({
    status: code,
    body: { error: { code, message: 'm', status: name, ...(reason && { details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason }] }) } },
  });

  it.each<[string, Scripted, object]>([
    ['expired token', failure(401, 'authenticationError', 'OAUTH_TOKEN_EXPIRED'), { kind: 'unauthorised', refreshable: true, message: expect.stringContaining('Reconnect the account'), traceId: 'req-1' }],
    ['revoked token', failure(401, 'authenticationError', 'OAUTH_TOKEN_REVOKED'), { kind: 'unauthorised', refreshable: false }],
    ['no Ads user', failure(401, 'authenticationError', 'NOT_ADS_USER'), { kind: 'unauthorised', code: 'NOT_ADS_USER' }],
    ['401 alone', status(401, 'UNAUTHENTICATED'), { kind: 'unauthorised', refreshable: true, code: 'UNAUTHENTICATED' }],
    ['missing scope', status(403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'), { kind: 'unauthorised', code: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', refreshable: false }],
    ['API off', status(403, 'PERMISSION_DENIED', 'SERVICE_DISABLED'), { kind: 'config' }],
    ['403 alone', status(403, 'PERMISSION_DENIED'), { kind: 'permission' }],
    ['foreign customer', failure(403, 'authorizationError', 'USER_PERMISSION_DENIED'), { kind: 'permission', message: expect.stringContaining('reconnect') }],
    ['developer token', failure(403, 'authorizationError', 'DEVELOPER_TOKEN_NOT_APPROVED'), { kind: 'config', message: expect.stringContaining('operator') }],
    ['no developer token', failure(400, 'requestError', 'DEVELOPER_TOKEN_PARAMETER_MISSING'), { kind: 'config' }],
    ['quota of the developer token', failure(429, 'quotaError', 'RESOURCE_EXHAUSTED', quota('DEVELOPER')), { kind: 'rate_limited', quotaExhausted: true, quotaScope: 'DEVELOPER', retryAfterSeconds: 13 }],
    ['quota of the account', failure(429, 'quotaError', 'RESOURCE_TEMPORARILY_EXHAUSTED', quota('ACCOUNT')), { kind: 'rate_limited', quotaExhausted: true, quotaScope: 'ACCOUNT' }],
    ['quota without a hint', failure(429, 'quotaError', 'RESOURCE_EXHAUSTED'), { kind: 'rate_limited', quotaScope: undefined, retryAfterSeconds: 3600 }],
    ['short quota without a hint', failure(429, 'quotaError', 'RESOURCE_TEMPORARILY_EXHAUSTED'), { kind: 'rate_limited', retryAfterSeconds: 60 }],
    ['access prohibited', failure(403, 'quotaError', 'ACCESS_PROHIBITED'), { kind: 'config', quotaExhausted: undefined }],
    ['429 alone', { ...status(429, 'RESOURCE_EXHAUSTED'), headers: { 'retry-after': '30' } }, { kind: 'rate_limited', quotaExhausted: true, retryAfterSeconds: 30 }],
    ['internal', failure(500, 'internalError', 'TRANSIENT_ERROR'), { kind: 'unavailable' }],
    ['internal, new', failure(500, 'internalError', 'BRAND_NEW'), { kind: 'unavailable' }],
    ['unavailable', status(503, 'UNAVAILABLE'), { kind: 'unavailable', code: 'UNAVAILABLE' }],
    ['aborted', status(409, 'ABORTED'), { kind: 'unavailable' }],
    ['unknown customer', failure(400, 'authenticationError', 'CUSTOMER_NOT_FOUND'), { kind: 'not_found' }],
    ['404', status(404, 'NOT_FOUND'), { kind: 'not_found' }],
    ['bad enum', failure(400, 'fieldError', 'INVALID_VALUE'), { kind: 'invalid', code: 'INVALID_VALUE', message: 'Google Ads: said INVALID_VALUE.' }],
    ['400 alone', status(400, 'INVALID_ARGUMENT'), { kind: 'invalid', code: 'INVALID_ARGUMENT' }],
    ['error in a list', { status: 400, body: [failure(400, 'fieldError', 'REQUIRED').body] }, { kind: 'invalid', code: 'REQUIRED' }],
    ['version that is gone', { status: 404, body: '<html>' }, { kind: 'config', code: 'unreadable_reply', platformError: '<html>' }],
    ['page of a proxy', { status: 502, body: '<html>' }, { kind: 'unavailable' }],
    ['nothing', { status: 500 }, { kind: 'unavailable', platformError: undefined }],
  ])('%s', (_, reply, expected) => {
    const error = adsCallError(aReply(reply), TOKEN);
    expect(error).toMatchObject({ platform: 'googleads', ...expected });
    expect(error.platformError).toEqual(reply.body);
  });

  it('200 that is no JSON', async () => {
    const { ctx } = google({ 'customers:listAccessibleCustomers': { body: '<html>' } });
    expect(await thrownBy(() => googleManagement.listDestinations(ctx))).toMatchObject({ kind: 'unavailable', code: 'unreadable_reply' });
  });

  it('calls without a developer token where there is none', async () => {
    const { developerToken: _, ...rest } = CREDENTIALS;
    const { ctx, seen } = google({ 'customers:listAccessibleCustomers': accessible() }, rest);
    await googleManagement.listDestinations(ctx);
    expect(seen[0]?.headers).not.toHaveProperty('developer-token');
  });
});

describe('customerIdOf', () => {
  it.each([
    ['1234567890', '1234567890'],
    [' 123-456-7890 ', '1234567890'],
    ['customers/1234567890', '1234567890'],
  ])('%j is %s', (given, id) => {
    expect(customerIdOf(given)).toBe(id);
  });
});
