import { isPlatformId, type PlatformId } from '@relay/contract';
import type { Account, AccountStatus, AccountStore } from '@relay/delivery';
import type { Sealer } from '@relay/runtime';
import { orUnavailable, type RedisConnection } from './connect.ts';
import type { ChangeFeed } from './change-feed.ts';
import { globals, keys, type Lanes } from './keys.ts';
import { runMarkReconnect } from './scripts.ts';

/** A change is announced at once; this bounds how long a cache can be wrong when the announcement got lost. */
const CACHE_MS = 5_000;

export interface AccountsDeps {
  readonly connection: RedisConnection;
  readonly sealer: Sealer;
  readonly changes: ChangeFeed;
  readonly lanes: Lanes;
  /** Gives held events of the account back to the queue; resolves with how many. */
  readonly release: (platform: PlatformId, accountId: string) => Promise<number>;
  readonly now: () => number;
}

/** What the worker needs of accounts on top of the API's port. */
export interface WorkerAccountStore extends AccountStore {
  /**
   * The platform says that the token is dead. Only the revision that was used is marked: credentials that were replaced
   * meanwhile stay active. Resolves with `true` when the account is (now) not active.
   */
  markNeedsReconnect(id: string, revision: number, reason: string): Promise<boolean>;
  /** Stores a rotated refresh token in the credentials of this revision, without counting the revision up. */
  storeRefreshToken(id: string, revision: number, refreshToken: string): Promise<void>;
}

export function createAccountStore(deps: AccountsDeps): WorkerAccountStore {
  const { connection, sealer, lanes } = deps;
  const cache = new Map<string, { account: Promise<Account | undefined>; untilMs: number }>();
  deps.changes.onChange((kind, id) => {
    if (kind === 'account') cache.delete(id);
    if (kind === 'all') cache.clear();
  });

  const contextOf = (id: string) => `account:${id}`;
  const sealed = (id: string, credentials: object) =>
    sealer.seal(Buffer.from(JSON.stringify(credentials)), contextOf(id)).toString('base64');
  const load = async (id: string): Promise<Account | undefined> => {
    const row = await connection.hgetall(globals.account(id));
    if (row['platform'] === undefined || !isPlatformId(row['platform'])) return undefined;
    return {
      id,
      platform: row['platform'],
      credentials: JSON.parse(sealer.open(Buffer.from(row['credentials']!, 'base64'), contextOf(id)).toString()) as Account['credentials'],
      metadata: JSON.parse(row['metadata'] ?? '{}') as Account['metadata'],
      status: row['status'] as AccountStatus,
      statusReason: row['reason'] || undefined,
      revision: Number(row['revision'] ?? 1),
      createdAtMs: Number(row['created']),
      updatedAtMs: Number(row['updated']),
    };
  };
  const heldEvents = async (id: string): Promise<number> => {
    const account = await cached(id);
    if (account === undefined) return 0;
    const counts = await Promise.all(
      lanes.of(account.platform).map((lane) => connection.hget(keys.heldCounts(lane.tag, account.platform), id)),
    );
    return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  };
  const cached = (id: string): Promise<Account | undefined> => {
    const hit = cache.get(id);
    if (hit !== undefined && hit.untilMs > deps.now()) return hit.account;
    const account = load(id);
    cache.set(id, { account, untilMs: deps.now() + CACHE_MS });
    account.catch(() => cache.delete(id));
    return account;
  };

  return {
    get: (id) => orUnavailable(() => cached(id)),
    heldEvents: (id) => orUnavailable(() => heldEvents(id)),
    list: () =>
      orUnavailable(async () => {
        const ids = (await connection.smembers(globals.accounts)).sort();
        return (await Promise.all(ids.map(load))).filter((account) => account !== undefined);
      }),
    create: (input) =>
      orUnavailable(async () => {
        // The set decides who is first; a crash in between leaves an id without a record, which `create` may fill again.
        const first = await connection.sadd(globals.accounts, input.id);
        if (first === 0 && (await load(input.id)) !== undefined) return undefined;
        const now = String(deps.now());
        await connection.hset(globals.account(input.id), {
          platform: input.platform,
          credentials: sealed(input.id, input.credentials),
          metadata: JSON.stringify(input.metadata),
          status: 'active',
          reason: '',
          revision: '1',
          created: now,
          updated: now,
        });
        await deps.changes.announce('account', input.id);
        return load(input.id);
      }),
    patch: (id, patch) =>
      orUnavailable(async () => {
        const before = await load(id);
        if (before === undefined) return undefined;
        const fields: Record<string, string> = { updated: String(deps.now()) };
        if (patch.metadata !== undefined) {
          const merged = Object.entries({ ...before.metadata, ...patch.metadata }).filter(([, value]) => value !== null);
          fields['metadata'] = JSON.stringify(Object.fromEntries(merged));
        }
        if (patch.credentials !== undefined) {
          fields['credentials'] = sealed(id, patch.credentials);
          fields['status'] = 'active';
          fields['reason'] = '';
        }
        if (patch.status !== undefined) fields['status'] = patch.status;
        const write = connection.multi().hset(globals.account(id), fields);
        if (patch.credentials !== undefined) write.hincrby(globals.account(id), 'revision', 1).del(globals.token(id));
        await write.exec();
        await deps.changes.announce('account', id);
        const account = (await load(id))!;
        const releasedEvents = account.status === 'active' ? await deps.release(account.platform, id) : 0;
        return { account, releasedEvents };
      }),
    remove: (id) =>
      orUnavailable(async () => {
        const account = await load(id);
        if (account === undefined) return false;
        for (const lane of lanes.of(account.platform)) {
          const destinations = await connection.hkeys(keys.backlog(lane.tag, account.platform));
          if (destinations.some((field) => field.startsWith(`${id}|`))) return 'busy';
        }
        await connection.multi().del(globals.account(id)).del(globals.token(id)).srem(globals.accounts, id).exec();
        await deps.changes.announce('account', id);
        return true;
      }),
    async markNeedsReconnect(id, revision, reason) {
      const marked = await runMarkReconnect(connection, [globals.account(id), revision, reason, deps.now()]);
      if (marked === 1) await deps.changes.announce('account', id);
      const account = await load(id);
      return account === undefined || account.status !== 'active';
    },
    async storeRefreshToken(id, revision, refreshToken) {
      const account = await load(id);
      if (account === undefined || account.revision !== revision) return;
      await connection.hset(globals.account(id), 'credentials', sealed(id, { ...account.credentials, refreshToken }));
      await deps.changes.announce('account', id);
    },
  };
}
