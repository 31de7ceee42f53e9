import { PLATFORMS } from '@relay/platforms';
import type { AddressInfo } from 'node:net';
import { Zernio, ZernioApiError } from '@zernio/node';
import { describe, expect, it } from 'vitest';
import { anAccount, fakeAccounts } from '../testing/fake-accounts.ts';
import { fakeUpstream, type Scripted } from '../testing/fake-upstream.ts';
import { openApi } from '../testing/open-api.ts';

const GOOGLE = { clientId: 'client', clientSecret: 'google-secret', refreshToken: 'google-refresh', accessToken: 'google-token', developerToken: 'developer' };
const accounts = () =>
  fakeAccounts([
    anAccount({ id: 'acc_meta' }),
    anAccount({ id: 'acc_google', platform: 'googleads', credentials: GOOGLE }),
    anAccount({ id: 'acc_linkedin', platform: 'linkedinads' }),
    anAccount({ id: 'acc_wa', platform: 'whatsapp' }),
    anAccount({ id: 'acc_off', platform: 'linkedinads', status: 'disabled' }),
  ]);

async function open(answer: (line: string, body: unknown) => Scripted | Promise<Scripted>, over: Parameters<typeof openApi>[0] = {}) {
  const send = fakeUpstream(answer);
  return { ...(await openApi({ accounts: accounts(), platforms: PLATFORMS, send, ...over })), send };
}
const nothing = () => open((line) => { throw new Error(`not expected: ${line}`); });

const RULE = { id: 50001, name: 'Purchases', type: 'PURCHASE', enabled: true, conversionMethod: 'CONVERSIONS_API', account: 'urn:li:sponsoredAccount:5' };
const at = (account: string, rest = '') => `/v1/accounts/${account}/conversion-destinations${rest}`;
const aRule = { adAccountId: '5', name: 'Purchases', type: 'Purchase' };
const anAction = { adAccountId: '1234567890', name: 'Orders', type: 'Purchase' };
const actionRow = (over: object = {}) => ({ conversionAction: { resourceName: 'customers/1234567890/conversionActions/1', id: '1', name: 'Orders', type: 'UPLOAD_CLICKS', status: 'ENABLED', category: 'PURCHASE', ...over } });
const adsFailure = (category: string, code: string, more: object = {}) => ({
  error: { code: 400, message: 'Failed.', status: 'INVALID_ARGUMENT', details: [{ '@type': 'type.googleapis.com/google.ads.googleads.v24.errors.GoogleAdsFailure', errors: [{ errorCode: { [category]: code }, message: 'Failed.', ...more }], requestId: 'req-1' }] },
});

