import { describe, expect, it } from 'vitest';
import { TEST_ENDPOINTS, platformConformance, utf8, withText } from '../conformance.test-kit.ts';
import { linkedinAds, oldVersion, type LinkedinCredentials } from './index.ts';

const CREDENTIALS: LinkedinCredentials = { accessToken: 'AQX' };
const NOW_MS = Date.UTC(2026, 10, 20);

platformConformance(linkedinAds, {
  credentials: { accessToken: 'AQX', scopes: ['rw_conversions', 'r_ads'], clientId: 'c', clientSecret: 's', refreshToken: 'r', expiresAt: '2027-01-01T00:00:00Z' },
  destinationId: '104012',
  sendable: {
    eventName: 'Lead',
    eventTime: NOW_MS / 1000,
    eventId: 'order-4711',
    value: 10,
    currency: 'EUR',
    user: { email: 'jo@example.com', firstName: 'Jo', lastName: 'Doe', country: 'DE', externalId: 'crm-1', clickIds: { li_fat_id: 'x' } },
  },
  bodies: [
    '{"elements":[{"status":201},{"status":422,"error":{"message":"x"}},{"status":201}]}',
    '{"message":"Index: 0, ERROR :: /conversionValue/amount :: field is required but not found and has no default value\\nERROR :: /user/userInfo/firstName :: field is required\\n","status":422}',
    '{"message":"Incorrect conversions information provided. Conversion\'s method should be CONVERSIONS_API, indices [0, 0, 1] (0-indexed)","status":400}',
    '{"message":"x, indices [0, 0, 2, 7] (0-indexed)","status":400}',
    '{"serviceErrorCode":101,"message":"Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached","status":429}',
  ],
});

describe('destinations', () => {
  it.each([['104012', '104012'], ['urn:lla:llaPartnerConversion:104012', '104012'], [' 104012\n', '104012']])('%j', (given, destinationId) => {
    expect(linkedinAds.parseDestination(given)).toEqual({ ok: true, destinationId });
  });
  it.each(['urn:li:llaPartnerConversion:104012', 'urn:lla:llaPartnerConversion:', '1e5', '-1', '1'.repeat(20)])('not %j', (given) => {
    expect(linkedinAds.parseDestination(given).ok).toBe(false);
  });
});

describe('the grant', () => {
  it.each([
    [undefined, undefined],
    [['rw_conversions', 'r_ads'], ['rw_conversions', 'r_ads']],
    ['rw_conversions r_ads', ['rw_conversions', 'r_ads']],
    ['r_ads,rw_conversions', ['r_ads', 'rw_conversions']],
    ['', []],
  ])('with scopes %j is enough', (scopes, expected) => {
    const credentials = linkedinAds.credentials.parse({ ...CREDENTIALS, scopes, unknown: 1 });
    expect(credentials).toEqual({ ...CREDENTIALS, ...(expected && { scopes: expected }) });
    expect(linkedinAds.checkGrant(credentials)).toBeUndefined();
  });
  it.each(['r_ads', 'r_ads r_ads_reporting', ['r_ads']])('with scopes %j is not', (scopes) => {
    expect(linkedinAds.checkGrant(linkedinAds.credentials.parse({ ...CREDENTIALS, scopes }))).toMatchObject({ code: 'grant_insufficient', message: expect.stringMatching(/rw_conversions.*Reconnect/) });
  });
  it.each([{}, { accessToken: '' }, { accessToken: 'x', expiresAt: 'soon' }, { accessToken: 'x', scopes: 5 }])('%j is none', (credentials) => {
    expect(linkedinAds.credentials.safeParse(credentials).success).toBe(false);
  });
});

it('sends a BATCH_CREATE', () => {
  const groups = [{ destinationId: '104012', items: ['{"eventId":"a"}', '{"eventId":"b"}'].map(utf8) }];
  expect(withText(linkedinAds.toRequest({ groups, testCode: 'T', consent: { adUserData: 'DENIED' }, credentials: CREDENTIALS, accessToken: 'at' }, TEST_ENDPOINTS))).toEqual({
    method: 'POST',
    url: 'https://api.linkedin.test/rest/conversionEvents',
    headers: {
      authorization: 'Bearer at',
      'content-type': 'application/json',
      'linkedin-version': '202511',
      'x-restli-protocol-version': '2.0.0',
      'x-restli-method': 'BATCH_CREATE',
    },
    body: '{"elements":[{"eventId":"a"},{"eventId":"b"}]}',
  });
});

describe('tokens', () => {
  const tokens = linkedinAds.tokens!;
  const full = { ...CREDENTIALS, clientId: 'c', clientSecret: 's', refreshToken: 'r' };
  const reply = (status: number, body: object) => tokens.readRefreshReply({ status, headers: {}, body: JSON.stringify(body), receivedAtMs: NOW_MS });

  it('are refreshed where the grant allows it', () => {
    expect(tokens.refreshRequest(full, TEST_ENDPOINTS)).toMatchObject({ method: 'POST', url: TEST_ENDPOINTS.linkedinOauthUrl });
    for (const part of ['clientId', 'clientSecret', 'refreshToken']) expect(tokens.refreshRequest({ ...full, [part]: undefined }, TEST_ENDPOINTS)).toBeUndefined();
    expect([tokens.appScope(full), tokens.appScope(CREDENTIALS)]).toEqual(['c', undefined]);
    expect(reply(200, { access_token: 'a', expires_in: 5_184_000, refresh_token: 'r2', refresh_token_expires_in: 31_000_000 })).toEqual({ kind: 'token', accessToken: 'a', expiresInMs: 5_184_000_000, refreshToken: 'r2' });
  });
  it.each([
    [400, 'invalid_grant', 'unauthorised'],
    [400, 'invalid_request', 'unauthorised'],
    [401, 'invalid_client', 'operator'],
    [500, 'server_error', 'retry'],
  ])('%i %s is %s', (status, error, kind) => {
    expect(reply(status, { error, error_description: 'The provided authorization grant or refresh token is invalid' })).toMatchObject({ kind, code: error });
  });
});

describe('version', () => {
  it.each([['202511', 12], ['202512', 11], ['201901', 94]])('%s is old: %i months', (linkedinVersion, ageMonths) => {
    expect(oldVersion(linkedinVersion, NOW_MS)).toEqual({ linkedinVersion, ageMonths });
  });
  it.each(['202601', '202609', '202612', '2026', '202613', ''])('%s is not', (version) => {
    expect(oldVersion(version, NOW_MS)).toBeUndefined();
  });
});
