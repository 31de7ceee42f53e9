/**
 * Every code that an error answer of the API can carry, with its HTTP status and the type clients branch on.
 * `docs/errors.md` lists the same codes; a test compares the two both ways.
 */
export const ERROR_CODES = {
  unauthorized: { status: 401, type: 'authentication_error' },
  insufficient_scope: { status: 403, type: 'permission_error' },
  account_not_allowed: { status: 403, type: 'permission_error' },
  grant_insufficient: { status: 403, type: 'permission_error' },
  account_disabled: { status: 403, type: 'permission_error' },
  invalid_json: { status: 400, type: 'invalid_request_error' },
  invalid_request: { status: 400, type: 'invalid_request_error' },
  invalid_destination: { status: 400, type: 'invalid_request_error' },
  invalid_header: { status: 400, type: 'invalid_request_error' },
  invalid_cursor: { status: 400, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  body_too_large: { status: 413, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  wrong_platform: { status: 405, type: 'invalid_request_error' },
  conflict: { status: 409, type: 'invalid_request_error' },
  idempotency_key_reused: { status: 422, type: 'invalid_request_error' },
  not_replayable: { status: 422, type: 'invalid_request_error' },
  nothing_to_attribute: { status: 422, type: 'invalid_request_error' },
  prerequisite_missing: { status: 422, type: 'invalid_request_error' },
  invalid_signature: { status: 401, type: 'authentication_error' },
  verify_token_mismatch: { status: 403, type: 'permission_error' },
  IDEMPOTENCY_CONFLICT: { status: 409, type: 'invalid_request_error' },
  platform_refused: { status: 422, type: 'platform_error' },
  platform_config: { status: 422, type: 'platform_error' },
  platform_forbidden: { status: 403, type: 'platform_error' },
  reconnect_required: { status: 401, type: 'platform_error' },
  platform_rate_limited: { status: 429, type: 'rate_limit_error' },
  platform_unavailable: { status: 502, type: 'platform_error' },
  platform_timeout: { status: 504, type: 'platform_error' },
  route_not_found: { status: 404, type: 'not_found' },
  account_not_found: { status: 404, type: 'not_found' },
  destination_not_found: { status: 404, type: 'not_found' },
  delivery_not_found: { status: 404, type: 'not_found' },
  event_not_found: { status: 404, type: 'not_found' },
  conversation_not_found: { status: 404, type: 'not_found' },
  dead_letter_not_found: { status: 404, type: 'not_found' },
  api_key_not_found: { status: 404, type: 'not_found' },
  rate_limited: { status: 429, type: 'rate_limit_error' },
  queue_full: { status: 503, type: 'api_error' },
  storage_unavailable: { status: 503, type: 'api_error' },
  event_index_off: { status: 501, type: 'api_error' },
  not_implemented: { status: 501, type: 'api_error' },
  internal_error: { status: 500, type: 'api_error' },
} as const satisfies Record<string, { status: number; type: ErrorType }>;

export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found'
  | 'rate_limit_error'
  | 'platform_error'
  | 'api_error';
export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorExtras {
  /** Path of the field at fault, e.g. `events[3].eventTime`. */
  readonly param?: string | undefined;
  readonly platform?: string | undefined;
  /** The platform's payload, verbatim. */
  readonly platformError?: unknown;
  readonly details?: unknown;
  /** Sent as `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** An answer that is not 2xx. Its `message` reaches the caller, so it never says anything internal or about a person. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: ErrorCode;
  readonly extras: ErrorExtras;
  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.code = code;
    this.extras = extras;
  }
}
