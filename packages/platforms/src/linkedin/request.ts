import type { Batch, EventsRequest, PlatformEndpoints } from '@relay/contract';
import { joinItems } from '../http/join-items.ts';
import type { LinkedinCredentials } from './credentials.ts';

/**
 * `POST /rest/conversionEvents`, always as BATCH_CREATE: one shape of answer to read, also for a single event.
 * Test code and consent have no place at LinkedIn.
 */
export function toRequest(batch: Batch<LinkedinCredentials>, endpoints: PlatformEndpoints): EventsRequest {
  const elements = batch.groups.flatMap(({ items }) => items);
  return {
    method: 'POST',
    url: `${endpoints.linkedinApiUrl}/rest/conversionEvents`,
    headers: {
      authorization: `Bearer ${batch.accessToken}`,
      'content-type': 'application/json',
      'linkedin-version': endpoints.linkedinVersion,
      'x-restli-protocol-version': '2.0.0',
      'x-restli-method': 'BATCH_CREATE',
    },
    body: joinItems('{"elements":[', elements, ']}'),
  };
}
