/**
 * The error tables of the platforms as their documents and recorded answers have them, written down here once more and apart
 * from the adapters' own: what each row has to lead to.
 *
 * `retry`: sent again, an attempt is spent. `refresh`: a new access token, and sent again at once, no attempt is spent.
 * `accepted`: delivered at once. `limit`: a pause for the account, no attempt is spent. `app_limit`: for all of the
 * platform's accounts of the app. `blocked`: for hours. `hold`: until someone reconnects. `event`: the bad event is dead, the
 * others are delivered. `destination`, `account`, `operator`: all of the request is dead at once, and never split.
 */
export type Consequence = 'accepted' | 'retry' | 'refresh' | 'limit' | 'app_limit' | 'blocked' | 'hold' | 'event' | 'destination' | 'account' | 'operator';

export interface ErrorRow {
  readonly name: string;
  readonly status: number;
  readonly body: unknown;
  /** Answered by the token endpoint, which is asked before the first request of an account. Default: the endpoint for events. */
  readonly at?: 'token';
  /** How often the row strikes. Default: once where it leads to another attempt, else always. */
  readonly times?: number;
  /** The account has a refresh token, where one of the platform need not have it. */
  readonly canRefresh?: true;
  /** Any of several where the tables leave it open. */
  readonly leadsTo: Consequence | readonly Consequence[];
}

// --- Meta: the table of the error envelope, first match wins -------------------------------------------------------
export const graphError = (leadsTo: ErrorRow['leadsTo'], code: number, subcode?: number, more: { status?: number; message?: string; transient?: boolean } = {}): ErrorRow => ({
  name: `${code}${subcode === undefined ? '' : `/${subcode}`}${more.status === undefined ? '' : ` with HTTP ${more.status}`}`,
  status: more.status ?? (leadsTo === 'retry' ? 500 : 400),
  body: {
    error: {
      message: more.message ?? 'Invalid parameter',
      type: 'OAuthException',
      code,
      ...(subcode !== undefined && { error_subcode: subcode }),
      ...(more.transient !== undefined && { is_transient: more.transient }),
      error_user_title: 'A title in the language of the caller',
      error_user_msg: 'Words in the language of the caller',
      fbtrace_id: 'AbCdEf',
    },
  },
  leadsTo,
});

const meta = graphError;
export const META_ROWS: readonly ErrorRow[] = [
  meta('limit', 17, 2446079), meta('limit', 17, 1885172), meta('limit', 17, undefined, { status: 500 }), meta('limit', 32), ...[1487742, 5044001, 1487225, 1487632, undefined].map((subcode) => meta('limit', 613, subcode)),
  ...[80000, 80003, 80004].map((code) => meta('limit', code, 2446079)),
  ...[80001, 80002, 80005, 80006, 80008, 80009, 80014].map((code) => meta('limit', code)),
  { name: 'HTTP 429', status: 429, body: '', leadsTo: 'limit' },
  meta('blocked', 368),
  meta('retry', 1), meta('retry', 2, undefined, { transient: true }), meta('retry', 5000), meta('retry', 21009), meta('retry', -1),
  meta('retry', 999_999, undefined, { transient: true, status: 400 }),
  ...[408, 425, 500, 502, 503, 504].map((status): ErrorRow => ({ name: `HTTP ${status}`, status, body: '', leadsTo: 'retry' })),
  meta('operator', 1, 99, { status: 400 }), meta('operator', 104), meta('operator', 3), meta('operator', 2500), meta('operator', 2635),
  ...[458, 459, 460, 463, 464, 467, 492, undefined].map((subcode) => meta('hold', 190, subcode)),
  meta('hold', 190, 460, { status: 401 }), meta('hold', 190, 463, { status: 500 }), ...[458, 459, 460, 463, 464, 467, 492, undefined].map((subcode) => meta('hold', 102, subcode)), meta('hold', 10), meta('hold', 200), meta('hold', 294), meta('hold', 299),
  meta('destination', 803), meta('destination', 100, 33), meta('destination', 100, 2804131), meta('destination', 100, 2804132),
  meta('account', 100, 2804072), meta('account', 100, 2804116), meta('operator', 100, 2804030),
  ...[2804003, 2804008, 2804009, 2804010, 2804016, 2804019, 2804036, 2804043, 2804050, 2804064, 2804066, 2804081, 2804087, 2804001, 2804007, 2804017, 2804048].map((subcode) => meta('event', 100, subcode)),
  meta('event', 100), meta('event', 100, 7_777_777),
  // Last: they pause every account of the platform.
  meta('app_limit', 4, 1504022), meta('app_limit', 4, 1504039, { transient: true }), meta('app_limit', 4), meta('app_limit', 341),
];

