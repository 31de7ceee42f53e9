import type { SandboxCore } from '../core/types.ts';
import type { Answer, RawRequest } from '../google/answer.ts';
import { accessBetween, customerOf } from '../google/customers.ts';
import { errorAnswer, scopeInsufficient, unauthenticated as frontEndUnauthenticated } from '../google/error-bodies.ts';
import { ADWORDS_SCOPE } from '../google/tokens.ts';
import type { TokenFault, TokenStore } from '../google/tokens.ts';
import { SEED } from '../seed.ts';
import { adsError, badRequest, forbidden, quotaRefusal, requestFault, unauthenticated } from './errors.ts';
import type { AdsRefusal } from './errors.ts';
import type { AdsSettings } from './settings.ts';

const SERVICE = 'googleads.googleapis.com';
const DAY_MS = 86_400_000;
const CUSTOMER_ID = /^\d{10}$/;

const TOKEN_ERRORS: Readonly<Record<Exclude<TokenFault, 'scope' | 'missing'>, readonly [string, string]>> = {
  invalid: ['OAUTH_TOKEN_INVALID', 'OAuth token is invalid.'],
  expired: ['OAUTH_TOKEN_EXPIRED', 'OAuth token is expired.'],
  revoked: ['OAUTH_TOKEN_REVOKED', 'OAuth token has been revoked.'],
};

const DEVELOPER_TOKEN_ERRORS = {
  not_approved: ['DEVELOPER_TOKEN_NOT_APPROVED', 'The developer token is only approved for use with test accounts.'],
  prohibited: ['DEVELOPER_TOKEN_PROHIBITED', 'The developer token is not permitted with the project sent in the request.'],
  not_on_allowlist: ['DEVELOPER_TOKEN_NOT_ON_ALLOWLIST', 'The developer token is not on the allowlist.'],
} as const;

const header = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''));

/** Version and credentials: what every call is asked first. */
export function callerRefusal(request: RawRequest, settings: AdsSettings, parts: { readonly tokens: TokenStore; readonly version: string; readonly method: string }): Answer | undefined {
  const { tokens, version, method } = parts;
  if (!settings.versions.includes(version)) return versionRefusal(version, settings);
  const judged = tokens.judge(request.headers.authorization, ADWORDS_SCOPE);
  const fault = 'fault' in judged ? judged.fault : settings.grantHasScope ? undefined : 'scope';
  if (fault !== undefined) return tokenRefusal(fault, settings, { version, method });
  const refusal = developerTokenRefusal(header(request.headers['developer-token']), settings);
  if (refusal !== undefined) return adsError(refusal, version);
  if (settings.notAdsUser) return adsError(unauthenticated('NOT_ADS_USER', 'The Google account that generated the OAuth access token is not associated with a Google Ads account.'), version);
  return undefined;
}

/** A sunset version is refused in words; one that never was is no path at all. */
function versionRefusal(version: string, { versions }: AdsSettings): Answer {
  const oldest = Math.min(...versions.map((entry) => Number(entry.slice(1))));
  if (Number(version.slice(1)) < oldest) {
    return adsError(badRequest(requestFault('UNSUPPORTED_VERSION', `Version ${version} is deprecated. Requests to this version will be blocked.`)), version);
  }
  return errorAnswer({ code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' });
}

function tokenRefusal(fault: TokenFault, { authErrorStyle }: AdsSettings, { version, method }: { readonly version: string; readonly method: string }): Answer {
  // Without the scope the front end answers for every Google API alike; the same for no token at all.
  if (fault === 'scope') return scopeInsufficient(method, SERVICE);
  if (fault === 'missing') return frontEndUnauthenticated('missing', method, SERVICE);
  if (authErrorStyle === 'front_end') return frontEndUnauthenticated(fault === 'expired' ? 'expired' : 'invalid', method, SERVICE);
  const [code, text] = TOKEN_ERRORS[fault];
  return adsError(unauthenticated(code, text), version);
}

function developerTokenRefusal(token: string, settings: AdsSettings): AdsRefusal | undefined {
  if (token === '') {
    return settings.requireDeveloperToken ? badRequest(requestFault('DEVELOPER_TOKEN_PARAMETER_MISSING', 'Developer token parameter was missing on the request.')) : undefined;
  }
  if (token !== SEED.google.developerToken) return unauthenticated('DEVELOPER_TOKEN_INVALID', 'The developer token is not valid.');
  if (settings.developerToken === 'approved') return undefined;
  const [code, text] = DEVELOPER_TOKEN_ERRORS[settings.developerToken];
  return forbidden(code, text);
}

/** Whether the caller may act for the customer of the path, directly or through the manager it names. */
export function customerRefusal(request: RawRequest, customerId: string): AdsRefusal | undefined {
  const login = header(request.headers['login-customer-id']);
  for (const id of login === '' ? [customerId] : [customerId, login]) {
    if (!CUSTOMER_ID.test(id)) return badRequest(requestFault('INVALID_CUSTOMER_ID', `Invalid customer ID '${id}'.`));
  }
  const access = accessBetween(login === '' ? customerId : login, customerId);
  if (access === 'stranger') {
    return forbidden(
      'USER_PERMISSION_DENIED',
      "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's customer id must be set in the " +
        "'login-customer-id' header. See https://developers.google.com/google-ads/api/docs/concepts/call-structure#cid",
    );
  }
  if (access === 'unrelated') {
    return forbidden('INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION', 'The login customer is not a manager of the serving customer.');
  }
  if (customerOf(customerId)?.enabled === true) return undefined;
  return forbidden('CUSTOMER_NOT_ENABLED', "The customer account can't be accessed because it is not yet enabled or has been deactivated.");
}

/** The developer's daily operations; the hour of the reset is a guess (midnight UTC). */
export function createDailyQuota(core: SandboxCore) {
  let day = 0;
  let used = 0;
  return {
    take(operations: number, limit: number): AdsRefusal | undefined {
      if (limit <= 0) return undefined;
      const today = Math.floor(core.now() / DAY_MS);
      if (today !== day) used = 0;
      day = today;
      used += operations;
      if (used <= limit) return undefined;
      const retrySeconds = Math.ceil(((today + 1) * DAY_MS - core.now()) / 1000);
      return quotaRefusal({ code: 'RESOURCE_EXHAUSTED', rateScope: 'DEVELOPER', rateName: 'Number of operations for basic access', retrySeconds });
    },
    reset() {
      used = 0;
    },
  };
}
