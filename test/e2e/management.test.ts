import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SEED } from '@relay/sandbox';
import { ZernioApiError, type ConversionAction, type ConversionDestination } from '@zernio/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KEYS, startRelay, type Json, type Relay } from './harness.ts';

const { google, linkedin, meta } = SEED;
const { customerId } = google;
const adAccountId = linkedin.adAccountId;
const LINKEDIN = { accountId: 'acc_linkedin' } as const;
const GOOGLE = { accountId: 'acc_google' } as const;
const META = { accountId: 'acc_meta' } as const;
const DAY_MS = 86_400_000;
const day = (ago: number): string => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);

let relay: Relay;
let conversions: ReturnType<Relay['client']>['conversions'];
beforeAll(async () => {
  relay = await startRelay({ workers: 0 });
  ({ conversions } = relay.client());
});
afterAll(() => relay?.stop());
beforeEach(async () => {
  await relay.sandbox.reset();
  await relay.redis.del('{relay}:actions:acc_google');
});

async function faultOf(call: Promise<unknown>): Promise<ZernioApiError> {
  const fault = await call.then(() => undefined, (error: unknown) => error);
  if (fault instanceof ZernioApiError) return fault;
  throw new Error('no ZernioApiError');
}
let names = 0;
const aName = (): string => `Test ${process.pid} ${(names += 1)}`;