describe('conversion destinations', () => {
  it('lists pixels of a Meta account', async () => {
    await using api = await open((line) => (line.includes('/me/adaccounts') ? { body: { data: [{ id: 'act_1', adspixels: { data: [{ id: '11', name: 'Shop' }] } }] } } : { body: { data: [] } }));
    const { status, body } = await api.call('GET', at('acc_meta'));
    expect(status).toBe(200);
    expect(body).toEqual({ platform: 'metaads', destinations: [{ id: '11', name: 'Shop', status: 'active' }] });
  });

  it('creates a rule of LinkedIn: 201, and nothing of it is repeated', async () => {
    await using api = await open(() => ({ status: 201, headers: { 'x-restli-id': '50077' } }));
    const { status, body } = await api.call('POST', at('acc_linkedin'), { body: aRule });
    expect(status).toBe(201);
    expect(body).toEqual({ platform: 'linkedinads', destination: { id: '50077', name: 'Purchases', type: 'PURCHASE', status: 'active', adAccountId: '5' } });
    await using failing = await open(() => ({ status: 503 }));
    expect((await failing.call('POST', at('acc_linkedin'), { body: aRule })).status).toBe(502);
    expect(failing.send.requests).toHaveLength(1);
  });

  it('says that it does not know whether a rule was made', async () => {
    await using api = await open(() => 'timeout');
    const { status, body } = await api.call('POST', at('acc_linkedin'), { body: aRule });
    expect(status).toBe(504);
    expect(body).toMatchObject({ type: 'platform_error', code: 'platform_timeout', platform: 'linkedinads', details: { code: 'timeout', maybeDone: true } });
    expect(body['error']).toContain('not known whether it was created');
  });

  it('answers 200 with the action of Google that is there, and 409 if it is of another category', async () => {
    await using api = await open(() => ({ body: { results: [actionRow()] } }));
    const same = await api.call('POST', at('acc_google'), { body: anAction });
    expect(same.status).toBe(200);
    expect(same.body).toMatchObject({ platform: 'googleads', destination: { id: 'customers/1234567890/conversionActions/1', type: 'PURCHASE' } });
    const other = await api.call('POST', at('acc_google'), { body: { ...anAction, type: 'Lead' } });
    expect(other.status).toBe(409);
    expect(other.body).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', type: 'invalid_request_error', platform: 'googleads' });
  });

  it.each([
    [{ postClickAttributionWindowSize: 5 }, 'postClickAttributionWindowSize'],
    [{ viewThroughAttributionWindowSize: 365, type: 'SIGN_UP' }, 'viewThroughAttributionWindowSize'],
    [{ valueType: 'FIXED' }, 'value'],
    [{ value: { currencyCode: 'EUR' } }, 'value.amount'],
    [{ adAccountId: 'five' }, 'adAccountId'],
    [{ name: '' }, 'name'],
    [{ name: '\ud800' }, 'name'],
    [{ primaryForGoal: 'yes' }, 'primaryForGoal'],
  ])('refuses %j of a rule without asking LinkedIn', async (over, param) => {
    await using api = await nothing();
    const { status, body } = await api.call('POST', at('acc_linkedin'), { body: JSON.stringify({ ...aRule, ...over }) });
    expect(status).toBe(400);
    expect(body).toMatchObject({ type: 'invalid_request_error', param, details: [{ path: param }] });
  });

  it('reads, changes and deletes a rule', async () => {
    await using api = await open((line) => (line.startsWith('POST') ? { status: 204, body: '' } : { body: RULE }));
    const one = { platform: 'linkedinads', destination: { id: '50001', name: 'Purchases', type: 'PURCHASE', status: 'active', adAccountId: '5' } };
    expect((await api.call('GET', at('acc_linkedin', '/50001?adAccountId=5'))).body).toEqual(one);
    expect((await api.call('GET', at('acc_linkedin', '/urn%3Alla%3AllaPartnerConversion%3A50001?adAccountId=urn%3Ali%3AsponsoredAccount%3A5'))).body).toEqual(one);
    expect((await api.call('PATCH', at('acc_linkedin', '/50001'), { body: { adAccountId: '5', name: 'Orders' } })).body).toEqual(one);
    const removed = await api.call('DELETE', at('acc_linkedin', '/50001?adAccountId=5'));
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect((await api.call('DELETE', at('acc_linkedin', '/50001'), { body: { adAccountId: '5' } })).status).toBe(204);
    const changes = api.send.requests.filter(({ method }) => method === 'POST').map(({ url, body }) => [url.replace(/^.*rest/, ''), JSON.parse(body!) as unknown]);
    const path = '/conversions/50001?account=urn%3Ali%3AsponsoredAccount%3A5';
    expect(changes).toEqual([
      [path, { patch: { $set: { name: 'Orders' } } }],
      [path, { patch: { $set: { enabled: false } } }],
      [path, { patch: { $set: { enabled: false } } }],
    ]);
  });

  it.each([
    [{ type: 'LEAD' }, 'type'],
    [{}, 'name'],
  ])('does not change %j of a rule', async (change, param) => {
    await using api = await nothing();
    expect(await api.call('PATCH', at('acc_linkedin', '/50001'), { body: { adAccountId: '5', ...change } })).toMatchObject({ status: 400, body: { param } });
  });

  it('answers 404 for a rule that is not there', async () => {
    await using api = await open(() => ({ status: 404, body: { message: 'No such conversion', status: 404 } }));
    const { status, body } = await api.call('GET', at('acc_linkedin', '/1?adAccountId=5'));
    expect(status).toBe(404);
    expect(body).toMatchObject({ type: 'not_found', code: 'destination_not_found', platform: 'linkedinads', platformError: { message: 'No such conversion', status: 404 } });
  });
});

