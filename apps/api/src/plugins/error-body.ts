import { ERROR_CODES, RelayError, type ErrorType } from '@relay/contract';

/** The one shape of every answer that is not 2xx. */
export interface ErrorBody {
  readonly error: string;
  readonly type: ErrorType;
  readonly code: string;
  readonly param?: string;
  readonly platform?: string;
  readonly platformError?: unknown;
  readonly details?: unknown;
}

export function errorBody(error: RelayError): ErrorBody {
  const { param, platform, platformError, details } = error.extras;
  return {
    error: error.message,
    type: ERROR_CODES[error.code].type,
    code: error.code,
    ...(param === undefined ? {} : { param }),
    ...(platform === undefined ? {} : { platform }),
    ...(platformError === undefined ? {} : { platformError }),
    ...(details === undefined ? {} : { details }),
  };
}

const INTERNAL = 'Something went wrong on our side. The request was not answered; it can be repeated with the same Idempotency-Key.';

/** Any fault as the API's own. The framework's are known by their codes, never by their texts; the rest says nothing internal. */
export function toRelayError(error: unknown, bodyLimitBytes: number): RelayError {
  if (error instanceof RelayError) return error;
  switch (codeOf(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RelayError('body_too_large', `The request body is larger than ${bodyLimitBytes} bytes. Send the events in several requests.`, { details: { limitBytes: bodyLimitBytes } });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RelayError('unsupported_media_type', 'The request body must be JSON, sent with Content-Type: application/json.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new RelayError('invalid_header', 'The Content-Length header does not match the length of the request body.');
    case 'FST_ERR_BAD_URL':
      return new RelayError('invalid_request', 'The address holds a malformed percent-encoding.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new RelayError('invalid_request', 'The address holds an id that is longer than any of this API.');
    case 'FST_STATIC_FORBIDDEN_PATH':
      return new RelayError('route_not_found', 'There is no such page.');
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      // The caller left while sending its body; nobody reads the answer, and nothing of ours is broken.
      if (isOfRequest(error)) return new RelayError('invalid_request', 'The request body did not arrive completely.');
      return internalError(error);
    default:
      return isOfFramework(error) && isOfRequest(error) ? new RelayError('invalid_request', 'The request is malformed.') : internalError(error);
  }
}

function internalError(cause: unknown): RelayError {
  return new RelayError('internal_error', INTERNAL, { cause });
}

/** The framework marks faults of reading a request with a 4xx; the same codes from elsewhere (Redis) carry none. */
function isOfRequest(error: unknown): boolean {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' && status >= 400 && status < 500;
}

function isOfFramework(error: unknown): boolean {
  return String(codeOf(error)).startsWith('FST_');
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
