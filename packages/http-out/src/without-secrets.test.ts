import { describe, expect, test } from 'vitest';
import { withoutSecrets } from './without-secrets.ts';

const request = (headers: Record<string, string>, body?: string | Uint8Array, query = '') => ({ method: 'POST', url: `https://platform.test/${query}`, headers, body }) as const;

describe('an answer that quotes', () => {
  test.each([
    ['the bearer token', request({ authorization: 'Bearer ya29.secret-token' }), 'bad ya29.secret-token!', 'bad ***!'],
    ['the developer token', request({ authorization: 'Bearer x', 'developer-token': 'developer-secret' }), 'developer-secret', '***'],
    ['the token of the body', request({ 'content-type': 'application/json' }, '{"data":[{"a":"\\"access_token\\":"}],"access_token":"EAAB/secret\\"x","appsecret_proof":"00"}'), 'Malformed access token EAAB/secret\\"x', 'Malformed access token ***'],
    ['the token behind megabytes of events', request({ 'content-type': 'application/json' }, Buffer.from(`{"data":[${'{"a":"ü"},'.repeat(300_000)}{}],"access_token":"EAAB-secret"}`)), 'You sent EAAB-secret', 'You sent ***'],
    ['the form of a refresh', request({ 'content-type': 'application/x-www-form-urlencoded' }, 'grant_type=refresh_token&refresh_token=1%2F%2Fsecret-refresh&client_secret=client+secret'), '{"error_description":"1//secret-refresh, 1%2F%2Fsecret-refresh, client secret"}', '{"error_description":"***, ***, ***"}'],
    ['the token of the address', request({}, undefined, '?fields=id&access_token=EAAB%21secret+x'), 'Malformed access token EAAB!secret x at /me?access_token=EAAB%21secret+x and EAAB!secret%20x', 'Malformed access token *** at /me?access_token=*** and ***'],
    ['nothing secret', request({ authorization: 'Bearer short' }), 'short words', 'short words'],
    ['a body that is cut off', request({ 'content-type': 'application/json' }, '{"access_token":"EAAB'), 'EAAB', 'EAAB'],
  ])('%s is told without it', (_what, sent, said, told) => {
    expect(withoutSecrets(said, sent)).toBe(told);
  });
});
