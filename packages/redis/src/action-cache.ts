import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { orUnavailable, type RedisConnection } from './connect.ts';
import { globals } from './keys.ts';

/** Conversion actions as they were last read. */
export interface CachedActions<T> {
  readonly value: T;
  /** When the reading began, unix ms. */
  readonly readAtMs: number;
}
/** As they are kept. `isOutdated`: something was made since, so they are good only where there is no better answer. */
export interface LastActions<T> extends CachedActions<T> {
  readonly isOutdated: boolean;
}

/**
 * The last good answers to "which conversion actions are there", shared by all processes. An answer belongs to one state of
 * the account's credentials (`state`), since others may reach other customers, and it ends by itself.
 */
export interface ActionCache<T = unknown> {
  /** `undefined`: never read, too old, or read with other credentials. */
  get(accountId: string, state: string, name: string): Promise<LastActions<T> | undefined>;
  put(accountId: string, state: string, name: string, answer: CachedActions<T>): Promise<void>;
  /** Something was made: all that is kept of the account, and all that is being read right now, is out of date. */
  outdate(accountId: string): Promise<void>;
}

/** How long an answer is worth showing where there is no better one, ms. */
export const LAST_GOOD_MS = 7 * 86_400_000;
/** Larger ones (packed) are not kept: memory of Redis is for events. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Names that one account can have answers under; more are dropped together. */
const MAX_NAMES = 200;
/** When something was made, unix ms. An answer whose reading began before it lacks that. */
const CHANGED = 'changed';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export function createActionCache<T>(connection: RedisConnection, now: () => number): ActionCache<T> {
  return {
    get: (accountId, state, name) =>
      orUnavailable(async () => {
        const [packed, changed] = await connection.hmgetBuffer(globals.actions(accountId), fieldOf(name), CHANGED);
        if (packed === undefined || packed === null) return undefined;
        const entry = JSON.parse((await decompress(packed)).toString()) as Entry<T>;
        if (entry.state !== state || now() - entry.readAtMs >= LAST_GOOD_MS) return undefined;
        return { value: entry.value, readAtMs: entry.readAtMs, isOutdated: entry.readAtMs <= Number(changed?.toString() ?? 0) };
      }),

    put: (accountId, state, name, answer) =>
      orUnavailable(async () => {
        const entry: Entry<T> = { state, ...answer };
        const packed = await compress(JSON.stringify(entry));
        if (packed.length > MAX_BYTES) return;
        const key = globals.actions(accountId);
        if ((await connection.hlen(key)) > MAX_NAMES) await connection.del(key);
        await connection.multi().hset(key, fieldOf(name), packed).pexpire(key, LAST_GOOD_MS).exec();
      }),

    outdate: (accountId) =>
      orUnavailable(async () => {
        const key = globals.actions(accountId);
        await connection.multi().hset(key, CHANGED, now()).pexpire(key, LAST_GOOD_MS).exec();
      }),
  };
}

interface Entry<T> extends CachedActions<T> {
  readonly state: string;
}

/** Never `changed`. */
function fieldOf(name: string): string {
  return `of ${name}`;
}
