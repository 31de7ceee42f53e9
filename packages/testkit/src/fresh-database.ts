import { Redis } from 'ioredis';

const COUNTER = 'relay:testkit:databases';
const TAKEN = 'relay:testkit:taken';
/** Redis' own default, for servers that do not let us ask. */
const DEFAULT_DATABASES = 16;

/** The n-th database handed out, never 0: that one holds the counter. */
export function databaseNumber(count: number, databases: number): number {
  return ((count - 1) % (databases - 1)) + 1;
}

/** The URL with this database number; everything else in it stays. */
export function withDatabase(url: string, database: number): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/**
 * The URL of an empty database that no other caller on this Redis was given lately. A database that holds keys and was not
 * handed out by this function belongs to somebody else: it is passed over, never flushed.
 */
export async function freshDatabase(url: string): Promise<string> {
  const redis = new Redis(withDatabase(url, 0), { maxRetriesPerRequest: 3, connectTimeout: 5_000, lazyConnect: true });
  redis.on('error', () => undefined); // The command that fails says it; without a listener ioredis prints it as well.
  try {
    const databases = await countDatabases(redis);
    for (let tries = 1; tries < databases; tries += 1) {
      const database = databaseNumber(await redis.incr(COUNTER), databases);
      const ours = (await redis.sismember(TAKEN, database)) === 1;
      await redis.select(database);
      const free = ours || (await redis.dbsize()) === 0;
      if (free) await redis.flushdb();
      await redis.select(0);
      if (!free) continue;
      await redis.sadd(TAKEN, database);
      return withDatabase(url, database);
    }
    throw new Error(`all ${databases - 1} databases of this Redis hold keys that are not ours`);
  } finally {
    redis.disconnect();
  }
}

async function countDatabases(redis: Redis): Promise<number> {
  try {
    const reply = (await redis.call('CONFIG', 'GET', 'databases')) as readonly string[];
    const count = Number(reply[1]);
    return Number.isInteger(count) && count > 1 ? count : DEFAULT_DATABASES;
  } catch {
    return DEFAULT_DATABASES; // Managed services forbid CONFIG.
  }
}