describe('associations', () => {
  const done = { body: { results: { '(campaign:urn%3Ali%3AsponsoredCampaign%3A7,conversion:x)': { status: 204 } }, errors: { '(campaign:urn%3Ali%3AsponsoredCampaign%3A8,conversion:x)': { status: 404, message: 'No campaign' } } } };

  it('answers campaign by campaign, whether the list stands in query or body', async () => {
    await using api = await open(() => done);
    const expected = { platform: 'linkedinads', succeeded: ['7'], failed: [{ campaignId: '8', reason: 'No campaign' }] };
    const path = at('acc_linkedin', '/50001/associations');
    expect((await api.call('POST', path, { body: { adAccountId: '5', campaignIds: ['7', '8'] } })).body).toEqual(expected);
    expect((await api.call('DELETE', `${path}?adAccountId=5&campaignIds=7%2C8`)).body).toEqual(expected);
    expect((await api.call('DELETE', `${path}?campaignIds=7&campaignIds=8,`)).body).toEqual(expected);
    expect((await api.call('DELETE', path, { body: { adAccountId: '5', campaignIds: ['7', '8'] } })).body).toEqual(expected);
    expect((await api.call('DELETE', path, { body: { campaignIds: '7,8' } })).body).toEqual(expected);
    expect(new Set(api.send.lines().slice(1)).size).toBe(1);
  });

  it('needs a campaign', async () => {
    await using api = await nothing();
    const path = at('acc_linkedin', '/50001/associations');
    for (const url of [path, `${path}?campaignIds=,`]) expect(await api.call('DELETE', url)).toMatchObject({ status: 400, body: { param: 'campaignIds' } });
    expect(await api.call('POST', path, { body: { adAccountId: '5', campaignIds: [] } })).toMatchObject({ status: 400, body: { param: 'campaignIds' } });
    expect(await api.call('POST', path, { body: { adAccountId: '5', campaignIds: ['x'] } })).toMatchObject({ status: 400, body: { param: 'campaignIds[0]' } });
  });

  it('lists those of a rule', async () => {
    await using api = await open((line) =>
      line.includes('/campaignConversions') ? { body: { results: { '(campaign:urn:li:sponsoredCampaign:7,conversion:x)': { associatedAt: 1_700_000_000_000 } } } } : { body: { ...RULE, campaigns: ['urn:li:sponsoredCampaign:7'] } },
    );
    expect((await api.call('GET', at('acc_linkedin', '/50001/associations?adAccountId=5'))).body).toEqual({
      platform: 'linkedinads',
      associations: [{ campaignId: '7', conversionId: '50001', associatedAt: 1_700_000_000_000 }],
    });
  });
});

describe('metrics', () => {
  it('answers rows', async () => {
    await using api = await open(() => ({
      body: { elements: [{ pivotValues: ['urn:lla:llaPartnerConversion:50001'], dateRange: { start: { year: 2026, month: 10, day: 1 }, end: { year: 2026, month: 10, day: 31 } }, externalWebsiteConversions: 3 }] },
    }));
    const { status, body } = await api.call('GET', at('acc_linkedin', '/50001/metrics?adAccountId=5&startDate=2026-10-01&endDate=2026-10-31'));
    expect(status).toBe(200);
    expect(body).toEqual({ platform: 'linkedinads', granularity: 'ALL', rows: [{ start: '2026-10-01', end: '2026-10-31', metrics: { externalWebsiteConversions: 3 } }] });
  });

  it.each([
    ['', 'startDate'],
    ['startDate=2026-02-31', 'startDate'],
    ['startDate=2026-10-02&endDate=2026-10-01', 'endDate'],
    ['startDate=2020-10-01&granularity=DAILY', 'startDate'],
    ['startDate=2026-10-01&granularity=WEEKLY', 'granularity'],
  ])('refuses "%s" without asking', async (query, param) => {
    await using api = await nothing();
    expect(await api.call('GET', at('acc_linkedin', `/50001/metrics?adAccountId=5&${query}`))).toMatchObject({ status: 400, body: { param, platform: 'linkedinads' } });
  });
});