describe('listConversionDestinations', () => {
  test('Meta: every pixel of ad accounts and businesses, once', async () => {
    await relay.sandbox.switches({ 'meta.maxPageSize': 1 });
    const { data } = await conversions.listConversionDestinations({ path: META });
    expect(data?.platform).toBe('metaads');
    expect(data?.destinations?.map(({ id, status, type }: ConversionDestination) => [id, status, type])).toEqual([...meta.pixels.map((id) => [id, 'active', undefined]), [meta.unavailablePixel, 'inactive', undefined]]);
  });

  test('Google: conversion actions of every customer that the manager or the user reaches, by resource name', async () => {
    const { data } = await conversions.listConversionDestinations({ path: GOOGLE });
    const ids = data?.destinations?.map(({ id }: ConversionDestination) => id) ?? [];
    expect(data?.platform).toBe('googleads');
    expect(ids).toContain(`customers/${customerId}/conversionActions/${google.uploadActions[0]}`);
    expect(ids).toContain(`customers/${google.clientCustomerId}/conversionActions/${google.clientUploadActions[0]}`);
    expect(ids).toContain(`customers/${google.secondCustomerId}/conversionActions/${google.secondUploadActions[0]}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(data?.destinations?.every(({ type }: ConversionDestination) => typeof type === 'string')).toBe(true);
  });

  test('LinkedIn: active rules of every ad account, each with its account', async () => {
    const { data } = await conversions.listConversionDestinations({ path: LINKEDIN });
    const expected = linkedin.adAccounts.flatMap(({ id, rules }) =>
      rules.filter((rule) => !([...linkedin.inactiveRules, ...linkedin.insightTagRules] as readonly string[]).includes(rule)).map((rule) => [id, rule, 'active']),
    );
    expect(data?.destinations?.map((rule: ConversionDestination) => [rule.adAccountId, rule.id, rule.status])).toEqual(expected);
    // Also where LinkedIn gives one ad account a page and no link to the next.
    await relay.sandbox.switches({ 'linkedin.pageSizeClamp': 1, 'linkedin.pagingLinks': false });
    expect((await conversions.listConversionDestinations({ path: LINKEDIN })).data?.destinations).toEqual(data?.destinations);
  });
});

describe('LinkedIn conversion rules', () => {
  test('are made, read, changed and deleted; a deleted one is hidden in the list but still read', async () => {
    const name = aName();
    const body = { adAccountId, name, type: 'Purchase', postClickAttributionWindowSize: 365, valueType: 'FIXED', value: { currencyCode: 'EUR', amount: '10.00' }, autoAssociationType: 'NONE' } as const;
    const { data: made, response } = await conversions.createConversionDestination({ path: LINKEDIN, body });
    expect(response.status).toBe(201);
    const rule = made!.destination!;
    expect(rule).toEqual({ id: expect.stringMatching(/^\d+$/), name, type: 'PURCHASE', status: 'active', adAccountId });

    const path = { ...LINKEDIN, destinationId: rule.id };
    const query = { adAccountId };
    expect((await conversions.getConversionDestination({ path, query })).data).toEqual({ platform: 'linkedinads', destination: rule });
    const renamed = await conversions.updateConversionDestination({ path, body: { adAccountId: `urn:li:sponsoredAccount:${adAccountId}`, name: `${name} b`, viewThroughAttributionWindowSize: 30 } });
    expect(renamed.data?.destination).toEqual({ ...rule, name: `${name} b` });

    expect((await conversions.deleteConversionDestination({ path, query })).response.status).toBe(204);
    expect((await conversions.getConversionDestination({ path, query })).data?.destination?.status).toBe('inactive');
    const { data: list } = await conversions.listConversionDestinations({ path: LINKEDIN });
    expect(list?.destinations?.map(({ id }: ConversionDestination) => id)).not.toContain(rule.id);
    const revived = await conversions.updateConversionDestination({ path, body: { adAccountId, enabled: true } });
    expect(revived.data?.destination?.status).toBe('active');
    const inBody = await relay.call('DELETE', `/api/v1/accounts/acc_linkedin/conversion-destinations/${rule.id}`, { body: { adAccountId } });
    expect([inBody.status, inBody.text]).toEqual([204, '']);
  });

  test('keep to the windows that their type allows, without asking LinkedIn', async () => {
    const fault = await faultOf(conversions.createConversionDestination({ path: LINKEDIN, body: { adAccountId, name: aName(), type: 'SIGN_UP', postClickAttributionWindowSize: 365 } }));
    expect(fault).toMatchObject({ statusCode: 400, type: 'invalid_request_error', param: 'postClickAttributionWindowSize', platform: 'linkedinads' });
    expect(await relay.sandbox.requests('linkedin')).toEqual([]);
  });

  test('are made once, also when LinkedIn fails; reading is tried again', async () => {
    await relay.sandbox.fault({ platform: 'linkedin', match: { path: '/conversions' }, times: 1, fault: { kind: 'unavailable', variant: '503' } });
    const fault = await faultOf(conversions.createConversionDestination({ path: LINKEDIN, body: { adAccountId, name: aName(), type: 'Purchase' } }));
    expect(fault).toMatchObject({ statusCode: 502, type: 'platform_error', platform: 'linkedinads' });
    expect(await relay.sandbox.requests('linkedin')).toHaveLength(1);
    await relay.sandbox.fault({ platform: 'linkedin', times: 2, fault: { kind: 'unavailable', variant: '504' } });
    const { data } = await conversions.getConversionDestination({ path: { ...LINKEDIN, destinationId: linkedin.rules[0] }, query: { adAccountId } });
    expect(data?.destination?.id).toBe(linkedin.rules[0]);
  });

  test('that are not there are 404 with what LinkedIn said', async () => {
    const fault = await faultOf(conversions.getConversionDestination({ path: { ...LINKEDIN, destinationId: '59999' }, query: { adAccountId } }));
    expect(fault).toMatchObject({ statusCode: 404, type: 'not_found', code: 'destination_not_found', platformError: { status: 404 } });
  });

  test('of an ad account that may only be read are 403', async () => {
    const fault = await faultOf(conversions.createConversionDestination({ path: LINKEDIN, body: { adAccountId: linkedin.adAccounts[2].id, name: aName(), type: 'Purchase' } }));
    expect(fault).toMatchObject({ statusCode: 403, type: 'platform_error', code: 'platform_forbidden', platformError: { status: 403 } });
  });
});

describe('LinkedIn campaign associations', () => {
  test('are listed, added and removed, campaign by campaign', async () => {
    const path = { ...LINKEDIN, destinationId: linkedin.rules[0] };
    const [first, second, third] = linkedin.adAccounts[0].campaigns;
    const listed = async () => (await conversions.listConversionAssociations({ path, query: { adAccountId } })).data?.associations ?? [];
    expect(await listed()).toEqual([{ campaignId: first, conversionId: path.destinationId, associatedAt: expect.any(Number) }]);

    const added = await conversions.addConversionAssociations({ path, body: { adAccountId, campaignIds: [first, second, third, '799999999'] } });
    expect(added.data).toEqual({ platform: 'linkedinads', succeeded: [first, second, third], failed: [{ campaignId: '799999999', reason: expect.any(String) }] });
    expect((await listed()).map(({ campaignId }: Json) => campaignId)).toEqual([first, second, third]);

    const removed = await conversions.removeConversionAssociations({ path, query: { adAccountId, campaignIds: `${first},${second}` } });
    expect(removed.data).toEqual({ platform: 'linkedinads', succeeded: [first, second], failed: [] });
    const inBody = await relay.call('DELETE', `/v1/accounts/acc_linkedin/conversion-destinations/${path.destinationId}/associations`, { body: { adAccountId, campaignIds: [third] } });
    expect(inBody).toMatchObject({ status: 200, body: { succeeded: [third], failed: [] } });
    expect(await listed()).toEqual([]);
  });
});

describe('getConversionMetrics', () => {
  const path = { ...LINKEDIN, destinationId: linkedin.rules[0] };
  test('answers what was attributed, by day and as a whole', async () => {
    const { data } = await conversions.getConversionMetrics({ path, query: { adAccountId, startDate: day(10), endDate: day(1), granularity: 'DAILY' } });
    expect(data).toMatchObject({ platform: 'linkedinads', granularity: 'DAILY' });
    expect(data!.rows!.length).toBeGreaterThan(3);
    const sum = data!.rows!.reduce((total: number, row: Json) => total + Number(row.metrics.externalWebsiteConversions), 0);
    const { data: all } = await conversions.getConversionMetrics({ path, query: { adAccountId, startDate: day(10), endDate: day(1) } });
    expect(all?.rows).toHaveLength(1);
    expect(all?.rows?.[0]?.metrics?.['externalWebsiteConversions']).toBe(sum);
  });

  test("tells LinkedIn's limits of time before it asks", async () => {
    const fault = await faultOf(conversions.getConversionMetrics({ path, query: { adAccountId, startDate: day(400), granularity: 'DAILY' } }));
    expect(fault).toMatchObject({ statusCode: 400, param: 'startDate' });
    expect(fault.message).toContain('6 months');
    expect(await relay.sandbox.requests('linkedin')).toEqual([]);
  });
});

describe('Google conversion destinations', () => {
  test('are made once by name and category; another category is a conflict', async () => {
    const body = { adAccountId: customerId, name: aName(), type: 'Subscribe' };
    const made = await conversions.createConversionDestination({ path: GOOGLE, body });
    expect(made.response.status).toBe(201);
    expect(made.data?.destination).toMatchObject({ id: expect.stringMatching(new RegExp(`^customers/${customerId}/conversionActions/\\d+$`)), type: 'SUBSCRIBE_PAID', status: 'active' });
    const again = await conversions.createConversionDestination({ path: GOOGLE, body: { ...body, adAccountId: `customers/${customerId}`, type: 'SUBSCRIBE_PAID' } });
    expect(again.response.status).toBe(200);
    expect(again.data?.destination?.id).toBe(made.data?.destination?.id);
    const fault = await faultOf(conversions.createConversionDestination({ path: GOOGLE, body: { ...body, type: 'Purchase' } }));
    expect(fault).toMatchObject({ statusCode: 409, code: 'IDEMPOTENCY_CONFLICT', platform: 'googleads' });
  });

  test('their slashes go through a path', async () => {
    const destinationId = `customers/${customerId}/conversionActions/${google.uploadActions[0]}`;
    const query = { adAccountId: customerId };
    const path = { ...GOOGLE, destinationId };
    for (const call of [
      () => conversions.getConversionDestination({ path, query }),
      () => conversions.updateConversionDestination({ path, body: { ...query, name: 'x' } }),
      () => conversions.deleteConversionDestination({ path, query }),
      () => conversions.listConversionAssociations({ path, query }),
      () => conversions.addConversionAssociations({ path, body: { ...query, campaignIds: ['1'] } }),
      () => conversions.removeConversionAssociations({ path, query: { ...query, campaignIds: '1' } }),
      () => conversions.getConversionMetrics({ path, query: { ...query, startDate: day(3) } }),
    ]) {
      expect(await faultOf(call())).toMatchObject({ statusCode: 405, code: 'wrong_platform', platform: 'googleads', param: 'accountId' });
    }
    expect(await faultOf(conversions.createConversionDestination({ path: META, body: { ...query, name: 'x', type: 'Purchase' } }))).toMatchObject({ statusCode: 405, platform: 'metaads' });
  });
});

describe('getConversionsQuality', () => {
  test('answers what Meta rates, and tolerates what it leaves out', async () => {
    const { data } = await conversions.getConversionsQuality({ query: { ...META, destinationId: meta.pixels[0] } });
    expect(data?.platform).toBe('metaads');
    expect(data?.rows).toHaveLength(4);
    expect(data?.rows?.some(({ compositeScore }: Json) => compositeScore !== undefined)).toBe(true);
    expect(data?.rows?.some(({ compositeScore }: Json) => compositeScore === undefined)).toBe(true);
    for (const destinationId of meta.pixels.slice(1)) {
      expect((await conversions.getConversionsQuality({ query: { ...META, destinationId } })).data).toEqual({ platform: 'metaads', rows: [] });
    }
  });

  test('answers 404 and 403 with what Meta said, and 405 elsewhere', async () => {
    expect(await faultOf(conversions.getConversionsQuality({ query: { ...META, destinationId: '9999999999999999' } }))).toMatchObject({ statusCode: 404, code: 'destination_not_found', platformError: { error: { code: 2044055 } } });
    await relay.sandbox.switches({ 'meta.qualityForbidden': meta.pixels[0] });
    expect(await faultOf(conversions.getConversionsQuality({ query: { ...META, destinationId: meta.pixels[0] } }))).toMatchObject({ statusCode: 403, type: 'platform_error', platformError: { error: { code: 10 } } });
    expect(await faultOf(conversions.getConversionsQuality({ query: { ...GOOGLE, destinationId: meta.pixels[0] } }))).toMatchObject({ statusCode: 405 });
  });
});

describe('conversion actions', () => {
  const query = { ...GOOGLE, adAccountId: customerId };
  const asked = async () => (await relay.sandbox.requests('google')).filter(({ route }) => /ads/.test(route)).length;

  test('are read once and then shown, by every process, until one is made', async () => {
    const first = await conversions.listConversionActions({ query });
    expect(first.data).toMatchObject({ customerId, cachedAt: null, stale: false });
    expect(first.data?.actions?.find(({ id }: ConversionAction) => id === google.webpageActions[0])).toMatchObject({ type: 'WEBPAGE', tagSnippets: expect.arrayContaining([expect.objectContaining({ eventSnippet: expect.any(String) })]) });
    const calls = await asked();
    const again = await conversions.listConversionActions({ query: { ...query, type: 'WEBPAGE' } });
    expect(again.data).toMatchObject({ cachedAt: expect.stringMatching(/^\d{4}-/), stale: false });
    expect(again.data?.actions?.every(({ type }: ConversionAction) => type === 'WEBPAGE')).toBe(true);
    expect(await asked()).toBe(calls);
    const ttlMs = await relay.redis.pttl('{relay}:actions:acc_google');
    expect(ttlMs).toBeGreaterThan(6.9 * DAY_MS);
    expect(ttlMs).toBeLessThanOrEqual(7 * DAY_MS);

    const name = aName();
    const made = await conversions.createConversionAction({ body: { ...query, name, type: 'WEBPAGE', defaultValue: 5 } });
    expect(made.response.status).toBe(201);
    expect(made.data?.action).toMatchObject({ name, type: 'WEBPAGE', tagSnippets: expect.arrayContaining([expect.objectContaining({ type: expect.any(String) })]) });
    const after = await conversions.listConversionActions({ query: { accountId: query.accountId, customerId } });
    expect(after.data).toMatchObject({ cachedAt: null });
    expect(after.data?.actions?.map((action: ConversionAction) => action.name)).toContain(name);
    expect(await faultOf(conversions.createConversionAction({ body: { ...query, name, type: 'WEBPAGE' } }))).toMatchObject({ statusCode: 409 });
  });

  test('another process shows what this one read', async () => {
    await conversions.listConversionActions({ query });
    const other = await startRelay({ workers: 0, redisUrl: relay.redisUrl });
    try {
      expect((await other.client().conversions.listConversionActions({ query })).data).toMatchObject({ cachedAt: expect.any(String), stale: false });
      expect(await other.sandbox.requests('google')).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  test("a spent quota of Google's is told apart, and hidden behind the last good answer", async () => {
    const exhausted = () => relay.sandbox.fault({ platform: 'google', match: { path: '/google/ads/' }, fault: { kind: 'rate_limit', variant: 'ads_developer', retryAfterSeconds: 90 } });
    await exhausted();
    const answer = await relay.call('GET', `/v1/ads/conversions/actions?accountId=acc_google&adAccountId=${customerId}`);
    expect(answer).toMatchObject({ status: 429, body: { type: 'rate_limit_error', code: 'platform_rate_limited', platform: 'googleads', details: { quotaExhausted: true, quotaScope: 'DEVELOPER' }, platformError: { error: { code: 429 } } } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await relay.sandbox.clearFaults();
    await conversions.listConversionActions({ query });
    await ageActions(2);
    await exhausted();
    expect((await conversions.listConversionActions({ query })).data).toMatchObject({ stale: true, customerId, cachedAt: expect.any(String) });
  });

  /** As if what is kept had been read some hours ago. */
  async function ageActions(hours: number): Promise<void> {
    const field = `of ${customerId}`;
    const packed = await relay.redis.hgetBuffer('{relay}:actions:acc_google', field);
    const entry = JSON.parse(zstdDecompressSync(packed!).toString()) as { readAtMs: number };
    await relay.redis.hset('{relay}:actions:acc_google', field, zstdCompressSync(JSON.stringify({ ...entry, readAtMs: entry.readAtMs - hours * 3_600_000 })));
  }

  test('of other platforms are 501', async () => {
    expect(await faultOf(conversions.listConversionActions({ query: META }))).toMatchObject({ statusCode: 501, type: 'api_error', platform: 'metaads' });
    expect(await faultOf(conversions.createConversionAction({ body: { ...LINKEDIN, name: 'x', type: 'WEBPAGE' } }))).toMatchObject({ statusCode: 501, platform: 'linkedinads' });
  });
});

describe('what goes wrong upstream', () => {
  test('a dead token is 401 with "reconnect", holds nothing, and works again once it is valid', async () => {
    await relay.sandbox.token('linkedin', linkedin.accessToken, 'revoked');
    const fault = await faultOf(conversions.listConversionDestinations({ path: LINKEDIN }));
    expect(fault).toMatchObject({ statusCode: 401, type: 'platform_error', code: 'reconnect_required', platform: 'linkedinads', platformError: expect.any(Object) });
    expect(fault.message).toMatch(/reconnect/i);
    expect((await relay.call('GET', '/v1/admin/accounts/acc_linkedin')).body.status).toBe('active');
    await relay.sandbox.token('meta', meta.accessToken, 'expired');
    expect(await faultOf(conversions.listConversionDestinations({ path: META }))).toMatchObject({ statusCode: 401, code: 'reconnect_required', platformError: { error: { code: 190 } } });
    await relay.sandbox.reset();
    expect((await conversions.listConversionDestinations({ path: LINKEDIN })).data?.platform).toBe('linkedinads');
  });

  test("a rate limit is 429 with Retry-After, an outage 502, in the platform's own words", async () => {
    await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'rate_limit', variant: '4' } });
    const limited = await relay.call('GET', '/v1/accounts/acc_meta/conversion-destinations');
    expect(limited).toMatchObject({ status: 429, body: { code: 'platform_rate_limited', platformError: { error: { code: 4 } } } });
    expect(limited.body.details).not.toHaveProperty('quotaExhausted');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    await relay.sandbox.clearFaults();
    await relay.sandbox.fault({ platform: 'linkedin', fault: { kind: 'reset', when: 'before' } });
    expect(await faultOf(conversions.listConversionDestinations({ path: LINKEDIN }))).toMatchObject({ statusCode: 502, code: 'platform_unavailable', details: { code: 'connection_reset' } });
  });

  test('a platform that hangs is 504 in the time that PLATFORM_TIMEOUT_MS gives it', async () => {
    await relay.sandbox.fault({ platform: 'linkedin', fault: { kind: 'hang' } });
    const start = performance.now();
    expect(await faultOf(conversions.getConversionDestination({ path: { ...LINKEDIN, destinationId: linkedin.rules[0] }, query: { adAccountId } }))).toMatchObject({ statusCode: 504, code: 'platform_timeout' });
    expect(performance.now() - start).toBeLessThan(7_000);
  });
});

test('a key for another account sees and touches nothing', async () => {
  const foreign = relay.client(KEYS.bound).conversions;
  const path = { ...LINKEDIN, destinationId: linkedin.rules[0] };
  const query = { adAccountId };
  for (const call of [
    () => foreign.listConversionDestinations({ path: LINKEDIN }),
    () => foreign.getConversionDestination({ path, query }),
    () => foreign.deleteConversionDestination({ path, query }),
    () => foreign.listConversionAssociations({ path, query }),
    () => foreign.getConversionMetrics({ path, query: { ...query, startDate: day(3) } }),
    () => foreign.listConversionActions({ query: GOOGLE }),
  ]) {
    expect(await faultOf(call())).toMatchObject({ statusCode: 403, type: 'permission_error' });
  }
  expect(await relay.sandbox.requests('linkedin')).toEqual([]);
  expect((await foreign.listConversionDestinations({ path: META })).data?.platform).toBe('metaads');
});
