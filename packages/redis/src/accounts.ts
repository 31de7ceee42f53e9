import { isPlatformId, RelayError, type PlatformId } from '@relay/contract';
import type { Account, AccountPatch, AccountStatus, AccountStore } from '@relay/delivery';
import { SealError, type Sealer } from '@relay/runtime';
import { orUnavailable, type RedisConnection } from './connect.ts';
import type { ChangeFeed } from './change-feed.ts';
import { globals, keys, type Lanes } from './keys.ts';
import { createPromiseCache } from './promise-cache.ts';
import { runScript } from './scripts.ts';

/** A change is announced at once; this bounds how long a cache can be wrong when the announcement got lost. */
const CACHE_MS = 5_000;
const CACHE_ENTRIES = 10_000;
/** How often a change is tried again because others changed the account meanwhile. */
const MAX_CONFLICTS = 50;

/** Such an account holds its events: with the key back it is active again, with new credentials too. */
const UNREADABLE = 'The credentials were sealed under a key that is not in RELAY_SECRET_KEY. Put the key back, or set the credentials anew.';

/** What the account store works with. */
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

/** Accounts in Redis, credentials sealed, with a cache of a few seconds. */
export function createAccountStore(deps: AccountsDeps): WorkerAccountStore {
  const { connection, sealer, lanes } = deps;
  const cache = createPromiseCache<Account | undefined>({ lifetimeMs: CACHE_MS, maxEntries: CACHE_ENTRIES, now: deps.now });
  deps.changes.onChange((kind, id) => {
    if (kind === 'account') cache.delete(id);
    if (kind === 'all') cache.clear();
  });

  const contextOf = (id: string) => `account:${id}`;
  const sealed = (id: string, credentials: object) =>
    sealer.seal(Buffer.from(JSON.stringify(credentials)), contextOf(id)).toString('base64');
  /** `undefined`: sealed under a key that is no more (or not yet) in RELAY_SECRET_KEY. */
  const opened = (id: string, credentials: string): Account['credentials'] | undefined => {
    try {
      return JSON.parse(sealer.open(Buffer.from(credentials, 'base64'), contextOf(id)).toString()) as Account['credentials'];
    } catch (error) {
      if (error instanceof SealError) return undefined;
      throw error;
    }
  };
  const load = async (id: string): Promise<Account | undefined> => read(id, await connection.hgetall(globals.account(id)));
  const read = (id: string, row: Row): Account | undefined => {
    if (row['platform'] === undefined || !isPlatformId(row['platform'])) return undefined;
    const credentials = opened(id, row['credentials'] ?? '');
    const status = row['status'] as AccountStatus;
    return {
      id,
      platform: row['platform'],
      credentials: credentials ?? {},
      metadata: JSON.parse(row['metadata'] ?? '{}') as Account['metadata'],
      status: credentials === undefined && status === 'active' ? 'needs_reconnect' : status,
      statusReason: credentials === undefined ? UNREADABLE : row['reason'] || undefined,
      revision: Number(row['revision'] ?? 1),
      createdAtMs: Number(row['created']),
      updatedAtMs: Number(row['updated']),
    };
  };
  const write = async (id: string, change: Change): Promise<boolean> => {
    const { create = false, expect = {}, set, bump = false } = change;
    const request = JSON.stringify({ id, create, expect, set: Object.entries(set).flat(), bump });
    return (await runScript(connection, 'relayWriteAccount', [globals.account(id), globals.accounts, request])) === 1;
  };
  /** Changes what is there now, again and again until nobody else changed it in between. `undefined`: there is none, or nothing to change. */
  const update = async (id: string, changeOf: (before: Account) => Change | undefined): Promise<Account | undefined> => {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const row = await connection.hgetall(globals.account(id));
      const before = read(id, row);
      const change = before && changeOf(before);
      if (change === undefined) return undefined;
      const expect = { credentials: row['credentials'] ?? '', metadata: row['metadata'] ?? '' };
      if (!(await write(id, { ...change, expect }))) continue;
      await deps.changes.announce('account', id);
      return load(id);
    }
    throw new RelayError('storage_unavailable', 'Too many changes of this account at once. Send this one again later.', { retryAfterSeconds: 1 });
  };
  const heldEvents = async (id: string): Promise<number> => {
    const account = await cached(id);
    if (account === undefined) return 0;
    const counts = await Promise.all(
      lanes.of(account.platform).map((lane) => connection.hget(keys.heldCounts(lane.tag, account.platform), id)),
    );
    return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  };
  const cached = (id: string): Promise<Account | undefined> => cache.get(id, () => load(id));

  const changeBy = (patch: AccountPatch, before: Account): Change => {
    const set: Record<string, string> = { updated: String(deps.now()) };
    if (patch.metadata !== undefined) {
      const merged = Object.entries({ ...before.metadata, ...patch.metadata }).filter(([, value]) => value !== null);
      set['metadata'] = JSON.stringify(Object.fromEntries(merged));
    }
    // Sealed anew with every change, so that a rotated key is not needed for ever.
    const credentials = patch.credentials ?? (before.statusReason === UNREADABLE ? undefined : before.credentials);
    if (credentials !== undefined) set['credentials'] = sealed(before.id, credentials);
    const status = patch.status ?? (patch.credentials === undefined ? undefined : 'active');
    if (status !== undefined) set['status'] = status;
    // Why an account needed a reconnect is no longer true of one that is active.
    if (status === 'active') set['reason'] = '';
    return { set, bump: patch.credentials !== undefined };
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
        const now = String(deps.now());
        const set = {
          platform: input.platform,
          credentials: sealed(input.id, input.credentials),
          metadata: JSON.stringify(input.metadata),
          status: 'active',
          reason: '',
          revision: '1',
          created: now,
          updated: now,
        };
        if (!(await write(input.id, { create: true, set }))) return undefined;
        await deps.changes.announce('account', input.id);
        return load(input.id);
      }),
    patch: (id, patch) =>
      orUnavailable(async () => {
        const account = await update(id, (before) => changeBy(patch, before));
        if (account === undefined) return undefined;
        if (patch.credentials !== undefined) await connection.del(globals.token(id));
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
      const marked = await runScript(connection, 'relayMarkReconnect', [globals.account(id), revision, reason, deps.now()]);
      if (marked === 1) await deps.changes.announce('account', id);
      const account = await load(id);
      return account === undefined || account.status !== 'active';
    },
    storeRefreshToken: (id, revision, refreshToken) =>
      orUnavailable(async () => {
        await update(id, (before) =>
          before.revision === revision && before.statusReason !== UNREADABLE ? { set: { credentials: sealed(id, { ...before.credentials, refreshToken }) } } : undefined,
        );
      }),
  };
}

type Row = Readonly<Record<string, string>>;

/** What write-account.lua does; its head says how. */
interface Change {
  readonly create?: boolean;
  readonly expect?: Row;
  readonly set: Row;
  readonly bump?: boolean;
}
