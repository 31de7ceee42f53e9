import { RelayError } from '@relay/contract';
import type { Account, AccountStore, ApiKey } from '@relay/delivery';
import { mayUse } from '../account-access.ts';
import { metadataText } from './whatsapp-account.ts';

const CLAIMS = ['phoneNumberId', 'wabaId'] as const;

/**
 * Webhooks go to the account that names the number or the business account which they came for, so a caller cannot name for
 * its own account what stands at one that is out of its reach.
 * @throws RelayError 409.
 */
export async function requireUnclaimed(accounts: Pick<AccountStore, 'list'>, apiKey: ApiKey, metadata: Account['metadata'] | undefined): Promise<void> {
  const claimed = CLAIMS.flatMap((name) => {
    const id = metadataText({ metadata: metadata ?? {} }, name);
    return id === undefined ? [] : [{ name, id }];
  });
  if (claimed.length === 0) return;
  const others = (await accounts.list()).filter((account) => account.platform === 'whatsapp' && !mayUse(apiKey, account.id));
  for (const { name, id } of claimed) {
    if (others.every((other) => metadataText(other, name) !== id)) continue;
    throw new RelayError('conflict', `Another account, which this API key is not bound to, has this ${name}. Use a key that is bound to both.`, { param: `metadata.${name}` });
  }
}
