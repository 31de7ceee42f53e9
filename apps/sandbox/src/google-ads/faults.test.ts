import { describe, expect, it } from 'vitest';

import { googleFaultReply } from '../google/faults.ts';
import { codesIn, failureIn } from './testkit.ts';
import type { Json } from './testkit.ts';

const reply = (kind: 'rate_limit' | 'unavailable', variant: string, options: Json = {}) => googleFaultReply({ kind, variant, options });

describe('fault variants of the Ads API', () => {
  it.each([
    ['ads_developer', 429, 'quotaError.RESOURCE_EXHAUSTED', 'DEVELOPER', '3600s'],
    ['ads_account', 429, 'quotaError.RESOURCE_EXHAUSTED', 'ACCOUNT', '900s'],
    ['ads_temporary', 429, 'quotaError.RESOURCE_TEMPORARILY_EXHAUSTED', 'ACCOUNT', '5s'],
    ['ads_short_term', 429, 'quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION', 'ACCOUNT', '300s'],
    ['ads_long_term', 429, 'quotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION', 'DEVELOPER', '86400s'],
  ])('%s', (variant, status, code, rateScope, retryDelay) => {
    const answer = reply('rate_limit', variant);
    expect(answer?.status).toBe(status);
    expect(answer?.headers?.['request-id']).toBe(failureIn(answer?.body as Json).requestId);
    expect(codesIn(answer?.body as Json)).toEqual([code]);
    expect(failureIn(answer?.body as Json).errors[0]?.details).toEqual({ quotaErrorDetails: { rateScope, rateName: expect.any(String), retryDelay } });
  });

  it('takes the delay, the name and the version', () => {
    const answer = reply('rate_limit', 'ads_account', { retryAfterSeconds: 42, rateName: 'mine', version: 'v24' });
    expect(failureIn(answer?.body as Json).errors[0]?.details).toEqual({ quotaErrorDetails: { rateScope: 'ACCOUNT', rateName: 'mine', retryDelay: '42s' } });
    expect(JSON.stringify(answer?.body)).toContain('googleads.v24.errors');
  });

  it.each([
    ['rate_limit', 'ads_access_prohibited', 403, 'quotaError.ACCESS_PROHIBITED'],
    ['unavailable', 'ads_internal', 500, 'internalError.INTERNAL_ERROR'],
    ['unavailable', 'ads_transient', 503, 'internalError.TRANSIENT_ERROR'],
    ['unavailable', 'ads_deadline', 504, 'internalError.DEADLINE_EXCEEDED'],
  ] as const)('%s %s', (kind, variant, status, code) => {
    const answer = reply(kind, variant);
    expect(answer?.status).toBe(status);
    expect(codesIn(answer?.body as Json)).toEqual([code]);
  });

  it('has no other', () => {
    expect(reply('rate_limit', 'ads_x')).toBeUndefined();
    expect(reply('unavailable', 'ads_x')).toBeUndefined();
  });
});
