import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryPlatform, InboundReply, PlatformEndpoints } from '@relay/contract';
import { createTokenSource, dropToken, type Account, type Send, type TokenCache, type TokenResult } from '@relay/delivery';

/** A token, or why there is none and what the platform said to the refresh, if it was asked. */
export type AccessToken = TokenResult & { readonly platformError?: unknown };

export interface AccessTokens {
  get(account: Account): Promise<AccessToken>;
  /** The platform refused this token. Resolves with whether another one may be had for it. */
  drop(account: Account, accessToken: string): Promise<boolean>;
}

export interface AccessTokensDeps {
  readonly definitionOf: (account: Account) => DeliveryPlatform | undefined;
  readonly endpoints: PlatformEndpoints;
  readonly tokens: TokenCache;
  readonly send: Send;
  /** When `send` gives up on an answer. */
  readonly requestTimeoutMs: number;
  readonly storeRefreshToken: (account: Account, refreshToken: string) => Promise<void>;
  readonly now: () => number;
}

/** The same tokens that the workers send with, refreshed under the same lock. */
export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const lookups = new Map<string, Promise<AccessToken>>();
  return {
    get(account) {
      const key = `${account.id} ${account.revision}`;
      const lookup = lookups.get(key) ?? lookUp(deps, account).finally(() => lookups.delete(key));
      lookups.set(key, lookup);
      return lookup;
    },
    async drop(account, accessToken) {
      const isRefreshable = deps.definitionOf(account)?.tokens?.refreshRequest(account.credentials, deps.endpoints) !== undefined;
      if (isRefreshable) await dropToken(deps.tokens, account, accessToken);
      return isRefreshable;
    },
  };
}

async function lookUp(deps: AccessTokensDeps, account: Account): Promise<AccessToken> {
  const definition = deps.definitionOf(account);
  if (definition === undefined) return { kind: 'unauthorised', code: 'no_token', message: 'This relay cannot get an access token for the platform of this account.' };
  let refusal: InboundReply | undefined;
  const find = createTokenSource({
    definition,
    endpoints: deps.endpoints,
    tokens: deps.tokens,
    // A source of its own for each lookup, so that a refusal is known to be this account's.
    send: async (request) => {
      const result = await deps.send(request);
      if (result.kind === 'reply' && result.reply.status >= 400) refusal = result.reply;
      return result;
    },
    requestTimeoutMs: deps.requestTimeoutMs,
    storeRefreshToken: deps.storeRefreshToken,
    now: deps.now,
    sleep: (ms) => sleep(ms),
  });
  const found = await find(account);
  return found.kind === 'token' || refusal === undefined ? found : { ...found, platformError: payloadOf(refusal, account) };
}

const MAX_TEXT_LENGTH = 2000;

/** As it came; only what we sent in secret, should it be quoted, is blotted out. */
function payloadOf({ body }: InboundReply, account: Account): unknown {
  const secrets = Object.values(account.credentials).filter((value): value is string => typeof value === 'string' && value.length >= 8);
  const text = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), body);
  try {
    return JSON.parse(text);
  } catch {
    return text === '' ? undefined : text.slice(0, MAX_TEXT_LENGTH).toWellFormed();
  }
}
