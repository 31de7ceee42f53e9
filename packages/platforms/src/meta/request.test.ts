import { describe, expect, it } from 'vitest';
import { TEST_ENDPOINTS, utf8, withText } from '../conformance.test-kit.ts';
import { metaAds } from './index.ts';
import { appSecretProof, metaRequest } from './request.ts';

const group = { destinationId: '1234567890123456', items: ['{"a":1}', '{"b":2}'].map(utf8) };
const batch = { groups: [group], testCode: undefined, accessToken: 'EAATESTTOKEN123' };

describe('metaRequest', () => {
  it('joins the wire events and puts the token into the body', () => {
    expect(withText(metaRequest(batch, TEST_ENDPOINTS))).toEqual({
      method: 'POST',
      url: 'https://graph.meta.test/v25.0/1234567890123456/events',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: '{"data":[{"a":1},{"b":2}],"access_token":"EAATESTTOKEN123"}',
    });
  });

  it('adds a test code and the proof where there are some', () => {
    const { body } = withText(metaRequest({ ...batch, testCode: 'TEST"1' }, { ...TEST_ENDPOINTS, metaAppSecret: 'app-secret-0123456789abcdef' }));
    expect(JSON.parse(body)).toEqual({
      data: [{ a: 1 }, { b: 2 }],
      test_event_code: 'TEST"1',
      access_token: 'EAATESTTOKEN123',
      appsecret_proof: '7138e864a7ed8b419ac5384a6c3103b095f9c9d7d49fd1d8bfdec4e255e027eb',
    });
  });

  it('leaves an empty test code out', () => {
    expect(withText(metaRequest({ ...batch, testCode: '' }, TEST_ENDPOINTS)).body).not.toContain('test_event_code');
  });

  it('carries one destination only', () => {
    expect(() => metaRequest({ ...batch, groups: [group, group] }, TEST_ENDPOINTS)).toThrow(/one destination/);
  });

  it("makes Meta's proof", () => {
    expect(appSecretProof('EAATESTTOKEN123', 'app-secret-0123456789abcdef')).toBe('7138e864a7ed8b419ac5384a6c3103b095f9c9d7d49fd1d8bfdec4e255e027eb');
  });
});

describe('metaAds', () => {
  it.each(['12345', '1234567890123456', '12345678901234567890'])('takes %s as a destination', (destinationId) => {
    expect(metaAds.parseDestination(destinationId)).toEqual({ ok: true, destinationId });
  });
  it.each(['1234', '123456789012345678901', 'act_12345', '12345 ', '１２３４５', '12345/events'])('does not take %j', (destinationId) => {
    expect(metaAds.parseDestination(destinationId)).toMatchObject({ ok: false, message: expect.stringContaining('digits') });
  });
  it('keeps unknown credentials out and wants a token', () => {
    expect(metaAds.credentials.parse({ accessToken: 't', expiresAt: '2027-01-01T00:00:00Z', password: 'x' })).toEqual({ accessToken: 't', expiresAt: '2027-01-01T00:00:00Z' });
    expect(metaAds.credentials.safeParse({ accessToken: '' }).success).toBe(false);
    expect(metaAds.credentials.safeParse({ accessToken: 't', expiresAt: 'soon' }).success).toBe(false);
    expect(metaAds.checkGrant({ accessToken: ' ' })).toMatchObject({ code: 'access_token_missing' });
  });
});