describe('quality', () => {
  it('answers rows, with what Meta left out left out', async () => {
    await using api = await open(() => ({ body: { web: [{ event_name: 'Purchase', event_match_quality: { composite_score: 6.2, match_key_feedback: [{ identifier: 'email', coverage: { percentage: 90 } }] } }, { event_name: 'Lead' }] } }));
    expect((await api.call('GET', '/v1/ads/conversions/quality?accountId=acc_meta&destinationId=11111')).body).toEqual({
      platform: 'metaads',
      rows: [{ eventName: 'Lead', matchKeys: [] }, { eventName: 'Purchase', compositeScore: 6.2, matchKeys: [{ identifier: 'email', coveragePercentage: 90 }] }],
    });
  });
  it('answers 400 for what is no pixel', async () => {
    await using api = await nothing();
    expect(await api.call('GET', '/v1/ads/conversions/quality?accountId=acc_meta&destinationId=x')).toMatchObject({ status: 400, body: { code: 'invalid_destination', param: 'destinationId' } });
  });
});

describe('what a platform does not have', () => {
  const slashes = encodeURIComponent('customers/1/conversionActions/2');
  it.each([
    ['POST', at('acc_meta'), 405, /Events Manager/],
    ['GET', at('acc_meta', '/11'), 405, /lists them/],
    ['PATCH', at('acc_google', `/${slashes}`), 405, /Google Ads itself/],
    ['DELETE', at('acc_google', `/${slashes}`), 405, /Google Ads itself/],
    ['GET', at('acc_google', `/${slashes}/associations`), 405, /conversion goals/],
    ['POST', at('acc_meta', '/11/associations'), 405, /Ads Manager/],
    ['DELETE', at('acc_meta', '/11/associations'), 405, /Ads Manager/],
    ['GET', at('acc_google', `/${slashes}/metrics`), 405, /segmented/],
    ['GET', at('acc_wa'), 405, /WhatsApp/],
    ['GET', '/v1/ads/conversions/quality?accountId=acc_google', 405, /platformStatus/],
    ['GET', '/v1/ads/conversions/quality?accountId=acc_linkedin', 405, /metrics/],
    ['GET', '/v1/ads/conversions/quality?accountId=acc_wa', 405, /web events/],
    ['GET', '/v1/ads/conversions/actions?accountId=acc_meta', 501, /pixels/],
    ['GET', '/v1/ads/conversions/actions?accountId=acc_wa', 501, /WhatsApp/],
    ['POST', '/v1/ads/conversions/actions', 501, /conversion rules/],
  ] as const)('%s %s is %i and says what to do instead', async (method, url, status, words) => {
    await using api = await nothing();
    // Without what the request would need: the platform comes first.
    const reply = await api.call(method, url, method === 'GET' ? {} : { body: { accountId: 'acc_linkedin' } });
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ code: status === 405 ? 'wrong_platform' : 'not_implemented', param: 'accountId', platform: expect.any(String) });
    expect(reply.body['error']).toMatch(words);
  });

  it('does nothing for an account that is switched off', async () => {
    await using api = await nothing();
    expect(await api.call('GET', at('acc_off'))).toMatchObject({ status: 403, body: { code: 'account_disabled' } });
  });
});

