import type { DeliveryPlatform } from '@relay/contract';
import { googleAds, type GoogleCredentials } from '../../google/index.ts';
import { ALREADY_ADJUSTED_CODES } from './ads-codes.ts';
import { MAX_ADJUSTMENTS, adjustmentsRequest, readAdjustmentsReply } from './adjustment-reply.ts';

/** Google publishes no body limit. 2000 enhancements are about 1 MB; an answer 413 halves the request. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/**
 * Adjustments as something that is delivered like events: same account, credentials, tokens and destinations as
 * conversions, another endpoint. They have no later status: the answer itself says what became of each.
 */
export function createGoogleAdjustments(googleAdsVersion: string): DeliveryPlatform<GoogleCredentials> {
  return {
    id: googleAds.id,
    maxEvents: MAX_ADJUSTMENTS,
    // The action stands in each adjustment, so several could share a request; one keeps an answer about it to itself.
    maxDestinations: 1,
    maxRequestBytes: MAX_REQUEST_BYTES,
    credentials: googleAds.credentials,
    // A repeat is refused as already there (ALREADY_ADJUSTED_CODES), at any age, and changes nothing.
    dedupWindowMs: undefined,
    parseDestination: googleAds.parseDestination,
    checkGrant: googleAds.checkGrant,
    toRequest({ groups, credentials, accessToken }, endpoints) {
      const [group] = groups;
      if (group === undefined || groups.length > 1) throw new Error(`a request with adjustments carries one destination, not ${groups.length}`);
      return adjustmentsRequest(group.items, { destinationId: group.destinationId, credentials, accessToken, endpoints, googleAdsVersion });
    },
    readReply: readAdjustmentsReply,
    alreadyTakenCodes: ALREADY_ADJUSTED_CODES,
    // The Ads API's quotas are the developer token's and the customer's; conversions go by the Data Manager's, of the Cloud project.
    quota: 'adjustments',
    ...(googleAds.tokens !== undefined && { tokens: { ...googleAds.tokens, appScope: ({ developerToken, clientId }) => developerToken ?? clientId } }),
  };
}
