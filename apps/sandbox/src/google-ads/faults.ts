import type { CannedFault, CannedReply } from '../core/types.ts';
import { adsError, quotaRefusal, versionOf } from './errors.ts';
import type { AdsRefusal, Quota } from './errors.ts';

const QUOTAS: Readonly<Record<string, Quota>> = {
  ads_developer: { code: 'RESOURCE_EXHAUSTED', rateScope: 'DEVELOPER', rateName: 'Number of operations for basic access', retrySeconds: 3600 },
  ads_account: { code: 'RESOURCE_EXHAUSTED', rateScope: 'ACCOUNT', rateName: 'Number of operations per account', retrySeconds: 900 },
  ads_temporary: { code: 'RESOURCE_TEMPORARILY_EXHAUSTED', rateScope: 'ACCOUNT', rateName: 'Requests per second', retrySeconds: 5 },
  ads_short_term: { code: 'EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION', rateScope: 'ACCOUNT', rateName: 'Short term query resources', retrySeconds: 300 },
  ads_long_term: { code: 'EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION', rateScope: 'DEVELOPER', rateName: 'Long term query resources', retrySeconds: 86_400 },
};

/** The one quota error that no waiting ends. */
const PROHIBITED: AdsRefusal = {
  status: 403,
  canonical: 'PERMISSION_DENIED',
  faults: [{ category: 'quotaError', code: 'ACCESS_PROHIBITED', message: 'Access is prohibited.' }],
};

const internal = (status: number, canonical: string, code: string, message: string): AdsRefusal => ({
  status,
  canonical,
  faults: [{ category: 'internalError', code, message }],
});

const OUTAGES: Readonly<Record<string, AdsRefusal>> = {
  ads_internal: internal(500, 'INTERNAL', 'INTERNAL_ERROR', 'An internal error has occurred.'),
  ads_transient: internal(503, 'UNAVAILABLE', 'TRANSIENT_ERROR', 'A transient internal error has occurred. Retry the request.'),
  ads_deadline: internal(504, 'DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', 'The request took longer than a deadline.'),
};

/** Variants that begin with `ads_`; options `retryAfterSeconds`, `rateName` and `version` (of the type name, `v26`). */
export function adsFaultReply({ kind, variant = '', options }: CannedFault): CannedReply | undefined {
  const refusal = kind === 'rate_limit' ? quotaVariant(variant, options) : OUTAGES[variant];
  if (refusal === undefined) return undefined;
  const version = typeof options['version'] === 'string' ? options['version'] : versionOf('');
  const { status, headers, body } = adsError(refusal, version);
  return { status, body, ...(headers ? { headers } : {}) };
}

function quotaVariant(variant: string, options: CannedFault['options']): AdsRefusal | undefined {
  if (variant === 'ads_access_prohibited') return PROHIBITED;
  const quota = QUOTAS[variant];
  if (quota === undefined) return undefined;
  const { retryAfterSeconds, rateName } = options;
  return quotaRefusal({
    ...quota,
    ...(typeof retryAfterSeconds === 'number' ? { retrySeconds: retryAfterSeconds } : {}),
    ...(typeof rateName === 'string' ? { rateName } : {}),
  });
}