describe('what goes wrong upstream', () => {
  const list = at('acc_linkedin', '/50001?adAccountId=5');
  it.each([
    [{ status: 400, body: { message: 'Bad', status: 400, code: 'ILLEGAL_ARGUMENT' } }, 422, 'platform_refused', 'platform_error'],
    [{ status: 401, body: { message: 'Revoked', status: 401, serviceErrorCode: 65601 } }, 401, 'reconnect_required', 'platform_error'],
    [{ status: 403, body: { message: 'Not enough permissions', status: 403 } }, 403, 'platform_forbidden', 'platform_error'],
    [{ status: 404, body: { message: 'Not found', status: 404 } }, 404, 'destination_not_found', 'not_found'],
    [{ status: 409, body: { message: 'There', status: 409 } }, 409, 'conflict', 'invalid_request_error'],
    [{ status: 426, body: { message: 'Version gone', status: 426 } }, 422, 'platform_config', 'platform_error'],
    [{ status: 429, body: { message: 'Slow', status: 429 }, headers: { 'retry-after': '17' } }, 429, 'platform_rate_limited', 'rate_limit_error'],
    [{ status: 500, body: { message: 'Oops', status: 500 } }, 502, 'platform_unavailable', 'platform_error'],
    [{ status: 200, body: '<html>' }, 502, 'platform_unavailable', 'platform_error'],
  ])('%j is %i %s', async (scripted, status, code, type) => {
    await using api = await open(() => scripted);
    const reply = await api.call('GET', list);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ code, type, platform: 'linkedinads', platformError: scripted.body, details: { code: expect.any(String) } });
    expect(reply.headers['retry-after']).toBe(status === 429 ? '17' : undefined);
    expect(/reconnect the account and store/i.test(reply.body['error'] as string)).toBe(code === 'reconnect_required');
  });

  it('marks nothing and holds nothing when a token is dead', async () => {
    await using api = await open(() => ({ status: 401, body: { message: 'Revoked', status: 401 } }));
    await api.call('GET', list);
    expect(api.accounts.rows.get('acc_linkedin')).toMatchObject({ status: 'active', revision: 1 });
  });

  it.each([['timeout', 504, 'platform_timeout'], ['connect_failed', 502, 'platform_unavailable'], ['connection_reset', 502, 'platform_unavailable']] as const)('%s is %i', async (failure, status, code) => {
    await using api = await open(() => failure);
    expect(await api.call('GET', list)).toMatchObject({ status, body: { type: 'platform_error', code, platform: 'linkedinads', details: { code: failure } } });
    expect(api.send.requests).toHaveLength(3);
  });

  it('does not ask again for an answer that is too long', async () => {
    await using api = await open(() => 'reply_too_large');
    expect(await api.call('GET', list)).toMatchObject({ status: 502, body: { code: 'platform_unavailable', details: { code: 'reply_too_large' } } });
    expect(api.send.requests).toHaveLength(1);
  });

  it.each([502, 503, 504])('asks again after %i', async (status) => {
    let calls = 0;
    await using api = await open(() => (++calls < 3 ? { status } : { body: RULE }));
    expect((await api.call('GET', list)).status).toBe(200);
  });

  it('does not ask again after 500, nor before the time that a 503 names', async () => {
    for (const scripted of [{ status: 500 }, { status: 503, headers: { 'retry-after': '30' } }]) {
      await using api = await open(() => scripted);
      const reply = await api.call('GET', list);
      expect(reply.status).toBe(502);
      expect(reply.headers['retry-after']).toBe(scripted.headers === undefined ? undefined : '30');
      expect(api.send.requests).toHaveLength(1);
    }
  });

  it('ends with its deadline', async () => {
    await using api = await open(() => new Promise<never>(() => {}), { limits: { deadlineMs: 50 } });
    expect(await api.call('GET', list)).toMatchObject({ status: 504, body: { code: 'platform_timeout', details: { code: 'deadline' } } });
  });

  it('lets only so many calls of one account through, and answers 429 to what is too many', async () => {
    const { promise, resolve } = Promise.withResolvers<Scripted>();
    await using api = await open((line) => (line.includes('/me/') ? { body: { data: [] } } : promise), { limits: { callsAtOnce: 2, operations: 3 } });
    const waiting = [1, 2, 3].map(() => api.call('GET', list));
    await expect.poll(() => api.send.requests.length).toBe(2);
    const refused = await api.call('GET', list);
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '2' }, body: { type: 'rate_limit_error', code: 'rate_limited', param: 'accountId' } });
    expect(refused.body).not.toHaveProperty('details');
    expect((await api.call('GET', at('acc_meta'))).status).toBe(200);
    resolve({ body: RULE });
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await api.call('GET', list)).status).toBe(200);
  });
});