// --- Google ---------------------------------------------------------------------------------------------------------
const google = (leadsTo: ErrorRow['leadsTo'], status: number, canonical: string, details: readonly unknown[] = [], name = `${status} ${canonical}`): ErrorRow => ({
  name,
  status,
  body: { error: { code: status, message: 'There was a problem with the request.', status: canonical, details } },
  leadsTo,
});
const errorInfo = (reason: string, domain = 'googleapis.com', metadata: object = {}) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain, metadata });
const violation = (field: string, reason?: string) => ({
  '@type': 'type.googleapis.com/google.rpc.BadRequest',
  fieldViolations: [{ field, description: 'A description.', ...(reason !== undefined && { reason }) }],
});
const requestId = { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 't-1' };
/** The bad event is the first of the request. */
const badEvent = (reason: string): ErrorRow =>
  google('event', 400, 'INVALID_ARGUMENT', [violation('events.events[0].user_data.user_identifiers[1]', reason), requestId, errorInfo('INVALID_ARGUMENT', 'datamanager.googleapis.com')], reason);
const badDestination = (leadsTo: ErrorRow['leadsTo'], reason: string): ErrorRow =>
  google(leadsTo, 400, 'INVALID_ARGUMENT', [errorInfo('INVALID_ARGUMENT', 'datamanager.googleapis.com'), violation('destinations[0].product_destination_id', reason)], reason);

const GOOGLE_EVENT_REASONS = [
  'REQUIRED_FIELD_MISSING', 'INVALID_FORMAT', 'INVALID_HEX_ENCODING', 'INVALID_BASE64_ENCODING', 'INVALID_SHA256_FORMAT', 'INVALID_POSTAL_CODE', 'INVALID_ENUM_VALUE',
  'TOO_MANY_USER_IDENTIFIERS', 'INVALID_NUMBER_FORMAT', 'INVALID_CURRENCY_CODE', 'INVALID_EVENT', 'NO_IDENTIFIERS_PROVIDED', 'EVENT_TIME_INVALID', 'RESERVED_NAME_USED',
  'INVALID_EVENT_NAME', 'FIELD_VALUE_TOO_LONG', 'TOO_MANY_ELEMENTS', 'FIELD_VALUE_TOO_SHORT', 'TOO_FEW_ELEMENTS', 'INVALID_COUNTRY_CODE', 'INVALID_MERCHANT_ID',
  'INVALID_MERCHANT_FEED_LANGUAGE_CODE', 'INVALID_REGION_CODE', 'INVALID_SUBDIVISION_CODE', 'INVALID_SUBCONTINENT_CODE', 'INVALID_CONTINENT_CODE', 'INVALID_DEVICE_CATEGORY',
  'INVALID_COUPON_CODE', 'INVALID_MOBILE_ID_FORMAT', 'THIRD_PARTY_USER_DATA_NOT_ALLOWED', 'CUSTOM_VARIABLE_VALUE_CONTAINS_PII', 'CUSTOM_VARIABLE_NOT_ENABLED',
  'CUSTOM_VARIABLE_NOT_FOUND', 'INVALID_CUSTOM_VARIABLE_VALUE',
  // Not frozen: one that nobody knows yet, named at an event.
  'A_REASON_OF_NEXT_YEAR',
];
const GOOGLE_CONFIG_REASONS = [
  'INVALID_DESTINATION', 'INVALID_CONVERSION_ACTION_ID', 'INVALID_CONVERSION_ACTION_TYPE', 'TERMS_AND_CONDITIONS_NOT_SIGNED',
  'DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS', 'DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS',
  'DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED', 'LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT',
  'UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER', 'UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER', 'ACCOUNT_INELIGIBLE_FOR_STORE_SALES', 'NOT_ALLOWLISTED',
  'EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED', 'EVENT_SOURCE_AND_DESTINATION_MISMATCH', 'DESTINATION_ACCOUNT_TYPE_MISMATCH', 'OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH',
];

