import { describe, expect, it } from 'vitest';
import type { InboundReply } from '@relay/contract';
import { BROKEN_BODIES, BROKEN_HEADERS, STATUSES } from '../conformance-cases.test-kit.ts';
import { TEST_ENDPOINTS } from '../conformance.test-kit.ts';
import { datasetCreateRequest, datasetGetRequest, readDatasetReply } from './dataset.ts';

const WABA = '2000000000000001';
/** Vector of the fact file, A.1. */
const TOKEN = 'EAATESTTOKEN123';
const PROVEN = { ...TEST_ENDPOINTS, metaAppSecret: 'app-secret-0123456789abcdef' };
const PROOF = '7138e864a7ed8b419ac5384a6c3103b095f9c9d7d49fd1d8bfdec4e255e027eb';

const reply = (status: number, body: unknown, headers: InboundReply['headers'] = {}): InboundReply => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 1_790_000_000_000,
});

describe('requests', () => {
  it('asks with the token in a header', () => {
    expect(datasetGetRequest(WABA, TOKEN, TEST_ENDPOINTS)).toEqual({
      method: 'GET',
      url: 'https://graph.meta.test/v25.0/2000000000000001/dataset',
      headers: { accept: 'application/json', authorization: `Bearer ${TOKEN}` },
      body: undefined,
    });
  });

  it('creates with the token in the body', () => {
    const { method, url, headers, body } = datasetCreateRequest(WABA, TOKEN, TEST_ENDPOINTS);
    expect([method, url, headers['content-type']]).toEqual(['POST', 'https://graph.meta.test/v25.0/2000000000000001/dataset', 'application/json']);
    expect(JSON.parse(body ?? '')).toEqual({ access_token: TOKEN });
  });

  it('proves the app where its secret is known', () => {
    expect(datasetGetRequest(WABA, TOKEN, PROVEN).url).toBe(`https://graph.meta.test/v25.0/2000000000000001/dataset?appsecret_proof=${PROOF}`);
    expect(JSON.parse(datasetCreateRequest(WABA, TOKEN, PROVEN).body ?? '')).toEqual({ access_token: TOKEN, appsecret_proof: PROOF });
  });

  it('lets no account id out of its place in the path', () => {
    expect(datasetGetRequest('../me?x=', TOKEN, TEST_ENDPOINTS).url).toBe('https://graph.meta.test/v25.0/..%2Fme%3Fx%3D/dataset');
  });
});

