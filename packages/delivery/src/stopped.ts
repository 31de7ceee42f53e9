import type { Said, Verdict } from '@relay/contract';
import type { TokenResult } from './deliver-ports.ts';

/** Why sending stopped before every event had an answer; `stopping`: this worker is, and what is open goes back as it was. */
export type Stopped = Refused | { readonly kind: 'stopping' };

/** An answer that stops all. `requestMs`: of the request that got it, if there was one. */
export type Refused =
  /** Another process is getting the access token: nobody refused anything, so that no attempt is spent. */
  | ({ readonly kind: 'busy'; readonly requestMs: number | undefined } & Said)
  | (Extract<Verdict, { kind: 'rate_limited' | 'unauthorised' }> & { readonly requestMs: number | undefined })
  | (Extract<Verdict, { kind: 'retry' }> & {
      readonly requestMs: number | undefined;
      /** The platform may have taken the events although no answer says so. */
      readonly ambiguous: boolean;
      /** Nobody but the operator can put it right: what dies of it, after the last attempt, says so. */
      readonly concern?: 'operator' | undefined;
    });

/**
 * What a missing access token means. Only the grant's end is about the account; a token endpoint that is away is retried
 * (one that limits calls, after that), and so is what the operator has to put right, as rarely as we retry at all. Who waits
 * for another process waits on.
 */
export function stopOfToken(token: Exclude<TokenResult, { kind: 'token' }>, slowestMs: number): Refused {
  const said = { code: token.code, message: token.message, traceId: undefined, requestMs: undefined };
  if (token.kind === 'rate_limited') return { kind: 'rate_limited', scope: 'account', cooldownMs: token.cooldownMs, ...said };
  if (token.kind === 'unauthorised') return { kind: 'unauthorised', refreshable: false, ...said };
  if (token.kind === 'busy') return { kind: 'busy', ...said };
  if (token.kind === 'operator') return { kind: 'retry', afterMs: slowestMs, ambiguous: false, concern: 'operator', ...said };
  return { kind: 'retry', afterMs: undefined, ambiguous: false, ...said };
}
