import { describe, expect, it } from 'vitest';
import { joinItems } from './join-items.ts';
import { asCode, asCount, readJson } from './json.ts';
import { readTokenReply, refreshForm } from './oauth.ts';
import { retryAfterMs } from './retry-after.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0);

describe('joinItems', () => {
  it('puts commas between the items', () => {
    expect(Buffer.from(joinItems('[', [Buffer.from('{"ü":1}'), Buffer.from('2')], ']')).toString()).toBe('[{"ü":1},2]');
  });

  it('refuses an item whose bytes are gone', () => {
    expect(() => joinItems('[', [Buffer.from('1'), Buffer.alloc(0)], ']')).toThrow('no bytes');
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    ['0', undefined],
    ['99999999999999999999999', 86_400_000],
    ['Fri, 20 Nov 2026 12:01:30 GMT', 90_000],
    ['Fri, 20 Nov 2026 11:00:00 GMT', undefined],
    ['Fri, 20 Nov 2026 12:00:00 GMT', undefined],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (header, ms) => {
    expect(retryAfterMs(header === undefined ? {} : { 'retry-after': header }, NOW_MS)).toBe(ms);
  });
});

describe('readers', () => {
  it('never throw', () => {
    expect([readJson(''), readJson('{'), readJson('<html>'), readJson('null')]).toEqual([undefined, undefined, undefined, null]);
  });
  it.each([['12', 12], [12, 12], [-1, undefined], ['1.5', undefined], [1.5, undefined], ['', undefined], [null, undefined]])('count of %j is %s', (value, count) => {
    expect(asCount(value)).toBe(count);
  });
  it.each([['EVENT_TIME_INVALID', 'EVENT_TIME_INVALID'], [65_601, '65601'], ['two words', undefined], ['', undefined], ['a'.repeat(101), undefined], [1.5, undefined]])('code of %j is %s', (value, code) => {
    expect(asCode(value)).toBe(code);
  });
});

describe('OAuth refresh', () => {
  const errors = { invalid_grant: 'unauthorised', invalid_client: 'operator' } as const;
  const read = (status: number, body: unknown) =>
    readTokenReply({ status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body), receivedAtMs: NOW_MS }, errors);

  it('writes a form', () => {
    const request = refreshForm('https://oauth.test/token', { clientId: 'c+1', clientSecret: 's&', refreshToken: 'r/1' });
    expect(request).toMatchObject({ method: 'POST', url: 'https://oauth.test/token', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({ grant_type: 'refresh_token', refresh_token: 'r/1', client_id: 'c+1', client_secret: 's&' });
  });

  it.each([
    [{ access_token: 'a', expires_in: 3599 }, { kind: 'token', accessToken: 'a', expiresInMs: 3_599_000, refreshToken: undefined }],
    [{ access_token: 'a', expires_in: '5184000', refresh_token: 'r' }, { kind: 'token', accessToken: 'a', expiresInMs: 5_184_000_000, refreshToken: 'r' }],
    [{ access_token: 'a' }, { kind: 'token', accessToken: 'a', expiresInMs: 600_000, refreshToken: undefined }],
    [{ expires_in: 5 }, { kind: 'retry', code: 'unreadable_reply' }],
    ['<html>', { kind: 'retry', code: 'unreadable_reply' }],
  ])('reads %j', (body, expected) => {
    expect(read(200, body)).toMatchObject(expected);
  });

  it.each([
    [400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 'unauthorised', 'invalid_grant'],
    [401, { error: 'invalid_client' }, 'operator', 'invalid_client'],
    [400, { error: 'something_new' }, 'retry', 'something_new'],
    [400, { error: '__proto__' }, 'retry', 'http_400'],
    [400, '<html>', 'retry', 'http_400'],
    [429, { error: 'invalid_grant' }, 'rate_limited', 'invalid_grant'],
    [429, '<html>', 'rate_limited', 'http_429'],
    [503, { error: 'invalid_client' }, 'retry', 'invalid_client'],
    [500, '', 'retry', 'http_500'],
  ])('%i %j is %s', (status, body, kind, code) => {
    expect(read(status, body)).toMatchObject({ kind, code, message: expect.stringMatching(/\S/) });
  });

  it.each([
    [{}, 60_000],
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0' }, 60_000],
    [{ 'retry-after': '1' }, 1_000],
  ])('leaves a token endpoint that limits calls alone: %j', (headers, cooldownMs) => {
    expect(readTokenReply({ status: 429, headers, body: '', receivedAtMs: NOW_MS }, errors)).toMatchObject({ kind: 'rate_limited', cooldownMs });
  });

  it('blots out what may be a person or a secret', () => {
    expect(read(400, { error: 'invalid_grant', error_description: 'jane@example.com revoked ya29.a0AfH6SMBx_abc' })).toMatchObject({ message: '*** revoked ***' });
  });
});