describe('answers', () => {
  it.each<[string, unknown, object]>([
    ['an empty edge', { data: [] }, { kind: 'none' }],
    ['a list', { data: [{ id: '1234567890123456', name: 'x' }], paging: {} }, { kind: 'found', datasetId: '1234567890123456' }],
    ['a bare object', { id: '1234567890123456' }, { kind: 'found', datasetId: '1234567890123456' }],
    ['a number', { id: 1234567890123456 }, { kind: 'found', datasetId: '1234567890123456' }],
    ['an odd entry before a good one', { data: [{}, { id: '1234567890123456' }] }, { kind: 'found', datasetId: '1234567890123456' }],
    ['a list of nothing usable', { data: [{ id: 'x/y' }] }, { kind: 'retry', reason: 'unavailable', code: 'unreadable_reply' }],
    ['no list', { success: true }, { kind: 'retry', code: 'unreadable_reply' }],
    ['a cut answer', '{"data":[', { kind: 'retry', code: 'unreadable_reply' }],
    ['a page', '<html>', { kind: 'retry', platformError: '<html>' }],
  ])('reads %s', (_title, body, expected) => {
    expect(readDatasetReply(reply(200, body), TOKEN)).toMatchObject(expected);
  });

  const error = (code: number, more: object = {}) => ({ error: { message: `(#${code}) said`, type: 'OAuthException', code, ...more, fbtrace_id: 'A1' } });

  it.each<[string, number, object, string, RegExp]>([
    ['an unverified business', 400, { error: { message: '(#100) Invalid parameter', type: 'OAuthException', code: 100, fbtrace_id: 'A1' } }, '100', /not verified/],
    ['a missing permission', 403, error(200), '200', /whatsapp_business_manage_events.*reconnect/],
    ['a permission that was taken away', 400, error(10), '10', /whatsapp_business_manage_events/],
    ['an expired token', 400, error(190, { error_subcode: 463 }), '190/463', /reconnect/],
    ['a malformed token', 401, error(190), '190', /reconnect/],
    ['an unknown account', 400, error(100, { error_subcode: 33, type: 'GraphMethodException' }), '100/33', /WhatsApp Business Account/],
    ['an alias', 404, error(803), '803', /WhatsApp Business Account/],
    ['a missing proof', 400, { error: { message: 'API calls from the server require an appsecret_proof argument', type: 'GraphMethodException', code: 100 } }, '100', /META_APP_SECRET/],
    ['an app without the capability', 400, error(3), '3', /advanced access/],
    ['an old version', 400, error(2635), '2635', /META_GRAPH_VERSION/],
  ])('refuses for good, with the way out: %s', (_title, status, body, code, fix) => {
    const read = readDatasetReply(reply(status, body), TOKEN);
    expect(read).toMatchObject({ kind: 'refused', status, platformError: body, code, fix: expect.stringMatching(fix) });
  });

  it.each<[string, number, unknown]>([
    ['an edge that is not there', 400, error(2500)],
    ['a block for a policy', 400, error(368)],
    ['an error page', 401, '<html>'],
  ])('refuses for good without a known way out: %s', (_title, status, body) => {
    expect(readDatasetReply(reply(status, body), TOKEN)).toMatchObject({ kind: 'refused', fix: undefined });
  });

  it('waits as long as the throttle says', () => {
    const usage = JSON.stringify({ '9': [{ type: 'whatsapp', estimated_time_to_regain_access: 7 }] });
    expect(readDatasetReply(reply(400, error(80008), { 'x-business-use-case-usage': usage }), TOKEN)).toMatchObject({ kind: 'retry', reason: 'rate_limited', afterMs: 420_000, code: '80008', fix: expect.stringContaining('200') });
    expect(readDatasetReply(reply(400, error(80008)), TOKEN)).toMatchObject({ kind: 'retry', reason: 'rate_limited', afterMs: 60_000 });
    expect(readDatasetReply(reply(429, ''), TOKEN)).toMatchObject({ kind: 'retry', reason: 'rate_limited', fix: expect.stringContaining('Wait') });
  });

  it.each<[number, unknown]>([[500, error(2)], [502, '<html>'], [503, ''], [400, error(1)]])('tries again after %d %j', (status, body) => {
    expect(readDatasetReply(reply(status, body), TOKEN)).toMatchObject({ kind: 'retry', reason: 'unavailable', status });
  });

  it('hands on what Meta said as it said it, but for the token', () => {
    const hash = 'a'.repeat(64);
    const data = { who: ['jo@example.com', '+49 151 2345678', '203.0.113.7', hash, ...Array.from({ length: 150 }, (_, n) => n)], deep: [[[[[[[[[[['in']]]]]]]]]]] };
    const said = (token: string) => ({ error: { message: `Malformed access token ${token}`, code: 190, error_data: data, fbtrace_id: 'AbC-1' } });
    expect(readDatasetReply(reply(400, said(TOKEN)), TOKEN)).toMatchObject({ platformError: said('***'), message: 'Malformed access token ***' });
  });

  it.each(STATUSES)('finds a meaning for every body under status %d', (status) => {
    const flaws = BROKEN_BODIES.flatMap((body) =>
      BROKEN_HEADERS.flatMap((headers) => {
        const read = readDatasetReply(reply(status, body, headers), TOKEN);
        if (read.kind === 'found') return [`found ${read.datasetId} in ${body.slice(0, 50)}`];
        if (read.kind === 'none') return [`none in ${body.slice(0, 50)}`];
        return /\S/.test(read.message) && read.message.length <= 500 && (JSON.stringify(read.platformError) ?? '').length <= body.length * 6 + 2 ? [] : [body.slice(0, 50)];
      }),
    );
    expect(flaws).toEqual([]);
  });
});
