import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import type { Answer, RawRequest } from './answer.ts';
import type { TokenStore } from './tokens.ts';

/** 60 days and 365 days, as documented. The latter counts from the first authorisation; the sandbox never ages it. */
const ACCESS_LIFETIME_SECONDS = 5_184_000;
const REFRESH_LIFETIME_SECONDS = 31_536_000;

/** `POST https://www.linkedin.com/oauth/v2/accessToken`, the refresh grant only. */
export function tokenEndpoint(core: SandboxCore, tokens: TokenStore) {
  return (request: RawRequest): Answer => {
    if (!/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
      return oauthError(400, 'invalid_request', 'The request must be form-encoded.');
    }
    const form = new URLSearchParams(request.raw.toString('utf8'));
    const missing = ['grant_type', 'client_id', 'client_secret', 'refresh_token'].find((name) => !form.get(name));
    if (missing !== undefined) return oauthError(400, 'invalid_request', `A required parameter "${missing}" is missing`);
    if (form.get('grant_type') !== 'refresh_token') return oauthError(400, 'unsupported_grant_type', 'Only refresh_token is emulated');
    if (form.get('client_id') !== SEED.linkedin.clientId || form.get('client_secret') !== SEED.linkedin.clientSecret) {
      return oauthError(401, 'invalid_client', 'Client authentication failed');
    }
    return refresh(core, tokens, form.get('refresh_token') ?? '');
  };
}

function refresh(core: SandboxCore, tokens: TokenStore, refreshToken: string): Answer {
  const state = core.tokenState('linkedin', refreshToken);
  const known = state === 'valid' || state === 'no_scope' || (state === 'unset' && refreshToken === SEED.linkedin.refreshToken);
  if (!known) {
    // Both codes are on record for a dead refresh token.
    const error = core.switchOf<'invalid_grant' | 'invalid_request'>('linkedin.deadRefreshError', 'invalid_grant');
    return oauthError(400, error, `The provided refresh token is ${state === 'revoked' ? 'revoked' : 'expired'}`);
  }
  const lifetimeSeconds = core.switchOf<number>('linkedin.tokenLifetimeSeconds', ACCESS_LIFETIME_SECONDS);
  return {
    status: 200,
    body: {
      access_token: tokens.issue(refreshToken, lifetimeSeconds),
      expires_in: lifetimeSeconds,
      refresh_token: refreshToken,
      refresh_token_expires_in: REFRESH_LIFETIME_SECONDS,
      scope: state === 'no_scope' ? 'r_ads,r_ads_reporting' : 'r_ads,r_ads_reporting,rw_conversions',
    },
  };
}

function oauthError(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}
