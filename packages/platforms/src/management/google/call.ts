import type { InboundReply, OutboundRequest, PlatformEndpoints } from '@relay/contract';
import type { GoogleCredentials } from '../../google/credentials.ts';
import { asList, asObject, asText, readJson, type JsonObject } from '../../http/json.ts';
import type { CallTraits, ManagementContext } from '../context.ts';
import { REPEATABLE } from '../context.ts';
import { LocalRuleError, PlatformCallError, guided, payloadOf, unreadable, type PlatformCallKind } from '../errors.ts';
import { allPages, type Listing } from '../gather.ts';
import type { AdsClass } from './ads-codes.ts';
import { cooldownMs, readAdsError } from './ads-error.ts';

export type GoogleContext = ManagementContext<GoogleCredentials>;

/** What building a request to the Google Ads API takes. */
export interface AdsAccess {
  readonly credentials: GoogleCredentials;
  readonly accessToken: string;
  readonly endpoints: PlatformEndpoints;
  readonly googleAdsVersion: string;
}

/** `{googleAdsUrl}/v24/{path}`. Without a body a GET. */
export function adsRequest<Body extends string | Uint8Array | undefined>(access: AdsAccess, path: string, body: Body): OutboundRequest<Body> {
  const { developerToken, loginCustomerId } = access.credentials;
  return {
    method: body === undefined ? 'GET' : 'POST',
    url: `${access.endpoints.googleAdsUrl}/${access.googleAdsVersion}/${path}`,
    headers: {
      authorization: `Bearer ${access.accessToken}`,
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      // Without one the call goes all the same: Google is moving access levels from the token to the Cloud project.
      ...(developerToken !== undefined && { 'developer-token': developerToken }),
      ...(loginCustomerId !== undefined && { 'login-customer-id': loginCustomerId }),
    },
    body,
  };
}

/** Google's words for "not through this manager", which say nothing about direct access. */
const NOT_THROUGH_MANAGER: ReadonlySet<string> = new Set(['USER_PERMISSION_DENIED', 'INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION']);

/**
 * Through the manager where the account names one. A customer that is no client of it is asked once more directly, since the
 * user may have access of their own; a refusal changed nothing, so that also holds for what must not be repeated.
 */
export async function adsCall(ctx: GoogleContext, path: string, body: unknown, traits: CallTraits): Promise<JsonObject> {
  try {
    return await callOnce(ctx, path, body, traits);
  } catch (error) {
    const { loginCustomerId, ...direct } = ctx.credentials;
    if (loginCustomerId === undefined || !(error instanceof PlatformCallError) || !NOT_THROUGH_MANAGER.has(error.code)) throw error;
    try {
      return await callOnce({ ...ctx, credentials: direct }, path, body, traits);
    } catch (again) {
      // No access either way: what was said of the manager is what the operator has to mend.
      throw again instanceof PlatformCallError && NOT_THROUGH_MANAGER.has(again.code) ? error : again;
    }
  }
}

async function callOnce(ctx: GoogleContext, path: string, body: unknown, traits: CallTraits): Promise<JsonObject> {
  const reply = await ctx.call(adsRequest(ctx, path, body === undefined ? undefined : JSON.stringify(body)), traits);
  if (reply.status < 200 || reply.status > 299) throw adsCallError(reply, ctx.accessToken);
  const answer = asObject(readJson(reply.body));
  if (answer === undefined) throw unreadable('googleads', reply, ctx.accessToken, 'a JSON object');
  return answer;
}

/** All rows of a GAQL query. A `pageSize` is refused; Google pages by 10,000. */
export function adsSearch(ctx: GoogleContext, customerId: string, query: string): Promise<Listing<JsonObject>> {
  return allPages(`rows of customer ${customerId}`, async (pageToken) => {
    const body = { query, ...(pageToken !== undefined && { pageToken }) };
    const answer = await adsCall(ctx, `customers/${customerId}/googleAds:search`, body, REPEATABLE);
    return { items: asList(answer['results']).map(asObject).filter((row) => row !== undefined), next: asText(answer['nextPageToken']) };
  });
}

const KINDS: Readonly<Record<AdsClass, PlatformCallKind>> = {
  refresh: 'unauthorised',
  reconnect: 'unauthorised',
  grant: 'unauthorised',
  permission: 'permission',
  operator: 'config',
  quota: 'rate_limited',
  retry: 'unavailable',
  not_found: 'not_found',
  duplicate: 'conflict',
  too_large: 'invalid',
  destination: 'invalid',
  account: 'permission',
  later: 'unavailable',
  doubled: 'invalid',
  already: 'conflict',
  invalid: 'invalid',
};

export function adsCallError(reply: InboundReply, accessToken: string): PlatformCallError {
  const error = readAdsError(reply);
  const kind = KINDS[error.class];
  const waitMs = kind === 'rate_limited' ? cooldownMs(error) : error.retryAfterMs;
  return new PlatformCallError({
    platform: 'googleads',
    kind,
    code: error.code,
    message: guided('Google Ads', kind, error.message),
    platformError: payloadOf(reply, accessToken),
    traceId: error.traceId,
    refreshable: error.class === 'refresh',
    ...(waitMs !== undefined && { retryAfterSeconds: Math.ceil(waitMs / 1000) }),
    ...(kind === 'rate_limited' && { quotaExhausted: true, quotaScope: error.quotaScope }),
  });
}

const CUSTOMER = /^(?:customers\/)?(\d{3}-\d{3}-\d{4}|\d{10})$/;

/** `1234567890`, `123-456-7890` or `customers/1234567890`. */
export function customerIdOf(adAccountId: string): string {
  const id = CUSTOMER.exec(adAccountId.trim())?.[1];
  if (id === undefined) {
    throw new LocalRuleError('adAccountId', 'adAccountId has to be a Google Ads customer id: 10 digits, with or without hyphens, or customers/{10 digits}.');
  }
  return id.replaceAll('-', '');
}
