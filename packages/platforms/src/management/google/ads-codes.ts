/**
 * What the error codes of the Google Ads API mean. Source: the `*Error` enums in
 * https://github.com/googleapis/googleapis/tree/master/google/ads/googleads (`v24/errors`, comments as in v21), and
 * https://developers.google.com/google-ads/api/docs/best-practices/understand-api-errors. Read up to November 2026.
 */
export type AdsClass =
  /** A new access token may help. */
  | 'refresh'
  /** Somebody has to connect anew. */
  | 'reconnect'
  /** The token lives, but its grant or its user lacks what the Ads API asks for; other APIs of Google may take it. */
  | 'grant'
  /** The connected user may not use this customer, or not do this. */
  | 'permission'
  /** The developer token, the Cloud project, or how the relay calls. */
  | 'operator'
  | 'quota'
  | 'retry'
  | 'not_found'
  | 'duplicate'
  | 'too_large'
  /** Of an adjustment: the conversion action or the customer's settings are at fault, not the adjustment. */
  | 'destination'
  | 'account'
  /** Of an adjustment: too early. */
  | 'later'
  /** Of an adjustment: the same is in the request once more, from another client request that went out with it. */
  | 'doubled'
  /** Of an adjustment: Google has it, or a newer one, already. */
  | 'already'
  /** Of an adjustment or a field: never, as it is. */
  | 'invalid';

