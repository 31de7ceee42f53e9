import type { Verdict } from '@relay/contract';
import type { TokenResult } from './deliver-ports.ts';

/** Why sending stopped before every event had an answer; `stopping`: this worker is, and what is open goes back as it was. */
export type Stopped = Refused | { readonly kind: 'stopping' };

/** An answer that stops all. `requestMs`: of the request that got it, if there was one. */
export type Refused =
  | (Extract<Verdict, { kind: 'rate_limited' | 'unauthorised' }> & { readonly requestMs: number | undefined })
  | (Extract<Verdict, { kind: 'retry' }> & {
      readonly requestMs: number | undefined;
      /** The platform may have taken the events although no answer says so. */
      readonly ambiguous: boolean;
    });

/**
 * What a missing access token means. Only the grant's end is about the account; a token endpoint that is away is retried,
 * and so is what the operator has to put right, as rarely as we retry at all.
 */
export function stopOfToken(token: Exclude<TokenResult, { kind: 'token' }>, slowestMs: number): Refused {
  const said = { code: token.code, message: token.message, traceId: undefined, requestMs: undefined };
  if (token.kind === 'unauthorised') return { kind: 'unauthorised', refreshable: false, ...said };
  return { kind: 'retry', afterMs: token.kind === 'operator' ? slowestMs : undefined, ambiguous: false, ...said };
}
