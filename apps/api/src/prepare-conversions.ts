import { RelayError, type AdsPlatformId, type PlatformDefinition, type SendConversions } from '@relay/contract';
import { acceptEvents, type AcceptedRequest, type ApiKey } from '@relay/delivery';
import { accountOf, requireAds, type AdsAccount } from './account-access.ts';
import type { ApiDeps } from './api-deps.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms' | 'now'>;

/** Where the events of a request go. */
interface Destination {
  readonly account: AdsAccount;
  readonly definition: PlatformDefinition;
  /** Canonical. */
  readonly destinationId: string;
}

/** Everything that refuses a well-formed request as a whole throws here, before anything is queued. */
export async function destinationOf(deps: Needs, apiKey: ApiKey, { accountId, destinationId }: Pick<SendConversions, 'accountId' | 'destinationId'>): Promise<Destination> {
  const account = requireAds(await accountOf(deps.accounts, apiKey, accountId), 'POST /v1/whatsapp/conversions');
  const { platform } = account;
  const definition = definitionOf(deps, platform);
  if (account.status === 'disabled') {
    throw new RelayError('account_disabled', 'This account is disabled. Set its status to active to send again.', { param: 'accountId', platform });
  }
  // Credentials that cannot be opened (a key was taken out of RELAY_SECRET_KEY) say nothing about the grant: the events are held.
  const fault = Object.keys(account.credentials).length === 0 ? undefined : definition.checkGrant(account.credentials);
  if (fault !== undefined) {
    throw new RelayError('grant_insufficient', `${fault.message} Reconnect the account with that permission; nothing was queued.`, { param: 'accountId', platform, details: { code: fault.code } });
  }
  const destination = definition.parseDestination(destinationId);
  if (!destination.ok) throw new RelayError('invalid_destination', destination.message, { param: 'destinationId', platform });
  return { account, definition, destinationId: destination.destinationId };
}

/** From a well-formed request to one that can be stored. */
export async function prepareConversions(deps: Needs, apiKey: ApiKey, body: SendConversions): Promise<AcceptedRequest> {
  const { account, definition, destinationId } = await destinationOf(deps, apiKey, body);
  const { events, testCode, consent } = body;
  return acceptEvents({ accountId: account.id, definition, destinationId, events, testCode, consent, nowMs: deps.now() });
}

export function definitionOf(deps: Pick<ApiDeps, 'platforms'>, platform: AdsPlatformId): PlatformDefinition {
  const definition = deps.platforms[platform];
  if (definition === undefined) throw new RelayError('not_implemented', 'This relay does not serve the platform of this account.', { platform });
  return definition;
}
