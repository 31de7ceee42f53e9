import { createHmac } from 'node:crypto';
import type { Batch, EventsRequest, PlatformEndpoints } from '@relay/contract';
import { joinItems } from '../http/join-items.ts';

/**
 * `POST /{version}/{dataset id}/events`. The token goes into the body, which Meta documents and no proxy logs; the wire
 * events are joined as they are, so that a batch of a thousand costs no second parse.
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/using-the-api (read 2026-09-12)
 */
export function metaRequest(batch: Pick<Batch, 'groups' | 'testCode' | 'accessToken'>, endpoints: PlatformEndpoints): EventsRequest {
  const [group] = batch.groups;
  if (group === undefined || batch.groups.length > 1) throw new Error(`a request to Meta carries one destination, not ${batch.groups.length}`);
  return {
    method: 'POST',
    url: `${endpoints.metaGraphUrl}/${endpoints.metaGraphVersion}/${encodeURIComponent(group.destinationId)}/events`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: joinItems('{"data":[', group.items, `]${testCode(batch.testCode)},${authMembers(batch.accessToken, endpoints.metaAppSecret)}}`),
  };
}

/** Left out when unset: an empty text could route real events to the test view. */
function testCode(code: string | undefined): string {
  return code === undefined || code === '' ? '' : `,"test_event_code":${JSON.stringify(code)}`;
}

/** Members of a JSON body that say who calls. */
export function authMembers(accessToken: string, appSecret: string | undefined): string {
  const token = `"access_token":${JSON.stringify(accessToken)}`;
  return appSecret === undefined ? token : `${token},"appsecret_proof":"${appSecretProof(accessToken, appSecret)}"`;
}

/** Proves that the caller knows the app's secret. https://developers.facebook.com/docs/graph-api/guides/secure-requests (read 2026-09-12) */
export function appSecretProof(accessToken: string, appSecret: string): string {
  return createHmac('sha256', appSecret).update(accessToken).digest('hex');
}