/** RFC 6749's error answer. */
const tokenError = (leadsTo: ErrorRow['leadsTo'], status: number, error: string): ErrorRow => ({
  name: `token endpoint: ${status} ${error}`,
  status,
  body: { error, error_description: 'A description.' },
  at: 'token',
  canRefresh: true,
  leadsTo,
});
/** Of the request as a whole: the relay should never build such a one. */
const badRequest = (reason: string): ErrorRow => google('operator', 400, 'INVALID_ARGUMENT', [violation('destinations', reason), errorInfo('INVALID_ARGUMENT', 'datamanager.googleapis.com')], reason);

export const GOOGLE_ROWS: readonly ErrorRow[] = [
  { name: '200 with fieldWarnings', status: 200, body: { requestId: 'r-1', fieldWarnings: [{ field: 'events[0].user_data', description: 'A description.', reason: 'WARNING_REASON_DEPRECATED' }] }, leadsTo: 'accepted' },
  { ...google('refresh', 401, 'UNAUTHENTICATED'), name: '401, an access token that ended early' },
  { ...google('hold', 401, 'UNAUTHENTICATED'), name: '401, also with a new access token' },
  ...['TOO_MANY_DESTINATIONS', 'DUPLICATE_DESTINATION_REFERENCE', 'MULTIPLE_DATA_TYPES_NOT_ALLOWED', 'INVALID_REQUEST_ID'].map(badRequest),
  google('retry', 500, 'INTERNAL'), google('retry', 503, 'UNAVAILABLE'), google('retry', 504, 'DEADLINE_EXCEEDED'), google('retry', 409, 'ABORTED'), google('retry', 499, 'CANCELLED'), google('retry', 500, 'UNKNOWN'),
  { name: 'HTTP 502', status: 502, body: '<html>Bad Gateway</html>', leadsTo: 'retry' },
  google('hold', 403, 'PERMISSION_DENIED', [errorInfo('ACCESS_TOKEN_SCOPE_INSUFFICIENT')], '403 without the scope'),
  google(['hold', 'account'], 403, 'PERMISSION_DENIED'),
  ...['SERVICE_DISABLED', 'BILLING_DISABLED', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED'].map((reason) =>
    google('operator', 403, 'PERMISSION_DENIED', [errorInfo(reason, 'googleapis.com', { service: 'datamanager.googleapis.com' })], `403 ${reason}`),
  ),
  ...GOOGLE_EVENT_REASONS.map(badEvent),
  ...GOOGLE_CONFIG_REASONS.map((reason) => badDestination(['destination', 'account'], reason)),
  google('destination', 404, 'NOT_FOUND'),
  // The front end's own: no reason, the path names the event.
  google('event', 400, 'INVALID_ARGUMENT', [violation('events[0].consent.ad_user_data')], 'the front end names an event'),
  google('event', 400, 'INVALID_ARGUMENT', [], '400 that names nothing'),
  google('event', 413, 'INVALID_ARGUMENT', [], '413'),
  google('event', 400, 'INVALID_ARGUMENT', [violation('events', 'TOO_MANY_EVENTS')], 'TOO_MANY_EVENTS'),
  google('app_limit', 429, 'RESOURCE_EXHAUSTED', [errorInfo('RATE_LIMIT_EXCEEDED', 'googleapis.com', { quota_limit: 'IngestRequestsPerMinutePerProject' })], '429 per minute'),
  google('app_limit', 429, 'RESOURCE_EXHAUSTED', [errorInfo('RATE_LIMIT_EXCEEDED', 'googleapis.com', { quota_limit: 'IngestionMutateRequestsPerDayPerProject' })], '429 per day'),
  ...['invalid_grant', 'access_denied', 'admin_policy_enforced'].map((error) => tokenError('hold', 400, error)),
  ...['invalid_client', 'unauthorized_client', 'deleted_client', 'disabled_client'].map((error) => tokenError('retry', 401, error)),
  ...['org_internal', 'invalid_scope', 'invalid_request', 'unsupported_grant_type'].map((error) => tokenError('retry', 400, error)),
  tokenError('retry', 503, 'temporarily_unavailable'),
];

// --- LinkedIn -------------------------------------------------------------------------------------------------------
const linkedin = (leadsTo: ErrorRow['leadsTo'], status: number, body: object, name: string): ErrorRow => ({ name, status, body: { status, ...body }, leadsTo });

