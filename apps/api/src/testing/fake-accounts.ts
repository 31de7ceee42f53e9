import type { Account, AccountStore } from '@relay/delivery';

export const T0 = Date.UTC(2026, 10, 20, 12);

export function anAccount(over: Partial<Account> & Pick<Account, 'id'>): Account {
  return {
    platform: 'metaads',
    credentials: { accessToken: 'planted-token' },
    metadata: {},
    status: 'active',
    statusReason: undefined,
    revision: 1,
    createdAtMs: T0,
    updatedAtMs: T0,
    ...over,
  };
}

export function fakeAccounts(accounts: readonly Account[]): AccountStore & { readonly held: Map<string, number>; readonly rows: Map<string, Account> } {
  const rows = new Map(accounts.map((account) => [account.id, account]));
  const held = new Map<string, number>();
  return {
    held,
    rows,
    get: async (id) => rows.get(id),
    list: async () => [...rows.values()],
    create: async (given) => {
      if (rows.has(given.id)) return undefined;
      const account = anAccount(given);
      rows.set(given.id, account);
      return account;
    },
    patch: async (id, patch) => {
      const before = rows.get(id);
      if (before === undefined) return undefined;
      const metadata = Object.fromEntries(Object.entries({ ...before.metadata, ...patch.metadata }).filter(([, value]) => value !== null));
      const account: Account = {
        ...before,
        metadata,
        credentials: patch.credentials ?? before.credentials,
        status: patch.status ?? (patch.credentials === undefined ? before.status : 'active'),
        revision: before.revision + 1,
      };
      rows.set(id, account);
      const releasedEvents = patch.credentials === undefined ? 0 : (held.get(id) ?? 0);
      if (patch.credentials !== undefined) held.delete(id);
      return { account, releasedEvents };
    },
    remove: async (id) => ((held.get(id) ?? 0) > 0 ? 'busy' : rows.delete(id)),
    heldEvents: async (id) => held.get(id) ?? 0,
  };
}
