import { setTimeout as sleep } from 'node:timers/promises';
import { RelayError, type InboundReply, type OutboundRequest, type PlatformEndpoints } from '@relay/contract';
import type { Send, SendResult } from '@relay/delivery';
import { PlatformCallError, type CallTraits, type ManagementContext } from '@relay/platforms';
import type { AdsAccount } from '../account-access.ts';
import type { AccessToken, AccessTokens } from './access-tokens.ts';
import { createAccountGates, type CallLimits, type Gate } from './call-limits.ts';
import { toAnswer } from './upstream-error.ts';

export interface OperationDeps {
  readonly send: Send;
  readonly accessTokens: AccessTokens;
  readonly endpoints: PlatformEndpoints;
  readonly googleAdsVersion: string;
  readonly now: () => number;
  readonly limits: CallLimits;
}

/** Does something at the platform of an account. What goes wrong comes out as a `RelayError` that says so. */
export type RunOperation = <T>(account: AdsAccount, operation: (ctx: ManagementContext<never>) => Promise<T>) => Promise<T>;

/**
 * Around every management function: a token (and one refresh), a deadline over all its calls, a limit on calls at once, and
 * repeats of what changes nothing when it is sent twice.
 */
export function createRunOperation(deps: OperationDeps): RunOperation {
  const { limits } = deps;
  const gates = createAccountGates(limits);
  return async (account, operation) => {
    try {
      return await gates.enter(account.id, (gate) => underDeadline(limits.deadlineMs, account, (clock) => withToken({ deps, limits, gate, clock, account }, operation)));
    } catch (error) {
      throw toAnswer(error, account.platform);
    }
  };
}

/** What is left of an operation's time. */
interface Clock {
  /** ms; not above 0 once it is over. */
  left(): number;
}

/** Ends with the deadline even if a call hangs; that call's answer is then nobody's, and no other is started. */
async function underDeadline<T>(ms: number, account: AdsAccount, work: (clock: Clock) => Promise<T>): Promise<T> {
  const endsAt = performance.now() + ms;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(timedOut(account.platform, ms)), ms);
  try {
    const working = work({ left: () => endsAt - performance.now() });
    working.catch(() => {
      // The caller was told that the time is over, whatever becomes of it.
    });
    return await Promise.race([working, over]);
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(platform: string, ms: number): RelayError {
  return new RelayError('platform_timeout', `The platform did not answer everything that had to be asked within ${ms / 1000} seconds. What was to be changed may have been changed: look before you try again.`, {
    platform,
    details: { code: 'deadline' },
  });
}

interface Operation {
  readonly deps: OperationDeps;
  readonly limits: CallLimits;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly account: AdsAccount;
}

/** A token that is refused is replaced once, and everything is asked again: unless something was made already. */
async function withToken<T>(op: Operation, work: (ctx: ManagementContext<never>) => Promise<T>): Promise<T> {
  const { accessTokens } = op.deps;
  const accessToken = await tokenOf(op);
  const calls = { made: false };
  try {
    return await work(contextFor(op, accessToken, calls));
  } catch (error) {
    if (!(error instanceof PlatformCallError) || !error.refreshable || calls.made) throw error;
    if (!(await accessTokens.drop(op.account, accessToken))) throw error;
    const fresh = await tokenOf(op, error.platformError);
    if (fresh === accessToken) throw error;
    return work(contextFor(op, fresh, calls));
  }
}

/** @throws RelayError saying why there is none. */
async function tokenOf({ deps, account }: Operation, refusal?: unknown): Promise<string> {
  const token = await deps.accessTokens.get(account);
  if (token.kind === 'token') return token.accessToken;
  throw noToken(token, account.platform, refusal);
}

function noToken(token: Exclude<AccessToken, { kind: 'token' }>, platform: string, refusal: unknown): RelayError {
  const { kind, code, message } = token;
  const extras = { platform, platformError: token.platformError ?? refusal, details: { code } };
  const words = /[.!?]$/.test(message) ? message : `${message}.`;
  switch (kind) {
    case 'unauthorised':
      return new RelayError('reconnect_required', `There is no access token for this account: ${words} Reconnect the account and store its new credentials.`, extras);
    case 'operator':
      return new RelayError('platform_config', `The platform refuses the relay's own set-up: ${words} This is for the operator of the relay.`, extras);
    case 'rate_limited':
      return new RelayError('platform_rate_limited', `No access token could be got for this account: ${words} Try again later.`, { ...extras, retryAfterSeconds: Math.ceil(token.cooldownMs / 1000) });
    case 'busy':
    case 'retry':
      return new RelayError(code === 'timeout' ? 'platform_timeout' : 'platform_unavailable', `No access token could be got for this account: ${words} Try again later.`, extras);
  }
}

function contextFor(op: Operation, accessToken: string, calls: { made: boolean }): ManagementContext<never> {
  const { deps, account, gate } = op;
  return {
    // Checked against the platform's schema when they were stored.
    credentials: account.credentials as never,
    accessToken,
    endpoints: deps.endpoints,
    googleAdsVersion: deps.googleAdsVersion,
    now: deps.now,
    async call(request, traits) {
      const reply = await gate.pass(() => sendPatiently(op, request, traits));
      if (!traits.repeatable && reply.status >= 200 && reply.status <= 299) calls.made = true;
      return reply;
    },
  };
}

/** @throws RelayError where there was no answer at all. */
async function sendPatiently(op: Operation, request: OutboundRequest, traits: CallTraits): Promise<InboundReply> {
  const { limits, clock, account } = op;
  for (let repeat = 0; ; repeat += 1) {
    if (clock.left() <= 0) throw timedOut(account.platform, limits.deadlineMs);
    const result = await op.deps.send(request);
    const waitMs = limits.repeatAfterMs * 2 ** repeat;
    const isLast = !traits.repeatable || repeat >= limits.repeats || !isPassing(result) || waitMs >= clock.left();
    if (!isLast) await sleep(waitMs);
    else if (result.kind === 'reply') return result.reply;
    else throw noAnswer(result, account.platform, traits);
  }
}

const PASSING_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** A 503 that names a time is not asked again before it; an answer that was too long comes back as long. */
function isPassing(result: SendResult): boolean {
  if (result.kind === 'failed') return result.code !== 'reply_too_large';
  return PASSING_STATUSES.has(result.reply.status) && result.reply.headers['retry-after'] === undefined;
}

function noAnswer(result: Extract<SendResult, { kind: 'failed' }>, platform: string, traits: CallTraits): RelayError {
  const isOpen = result.bodySent && !traits.repeatable;
  const advice = isOpen ? 'It is not known whether it was created: look into the list before you try again.' : 'Try again later.';
  return new RelayError(result.code === 'timeout' ? 'platform_timeout' : 'platform_unavailable', `${result.message} ${advice}`, {
    platform,
    details: { code: result.code, ...(isOpen && { maybeDone: true }) },
  });
}