describe('the token of an account', () => {
  const isRefresh = (line: string) => line === 'POST /token';
  it('is refreshed once when Google refuses it, and everything is asked again', async () => {
    const tokens: string[] = [];
    const send = fakeUpstream((line, _body, request) => {
      if (isRefresh(line)) return { body: { access_token: 'fresh-token', expires_in: 3600, token_type: 'Bearer' } };
      tokens.push(request.headers['authorization']!);
      return request.headers['authorization'] === 'Bearer fresh-token' ? { body: { results: [actionRow()] } } : { status: 401, body: adsFailure('authenticationError', 'OAUTH_TOKEN_EXPIRED') };
    });
    await using refreshing = await openApi({ accounts: accounts(), platforms: PLATFORMS, send });
    expect((await refreshing.call('POST', at('acc_google'), { body: anAction })).status).toBe(200);
    expect((await refreshing.call('POST', at('acc_google'), { body: anAction })).status).toBe(200);
    expect(tokens).toEqual(['Bearer google-token', 'Bearer fresh-token', 'Bearer fresh-token']);
  });

  it('that cannot be had since the token endpoint limits calls is a 429 that says when to come again', async () => {
    const { accessToken: _, ...grant } = GOOGLE;
    const google = fakeAccounts([anAccount({ id: 'acc_google', platform: 'googleads', credentials: grant })]);
    for (const [headers, seconds] of [[{ 'retry-after': '17' }, '17'], [{}, '60']] as const) {
      await using api = await open(() => ({ status: 429, headers, body: { error: 'rate_limit_exceeded' } }), { accounts: google });
      const reply = await api.call('GET', at('acc_google'));
      expect([reply.status, reply.headers['retry-after']]).toEqual([429, seconds]);
      expect(reply.body).toMatchObject({ type: 'rate_limit_error', code: 'platform_rate_limited', platform: 'googleads', platformError: { error: 'rate_limit_exceeded' }, details: { code: 'rate_limit_exceeded' } });
    }
  });

  it("that cannot be refreshed any more is the caller's to reconnect, with Google's own words", async () => {
    const payload = { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };
    await using api = await open((line) => (isRefresh(line) ? { status: 400, body: payload } : { status: 401, body: adsFailure('authenticationError', 'OAUTH_TOKEN_EXPIRED') }));
    const { status, body } = await api.call('POST', at('acc_google'), { body: anAction });
    expect(status).toBe(401);
    expect(body).toMatchObject({ type: 'platform_error', code: 'reconnect_required', platform: 'googleads', platformError: payload });
    expect(body['error']).toMatch(/Reconnect/);
  });
});

