/**
 * What Google's codes mean for a request. Sources: `ErrorReason` in `@google-ads/datamanager@0.3.0`
 * `protos/google/ads/datamanager/v1/error.proto` (which says that it is not frozen), the newer reference page
 * https://developers.google.com/data-manager/api/reference/rest/v1/ErrorReason, release notes v1.7, and
 * https://developers.google.com/data-manager/api/devguides/concepts/understand-errors. Read up to November 2026.
 */

/**
 * `event`: the event named is at fault. `size`: too much in one request. `relay`: a request that the relay should not have
 * built. `destination`, `account`: never split. `source`: the event named, or the destination if none is named.
 */
export type ReasonClass = 'event' | 'size' | 'relay' | 'destination' | 'account' | 'source';

export const REASONS = {
  // Content of an event.
  REQUIRED_FIELD_MISSING: 'event',
  INVALID_FORMAT: 'event',
  INVALID_HEX_ENCODING: 'event',
  INVALID_BASE64_ENCODING: 'event',
  INVALID_SHA256_FORMAT: 'event',
  INVALID_POSTAL_CODE: 'event',
  INVALID_ENUM_VALUE: 'event',
  TOO_MANY_USER_IDENTIFIERS: 'event',
  INVALID_NUMBER_FORMAT: 'event',
  INVALID_CURRENCY_CODE: 'event',
  INVALID_EVENT: 'event',
  NO_IDENTIFIERS_PROVIDED: 'event',
  EVENT_TIME_INVALID: 'event',
  RESERVED_NAME_USED: 'event',
  INVALID_EVENT_NAME: 'event',
  FIELD_VALUE_TOO_LONG: 'event',
  FIELD_VALUE_TOO_SHORT: 'event',
  TOO_MANY_ELEMENTS: 'event',
  TOO_FEW_ELEMENTS: 'event',
  INVALID_COUNTRY_CODE: 'event',
  INVALID_MERCHANT_ID: 'event',
  INVALID_MERCHANT_FEED_LANGUAGE_CODE: 'event',
  INVALID_REGION_CODE: 'event',
  INVALID_SUBDIVISION_CODE: 'event',
  INVALID_SUBCONTINENT_CODE: 'event',
  INVALID_CONTINENT_CODE: 'event',
  INVALID_DEVICE_CATEGORY: 'event',
  INVALID_COUPON_CODE: 'event',
  INVALID_MOBILE_ID_FORMAT: 'event',
  THIRD_PARTY_USER_DATA_NOT_ALLOWED: 'event',
  CUSTOM_VARIABLE_VALUE_CONTAINS_PII: 'event',
  CUSTOM_VARIABLE_NOT_ENABLED: 'event',
  CUSTOM_VARIABLE_NOT_FOUND: 'event',
  INVALID_CUSTOM_VARIABLE_VALUE: 'event',

  // Shape of the request.
  TOO_MANY_EVENTS: 'size',
  TOO_MANY_DESTINATIONS: 'relay',
  DUPLICATE_DESTINATION_REFERENCE: 'relay',
  MULTIPLE_DATA_TYPES_NOT_ALLOWED: 'relay',
  INVALID_REQUEST_ID: 'relay',

  // The conversion action.
  INVALID_DESTINATION: 'destination',
  INVALID_CONVERSION_ACTION_ID: 'destination',
  INVALID_CONVERSION_ACTION_TYPE: 'destination',
  DESTINATION_ACCOUNT_TYPE_MISMATCH: 'destination',
  NOT_FOUND: 'destination',
  // Some destinations take events of some sources only. Where Google names the event, the others are sound.
  EVENT_SOURCE_AND_DESTINATION_MISMATCH: 'source',

  // The Google Ads account and what its owner has agreed to.
  TERMS_AND_CONDITIONS_NOT_SIGNED: 'account',
  DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS: 'account',
  DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS: 'account',
  DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED: 'account',
  OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH: 'account',
  LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT: 'account',
  UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER: 'account',
  UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER: 'account',
  ACCOUNT_INELIGIBLE_FOR_STORE_SALES: 'account',
  NOT_ALLOWLISTED: 'account',
  EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED: 'account',
} as const satisfies Record<string, ReasonClass>;

/** `undefined`: not known, as new reasons come without notice; then the path of the violation decides. */
export function classOf(reason: string | undefined): ReasonClass | undefined {
  return reason !== undefined && Object.hasOwn(REASONS, reason) ? REASONS[reason as keyof typeof REASONS] : undefined;
}

/**
 * Canonical statuses after which the same request may succeed. Google's clients retry the first two by policy; the others
 * were handled as passing in production connectors (rudder-transformer).
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
export const TRANSIENT_STATUSES: ReadonlySet<string> = new Set(
  ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'ABORTED', 'INTERNAL', 'CANCELLED', 'UNKNOWN'],
);

/**
 * Reasons of Google's front end that concern the Cloud project of the OAuth client, so whoever runs the relay.
 * https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto
 */
export const OPERATOR_REASONS: ReadonlySet<string> = new Set(
  ['SERVICE_DISABLED', 'BILLING_DISABLED', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED'],
);

/** 403 of a grant without the Data Manager scope: only the user's new consent helps, no new access token does. */
export const SCOPE_REASON = 'ACCESS_TOKEN_SCOPE_INSUFFICIENT';

/**
 * The token endpoint's error codes. https://developers.google.com/identity/protocols/oauth2/web-server#exchange-errors-refresh;
 * `access_denied` and `admin_policy_enforced`: the user or their administrator withdrew the consent.
 */
export const OAUTH_ERRORS = {
  invalid_grant: 'unauthorised',
  access_denied: 'unauthorised',
  admin_policy_enforced: 'unauthorised',
  invalid_client: 'operator',
  unauthorized_client: 'operator',
  deleted_client: 'operator',
  disabled_client: 'operator',
  org_internal: 'operator',
  invalid_scope: 'operator',
  invalid_request: 'operator',
  unsupported_grant_type: 'operator',
} as const satisfies Record<string, 'unauthorised' | 'operator'>;
