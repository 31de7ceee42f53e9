import type { ApiKey, ApiKeyStore } from '@relay/delivery';
import { T0 } from './fake-accounts.ts';

export function anApiKey(over: Partial<ApiKey> & Pick<ApiKey, 'id'>): ApiKey {
  return { name: over.id, scopes: ['send', 'read', 'manage', 'admin'], accounts: ['*'], createdAtMs: T0, lastUsedAtMs: undefined, ...over };
}

/** The secret of a key is `rk_<id>`. */
export function fakeApiKeys(apiKeys: readonly ApiKey[]): ApiKeyStore & { readonly rows: Map<string, ApiKey> } {
  const rows = new Map(apiKeys.map((apiKey) => [apiKey.id, apiKey]));
  let made = 0;
  return {
    rows,
    authenticate: async (secret) => rows.get(secret.replace(/^rk_/, '')),
    list: async () => [...rows.values()],
    get: async (id) => rows.get(id),
    create: async (given) => {
      made += 1;
      const apiKey = anApiKey({ id: `key_made_${made}`, ...given });
      rows.set(apiKey.id, apiKey);
      return { apiKey, secret: `rk_${apiKey.id}` };
    },
    patch: async (id, patch) => {
      const before = rows.get(id);
      if (before === undefined) return undefined;
      const after = { ...before, ...patch };
      rows.set(id, after);
      return after;
    },
    remove: async (id) => rows.delete(id),
  };
}
