import { describe, expect, it } from 'vitest';
import { PlatformCallError, guided, payloadOf, type PlatformCallKind } from './errors.ts';
import { TOKEN, aReply } from './scripted-call.test-kit.ts';

describe('PlatformCallError', () => {
  it('masks its message and keeps the payload as it is', () => {
    const payload = { error: { message: 'jane@example.com' } };
    const error = new PlatformCallError({ platform: 'metaads', kind: 'invalid', code: '100', message: 'Meta: jane@example.com is odd', platformError: payload });
    expect(error.message).toBe('Meta: *** is odd');
    expect(error.platformError).toBe(payload);
    expect(error).toMatchObject({ refreshable: false, quotaExhausted: undefined });
  });
  it('says its code where there are no words', () => {
    expect(new PlatformCallError({ platform: 'metaads', kind: 'invalid', code: '100', message: ' ' }).message).toBe('100');
  });
});

describe('payloadOf', () => {
  it.each([
    ['{"a":[1]}', { a: [1] }],
    ['<html>no</html>', '<html>no</html>'],
    ['', undefined],
    [' \n', undefined],
    ['null', 'null'],
    [`{"error":"bad token ${TOKEN}"}`, { error: 'bad token ***' }],
  ])('%j is %j', (body, payload) => {
    expect(payloadOf(aReply({ body }), TOKEN)).toEqual(payload);
  });
  it('cuts pages', () => {
    expect(payloadOf(aReply({ body: 'x'.repeat(9000) }), TOKEN)).toHaveLength(2000);
  });
});

describe('guided', () => {
  it.each<[PlatformCallKind, RegExp]>([
    ['unauthorised', /Reconnect the account/],
    ['permission', /reconnect the account with the missing permission/],
    ['config', /operator of the relay/],
    ['rate_limited', /limits the rate/],
    ['invalid', /^Meta: bad\.$/],
    ['not_found', /^Meta: bad\.$/],
    ['conflict', /^Meta: bad\.$/],
    ['unavailable', /^Meta: bad\.$/],
  ])('%s', (kind, words) => {
    expect(guided('Meta', kind, 'bad')).toMatch(words);
  });
});
