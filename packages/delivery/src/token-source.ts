import type { DeliveryPlatform, PlatformEndpoints, RefreshResult } from '@relay/contract';
import type { Send, TokenResult } from './deliver-ports.ts';
import type { Account, TokenCache } from './ports.ts';

export interface TokenSourceDeps {
  readonly definition: DeliveryPlatform;
  readonly endpoints: PlatformEndpoints;
  readonly tokens: TokenCache;
  readonly send: Send;
  /** When `send` gives up on an answer: until then nobody else may refresh. */
  readonly requestTimeoutMs: number;
  storeRefreshToken(account: Account, refreshToken: string): Promise<void>;
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** A token is given up this long before it ends, so that it does not end on the way. */
const EARLY_MS = 60_000;
/** What a refresh may take beyond its request, for Redis. One that takes longer is taken for dead, and another process may try. */
const LOCK_MARGIN_MS = 5_000;
/** How long to wait for another process' refresh before the job is tried again later. */
const WAIT_MS = 15_000;
const WAIT_STEP_MS = 100;

/**
 * The access token to send with: the account's own, or one got by OAuth refresh. Refreshed tokens are shared by all
 * processes, and only one process refreshes at a time; within this process callers share one lookup.
 */
export function createTokenSource(deps: TokenSourceDeps): (account: Account) => Promise<TokenResult> {
  const lookups = new Map<string, Promise<TokenResult>>();
  return (account) => {
    const key = `${account.id} ${account.revision}`;
    let lookup = lookups.get(key);
    if (lookup === undefined) {
      lookup = find(deps, account).finally(() => lookups.delete(key));
      lookups.set(key, lookup);
    }
    return lookup;
  };
}

async function find(deps: TokenSourceDeps, account: Account): Promise<TokenResult> {
  const { definition, endpoints, tokens } = deps;
  const cached = definition.tokens === undefined ? undefined : await tokens.get(account.id, account.revision);
  if (cached !== undefined) return { kind: 'token', accessToken: cached };

  const own = account.credentials['accessToken'];
  const request = definition.tokens?.refreshRequest(account.credentials, endpoints);
  // An access token that came with the account is used until the platform refuses it; then it is replaced by a refresh.
  if (typeof own === 'string' && (request === undefined || !(await wasRefused(deps, account, own)))) return { kind: 'token', accessToken: own };
  if (request === undefined) return { kind: 'unauthorised', code: 'no_token', message: 'The account has no access token. Reconnect it.' };

  const deadline = deps.now() + WAIT_MS;
  for (;;) {
    const lock = await tokens.lock(account.id, deps.requestTimeoutMs + LOCK_MARGIN_MS);
    if (lock !== undefined) {
      try {
        // Somebody else may have refreshed just before we got the lock.
        const fresh = await tokens.get(account.id, account.revision);
        if (fresh !== undefined) return { kind: 'token', accessToken: fresh };
        const result = await deps.send(request);
        return await keep(deps, account, result.kind === 'reply' ? definition.tokens!.readRefreshReply(result.reply) : { kind: 'retry', code: result.code, message: result.message });
      } finally {
        await lock.release();
      }
    }
    await deps.sleep(WAIT_STEP_MS);
    const fresh = await tokens.get(account.id, account.revision);
    if (fresh !== undefined) return { kind: 'token', accessToken: fresh };
    if (deps.now() > deadline) return { kind: 'busy', code: 'token_refresh_busy', message: 'Another process is refreshing the access token and has not ended.' };
  }
}

async function keep({ tokens, storeRefreshToken }: TokenSourceDeps, account: Account, result: RefreshResult): Promise<TokenResult> {
  if (result.kind !== 'token') return result;
  if (result.refreshToken !== undefined && result.refreshToken !== account.credentials['refreshToken']) {
    // Stored before the token is used: a rotated refresh token that is lost locks the account out.
    await storeRefreshToken(account, result.refreshToken);
  }
  await tokens.put(account.id, account.revision, result.accessToken, Math.max(result.expiresInMs - EARLY_MS, 1_000));
  return { kind: 'token', accessToken: result.accessToken };
}

/** Whether the platform refused the account's own access token before; remembered for this revision of the credentials. */
async function wasRefused({ tokens }: TokenSourceDeps, account: Account, accessToken: string): Promise<boolean> {
  return (await tokens.get(`${account.id}:refused`, account.revision)) === accessToken;
}

/** How long a refused token is remembered; longer than any platform's token lives. */
const REFUSED_MS = 90 * 86_400_000;

/** The platform refused this token: the next lookup gets another. */
export async function dropToken(tokens: TokenCache, account: Account, accessToken: string): Promise<void> {
  await tokens.drop(account.id, accessToken);
  if (account.credentials['accessToken'] === accessToken) await tokens.put(`${account.id}:refused`, account.revision, accessToken, REFUSED_MS);
}
