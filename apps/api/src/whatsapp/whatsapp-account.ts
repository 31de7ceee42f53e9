import { RelayError } from '@relay/contract';
import type { Account, ApiKey } from '@relay/delivery';
import { accountOf } from '../account-access.ts';
import type { ApiDeps } from '../api-deps.ts';

export async function whatsappAccountOf(deps: Pick<ApiDeps, 'accounts'>, apiKey: ApiKey, accountId: string): Promise<Account> {
  const account = await accountOf(deps.accounts, apiKey, accountId);
  if (account.platform === 'whatsapp') return account;
  throw new RelayError('wrong_platform', 'This is no WhatsApp account; its conversions are at /v1/ads/conversions.', { param: 'accountId', platform: account.platform });
}

/** Meta's ids are digits; they stand in addresses and are nothing else there. */
const META_ID = /^\d{1,20}$/;

/** An id of Meta's in the account's metadata; `undefined` where it is missing, blank or no such id. */
export function metadataText(account: Pick<Account, 'metadata'>, key: 'wabaId' | 'phoneNumberId' | 'metaCapiDatasetId' | 'connectedFacebookPageId'): string | undefined {
  const value = account.metadata[key];
  const id = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
  return META_ID.test(id) ? id : undefined;
}

/** @throws RelayError 403/422 when nothing may be done with the account. */
export function requireUsable(account: Account): void {
  if (account.status === 'disabled') {
    throw new RelayError('account_disabled', 'This account is disabled. Set its status to active to send again.', { param: 'accountId', platform: account.platform });
  }
}

export function accessTokenOf(account: Account): string {
  const token = account.credentials['accessToken'];
  if (typeof token === 'string' && token !== '') return token;
  throw new RelayError('prerequisite_missing', 'The account has no access token. Set credentials.accessToken with PATCH /v1/admin/accounts/{id}.', { param: 'accountId' });
}