describe('conversion actions', () => {
  const URL = '/v1/ads/conversions/actions?accountId=acc_google&adAccountId=1234567890';
  const rows = { body: { results: [actionRow(), actionRow({ resourceName: 'customers/1234567890/conversionActions/2', id: '2', name: 'Tag', type: 'WEBPAGE', category: 'DEFAULT', tagSnippets: [{ type: 'WEBPAGE', pageFormat: 'HTML', globalSiteTag: '<script>', eventSnippet: '<script>' }] })] } };
  const exhausted = { status: 429, body: adsFailure('quotaError', 'RESOURCE_EXHAUSTED', { details: { quotaErrorDetails: { rateScope: 'DEVELOPER', retryDelay: '90s' } } }) };
  const clock = (start = Date.UTC(2026, 10, 20, 12)) => {
    let nowMs = start;
    return { now: () => nowMs, pass: (ms: number) => void (nowMs += ms) };
  };
  const HOUR = 3_600_000;

  it('are read from Google, then shown for an hour, of every type and by any name of the customer', async () => {
    const { now, pass } = clock();
    await using api = await open(() => rows, { now });
    const first = await api.call('GET', URL);
    expect(first.body).toMatchObject({ customerId: '1234567890', cachedAt: null, stale: false, actions: [{ id: '1', tagSnippets: [] }, { id: '2', type: 'WEBPAGE', tagSnippets: [{ pageFormat: 'HTML' }] }] });
    pass(HOUR - 1);
    const again = await api.call('GET', `${URL}&type=WEBPAGE`);
    expect(again.body).toMatchObject({ cachedAt: '2026-11-20T12:00:00.000Z', stale: false, actions: [{ id: '2' }] });
    expect((await api.call('GET', URL.replace('adAccountId=1234567890', 'customerId=123-456-7890'))).body['cachedAt']).toBe('2026-11-20T12:00:00.000Z');
    expect(api.send.requests).toHaveLength(1);
    pass(1);
    expect((await api.call('GET', URL)).body).toMatchObject({ cachedAt: null });
    expect(api.send.requests).toHaveLength(2);
  });

  it('are shown as they last were while Google cannot be asked', async () => {
    const { now, pass } = clock();
    let answer: Scripted = rows;
    await using api = await open(() => answer, { now });
    await api.call('GET', URL);
    pass(2 * HOUR);
    for (const failure of [exhausted, { status: 500 }, 'timeout'] as const) {
      answer = failure;
      expect(await api.call('GET', URL)).toMatchObject({ status: 200, body: { stale: true, cachedAt: '2026-11-20T12:00:00.000Z', actions: [{}, {}] } });
    }
    answer = { status: 403, body: adsFailure('authorizationError', 'USER_PERMISSION_DENIED') };
    expect(await api.call('GET', URL)).toMatchObject({ status: 403, body: { code: 'platform_forbidden' } });
    answer = rows;
    expect((await api.call('GET', URL)).body).toMatchObject({ stale: false, cachedAt: null });
  });

  it('say whose quota is spent where nothing was read before', async () => {
    await using api = await open(() => exhausted);
    const { status, headers, body } = await api.call('GET', URL);
    expect([status, headers['retry-after']]).toEqual([429, '90']);
    expect(body).toMatchObject({ code: 'platform_rate_limited', type: 'rate_limit_error', details: { quotaExhausted: true, quotaScope: 'DEVELOPER' }, platformError: exhausted.body });
  });

  it('are read once by callers that come together', async () => {
    const { promise, resolve } = Promise.withResolvers<Scripted>();
    await using api = await open(() => promise);
    const calls = Array.from({ length: 20 }, () => api.call('GET', URL));
    await expect.poll(() => api.send.requests.length).toBe(1);
    resolve(rows);
    expect((await Promise.all(calls)).every(({ status }) => status === 200)).toBe(true);
    expect(api.send.requests).toHaveLength(1);
  });

  const NEW = { accountId: 'acc_google', adAccountId: '1234567890', name: 'Checkout', type: 'WEBPAGE', defaultValue: 5 };
  it('are made, and then read anew; if that fails, they are shown as they last were', async () => {
    let read: Scripted = rows;
    await using api = await open((line) => (line.includes(':mutate') ? { body: { results: [{ resourceName: 'customers/1234567890/conversionActions/2' }] } } : read));
    await api.call('GET', URL);
    const made = await api.call('POST', '/v1/ads/conversions/actions', { body: NEW });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ action: { id: '2', tagSnippets: [{ eventSnippet: '<script>' }] } });
    read = exhausted;
    expect(await api.call('GET', URL)).toMatchObject({ status: 200, body: { stale: true, cachedAt: expect.any(String), actions: [{}, {}] } });
    read = rows;
    expect((await api.call('GET', URL)).body).toMatchObject({ cachedAt: null, stale: false });
    expect((await api.call('GET', URL)).body).toMatchObject({ cachedAt: expect.any(String), stale: false });
  });

  it('are not made of another type, nor twice of one name', async () => {
    await using api = await open(() => ({ status: 400, body: adsFailure('conversionActionError', 'DUPLICATE_NAME') }));
    expect(await api.call('POST', '/v1/ads/conversions/actions', { body: { ...NEW, type: 'UPLOAD_CLICKS' } })).toMatchObject({ status: 400, body: { param: 'type' } });
    expect(await api.call('POST', '/v1/ads/conversions/actions', { body: NEW })).toMatchObject({ status: 409, body: { code: 'conflict', details: { code: 'DUPLICATE_NAME' } } });
  });
});

