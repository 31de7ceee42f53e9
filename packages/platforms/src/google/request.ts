import type { Batch, Consent, EventsRequest, PlatformEndpoints } from '@relay/contract';
import { joinItems } from '../http/join-items.ts';
import type { GoogleCredentials } from './credentials.ts';
import { partsOf } from './destination.ts';
import { DATA_MANAGER_VERSION } from './version.ts';

/** `POST v1/events:ingest`. No developer token and no login-customer-id header here: accounts travel in the body. */
export function toRequest(batch: Batch<GoogleCredentials>, endpoints: PlatformEndpoints): EventsRequest {
  const { groups, credentials } = batch;
  const destinations = groups.map(({ destinationId }, group) => destinationOf(destinationId, group, credentials));
  const events = groups.length === 1 ? groups[0]!.items : groups.flatMap(({ items }, group) => items.map((item) => addressed(item, group)));
  const consent = consentOf(batch.consent);
  const consentPart = consent === undefined ? '' : `"consent":${JSON.stringify(consent)},`;
  return {
    method: 'POST',
    url: `${endpoints.googleDataManagerUrl}/${DATA_MANAGER_VERSION}/events:ingest`,
    headers: { authorization: `Bearer ${batch.accessToken}`, 'content-type': 'application/json' },
    body: joinItems(`{"destinations":${JSON.stringify(destinations)},"encoding":"HEX",${consentPart}"events":[`, events, ']}'),
  };
}

function destinationOf(destinationId: string, group: number, credentials: GoogleCredentials) {
  const { customerId, actionId } = partsOf(destinationId);
  return {
    reference: referenceOf(group),
    operatingAccount: { accountType: 'GOOGLE_ADS', accountId: customerId },
    loginAccount: { accountType: 'GOOGLE_ADS', accountId: credentials.loginCustomerId ?? customerId },
    productDestinationId: actionId,
  };
}

/**
 * With one destination the events name none and go to it. With several each has to name its own, or it would go to all.
 * Put in as text: an item is an object that is never empty, and parsing 2000 of them again would cost more than the rest.
 */
function addressed(item: Uint8Array, group: number): Uint8Array {
  return Buffer.concat([Buffer.from(`{"destinationReferences":["${referenceOf(group)}"],`), item.subarray(1)]);
}

function referenceOf(group: number): string {
  return `d${group}`;
}

/** Google's words carry a prefix; the bare ones are an enum error that fails the request. */
function consentOf(consent: Consent | undefined): Readonly<Record<string, string>> | undefined {
  const { adUserData, adPersonalization } = consent ?? {};
  if (adUserData === undefined && adPersonalization === undefined) return undefined;
  return {
    ...(adUserData !== undefined && { adUserData: `CONSENT_${adUserData}` }),
    ...(adPersonalization !== undefined && { adPersonalization: `CONSENT_${adPersonalization}` }),
  };
}
