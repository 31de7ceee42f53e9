/** What an error answer looks like, by status. */
export const ERROR_EXAMPLES: Readonly<Record<string, object>> = {
  400: {
    error: 'events[0].eventTime is required.',
    type: 'invalid_request_error',
    code: 'invalid_request',
    param: 'events[0].eventTime',
    details: [{ path: 'events[0].eventTime', message: 'is required' }],
  },
  401: { error: 'Unauthorized', type: 'authentication_error', code: 'unauthorized' },
  403: { error: 'This API key is not bound to this account. Use a key that is, or have the account added to this one.', type: 'permission_error', code: 'account_not_allowed', param: 'accountId' },
  404: { error: 'There is no account with this id.', type: 'not_found', code: 'account_not_found', param: 'accountId' },
  405: { error: 'This is a WhatsApp account; its conversions are at GET /v1/whatsapp/conversions.', type: 'invalid_request_error', code: 'wrong_platform', param: 'accountId', platform: 'whatsapp' },
  409: { error: 'There is already an account with this id. Change it with PATCH, or choose another id.', type: 'invalid_request_error', code: 'conflict', param: 'id' },
  413: { error: 'The request body is larger than 33554432 bytes. Send the events in several requests.', type: 'invalid_request_error', code: 'body_too_large', details: { limitBytes: 33_554_432 } },
  415: { error: 'The request body must be JSON, sent with Content-Type: application/json.', type: 'invalid_request_error', code: 'unsupported_media_type' },
  422: {
    error: 'LinkedIn: The ad account is closed.',
    type: 'platform_error',
    code: 'platform_refused',
    platform: 'linkedinads',
    platformError: { message: 'The ad account is closed', status: 400, code: 'ILLEGAL_ARGUMENT' },
    details: { code: 'ILLEGAL_ARGUMENT' },
  },
  429: {
    error: 'Google Ads limits the rate of calls: Too many requests.',
    type: 'rate_limit_error',
    code: 'platform_rate_limited',
    platform: 'googleads',
    platformError: { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } },
    details: { code: 'RESOURCE_EXHAUSTED', retryAfterSeconds: 90, quotaExhausted: true, quotaScope: 'DEVELOPER' },
  },
  501: { error: 'This relay does not serve the platform of this account.', type: 'api_error', code: 'not_implemented', param: 'accountId', platform: 'googleads' },
  502: { error: 'No connection to the platform could be made. Try again later.', type: 'platform_error', code: 'platform_unavailable', platform: 'metaads', details: { code: 'connect_failed' } },
  503: { error: 'The queue cannot be reached. Send the same request again later.', type: 'api_error', code: 'storage_unavailable' },
  504: { error: 'The platform did not answer in time. Try again later.', type: 'platform_error', code: 'platform_timeout', platform: 'linkedinads', details: { code: 'timeout' } },
};
/** Where it means that a platform refused the account's token. */
export const RECONNECT_EXAMPLE = {
  error: 'LinkedIn does not accept the token of this account: The token was revoked. Reconnect the account and store its new credentials.',
  type: 'platform_error',
  code: 'reconnect_required',
  platform: 'linkedinads',
  platformError: { message: 'The token was revoked', status: 401, serviceErrorCode: 65601 },
  details: { code: '65601' },
};
