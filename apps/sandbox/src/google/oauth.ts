import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import type { Answer, RawRequest } from './answer.ts';
import type { TokenStore } from './tokens.ts';

/** `POST https://oauth2.googleapis.com/token`, the refresh grant only. */
export function tokenEndpoint(core: SandboxCore, tokens: TokenStore) {
  return (request: RawRequest): Answer => {
    if (!/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
      return oauthError(400, 'invalid_request', 'The request must be form-encoded.');
    }
    const form = new URLSearchParams(request.raw.toString('utf8'));
    const missing = ['grant_type', 'client_id', 'client_secret', 'refresh_token'].find((name) => !form.get(name));
    if (missing !== undefined) return oauthError(400, 'invalid_request', `Missing required parameter: ${missing}`);
    if (form.get('grant_type') !== 'refresh_token') return oauthError(400, 'unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type')}`);
    if (form.get('client_id') !== SEED.google.clientId) return oauthError(401, 'invalid_client', 'The OAuth client was not found.');
    if (form.get('client_secret') !== SEED.google.clientSecret) return oauthError(401, 'invalid_client', 'Unauthorized');
    return refresh(core, tokens, form.get('refresh_token') ?? '');
  };
}

function refresh(core: SandboxCore, tokens: TokenStore, refreshToken: string): Answer {
  const state = core.tokenState('google', refreshToken);
  const known = state === 'valid' || state === 'no_scope' || (state === 'unset' && refreshToken === SEED.google.refreshToken);
  if (!known) return oauthError(400, 'invalid_grant', 'Token has been expired or revoked.');
  const lifetimeSeconds = core.switchOf<number>('google.tokenLifetimeSeconds', 3599);
  const { value, token } = tokens.issue(refreshToken, lifetimeSeconds);
  // No new refresh token: Google's stays the same for the life of the grant.
  return { status: 200, body: { access_token: value, expires_in: lifetimeSeconds, scope: token.scopes.join(' '), token_type: 'Bearer' } };
}

function oauthError(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}
