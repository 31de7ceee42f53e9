/**
 * What LinkedIn's codes mean for a request. Sources: https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api
 * and …/linkedin/shared/api-guide/concepts/error-handling; bodies recorded in rudderlabs/rudder-transformer
 * (`test/integrations/destinations/linkedin_ads/network.ts`). Read up to November 2026. The status decides first (reply.ts);
 * these decide where a status alone does not.
 */

/**
 * `token`: the access token; one refresh is worth a try whatever the code. `permission`: a scope or a role is missing.
 * `version`: the operator's `LinkedIn-Version`. `event`: an event is at fault.
 */
export type CodeClass = 'token' | 'permission' | 'version' | 'event';

/** By `code` and by `serviceErrorCode`. */
export const CODES = {
  '65600': 'token',
  INVALID_ACCESS_TOKEN: 'token',
  '65601': 'token',
  REVOKED_ACCESS_TOKEN: 'token',
  // Widely used; the number is not confirmed by a page of LinkedIn's.
  '65602': 'token',
  EXPIRED_ACCESS_TOKEN: 'token',
  EMPTY_ACCESS_TOKEN: 'token',
  '100': 'permission',
  ACCESS_DENIED: 'permission',
  USER_NOT_AUTHORIZED: 'permission',
  VERSION_MISSING: 'version',
  NONEXISTENT_VERSION: 'version',
  INVALID_CONVERSION_TIME_FIELD_VALUE: 'event',
  INVALID_USER_IDENTIFICATION_FIELD_VALUE: 'event',
} as const satisfies Record<string, CodeClass>;

export function classOf(code: string): CodeClass | undefined {
  return Object.hasOwn(CODES, code) ? CODES[code as keyof typeof CODES] : undefined;
}

/**
 * LinkedIn has no codes for these two, so the words have to do: a rule that is not for the API, and a rule id that is none.
 * All events of a chunk share the rule, so it is the destination's fault even where indices are listed.
 */
export const WRONG_METHOD = /method should be CONVERSIONS_API/i;
export const WRONG_URN = /Invalid Urn format/i;
/** A request without the version header; for answers without the code VERSION_MISSING. */
export const VERSION_HEADER = /LinkedIn-Version/i;
/** "Resource level throttle APPLICATION_AND_MEMBER DAY limit …", of 429. */
export const DAY_LIMIT = /\bDAY\b/;

/** The token endpoint's codes. LinkedIn answers `invalid_request` for a refresh token that expired or was revoked. */
export const OAUTH_ERRORS = {
  invalid_grant: 'unauthorised',
  invalid_request: 'unauthorised',
  access_denied: 'unauthorised',
  invalid_client: 'operator',
  invalid_client_id: 'operator',
  unauthorized_client: 'operator',
  unsupported_grant_type: 'operator',
} as const satisfies Record<string, 'unauthorised' | 'operator'>;