describe('a key', () => {
  it('that only reads changes nothing, and one that only changes reads nothing', async () => {
    await using api = await nothing();
    for (const [method, url] of [['POST', at('acc_meta')], ['PATCH', at('acc_meta', '/1')], ['DELETE', at('acc_meta', '/1')], ['POST', at('acc_meta', '/1/associations')], ['POST', '/v1/ads/conversions/actions']] as const) {
      expect(await api.call(method, url, { as: 'reader', body: {} })).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    }
    expect(await api.call('GET', at('acc_meta'), { as: 'sender' })).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });
});

describe('the public client', () => {
  it('calls every method, under both mounts', async () => {
    await using api = await open((line) => {
      if (line.includes('/adAccountUsers') || line.includes('/adAnalytics') || line.includes('q=account')) return { body: { elements: [] } };
      if (line.startsWith('POST') && line.includes('/conversions?')) return { status: 204, body: '' };
      if (line.startsWith('POST') && line.includes('/conversions')) return { status: 201, headers: { 'x-restli-id': '50077' } };
      if (line.includes('/campaignConversions')) return { body: { results: { '(campaign:urn%3Ali%3AsponsoredCampaign%3A7,conversion:x)': { status: 204 } } } };
      return line.includes('dataset_quality') ? { body: {} } : { body: RULE };
    });
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const origin = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
    for (const baseURL of [origin, `${origin}/api`]) {
      const { conversions } = new Zernio({ apiKey: 'rk_root', baseURL });
      const path = { accountId: 'acc_linkedin', destinationId: 'urn:lla:llaPartnerConversion:50001' };
      const query = { adAccountId: '5' };
      expect((await conversions.listConversionDestinations({ path })).data).toEqual({ platform: 'linkedinads', destinations: [] });
      expect((await conversions.createConversionDestination({ path, body: aRule })).data?.destination?.id).toBe('50077');
      expect((await conversions.getConversionDestination({ path, query })).data?.destination?.name).toBe('Purchases');
      expect((await conversions.updateConversionDestination({ path, body: { ...query, enabled: true } })).data?.destination?.status).toBe('active');
      expect((await conversions.deleteConversionDestination({ path, query })).response.status).toBe(204);
      expect((await conversions.listConversionAssociations({ path, query })).data?.associations).toEqual([]);
      expect((await conversions.addConversionAssociations({ path, body: { ...query, campaignIds: ['7'] } })).data?.succeeded).toEqual(['7']);
      expect((await conversions.removeConversionAssociations({ path, query: { ...query, campaignIds: '7' } })).data?.succeeded).toEqual(['7']);
      expect((await conversions.getConversionMetrics({ path, query: { ...query, startDate: '2026-10-01' } })).data).toEqual({ platform: 'linkedinads', granularity: 'ALL', rows: [] });
      expect((await conversions.getConversionsQuality({ query: { accountId: 'acc_meta', destinationId: '11111' } })).data).toEqual({ platform: 'metaads', rows: [] });
      const fault = await conversions.getConversionDestination({ path: { accountId: 'acc_google', destinationId: 'customers/1/conversionActions/2' }, query }).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(ZernioApiError);
      expect(fault).toMatchObject({ statusCode: 405, code: 'wrong_platform', platform: 'googleads' });
    }
  });
});
