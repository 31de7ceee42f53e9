import { ADS_PLATFORM_IDS, RelayError, type AdsPlatformId } from '@relay/contract';
import type { Account, AccountStore, ApiKey } from '@relay/delivery';

/** The accounts of a key that is bound to all of them. */
export const ALL_ACCOUNTS = '*';

export function mayUse(apiKey: ApiKey, accountId: string): boolean {
  return apiKey.accounts.includes(ALL_ACCOUNTS) || apiKey.accounts.includes(accountId);
}

/** For listings: the accounts to keep to; `undefined` is all. */
export function visibleAccounts(apiKey: ApiKey): readonly string[] | undefined {
  return apiKey.accounts.includes(ALL_ACCOUNTS) ? undefined : apiKey.accounts;
}

/** The binding is asked before the store, so that a bound key cannot find out which foreign ids exist. */
export function requireAccess(apiKey: ApiKey, accountId: string): void {
  if (!mayUse(apiKey, accountId)) {
    throw new RelayError('account_not_allowed', 'This API key is not bound to this account. Use a key that is, or have the account added to this one.', { param: 'accountId' });
  }
}

export async function accountOf(accounts: Pick<AccountStore, 'get'>, apiKey: ApiKey, accountId: string): Promise<Account> {
  requireAccess(apiKey, accountId);
  const account = await accounts.get(accountId);
  if (account === undefined) throw new RelayError('account_not_found', 'There is no account with this id.', { param: 'accountId' });
  return account;
}

export type AdsAccount = Account & { readonly platform: AdsPlatformId };

/** An account that the ads routes serve. */
export function requireAds(account: Account, otherRoute: string): AdsAccount {
  if (isAds(account)) return account;
  throw new RelayError('wrong_platform', `This is a WhatsApp account; its conversions are at ${otherRoute}.`, { param: 'accountId', platform: account.platform });
}

function isAds(account: Account): account is AdsAccount {
  return (ADS_PLATFORM_IDS as readonly string[]).includes(account.platform);
}
