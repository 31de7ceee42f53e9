import { describe, expect, it } from 'vitest';
import type { Batch, PlatformEndpoints } from '@relay/contract';
import { TEST_ENDPOINTS, platformConformance, utf8, withText } from '../conformance.test-kit.ts';
import { googleAds, type GoogleCredentials } from './index.ts';

const CREDENTIALS: GoogleCredentials = { clientId: 'client.apps', clientSecret: 'secret', refreshToken: '1//refresh' };
const DESTINATION = 'customers/1234567890/conversionActions/42';
const NOW_S = Date.UTC(2026, 10, 20) / 1000;
const ENDPOINTS: PlatformEndpoints = TEST_ENDPOINTS;

platformConformance(googleAds, {
  credentials: { ...CREDENTIALS, developerToken: 'dev', loginCustomerId: '1112223333', expiresAt: '2027-01-01T00:00:00Z' },
  destinationId: DESTINATION,
  sendable: {
    eventName: 'Purchase',
    eventTime: NOW_S,
    eventId: 'order-4711',
    value: 10,
    currency: 'EUR',
    user: { email: 'jo@example.com', phone: '+4915123456789', ipAddress: '203.0.113.7', clickIds: { gclid: 'g' } },
    items: [{ id: 'a', price: 5, quantity: 2 }],
    actionSource: 'web',
  },
  bodies: [
    '{"requestId":"r-1","fieldWarnings":[{"field":"events.events[0].cart_data","description":"x","reason":"WARNING_REASON_GENERIC"}]}',
    '{"error":{"code":400,"message":"There was a problem with the request.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_ARGUMENT","domain":"datamanager.googleapis.com","metadata":{"requestId":"t-1"}},{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"events.events[0].user_data.user_identifiers[1]","description":"The HEX encoded value is malformed.","reason":"INVALID_HEX_ENCODING"},{"field":"destinations[0].login_account.account_id","description":"String is not a valid number.","reason":"INVALID_NUMBER_FORMAT"}]}]}}',
    '{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RESOURCE_EXHAUSTED","metadata":{"quota_limit":"IngestionMutateRequestsPerDayPerProject"}}]}}',
  ],
});

describe('destinations', () => {
  it.each([
    [DESTINATION, DESTINATION],
    ['customers/123-456-7890/conversionActions/42', DESTINATION],
    [` ${DESTINATION}\n`, DESTINATION],
  ])('%j', (given, destinationId) => {
    expect(googleAds.parseDestination(given)).toEqual({ ok: true, destinationId });
  });
  it.each(['42', 'customers/123/conversionActions/42', 'customers/12345678901/conversionActions/42', 'customers/1234567890/conversionActions/', 'customers/1234567890/conversionActions/x', `${DESTINATION}/1`])('not %j', (given) => {
    expect(googleAds.parseDestination(given).ok).toBe(false);
  });
});

describe('credentials', () => {
  it('lose hyphens and unknown keys', () => {
    expect(googleAds.credentials.parse({ ...CREDENTIALS, loginCustomerId: '111-222-3333', extra: 1 })).toEqual({ ...CREDENTIALS, loginCustomerId: '1112223333' });
  });
  it.each([{ clientId: '' }, { refreshToken: undefined }, { loginCustomerId: '12' }, { expiresAt: 'soon' }])('are not %j', (over) => {
    expect(googleAds.credentials.safeParse({ ...CREDENTIALS, ...over }).success).toBe(false);
  });
});

describe('toRequest', () => {
  const aBatch = (over: Partial<Batch<GoogleCredentials>> = {}): Batch<GoogleCredentials> => ({
    groups: [{ destinationId: DESTINATION, items: ['{"transactionId":"a"}', '{"transactionId":"b"}'].map(utf8) }],
    testCode: undefined,
    consent: undefined,
    credentials: CREDENTIALS,
    accessToken: 'at',
    ...over,
  });
  const account = (accountId: string) => ({ accountType: 'GOOGLE_ADS', accountId });
  const bodyOf = (batch: Batch<GoogleCredentials>) => JSON.parse(withText(googleAds.toRequest(batch, ENDPOINTS)).body) as unknown;

  it('sends one destination without references', () => {
    const request = withText(googleAds.toRequest(aBatch({ testCode: 'TEST' }), ENDPOINTS));
    expect(request).toMatchObject({ method: 'POST', url: 'https://datamanager.google.test/v1/events:ingest', headers: { authorization: 'Bearer at', 'content-type': 'application/json' } });
    expect(JSON.parse(request.body)).toEqual({
      destinations: [{ reference: 'd0', operatingAccount: account('1234567890'), loginAccount: account('1234567890'), productDestinationId: '42' }],
      encoding: 'HEX',
      events: [{ transactionId: 'a' }, { transactionId: 'b' }],
    });
  });

  it('addresses each event where there are several destinations', () => {
    const groups = [
      { destinationId: DESTINATION, items: ['{"transactionId":"a"}'].map(utf8) },
      { destinationId: 'customers/9999999999/conversionActions/7', items: ['{"transactionId":"b"}', '{"transactionId":"c"}'].map(utf8) },
    ];
    expect(bodyOf(aBatch({ groups, credentials: { ...CREDENTIALS, loginCustomerId: '1112223333' } }))).toEqual({
      destinations: [
        { reference: 'd0', operatingAccount: account('1234567890'), loginAccount: account('1112223333'), productDestinationId: '42' },
        { reference: 'd1', operatingAccount: account('9999999999'), loginAccount: account('1112223333'), productDestinationId: '7' },
      ],
      encoding: 'HEX',
      events: [
        { destinationReferences: ['d0'], transactionId: 'a' },
        { destinationReferences: ['d1'], transactionId: 'b' },
        { destinationReferences: ['d1'], transactionId: 'c' },
      ],
    });
  });

  it.each([
    [undefined, undefined],
    [{}, undefined],
    [{ adUserData: 'GRANTED' as const }, { adUserData: 'CONSENT_GRANTED' }],
    [{ adUserData: 'DENIED' as const, adPersonalization: 'GRANTED' as const }, { adUserData: 'CONSENT_DENIED', adPersonalization: 'CONSENT_GRANTED' }],
  ])('writes the consent %j as %j', (consent, wire) => {
    expect((bodyOf(aBatch({ consent })) as { consent?: unknown }).consent).toEqual(wire);
  });
});

