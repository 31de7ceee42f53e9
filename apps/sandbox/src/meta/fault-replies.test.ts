import { describe, expect, it } from 'vitest';

import { metaFaultReply } from './fault-replies.ts';

const reply = (kind: 'rate_limit' | 'unavailable', variant?: string, options = {}) => metaFaultReply({ kind, variant, options });

describe('rate limits', () => {
  it.each<[string | undefined, number, object, string]>([
    [undefined, 400, { code: 4, is_transient: true }, 'x-app-usage'],
    ['4', 400, { code: 4 }, 'x-app-usage'],
    ['17', 400, { code: 17, error_subcode: 2446079 }, 'x-ad-account-usage'],
    ['613', 400, { code: 613, error_subcode: 1487742 }, 'x-ad-account-usage'],
    ['80004', 400, { code: 80004, error_subcode: 2446079 }, 'x-business-use-case-usage'],
    ['429', 429, { code: 4 }, 'x-app-usage'],
  ])('%s', (variant, status, error, header) => {
    const canned = reply('rate_limit', variant);
    expect(canned).toMatchObject({ status, body: { error } });
    expect(canned?.headers).toHaveProperty(header);
  });

  it('counts the regain time in minutes and the reset time in seconds', () => {
    const business = JSON.parse(reply('rate_limit', '80004', { regainMinutes: 3 })?.headers?.['x-business-use-case-usage'] ?? '');
    expect(Object.values(business)).toEqual([[expect.objectContaining({ type: 'ads_management', estimated_time_to_regain_access: 3 })]]);
    const account = JSON.parse(reply('rate_limit', '17', { resetSeconds: 45 })?.headers?.['x-ad-account-usage'] ?? '');
    expect(account).toMatchObject({ acc_id_util_pct: 100, reset_time_duration: 45 });
  });

  it('takes any status, as Meta does', () => {
    expect(reply('rate_limit', '17', { httpStatus: 500 })?.status).toBe(500);
  });
});

it.each<[string | undefined, number, object]>([
  [undefined, 500, { code: 2, is_transient: true }],
  ['1', 500, { code: 1 }],
  ['21009', 400, { code: 21009 }],
])('outage %s', (variant, status, error) => {
  expect(reply('unavailable', variant)).toMatchObject({ status, body: { error } });
});

it('has no answer for a variant it does not know', () => {
  expect(reply('rate_limit', 'per_minute')).toBeUndefined();
});
