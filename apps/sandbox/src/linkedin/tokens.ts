import { randomUUID } from 'node:crypto';
import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import type { Answer } from './answer.ts';
import { EMPTY_TOKEN, INVALID_TOKEN, REVOKED_TOKEN, expiredToken, notAuthorised, refuse } from './error-bodies.ts';
import type { ErrorEnvelope } from './error-bodies.ts';

interface IssuedToken {
  readonly hasScope: boolean;
  readonly expiresAtMs: number;
}

/** The seeded access tokens and those the token endpoint gave out. */
export interface TokenStore {
  issue(refreshToken: string, lifetimeSeconds: number): string;
  /** The access token when the call may go on, else the answer to give. */
  authorise(authorization: string | undefined, needs?: Needs): { readonly token: string } | { readonly refusal: Answer };
  reset(): void;
}

export interface Needs {
  readonly scope: string;
  /** As 403s name it: `conversions.CREATE`. */
  readonly resource: string;
}

/** The 403 of a missing scope or role. */
export function notPermitted(core: SandboxCore, resource: string): ErrorEnvelope {
  return notAuthorised(core.switchOf<'USER_NOT_AUTHORIZED' | 'ACCESS_DENIED'>('linkedin.forbiddenCode', 'USER_NOT_AUTHORIZED'), resource);
}

const EVENTS: Needs = { scope: 'rw_conversions', resource: 'conversionEvents.CREATE' };

type Verdict = 'valid' | 'expired' | 'revoked' | 'no_scope' | 'unknown';

export function createTokenStore(core: SandboxCore): TokenStore {
  const issued = new Map<string, IssuedToken>();

  function issue(refreshToken: string, lifetimeSeconds: number): string {
    const value = `sandbox-li-${randomUUID()}`;
    const hasScope = core.tokenState('linkedin', refreshToken) !== 'no_scope';
    issued.set(value, { hasScope, expiresAtMs: core.now() + lifetimeSeconds * 1000 });
    return value;
  }

  function verdictOf(value: string): Verdict {
    const state = core.tokenState('linkedin', value);
    if (state !== 'unset') return state;
    if (value === SEED.linkedin.accessToken) return 'valid';
    if (value === SEED.linkedin.accessTokenWithoutScope) return 'no_scope';
    const token = issued.get(value);
    if (token === undefined) return 'unknown';
    if (token.expiresAtMs <= core.now()) return 'expired';
    return token.hasScope ? 'valid' : 'no_scope';
  }

  /** A grant without `rw_conversions` still reads accounts and reports. */
  function lacksScope(verdict: Verdict, { scope }: Needs): boolean {
    if (verdict === 'no_scope' && scope === 'rw_conversions') return true;
    return !core.switchOf<string>('linkedin.grantedScopes', 'r_ads,r_ads_reporting,rw_conversions').split(',').includes(scope);
  }

  function authorise(authorization: string | undefined, needs = EVENTS) {
    const value = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (value === undefined) return { refusal: refuse(EMPTY_TOKEN) };
    const verdict = verdictOf(value);
    if (verdict !== 'valid' && verdict !== 'no_scope') return { refusal: refusalOf(verdict) };
    if (!lacksScope(verdict, needs)) return { token: value };
    return { refusal: refuse(notPermitted(core, needs.resource)) };
  }

  function refusalOf(verdict: Exclude<Verdict, 'valid' | 'no_scope'>): Answer {
    switch (verdict) {
      case 'unknown':
        return refuse(INVALID_TOKEN);
      case 'revoked':
        return refuse(REVOKED_TOKEN);
      case 'expired':
        return refuse(expiredToken(core.switchOf<number>('linkedin.expiredServiceErrorCode', 65602)));
    }
  }

  return { issue, authorise, reset: () => issued.clear() };
}