export const LINKEDIN_ROWS: readonly ErrorRow[] = [
  ...[408, 500, 502, 503, 504].map((status) => linkedin('retry', status, { message: 'Internal Server Error' }, `HTTP ${status}`)),
  linkedin('limit', 429, { serviceErrorCode: 101, message: 'Resource level throttle APPLICATION_AND_MEMBER MINUTE limit for calls to this resource is reached' }, '429'),
  linkedin('limit', 429, { serviceErrorCode: 101, message: 'Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached' }, '429 of a day'),
  { ...linkedin('refresh', 401, { serviceErrorCode: 65602, code: 'EXPIRED_ACCESS_TOKEN', message: 'The token used in the request has expired' }, '401 65602, with a refresh token'), canRefresh: true, times: 1 },
  { ...linkedin('hold', 401, { serviceErrorCode: 65601, code: 'REVOKED_ACCESS_TOKEN', message: 'The token used in the request has been revoked by the user' }, '401 65601, also with a new access token'), canRefresh: true },
  linkedin('hold', 401, { serviceErrorCode: 65600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' }, '401 65600'),
  linkedin('hold', 401, { serviceErrorCode: 65601, code: 'REVOKED_ACCESS_TOKEN', message: 'The token used in the request has been revoked by the user' }, '401 65601'),
  linkedin('hold', 401, { serviceErrorCode: 65602, code: 'EXPIRED_ACCESS_TOKEN', message: 'The token used in the request has expired' }, '401 65602'),
  linkedin('hold', 401, { code: 'EMPTY_ACCESS_TOKEN', message: 'Empty oauth2 access token' }, '401 EMPTY_ACCESS_TOKEN'),
  linkedin('hold', 403, { code: 'USER_NOT_AUTHORIZED', message: 'User is not authorized' }, '403 USER_NOT_AUTHORIZED'),
  linkedin('hold', 403, { serviceErrorCode: 100, code: 'ACCESS_DENIED', message: 'Not enough permissions to access: conversionEvents.CREATE' }, '403 ACCESS_DENIED'),
  linkedin('event', 422, { message: 'Index: 0, ERROR :: /conversionValue/amount :: field is required but not found and has no default value\n' }, '422 with an index'),
  linkedin('event', 422, { message: 'Something is not right' }, '422 without an index'),
  linkedin('event', 400, { code: 'INVALID_CONVERSION_TIME_FIELD_VALUE', message: 'Invalid conversion time, indices [0] (0-indexed)' }, '400 with indices'),
  linkedin('event', 400, { code: 'INVALID_USER_IDENTIFICATION_FIELD_VALUE', message: 'Invalid user identification' }, '400 without indices'),
  linkedin('destination', 400, { message: "Incorrect conversions information provided. Conversion's method should be CONVERSIONS_API, indices [0] (0-indexed)" }, '400 method'),
  linkedin('destination', 400, { message: 'Invalid Urn format. Invalid prefix' }, '400 urn'),
  linkedin('destination', 404, { message: 'Not found' }, '404'),
  linkedin('operator', 426, { code: 'NONEXISTENT_VERSION', message: 'Requested version 20200101 is not active' }, '426'),
  linkedin('operator', 400, { code: 'VERSION_MISSING', message: 'A version must be present. Please specify a version by adding the LinkedIn-Version header.' }, '400 VERSION_MISSING'),
  linkedin('event', 413, { message: 'Request Entity Too Large' }, '413'),
  { name: '414', status: 414, body: '', leadsTo: 'event' },
  // A 2xx that answers element by element.
  { name: '2xx with an element of 400', status: 200, body: { elements: [{ status: 400, message: 'bad' }, { status: 201 }, { status: 201 }] }, leadsTo: 'event' },
  { name: '2xx with an element of 503', status: 200, body: { elements: [{ status: 503, message: 'busy' }, { status: 201 }, { status: 201 }] }, leadsTo: 'retry' },
  { name: '2xx with an element of 429', status: 200, body: { elements: [{ status: 429, message: 'throttled' }, { status: 201 }, { status: 201 }] }, leadsTo: 'limit' },
  ...['invalid_grant', 'invalid_request', 'access_denied'].map((error) => tokenError('hold', 400, error)),
  ...['invalid_client', 'invalid_client_id', 'unauthorized_client'].map((error) => tokenError('retry', 401, error)),
  tokenError('retry', 400, 'unsupported_grant_type'),
];
