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

export type TokenFault = 'missing' | 'invalid' | 'expired' | 'revoked' | 'scope';

/** Access tokens the token endpoint gave out. */
export interface TokenStore {
  issue(refreshToken: string, lifetimeSeconds: number): { readonly value: string; readonly token: AccessToken };
  /** The token's client when it serves the scope, else what is wrong with it. */
  judge(authorization: string | undefined, scope: string): { readonly clientId: string } | { readonly fault: TokenFault };
  /** The token's client when the Data Manager call may go on, else the answer to give. */
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

  function judge(authorization: string | undefined, scope: string): { readonly clientId: string } | { readonly fault: TokenFault } {
    const value = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (value === undefined) return { fault: 'missing' };
    const token = issued.get(value);
    const state = core.tokenState('google', value);
    // A token that control declares valid needs no round through the token endpoint.
    if (token === undefined && (state === 'unset' || state === 'revoked')) return { fault: 'invalid' };
    const fault = faultOf(token, state, scope);
    return fault ? { fault } : { clientId: token?.clientId ?? SEED.google.clientId };
  }

  function faultOf(token: AccessToken | undefined, state: string, scope: string): TokenFault | undefined {
    if (state === 'revoked' || (token && grantIsRevoked(token))) return 'revoked';
    if (state === 'expired' || (token && token.expiresAtMs <= core.now())) return 'expired';
    if (state === 'no_scope' || (token && !token.scopes.includes(scope))) return 'scope';
    return undefined;
  }

  function authorise(authorization: string | undefined, method: string) {
    const judged = judge(authorization, DATA_MANAGER_SCOPE);
    if ('clientId' in judged) return judged;
    if (judged.fault === 'scope') return { refusal: scopeInsufficient(method) };
    return { refusal: unauthenticated(judged.fault === 'revoked' ? 'invalid' : judged.fault, method) };
  }

  /** General Google behaviour: taking back a grant also ends the access tokens made from it. Not stated for this API. */
  function grantIsRevoked(token: AccessToken): boolean {
    return core.tokenState('google', token.refreshToken) === 'revoked' && core.switchOf<boolean>('google.revokeEndsAccessTokens', true);
  }

  return { issue, judge, authorise, reset: () => issued.clear() };
}
