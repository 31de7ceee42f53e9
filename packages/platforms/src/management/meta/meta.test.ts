import { describe, expect, it } from 'vitest';
import { PlatformCallError } from '../errors.ts';
import { TOKEN, scripted, thrownBy, type Scripted } from '../scripted-call.test-kit.ts';
import { metaManagement } from './destinations.ts';
import { getQuality } from './quality.ts';

const CREDENTIALS = { accessToken: TOKEN };
const pixel = (id: string, extra: object = {}) => ({ id, name: `Pixel ${id}`, ...extra });
const paging = (after: string, hasNext: boolean) => ({ cursors: { before: 'x', after }, ...(hasNext && { next: `https://graph.test/x?access_token=${TOKEN}&after=${after}` }) });
const refused = (code: number, subcode?: number): Scripted => ({
  status: 400,
  body: { error: { message: `refused ${code}`, type: 'OAuthException', code, ...(subcode !== undefined && { error_subcode: subcode }), fbtrace_id: 'trace' } },
});

function meta(answers: Readonly<Record<string, Scripted | Error>>, secret?: string) {
  return scripted(
    CREDENTIALS,
    (line) => {
      const url = new URL(line.slice(4), 'https://graph.test');
      const key = `${url.pathname.replace('/v25.0/', '')}${url.searchParams.has('after') ? `@${url.searchParams.get('after')}` : ''}`;
      return answers[key] ?? { body: { data: [] } };
    },
    { metaAppSecret: secret },
  );
}

describe('Meta: list of destinations', () => {
  it('reads ad accounts and businesses, page by page, once each, sorted', async () => {
    const { ctx, seen, lines } = meta({
      'me/adaccounts': {
        body: {
          data: [
            { id: 'act_1', adspixels: { data: [pixel('30'), pixel('9')], paging: paging('p1', true) } },
            { id: 'act_2' },
          ],
          paging: paging('a1', true),
        },
      },
      'me/adaccounts@a1': { body: { data: [{ id: 'act_3', adspixels: { data: [pixel('9')], paging: paging('p9', false) } }], paging: paging('a2', false) } },
      'act_1/adspixels@p1': { body: { data: [pixel('40', { is_unavailable: true })], paging: paging('p2', true) } },
      'act_1/adspixels@p2': { body: { data: [pixel('41')] } },
      'me/businesses': { body: { data: [{ id: '77' }] } },
      '77/owned_pixels': { body: { data: [pixel('9'), pixel('50'), { name: 'no id' }] } },
      '77/client_pixels': { body: { data: [{ id: '60' }] } },
    });
    expect(await metaManagement.listDestinations(ctx)).toEqual({
      destinations: [
        { id: '9', name: 'Pixel 9', status: 'active' },
        { id: '30', name: 'Pixel 30', status: 'active' },
        { id: '40', name: 'Pixel 40', status: 'inactive' },
        { id: '41', name: 'Pixel 41', status: 'active' },
        { id: '50', name: 'Pixel 50', status: 'active' },
        { id: '60', name: '60', status: 'active' },
      ],
      warnings: [],
    });
    expect(lines().every((line) => !line.includes(TOKEN))).toBe(true);
    expect(seen.every(({ headers, method, repeatable }) => headers['authorization'] === `Bearer ${TOKEN}` && method === 'GET' && repeatable)).toBe(true);
    expect(lines()[0]).toContain('fields=id%2Caccount_id%2Cname%2Cadspixels%7Bid%2Cname%2Cis_unavailable%7D');
  });

  it('proves the app where there is a secret', async () => {
    const { ctx, lines } = meta({}, 'secret');
    await metaManagement.listDestinations(ctx);
    expect(lines().every((line) => /appsecret_proof=[0-9a-f]{64}/.test(line))).toBe(true);
  });

  it('does with one of the two ways', async () => {
    const { ctx } = meta({ 'me/businesses': refused(200), 'me/adaccounts': { body: { data: [{ id: 'act_1', adspixels: { data: [pixel('9')] } }] } } });
    expect(await metaManagement.listDestinations(ctx)).toEqual({ destinations: [{ id: '9', name: 'Pixel 9', status: 'active' }], warnings: ['businesses was left out: 200'] });
  });

  it('keeps the first page of pixels where further ones are refused', async () => {
    const { ctx } = meta({
      'me/adaccounts': { body: { data: [{ id: 'act_1', adspixels: { data: [pixel('9')], paging: paging('p1', true) } }] } },
      'act_1/adspixels@p1': refused(10),
    });
    const { destinations, warnings } = await metaManagement.listDestinations(ctx);
    expect([destinations.length, warnings]).toEqual([1, ['ad account act_1 was left out: 10']]);
  });

  it('answers with the refusal where both ways are closed', async () => {
    const { ctx } = meta({ 'me/businesses': refused(100), 'me/adaccounts': refused(200) });
    expect(await thrownBy(() => metaManagement.listDestinations(ctx))).toMatchObject({ kind: 'permission', code: '200' });
  });

  it('answers with the refusal where the other way gives nothing', async () => {
    expect(await thrownBy(() => metaManagement.listDestinations(meta({ 'me/businesses': refused(200) }).ctx))).toMatchObject({ kind: 'permission', code: '200' });
    const { ctx } = meta({ 'me/businesses': { body: { data: [{ id: '77' }] } }, '77/owned_pixels': refused(10) });
    expect(await thrownBy(() => metaManagement.listDestinations(ctx))).toMatchObject({ kind: 'permission', code: '10' });
    expect(await metaManagement.listDestinations(meta({}).ctx)).toEqual({ destinations: [], warnings: [] });
  });

  it('lets network faults through', async () => {
    const { ctx } = meta({ 'me/adaccounts': new Error('reset') });
    expect((await thrownBy(() => metaManagement.listDestinations(ctx))).message).toBe('reset');
  });

  it('has no other members', () => {
    expect(Object.keys(metaManagement)).toEqual(['listDestinations']);
  });
});

