import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SCOPES, type ApiKey, type ApiKeyStore, type Scope } from '@relay/delivery';
import { orUnavailable, type RedisConnection } from './connect.ts';
import type { ChangeFeed } from './change-feed.ts';
import { globals, newId } from './keys.ts';
import { createPromiseCache } from './promise-cache.ts';

const CACHE_MS = 5_000;
const CACHE_ENTRIES = 10_000;
const LAST_USED_EVERY_MS = 60_000;

/** What the API key store works with. */
export interface ApiKeysDeps {
  readonly connection: RedisConnection;
  readonly changes: ChangeFeed;
  readonly now: () => number;
}

/** The API's port, and what the bootstrap file needs besides. */
export interface BootstrapApiKeys extends ApiKeyStore {
  /** Makes sure that this very secret exists with this name, scopes and accounts. For the bootstrap file. */
  ensure(secret: string, key: Pick<ApiKey, 'name' | 'scopes' | 'accounts'>): Promise<void>;
}

/** API keys in Redis, as hashes of their secrets, with a cache of a few seconds. */
export function createApiKeyStore({ connection, changes, now }: ApiKeysDeps): BootstrapApiKeys {
  const cache = createPromiseCache<StoredKey | undefined>({ lifetimeMs: CACHE_MS, maxEntries: CACHE_ENTRIES, now });
  const noted = createPromiseCache<unknown>({ lifetimeMs: LAST_USED_EVERY_MS, maxEntries: CACHE_ENTRIES, now });
  changes.onChange((kind) => {
    if (kind === 'api-key' || kind === 'all') cache.clear();
  });

  const load = async (id: string): Promise<StoredKey | undefined> => {
    const row = await connection.hgetall(globals.apiKey(id));
    if (row['hash'] === undefined) return undefined;
    return {
      hash: row['hash'],
      apiKey: {
        id,
        name: row['name'] ?? '',
        scopes: (JSON.parse(row['scopes'] ?? '[]') as Scope[]).filter((scope) => SCOPES.includes(scope)),
        accounts: JSON.parse(row['accounts'] ?? '[]') as string[],
        createdAtMs: Number(row['created']),
        lastUsedAtMs: row['used'] === undefined ? undefined : Number(row['used']),
      },
    };
  };
  const byHash = (sha256: string): Promise<StoredKey | undefined> =>
    cache.get(sha256, async () => {
      const id = await connection.get(globals.apiKeyHash(sha256));
      return id === null ? undefined : load(id);
    });
  const noteUse = (id: string): void => {
    // Best effort: a lost note makes "last used" older, nothing else. EXISTS keeps a removed key removed.
    void noted.get(id, async () => (await connection.exists(globals.apiKey(id))) === 1 && connection.hset(globals.apiKey(id), 'used', String(now())));
  };
  const write = async (id: string, secret: string, key: Pick<ApiKey, 'name' | 'scopes' | 'accounts'>): Promise<void> => {
    const sha256 = hash('sha256', secret, 'hex');
    const row = { hash: sha256, name: key.name, scopes: JSON.stringify(key.scopes), accounts: JSON.stringify(key.accounts) };
    // All at once: a record without its hash would be a key that is listed and opens nothing.
    await connection
      .multi()
      .hset(globals.apiKey(id), row)
      .hsetnx(globals.apiKey(id), 'created', String(now()))
      .sadd(globals.apiKeys, id)
      .set(globals.apiKeyHash(sha256), id)
      .exec();
    await changes.announce('api-key', id);
  };

  return {
    authenticate: (secret) =>
      orUnavailable(async () => {
        const sha256 = hash('sha256', secret, 'hex');
        const stored = await byHash(sha256);
        if (stored === undefined) return undefined;
        if (!timingSafeEqual(Buffer.from(stored.hash, 'hex'), Buffer.from(sha256, 'hex'))) return undefined;
        noteUse(stored.apiKey.id);
        return stored.apiKey;
      }),
    list: () =>
      orUnavailable(async () => {
        const ids = (await connection.smembers(globals.apiKeys)).sort();
        return (await Promise.all(ids.map(load))).flatMap((stored) => (stored === undefined ? [] : [stored.apiKey]));
      }),
    get: (id) => orUnavailable(async () => (await load(id))?.apiKey),
    create: (key) =>
      orUnavailable(async () => {
        const id = newId('key_', now());
        const secret = `rk_${randomBytes(24).toString('base64url')}`;
        await write(id, secret, key);
        return { apiKey: (await load(id))!.apiKey, secret };
      }),
    patch: (id, patch) =>
      orUnavailable(async () => {
        const before = await load(id);
        if (before === undefined) return undefined;
        const next = { ...before.apiKey, ...patch };
        await connection.hset(globals.apiKey(id), {
          name: next.name,
          scopes: JSON.stringify(next.scopes),
          accounts: JSON.stringify(next.accounts),
        });
        await changes.announce('api-key', id);
        return (await load(id))?.apiKey;
      }),
    remove: (id) =>
      orUnavailable(async () => {
        const stored = await load(id);
        if (stored === undefined) return false;
        await connection.multi().del(globals.apiKeyHash(stored.hash)).del(globals.apiKey(id)).srem(globals.apiKeys, id).exec();
        await changes.announce('api-key', id);
        return true;
      }),
    ensure: async (secret, key) => {
      const sha256 = hash('sha256', secret, 'hex');
      const id = (await connection.get(globals.apiKeyHash(sha256))) ?? `key_b${sha256.slice(0, 16)}`;
      const known = await load(id);
      const same =
        known !== undefined &&
        known.apiKey.name === key.name &&
        JSON.stringify([known.apiKey.scopes, known.apiKey.accounts]) === JSON.stringify([key.scopes, key.accounts]);
      if (!same) await write(id, secret, key);
    },
  };
}

interface StoredKey {
  readonly hash: string;
  readonly apiKey: ApiKey;
}
