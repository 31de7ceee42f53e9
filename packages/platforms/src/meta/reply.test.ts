import { describe, expect, it } from 'vitest';
import type { Verdict } from '@relay/contract';
import { META_CODES, metaCode } from './codes.ts';
import { readMetaReply } from './reply.ts';

const RECEIVED_AT = Date.parse('2026-11-20T12:00:00Z');

interface Given {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly sent?: number;
}

function read(body: unknown, { status = 400, headers = {}, sent = 3 }: Given = {}): Verdict {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readMetaReply({ status, headers, body: text, receivedAtMs: RECEIVED_AT }, { groupSizes: [sent] });
}

function anError(some: Readonly<Record<string, unknown>>) {
  return { error: { message: 'Invalid parameter', type: 'OAuthException', code: 100, is_transient: false, fbtrace_id: 'A1b2', ...some } };
}

describe('success', () => {
  it('is a count that equals what was sent', () => {
    expect(read({ events_received: 3, messages: [], fbtrace_id: 'A1b2' }, { status: 200 })).toEqual({
      kind: 'accepted',
      traceId: 'A1b2',
      faults: [],
      warnings: [],
      statusId: undefined,
    });
  });
  it('passes warnings on, without persons', () => {
    expect(read({ events_received: 1, messages: ['dropped jo@example.com', 7] }, { status: 200, sent: 1 })).toMatchObject({ kind: 'accepted', warnings: ['dropped ***'] });
  });
  it.each([0, 2, 4])('is not %d of 3', (received) => {
    expect(read({ events_received: received, fbtrace_id: 'x' }, { status: 200 })).toMatchObject({ kind: 'retry', code: 'events_received_mismatch', traceId: 'x' });
  });
  it.each(['', '{}', '<html></html>', '{"events_received":"3"}', '{"events_received":3', '[]', 'null'])('is not a 200 with %j', (body) => {
    expect(read(body, { status: 200 })).toMatchObject({ kind: 'retry', code: 'unreadable_reply' });
  });
  it('is not a 200 with an error inside', () => {
    expect(read({ ...anError({ code: 190 }), events_received: 3 }, { status: 200 }).kind).toBe('unauthorised');
  });
});

describe('every code in the table', () => {
  const CLASSES = { app_limit: 'rate_limited', account_limit: 'rate_limited', retry: 'retry', blocked: 'retry', auth: 'unauthorised', destination: 'rejected_request', account: 'rejected_request', operator: 'rejected_request', event: 'rejected_events' } as const;
  const codes = META_CODES.flatMap((row) => [...new Set([row.code, row.to ?? row.code])].map((code) => ({ ...row, code })));

  it.each(codes)('$code/$subcode is $class', ({ code, subcode, class: errorClass }) => {
    const verdict = read(anError({ code, ...(subcode !== undefined && { error_subcode: subcode }) }));
    expect(verdict).toMatchObject({ kind: CLASSES[errorClass], code: subcode === undefined ? String(code) : `${code}/${subcode}`, traceId: 'A1b2' });
  });

  it('is not hidden by one above it', () => {
    expect(META_CODES.filter((row) => metaCode(row.code, row.subcode) !== row)).toEqual([]);
  });
});