describe('Meta: quality', () => {
  it('reads rows, and what is absent stays absent', async () => {
    const { ctx, lines } = meta({
      dataset_quality: {
        body: {
          web: [
            {
              event_name: 'Purchase',
              event_match_quality: {
                composite_score: 7.4,
                match_key_feedback: [{ identifier: 'email', coverage: { percentage: 93.5 } }, { identifier: 'ip_address' }, { coverage: { percentage: 1 } }],
              },
              event_coverage: { percentage: 81, goal_percentage: 75 },
            },
            { event_name: 'AddToCart', event_match_quality: {} },
            { event_name: 'Lead' },
            { event_match_quality: { composite_score: 1 } },
            null,
          ],
        },
      },
    });
    expect(await getQuality(ctx, '1234567890')).toEqual([
      { eventName: 'AddToCart', matchKeys: [] },
      { eventName: 'Lead', matchKeys: [] },
      {
        eventName: 'Purchase',
        compositeScore: 7.4,
        matchKeys: [{ identifier: 'email', coveragePercentage: 93.5 }, { identifier: 'ip_address' }],
        eventCoveragePercentage: 81,
      },
    ]);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatch(/^GET \/v25\.0\/dataset_quality\?dataset_id=1234567890&fields=web%7Bevent_name%2C/);
  });

  it('is empty where Meta has seen nothing', async () => {
    expect(await getQuality(meta({ dataset_quality: { body: {} } }).ctx, '1234567890')).toEqual([]);
  });

  it('refuses what is no dataset', async () => {
    const { ctx, seen } = meta({});
    expect(await thrownBy(() => getQuality(ctx, '../me'))).toMatchObject({ name: 'LocalRuleError', param: 'destinationId', code: 'invalid_destination' });
    expect(seen).toEqual([]);
  });
});

describe('Meta: refusals', () => {
  it.each<[string, Scripted, object]>([
    ['expired token', refused(190, 463), { kind: 'unauthorised', code: '190/463', refreshable: false, traceId: 'trace', message: expect.stringContaining('Reconnect the account') }],
    ['permission', refused(200), { kind: 'permission', code: '200', message: expect.stringContaining('reconnect') }],
    ['permission taken', refused(10), { kind: 'permission' }],
    ['app limit', refused(4), { kind: 'rate_limited', retryAfterSeconds: 60, quotaExhausted: undefined }],
    ['account limit, with a hint in minutes', { ...refused(80004), headers: { 'x-business-use-case-usage': '{"1":[{"estimated_time_to_regain_access":5}]}' } }, { kind: 'rate_limited', retryAfterSeconds: 300 }],
    ['429 of a proxy', { status: 429, body: 'slow', headers: { 'retry-after': '7' } }, { kind: 'rate_limited', retryAfterSeconds: 7, platformError: 'slow' }],
    ['blocked', refused(368), { kind: 'unavailable', retryAfterSeconds: 3600 }],
    ['down', { ...refused(2), status: 500 }, { kind: 'unavailable', retryAfterSeconds: undefined }],
    ['unknown object', refused(803), { kind: 'not_found' }],
    ['no access to the object', refused(100, 33), { kind: 'not_found', code: '100/33' }],
    ['no such dataset', refused(100, 2044055), { kind: 'not_found' }],
    ['old version', refused(2635), { kind: 'config', message: expect.stringContaining('operator') }],
    ['unknown path', refused(2500), { kind: 'config' }],
    ['bad parameter', refused(100), { kind: 'invalid', platformError: { error: { message: 'refused 100', type: 'OAuthException', code: 100, fbtrace_id: 'trace' } } }],
    ['HTML', { status: 502, body: '<html>' }, { kind: 'unavailable', code: 'http_502', platformError: '<html>' }],
    ['401 without a body', { status: 401 }, { kind: 'unauthorised', platformError: undefined }],
    ['200 that is no JSON', { body: 'hello' }, { kind: 'unavailable', code: 'unreadable_reply' }],
    ['200 with an error', { ...refused(190), status: 200 }, { kind: 'unauthorised' }],
  ])('%s', async (_, reply, expected) => {
    const error = await thrownBy(() => getQuality(meta({ dataset_quality: reply }).ctx, '1234567890'));
    expect(error).toBeInstanceOf(PlatformCallError);
    expect(error).toMatchObject({ platform: 'metaads', ...expected });
  });
});