/** By category and value, as `errorCode` has them. */
export const ADS_CODES = {
  'authenticationError.AUTHENTICATION_ERROR': 'refresh',
  'authenticationError.OAUTH_TOKEN_EXPIRED': 'refresh',
  'authenticationError.OAUTH_TOKEN_INVALID': 'refresh',
  'authenticationError.OAUTH_TOKEN_HEADER_INVALID': 'refresh',
  'authenticationError.OAUTH_TOKEN_DISABLED': 'reconnect',
  'authenticationError.OAUTH_TOKEN_REVOKED': 'reconnect',
  'authenticationError.NOT_ADS_USER': 'grant',
  'authenticationError.GOOGLE_ACCOUNT_DELETED': 'reconnect',
  'authenticationError.GOOGLE_ACCOUNT_AUTHENTICATION_FAILED': 'reconnect',
  'authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED': 'grant',
  'authenticationError.ADVANCED_PROTECTION_NOT_ENROLLED': 'grant',
  'authenticationError.CUSTOMER_NOT_FOUND': 'not_found',
  'authenticationError.CLIENT_CUSTOMER_ID_INVALID': 'not_found',
  'authenticationError.DEVELOPER_TOKEN_INVALID': 'operator',
  'authenticationError.ORGANIZATION_NOT_RECOGNIZED': 'operator',
  'authenticationError.ORGANIZATION_NOT_APPROVED': 'operator',
  'authenticationError.ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN': 'operator',

  'authorizationError.AUTHORIZATION_ERROR': 'permission',
  'authorizationError.USER_PERMISSION_DENIED': 'permission',
  'authorizationError.CUSTOMER_NOT_ENABLED': 'permission',
  'authorizationError.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION': 'permission',
  'authorizationError.ACTION_NOT_PERMITTED': 'permission',
  'authorizationError.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT': 'permission',
  'authorizationError.ACCESS_DENIED_FOR_ACCOUNT_TYPE': 'permission',
  'authorizationError.INCOMPLETE_SIGNUP': 'permission',
  'authorizationError.DEVELOPER_TOKEN_NOT_APPROVED': 'operator',
  'authorizationError.DEVELOPER_TOKEN_PROHIBITED': 'operator',
  'authorizationError.DEVELOPER_TOKEN_NOT_ON_ALLOWLIST': 'operator',
  'authorizationError.PROJECT_DISABLED': 'operator',
  'authorizationError.MISSING_TOS': 'operator',
  'authorizationError.SERVICE_ACCESS_DENIED': 'operator',
  'authorizationError.CLOUD_PROJECT_NOT_UNDER_ORGANIZATION': 'operator',
  'headerError.INVALID_LOGIN_CUSTOMER_ID': 'permission',

  'quotaError.RESOURCE_EXHAUSTED': 'quota',
  'quotaError.RESOURCE_TEMPORARILY_EXHAUSTED': 'quota',
  'quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION': 'quota',
  'quotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION': 'quota',
  'quotaError.ACCESS_PROHIBITED': 'operator',

  'internalError.INTERNAL_ERROR': 'retry',
  'internalError.TRANSIENT_ERROR': 'retry',
  'internalError.DEADLINE_EXCEEDED': 'retry',

  'requestError.DEVELOPER_TOKEN_PARAMETER_MISSING': 'operator',
  'partialFailureError.PARTIAL_FAILURE_MODE_REQUIRED': 'operator',

  'conversionActionError.DUPLICATE_NAME': 'duplicate',

  'conversionAdjustmentUploadError.TOO_MANY_ADJUSTMENTS_IN_REQUEST': 'too_large',
  'conversionAdjustmentUploadError.TOO_RECENT_CONVERSION': 'later',
  'conversionAdjustmentUploadError.TOO_RECENT_CONVERSION_ACTION': 'later',
  'conversionAdjustmentUploadError.CONVERSION_ALREADY_RETRACTED': 'already',
  'conversionAdjustmentUploadError.RESTATEMENT_ALREADY_EXISTS': 'already',
  'conversionAdjustmentUploadError.CONVERSION_ALREADY_ENHANCED': 'already',
  'conversionAdjustmentUploadError.CONVERSION_NOT_FOUND': 'invalid',
  'conversionAdjustmentUploadError.CONVERSION_EXPIRED': 'invalid',
  'conversionAdjustmentUploadError.ADJUSTMENT_PRECEDES_CONVERSION': 'invalid',
  'conversionAdjustmentUploadError.MORE_RECENT_RESTATEMENT_FOUND': 'invalid',
  'conversionAdjustmentUploadError.CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE': 'invalid',
  'conversionAdjustmentUploadError.TOO_MANY_ADJUSTMENTS': 'invalid',
  'conversionAdjustmentUploadError.DUPLICATE_ADJUSTMENT_IN_REQUEST': 'doubled',
  'conversionAdjustmentUploadError.DUPLICATE_ENHANCEMENT_IN_REQUEST': 'doubled',
  'conversionAdjustmentUploadError.INVALID_USER_IDENTIFIER': 'invalid',
  'conversionAdjustmentUploadError.UNSUPPORTED_USER_IDENTIFIER': 'invalid',
  'conversionAdjustmentUploadError.GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET': 'invalid',
  'conversionAdjustmentUploadError.MISSING_ORDER_ID_FOR_WEBPAGE': 'invalid',
  'conversionAdjustmentUploadError.ORDER_ID_CONTAINS_PII': 'invalid',
  'conversionAdjustmentUploadError.INVALID_JOB_ID': 'invalid',
  'conversionAdjustmentUploadError.NO_CONVERSION_ACTION_FOUND': 'destination',
  'conversionAdjustmentUploadError.INVALID_CONVERSION_ACTION_TYPE': 'destination',
  'conversionAdjustmentUploadError.CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT': 'destination',
  'conversionAdjustmentUploadError.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS': 'account',
  'conversionAdjustmentUploadError.CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT': 'account',
} as const satisfies Record<string, AdsClass>;

/** `undefined`: not known; new values come without notice. Then the status of the whole answer decides. */
export function adsClass(category: string, code: string): AdsClass | undefined {
  const key = `${category}.${code}`;
  if (Object.hasOwn(ADS_CODES, key)) return ADS_CODES[key as keyof typeof ADS_CODES];
  return category === 'internalError' ? 'retry' : undefined;
}

const HOUR_MS = 60 * 60 * 1000;

/**
 * How long an adjustment that came too early has to wait at most: 24 hours from the conversion, 6 from the making of the
 * conversion action. By `ItemFault.code`.
 */
export const ADJUSTMENT_WAIT_MS: Readonly<Record<string, number>> = {
  TOO_RECENT_CONVERSION: 24 * HOUR_MS,
  TOO_RECENT_CONVERSION_ACTION: 6 * HOUR_MS,
};

/** Faults that a repeat gets whose first sending was taken although its answer was lost. By `ItemFault.code`. */
export const ALREADY_ADJUSTED_CODES: ReadonlySet<string> = new Set(
  Object.entries(ADS_CODES)
    .filter(([, errorClass]) => errorClass === 'already')
    .map(([key]) => key.slice(key.indexOf('.') + 1)),
);
