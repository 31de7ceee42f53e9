import { hash } from 'node:crypto';
import type { RedisConnection } from './connect.ts';
import { globals } from './keys.ts';

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

export function accountScope(accountId: string): string {
  return accountId;
}
/** Hashed: an OAuth client id is not for dashboards. */
export function appScope(platform: string, app: string): string {
  return `app:${platform}:${hash('sha256', app, 'hex').slice(0, 12)}`;
}

export function createCooldowns(connection: RedisConnection, now: () => number): Cooldowns {
  return {
    async until(scopes) {
      const values = await connection.mget(...scopes.map((scope) => globals.cooldown(scope)));
      return values.reduce((latest, value) => Math.max(latest, Number(value ?? 0)), 0);
    },
    async start(scope, untilMs) {
      const ttlMs = Math.ceil(untilMs - now());
      if (ttlMs <= 0) return;
      const running = Number((await connection.get(globals.cooldown(scope))) ?? 0);
      if (running >= untilMs) return;
      await connection
        .multi()
        .set(globals.cooldown(scope), String(Math.ceil(untilMs)), 'PX', ttlMs)
        .zadd(globals.cooldowns, Math.ceil(untilMs), scope)
        .exec();
    },
    async list() {
      const nowMs = now();
      await connection.zremrangebyscore(globals.cooldowns, '-inf', nowMs);
      const rows = (await connection.zrange(globals.cooldowns, 0, '-1', 'WITHSCORES')) as string[];
      const list = new Map<string, number>();
      for (let i = 0; i < rows.length; i += 2) list.set(rows[i]!, (Number(rows[i + 1]) - nowMs) / 1000);
      return list;
    },
  };
}