describe('tokens', () => {
  const { tokens } = googleAds;
  const reply = (status: number, body: string) => tokens!.readRefreshReply({ status, headers: {}, body, receivedAtMs: NOW_S * 1000 });

  it('are refreshed at the operator’s endpoint and pause by client', () => {
    expect(tokens!.refreshRequest(CREDENTIALS, ENDPOINTS)).toMatchObject({ method: 'POST', url: 'https://oauth2.google.test/token' });
    expect(tokens!.appScope(CREDENTIALS)).toBe('client.apps');
    expect(reply(200, '{"access_token":"ya29","expires_in":3599,"scope":"x","token_type":"Bearer"}')).toEqual({ kind: 'token', accessToken: 'ya29', expiresInMs: 3_599_000, refreshToken: undefined });
  });
  it.each([
    [400, 'invalid_grant', 'unauthorised'],
    [401, 'invalid_client', 'operator'],
    [401, 'unauthorized_client', 'operator'],
    [400, 'invalid_scope', 'operator'],
    [400, 'invalid_request', 'operator'],
    [503, 'backend_error', 'retry'],
  ])('%i %s is %s', (status, error, kind) => {
    expect(reply(status, JSON.stringify({ error }))).toMatchObject({ kind, code: error });
  });
});

describe('status', () => {
  const status = googleAds.status!;
  const read = (httpStatus: number, body: unknown) =>
    status.readReply({ status: httpStatus, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body), receivedAtMs: NOW_S * 1000 });

  it('is asked for by request id', () => {
    expect(status.toRequest('r/1', { credentials: CREDENTIALS, accessToken: 'at' }, ENDPOINTS)).toEqual({
      method: 'GET',
      url: 'https://datamanager.google.test/v1/requestStatus:retrieve?requestId=r%2F1',
      headers: { authorization: 'Bearer at' },
      body: undefined,
    });
    expect([status.firstPollMs, status.giveUpMs]).toEqual([1_800_000, 86_400_000]);
  });

  it('is told per destination, with counts by reason', () => {
    expect(
      read(200, {
        requestStatusPerDestination: [
          {
            requestStatus: 'PARTIAL_SUCCESS',
            errorInfo: { errorCounts: [{ recordCount: '3', reason: 'PROCESSING_ERROR_REASON_NO_CONSENT' }, { recordCount: '1', reason: 'PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER' }] },
            warningInfo: { warningCounts: [{ recordCount: '2', reason: 'PROCESSING_WARNING_REASON_INTERNAL_ERROR' }] },
            eventsIngestionStatus: { recordCount: '2000' },
          },
          { requestStatus: 'PROCESSING' },
        ],
      }),
    ).toEqual({
      kind: 'status',
      groups: [
        {
          status: 'partial_success',
          recordCount: 2000,
          errors: [{ reason: 'NO_CONSENT', count: 3 }, { reason: 'OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER', count: 1 }],
          warnings: [{ reason: 'INTERNAL_ERROR', count: 2 }],
        },
        { status: 'processing', recordCount: undefined, errors: [], warnings: [] },
      ],
    });
  });

  it.each([['SUCCESS', 'success'], ['FAILED', 'failed'], ['FAILURE', 'failed'], ['REQUEST_STATUS_UNKNOWN', 'processing'], ['toString', 'processing']])('%s is %s', (requestStatus, expected) => {
    expect(read(200, { requestStatusPerDestination: [{ requestStatus }] })).toMatchObject({ groups: [{ status: expected }] });
  });

  it.each([
    [400, { error: { code: 400, status: 'INVALID_ARGUMENT', details: [{ '@type': 'google.rpc.BadRequest', fieldViolations: [{ field: 'request_id', reason: 'INVALID_REQUEST_ID' }] }] } }, 'gone', 'INVALID_REQUEST_ID'],
    [404, { error: { code: 404, status: 'NOT_FOUND' } }, 'gone', 'NOT_FOUND'],
    [404, '<html>', 'retry', 'unreadable_reply'],
    [401, '', 'unauthorised', 'unreadable_reply'],
    [403, { error: { code: 403, status: 'PERMISSION_DENIED' } }, 'unauthorised', 'PERMISSION_DENIED'],
    [429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }, 'retry', 'RESOURCE_EXHAUSTED'],
    [503, '<html>', 'retry', 'unreadable_reply'],
    [200, '{}', 'retry', 'unreadable_reply'],
    [200, '{"requestStatusPerDestination":[null]}', 'retry', 'unreadable_reply'],
    [200, '<html>', 'retry', 'unreadable_reply'],
  ])('%i %j is %s', (httpStatus, body, kind, code) => {
    expect(read(httpStatus, body)).toMatchObject({ kind, code, message: expect.stringMatching(/\S/) });
  });
});
