import type { PlatformDefinition } from '@relay/contract';
import { googleCredentials, type GoogleCredentials } from './credentials.ts';
import { parseDestination } from './destination.ts';
import { toItem } from './item.ts';
import { MAX_DESTINATIONS, MAX_EVENTS, MAX_REQUEST_BYTES } from './limits.ts';
import { readReply } from './reply.ts';
import { toRequest } from './request.ts';
import { status } from './status.ts';
import { tokens } from './tokens.ts';

/** Google Ads conversions through the Data Manager API. README.md in this folder tells the mapping and its reasons. */
export const googleAds: PlatformDefinition<GoogleCredentials> = {
  id: 'googleads',
  maxEvents: MAX_EVENTS,
  maxDestinations: MAX_DESTINATIONS,
  maxRequestBytes: MAX_REQUEST_BYTES,
  credentials: googleCredentials,
  // Not published. A repeat updates the earlier conversion with the same values, so it is harmless at any age.
  dedupWindowMs: undefined,
  parseDestination,
  // The grant's scopes are not stored: a missing one shows as ACCESS_TOKEN_SCOPE_INSUFFICIENT.
  checkGrant: () => undefined,
  toItem,
  toRequest,
  readReply,
  tokens,
  status,
};
export type { GoogleCredentials } from './credentials.ts';
