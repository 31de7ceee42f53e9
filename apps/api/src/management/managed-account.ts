import { ADS_PLATFORM_IDS, RelayError, type AdsPlatformId } from '@relay/contract';
import type { Account } from '@relay/delivery';
import type { FastifyRequest } from 'fastify';
import { accountOf, type AdsAccount } from '../account-access.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { noteFacts } from '../plugins/note-facts.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms'>;

/** What a platform has instead, in a sentence each; a platform that is not named has the thing itself. */
export type Instead = Readonly<Partial<Record<AdsPlatformId, string>>>;

interface Guard {
  /** Where the account is named. */
  readonly in: 'params' | 'query' | 'body';
  readonly instead: Instead;
  /** For accounts that are no ads accounts. */
  readonly insteadOfWhatsapp: string;
  /** `wrong_platform` (405) unless said otherwise. */
  readonly code?: 'wrong_platform' | 'not_implemented';
}

const resolved = new WeakMap<FastifyRequest, AdsAccount>();

/**
 * Whose account it is and whether its platform has the thing at all, before the rest of the request is looked at: a caller
 * learns first what no correction of the request would help with, and one without access learns nothing else.
 */
export function accountGuard(deps: Needs, guard: Guard) {
  return async (request: FastifyRequest): Promise<void> => {
    const accountId = accountIdIn(request[guard.in]);
    // What is malformed is for the schema to say, which comes next.
    if (accountId === undefined) return;
    const account = await accountOf(deps.accounts, callerOf(request), accountId);
    noteFacts(request, { accountId, platform: account.platform });
    requirePlatform(account, guard);
    if (deps.platforms[account.platform] === undefined) {
      throw new RelayError('not_implemented', 'This relay does not serve the platform of this account.', { param: 'accountId', platform: account.platform });
    }
    if (account.status === 'disabled') {
      throw new RelayError('account_disabled', 'This account is disabled. Set its status to active to use it again.', { param: 'accountId', platform: account.platform });
    }
    resolved.set(request, account);
  };
}

/** The account that the guard let through. */
export function managedAccount(request: FastifyRequest): AdsAccount {
  const account = resolved.get(request);
  if (account === undefined) throw new Error('the route has no account guard');
  return account;
}

/** At most 512 characters, as in the schema; here in UTF-16 units, of which a character has up to two. */
const MAX_ACCOUNT_ID_UNITS = 1024;

function accountIdIn(part: unknown): string | undefined {
  const given = typeof part === 'object' && part !== null ? (part as { readonly accountId?: unknown }).accountId : undefined;
  return typeof given === 'string' && given !== '' && given.length <= MAX_ACCOUNT_ID_UNITS ? given : undefined;
}

function requirePlatform(account: Account, { instead, insteadOfWhatsapp, code = 'wrong_platform' }: Guard): asserts account is AdsAccount {
  const sentence = isAds(account) ? instead[account.platform] : insteadOfWhatsapp;
  if (sentence !== undefined) throw new RelayError(code, sentence, { param: 'accountId', platform: account.platform });
}

function isAds(account: Account): account is AdsAccount {
  return (ADS_PLATFORM_IDS as readonly string[]).includes(account.platform);
}
