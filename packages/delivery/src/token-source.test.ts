import type { InboundReply, OutboundRequest, PlatformEndpoints, RefreshResult } from '@relay/contract';
import { describe, expect, it } from 'vitest';
import type { SendResult } from './deliver-ports.ts';
import type { Account, TokenCache } from './ports.ts';
import { aDefinition, anAccount } from './testing/deliver.test-kit.ts';
import { createTokenSource, dropToken, type TokenSourceDeps } from './token-source.ts';

const REFRESHABLE = { refreshToken: 'refresh-1' };
const withRefresh = (over: Partial<Account> = {}) => anAccount({ credentials: REFRESHABLE, ...over });
const aToken = (over: Partial<Extract<RefreshResult, { kind: 'token' }>> = {}): RefreshResult => ({ kind: 'token', accessToken: 'fresh', expiresInMs: 3_600_000, refreshToken: undefined, ...over });
const noRequest = async (): Promise<SendResult> => {
  throw new Error('a request went out');
};

/** A token source with a clock that only `sleep` moves, and a record of what was done. `reply`: what the token endpoint says. */
function aSource(reply: RefreshResult = aToken(), over: Partial<TokenSourceDeps> = {}) {
  const calls: string[] = [];
  const stored = new Map<string, string>();
  const locked = { by: undefined as string | undefined };
  let nowMs = 0;
  const tokens: TokenCache = {
    get: async (id, revision) => stored.get(`${id} ${revision}`),
    async put(id, revision, accessToken, ttlMs) {
      calls.push(`put ${accessToken} ${ttlMs}`);
      stored.set(`${id} ${revision}`, accessToken);
    },
    async drop(id, accessToken) {
      calls.push(`drop ${id} ${accessToken}`);
    },
    async lock(id, ttlMs) {
      if (locked.by !== undefined) return undefined;
      calls.push(`lock ${id} ${ttlMs}`);
      locked.by = 'us';
      return {
        async release() {
          calls.push('release');
          locked.by = undefined;
        },
      };
    },
  };
  const deps: TokenSourceDeps = {
    definition: aDefinition({
      tokens: {
        refreshRequest: (credentials): OutboundRequest | undefined =>
          (credentials as typeof REFRESHABLE).refreshToken === undefined ? undefined : { method: 'POST', url: 'https://oauth.test/token', headers: {}, body: 'form' },
        readRefreshReply: ({ body }: InboundReply) => JSON.parse(body) as RefreshResult,
        appScope: () => undefined,
      },
    }),
    endpoints: {} as PlatformEndpoints, // the fake platform has a fixed address
    tokens,
    async send() {
      calls.push('send');
      return { kind: 'reply', reply: { status: 200, headers: {}, body: JSON.stringify(reply), receivedAtMs: nowMs }, tookMs: 1 };
    },
    requestTimeoutMs: 30_000,
    async storeRefreshToken(account, refreshToken) {
      calls.push(`store ${account.id} ${refreshToken}`);
    },
    now: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
    },
    ...over,
  };
  return { token: createTokenSource(deps), calls, stored, tokens, locked, now: () => nowMs };
}

describe('a token that is there', () => {
  it('is the account’s own, where it cannot be refreshed', async () => {
    expect(await aSource(undefined, { send: noRequest }).token(anAccount({ credentials: { accessToken: 'own' } }))).toEqual({ kind: 'token', accessToken: 'own' });
  });

  it('is the one that was refreshed before, of this revision of the credentials only', async () => {
    const { token, stored, calls } = aSource();
    stored.set('acc 1', 'shared');
    expect(await token(withRefresh())).toEqual({ kind: 'token', accessToken: 'shared' });
    expect(calls).toEqual([]);
    expect(await token(withRefresh({ revision: 2 }))).toEqual({ kind: 'token', accessToken: 'fresh' });
  });

  it('is the account’s own until the platform refused it, then a refreshed one', async () => {
    const { token, tokens } = aSource();
    const account = withRefresh({ credentials: { ...REFRESHABLE, accessToken: 'own' } });
    expect(await token(account)).toEqual({ kind: 'token', accessToken: 'own' });
    await dropToken(tokens, account, 'another');
    expect(await token(account)).toEqual({ kind: 'token', accessToken: 'own' });
    await dropToken(tokens, account, 'own');
    expect(await token(account)).toEqual({ kind: 'token', accessToken: 'fresh' });
  });

  it('is none where there is neither one nor a way to get one', async () => {
    expect(await aSource(undefined, { send: noRequest }).token(anAccount({ credentials: {} }))).toMatchObject({ kind: 'unauthorised', code: 'no_token' });
  });
});

