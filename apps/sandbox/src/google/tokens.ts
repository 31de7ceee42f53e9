import { randomUUID } from 'node:crypto';
import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import type { Answer } from './answer.ts';
import { scopeInsufficient, unauthenticated } from './error-bodies.ts';

export const DATA_MANAGER_SCOPE = 'https://www.googleapis.com/auth/datamanager';
export const ADWORDS_SCOPE = 'https://www.googleapis.com/auth/adwords';

export interface AccessToken {
  readonly clientId: string;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}

/** Access tokens the token endpoint gave out. */
export interface TokenStore {
  issue(refreshToken: string, lifetimeSeconds: number): { readonly value: string; readonly token: AccessToken };
  /** The token's client when the call may go on, else the answer to give. */
  authorise(authorization: string | undefined, method: string): { readonly clientId: string } | { readonly refusal: Answer };
  reset(): void;
}

export function createTokenStore(core: SandboxCore): TokenStore {
  const issued = new Map<string, AccessToken>();

  function issue(refreshToken: string, lifetimeSeconds: number) {
    const value = `ya29.sandbox-${randomUUID()}`;
    // The two scopes do not imply each other: a grant given without Data Manager still serves the Ads API.
    const scopes = core.tokenState('google', refreshToken) === 'no_scope' ? [ADWORDS_SCOPE] : [ADWORDS_SCOPE, DATA_MANAGER_SCOPE];
    const token = { clientId: SEED.google.clientId, refreshToken, scopes, expiresAtMs: core.now() + lifetimeSeconds * 1000 };
    issued.set(value, token);
    return { value, token };
  }

  function authorise(authorization: string | undefined, method: string) {
    const value = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (value === undefined) return { refusal: unauthenticated('missing', method) };
    const token = issued.get(value);
    const state = core.tokenState('google', value);
    // A token that control declares valid needs no round through the token endpoint.
    if (token === undefined && (state === 'unset' || state === 'revoked')) return { refusal: unauthenticated('invalid', method) };
    const refusal = refusalOf({ token, state, method });
    return refusal ? { refusal } : { clientId: token?.clientId ?? SEED.google.clientId };
  }

  function refusalOf({ token, state, method }: { token: AccessToken | undefined; state: string; method: string }): Answer | undefined {
    if (state === 'revoked' || (token && grantIsRevoked(token))) return unauthenticated('invalid', method);
    if (state === 'expired' || (token && token.expiresAtMs <= core.now())) return unauthenticated('expired', method);
    if (state === 'no_scope' || (token && !token.scopes.includes(DATA_MANAGER_SCOPE))) return scopeInsufficient(method);
    return undefined;
  }

  /** General Google behaviour: taking back a grant also ends the access tokens made from it. Not stated for this API. */
  function grantIsRevoked(token: AccessToken): boolean {
    return core.tokenState('google', token.refreshToken) === 'revoked' && core.switchOf<boolean>('google.revokeEndsAccessTokens', true);
  }

  return { issue, authorise, reset: () => issued.clear() };
}