describe('errors', () => {
  it.each<[string, Readonly<Record<string, unknown>>, Partial<Record<string, unknown>>]>([
    ['token with subcode', { code: 190, error_subcode: 463 }, { kind: 'unauthorised', code: '190/463', refreshable: false }],
    ['permission', { code: 294 }, { kind: 'unauthorised', code: '294' }],
    ['dataset out of reach', { type: 'GraphMethodException', error_subcode: 33 }, { kind: 'rejected_request', concern: 'destination', groups: [0], code: '100/33' }],
    ['app secret proof', { type: 'GraphMethodException' }, { kind: 'rejected_request', concern: 'operator', code: '100' }],
    ['app secret proof by its text', { message: 'API calls from the server require an appsecret_proof argument' }, { kind: 'rejected_request', concern: 'operator' }],
    ['old version', { code: 2635 }, { kind: 'rejected_request', concern: 'operator' }],
    ['bad parameters combined', { code: 1, error_subcode: 99 }, { kind: 'rejected_request', concern: 'operator' }],
    ['policy block', { code: 368 }, { kind: 'retry', afterMs: 3_600_000 }],
    ['unknown subcode', { error_subcode: 2804999 }, { kind: 'rejected_events', indices: [], code: '100/2804999' }],
    ['unknown subcode that passes', { error_subcode: 1234, is_transient: true }, { kind: 'retry' }],
    ['known subcode is_transient or not', { error_subcode: 2804003, is_transient: true }, { kind: 'rejected_events' }],
    ['unknown code that passes', { code: 777, is_transient: true }, { kind: 'retry', code: '777' }],
    ['unknown code', { code: 777 }, { kind: 'rejected_events', code: '777' }],
    ['negative code', { code: -3 }, { kind: 'retry', code: '-3' }],
    ['code as text', { code: '190', error_subcode: '460' }, { kind: 'unauthorised', code: '190/460' }],
    ['no code', { code: undefined }, { kind: 'retry', code: 'http_400' }],
  ])('%s', (_name, error, expected) => {
    expect(read(anError(error))).toMatchObject(expected);
  });

  it.each([
    [401, 'unauthorised'],
    [403, 'unauthorised'],
    [404, 'rejected_request'],
    [429, 'rate_limited'],
    [500, 'retry'],
  ])('of an unknown code under status %d are %s', (status, kind) => {
    expect(read(anError({ code: 777 }), { status }).kind).toBe(kind);
  });

  it('do not care for the status where the code is known', () => {
    expect(read(anError({ code: 190 }), { status: 500 }).kind).toBe('unauthorised');
    expect(read(anError({ code: 17 }), { status: 500 }).kind).toBe('rate_limited');
    expect(read(anError({ code: 2, is_transient: true }), { status: 500 }).kind).toBe('retry');
  });

  it.each([
    [400, 'retry'],
    [401, 'unauthorised'],
    [403, 'retry'],
    [404, 'rejected_request'],
    [408, 'retry'],
    [413, 'too_large'],
    [425, 'retry'],
    [429, 'rate_limited'],
    [302, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
  ])('of a proxy, status %d, are %s', (status, kind) => {
    expect(read('<html>Sorry</html>', { status })).toMatchObject({ kind, code: `http_${status}` });
  });
});

describe('words', () => {
  it('are the ones for people, then the technical one, without persons and secrets', () => {
    const verdict = read(anError({ error_subcode: 2804016, error_user_title: 'Not hashed', error_user_msg: 'em jo@example.com is not hashed' }));
    expect(verdict).toMatchObject({ message: 'Not hashed: em *** is not hashed · Invalid parameter' });
    expect(read(anError({ message: `Malformed access token EAABsbCS1iHgBAKZC5${'x'.repeat(600)}` }))).toMatchObject({ message: 'Malformed access token ***' });
    expect(read(anError({ message: 'la '.repeat(1000) }))).toMatchObject({ message: expect.toSatisfy((text: string) => text.length === 500) });
    expect(read(anError({ message: undefined }))).toMatchObject({ message: 'Meta answered 400 without a message.' });
  });
});

describe('named events', () => {
  it.each([
    [`Unexpected key "index" on param "$['data'][1]['custom_data']['contents'][0]"`, [1]],
    [`The parameter $['data'][0]['user_data'] is required`, [0]],
    [`$["data"][2] and $['data'][0] and $['data'][2]`, [0, 2]],
    [String.raw`$[\'data\'][1] $[\\"data\\"][2]`, [1, 2]],
    ['$[&#039;data&#039;][1] $[&quot;data&quot;][2]', [1, 2]],
    ['$[‘data’][1] $.data[2]', [1, 2]],
    [`$['data'][3] $['data'][99999999] $['data'][-1] $['dat'][1] data[2]`, []],
  ])('%s', (text, indices) => {
    expect(read(anError({ error_subcode: 2804019, error_user_msg: text }))).toMatchObject({ kind: 'rejected_events', indices });
    expect(read(anError({ error_subcode: 2804019, error_user_title: text }))).toMatchObject({ indices });
    expect(read(anError({ error_subcode: 2804019, message: text }))).toMatchObject({ indices });
  });
  it('are looked up in error_data, an object or its JSON', () => {
    const errorData = { blame_field_specs: [["$['data'][2]['event_time']"], 7, [null]] };
    expect(read(anError({ error_data: errorData }))).toMatchObject({ indices: [2] });
    expect(read(anError({ error_data: JSON.stringify(errorData) }))).toMatchObject({ indices: [2] });
  });
});

describe('rate limits', () => {
  const limited = (headers: Readonly<Record<string, string>>, code = 80004) => read(anError({ code }), { headers });
  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['no hint', {}, 60_000],
    ['minutes', { 'x-business-use-case-usage': '{"17":[{"type":"ads_management","estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":0}]}' }, 180_000],
    ['seconds', { 'x-ad-account-usage': '{"acc_id_util_pct":100,"reset_time_duration":90}' }, 90_000],
    ['Retry-After', { 'retry-after': '120' }, 120_000],
    ['Retry-After as a date', { 'retry-after': 'Fri, 20 Nov 2026 12:05:00 GMT' }, 300_000],
    ['a date gone by', { 'retry-after': 'Fri, 20 Nov 2026 11:05:00 GMT' }, 60_000],
    ['the longest', { 'x-business-use-case-usage': '{"17":[{"estimated_time_to_regain_access":3}]}', 'x-ad-account-usage': '{"reset_time_duration":200}', 'retry-after': '1' }, 200_000],
    ['nothing but zeros', { 'x-business-use-case-usage': '{"17":[{"estimated_time_to_regain_access":0}]}', 'retry-after': '0' }, 60_000],
    ['absurd', { 'retry-after': '99999999999' }, 86_400_000],
    ['broken', { 'x-business-use-case-usage': '{"17":', 'x-ad-account-usage': 'null', 'retry-after': 'soon' }, 60_000],
  ])('%s', (_name, headers, cooldownMs) => {
    expect(limited(headers)).toMatchObject({ kind: 'rate_limited', scope: 'account', cooldownMs });
  });
  it('are the whole app for code 4 and where X-App-Usage is exhausted', () => {
    expect(limited({}, 4)).toMatchObject({ scope: 'app' });
    expect(limited({ 'x-app-usage': '{"call_count":100,"total_time":5,"total_cputime":5}' }, 17)).toMatchObject({ scope: 'app' });
    expect(limited({ 'x-app-usage': '{"call_count":99,"total_time":5,"total_cputime":5}' }, 17)).toMatchObject({ scope: 'account' });
  });
  it('hints also hold for a passing failure', () => {
    expect(read('busy', { status: 503, headers: { 'retry-after': '7' } })).toMatchObject({ kind: 'retry', afterMs: 7000 });
    expect(read('busy', { status: 503 })).toMatchObject({ kind: 'retry', afterMs: undefined });
  });
});