describe('a refresh', () => {
  it.each([30_000, 120_000])('is locked for longer than its request may take (%i ms)', async (requestTimeoutMs) => {
    const { token, calls } = aSource(aToken(), { requestTimeoutMs });
    expect(await token(withRefresh())).toEqual({ kind: 'token', accessToken: 'fresh' });
    expect(calls).toEqual([`lock acc ${requestTimeoutMs + 5_000}`, 'send', 'put fresh 3540000', 'release']);
  });

  it('is kept for a second at least, however soon the token ends', async () => {
    const { token, calls } = aSource(aToken({ expiresInMs: 30_000 }));
    await token(withRefresh());
    expect(calls).toContain('put fresh 1000');
  });

  it('stores a rotated refresh token before the access token is used, and only one that is new', async () => {
    const rotated = aSource(aToken({ refreshToken: 'refresh-2' }));
    await rotated.token(withRefresh());
    expect(rotated.calls.slice(1)).toEqual(['send', 'store acc refresh-2', 'put fresh 3540000', 'release']);
    const same = aSource(aToken({ refreshToken: 'refresh-1' }));
    await same.token(withRefresh());
    expect(same.calls).not.toContain('store acc refresh-1');
  });

  it('is one for all who ask in this process at a time', async () => {
    const { token, calls } = aSource();
    expect(await Promise.all([token(withRefresh()), token(withRefresh())])).toEqual([1, 2].map(() => ({ kind: 'token', accessToken: 'fresh' })));
    expect(calls.filter((call) => call === 'send')).toHaveLength(1);
  });

  it.each(['unauthorised', 'operator', 'retry'] as const)('that ends in %s is passed on, and the lock given back', async (kind) => {
    const { token, calls } = aSource({ kind, code: 'CODE', message: 'words' });
    expect(await token(withRefresh())).toEqual({ kind, code: 'CODE', message: 'words' });
    expect(calls).toEqual(['lock acc 35000', 'send', 'release']);
  });

  it('without an answer is tried again', async () => {
    const { token, calls } = aSource(undefined, { send: async () => ({ kind: 'failed', code: 'timeout', message: 'no answer', bodySent: true, tookMs: 30_000 }) });
    expect(await token(withRefresh())).toEqual({ kind: 'retry', code: 'timeout', message: 'no answer' });
    expect(calls.at(-1)).toBe('release');
  });

  it('gives the lock back where Redis goes away in the middle of it', async () => {
    const source = aSource(undefined, { storeRefreshToken: () => Promise.reject(new Error('away')), send: async () => ({ kind: 'reply', reply: { status: 200, headers: {}, body: JSON.stringify(aToken({ refreshToken: 'refresh-2' })), receivedAtMs: 0 }, tookMs: 1 }) });
    await expect(source.token(withRefresh())).rejects.toThrow('away');
    expect(source.calls.at(-1)).toBe('release');
  });
});

describe('another process’ refresh', () => {
  it('is waited for, and its token taken', async () => {
    const source = aSource(undefined, { send: noRequest, sleep: async () => void source.stored.set('acc 1', 'theirs') });
    source.locked.by = 'them';
    expect(await source.token(withRefresh())).toEqual({ kind: 'token', accessToken: 'theirs' });
  });

  it('that ended just before the lock was got is not repeated', async () => {
    const source = aSource(undefined, { send: noRequest });
    const { lock } = source.tokens;
    Object.assign(source.tokens, {
      lock: async (...of: Parameters<typeof lock>) => {
        source.stored.set('acc 1', 'theirs');
        return lock(...of);
      },
    });
    expect(await source.token(withRefresh())).toEqual({ kind: 'token', accessToken: 'theirs' });
    expect(source.calls).toEqual(['lock acc 35000', 'release']);
  });

  it('that ended without a token is followed by ours', async () => {
    const source = aSource(undefined, { sleep: async () => void (source.locked.by = undefined) });
    source.locked.by = 'them';
    expect(await source.token(withRefresh())).toEqual({ kind: 'token', accessToken: 'fresh' });
  });

  it('is not waited for for ever', async () => {
    const source = aSource(undefined, { send: noRequest });
    source.locked.by = 'them';
    expect(await source.token(withRefresh())).toMatchObject({ kind: 'busy', code: 'token_refresh_busy' });
    expect(source.now()).toBeGreaterThan(15_000);
    expect(source.now()).toBeLessThan(16_000);
  });
});
