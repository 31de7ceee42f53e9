import { hash } from 'node:crypto';
import type { ChangeFeed } from './change-feed.ts';
import type { RedisConnection } from './connect.ts';
import { globals } from './keys.ts';
import { createPromiseCache } from './promise-cache.ts';
import { writeAnyway } from './scripts.ts';

/**
 * After a rate limit nobody sends for that account (or for all accounts of its app or OAuth client) until the time is over.
 * Shared by all workers, since the platform counts them together.
 */
export interface Cooldowns {
  /** Unix ms until which the longest of these scopes cools down; 0: none does. */
  until(scopes: readonly string[]): Promise<number>;
  /** Never shortens a running cool-down. */
  start(scope: string, untilMs: number): Promise<void>;
  /** All that run now: seconds left by scope. */
  list(): Promise<ReadonlyMap<string, number>>;
}

/** The scope of an account's own limit. */
export function accountScope(accountId: string): string {
  return accountId;
}
/** Hashed: an OAuth client id is not for dashboards. */
export function appScope(platform: string, app: string): string {
  return `app:${platform}:${hash('sha256', app, 'hex').slice(0, 12)}`;
}

/** A cool-down is announced at once; this bounds how long a process goes on sending when the announcement got lost. */
const CACHE_MS = 1_000;
const CACHE_ENTRIES = 10_000;

/** Cool-downs in one sorted set: scope by when it ends. Asked before each request, so the answer is kept for a moment. */
export function createCooldowns(connection: RedisConnection, changes: ChangeFeed, now: () => number): Cooldowns {
  const cache = createPromiseCache<number>({ lifetimeMs: CACHE_MS, maxEntries: CACHE_ENTRIES, now });
  changes.onChange((kind) => {
    if (kind === 'cooldown' || kind === 'all') cache.clear();
  });
  const latestOf = async (scopes: readonly string[]): Promise<number> => {
    const ends = await connection.zmscore(globals.cooldowns, ...scopes);
    return ends.reduce((most, end) => Math.max(most, Number(end ?? 0)), 0);
  };
  return {
    async until(scopes) {
      if (scopes.length === 0) return 0;
      const latest = await cache.get(scopes.join(' '), () => latestOf(scopes));
      return latest > now() ? latest : 0;
    },
    async start(scope, untilMs) {
      if (untilMs <= now()) return;
      // GT: of two that start at once the longer one stays.
      await writeAnyway(connection, globals.cooldowns, 'ZADD', 'GT', Math.ceil(untilMs), scope);
      await changes.announce('cooldown', scope);
    },
    async list() {
      const nowMs = now();
      await connection.zremrangebyscore(globals.cooldowns, '-inf', nowMs);
      const rows = await connection.zrange(globals.cooldowns, 0, '-1', 'WITHSCORES');
      const list = new Map<string, number>();
      for (let i = 0; i < rows.length; i += 2) list.set(rows[i]!, (Number(rows[i + 1]) - nowMs) / 1000);
      return list;
    },
  };
}
