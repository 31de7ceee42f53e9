import { RelayError } from '@relay/contract';
import type { ApiKey, ApiKeyStore } from '@relay/delivery';
import { ALL_ACCOUNTS } from './account-access.ts';

/** Whether a key that is bound to some accounts may see, make and change a key for others: only within its own binding. */
export function covers(own: readonly string[], others: readonly string[]): boolean {
  return own.includes(ALL_ACCOUNTS) || others.every((account) => own.includes(account));
}

export function requireCover(apiKey: ApiKey, accounts: readonly string[]): void {
  if (!covers(apiKey.accounts, accounts)) {
    throw new RelayError('account_not_allowed', 'This API key can only give access to accounts that it is bound to itself.', { param: 'accounts' });
  }
}

/** One answer for "not there" and "not yours". */
export async function visibleApiKey(apiKeys: Pick<ApiKeyStore, 'get'>, caller: ApiKey, id: string): Promise<ApiKey> {
  const found = await apiKeys.get(id);
  if (found === undefined || !covers(caller.accounts, found.accounts)) throw keyNotFound();
  return found;
}

export function keyNotFound(): RelayError {
  return new RelayError('api_key_not_found', 'There is no API key with this id.');
}

/**
 * Refuses to take away the last key that can manage all accounts, which would lock everybody out. Two such requests at
 * the very same moment could still take two last keys; the bootstrap file then brings one back.
 */
export async function requireAnotherAdmin(apiKeys: Pick<ApiKeyStore, 'list'>, before: ApiKey, after: Pick<ApiKey, 'scopes' | 'accounts'> | undefined): Promise<void> {
  if (!isFullAdmin(before) || (after !== undefined && isFullAdmin(after))) return;
  const others = (await apiKeys.list()).some((other) => other.id !== before.id && isFullAdmin(other));
  if (others) return;
  throw new RelayError('conflict', 'This is the last API key that can manage all accounts. Make another one with the scope "admin" and accounts ["*"] first.');
}

function isFullAdmin({ scopes, accounts }: Pick<ApiKey, 'scopes' | 'accounts'>): boolean {
  return scopes.includes('admin') && accounts.includes(ALL_ACCOUNTS);
}
