import type { Answer } from './answer.ts';

/** LinkedIn's envelope: no trace id, no list of errors; not problem+json. */
export interface ErrorEnvelope {
  readonly message: string;
  readonly status: number;
  readonly code?: string;
  readonly serviceErrorCode?: number;
}

export function refuse(body: ErrorEnvelope): Answer {
  return { status: body.status, body };
}

export const EMPTY_TOKEN: ErrorEnvelope = { status: 401, code: 'EMPTY_ACCESS_TOKEN', message: 'Empty oauth2 access token' };
export const INVALID_TOKEN: ErrorEnvelope = { status: 401, serviceErrorCode: 65600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' };
export const REVOKED_TOKEN: ErrorEnvelope = {
  status: 401,
  serviceErrorCode: 65601,
  code: 'REVOKED_ACCESS_TOKEN',
  message: 'The token used in the request has been revoked by the user',
};

/** The number is widely used (65602) but not confirmed, hence a switch. */
export function expiredToken(serviceErrorCode: number): ErrorEnvelope {
  return { status: 401, serviceErrorCode, code: 'EXPIRED_ACCESS_TOKEN', message: 'The token used in the request has expired' };
}

/** `USER_NOT_AUTHORIZED` is documented, `ACCESS_DENIED` with 100 is general LinkedIn knowledge. */
export function notAuthorised(code: 'USER_NOT_AUTHORIZED' | 'ACCESS_DENIED', resource: string): ErrorEnvelope {
  const message = `Not enough permissions to access: ${resource}`;
  return code === 'ACCESS_DENIED' ? { status: 403, serviceErrorCode: 100, code, message } : { status: 403, code, message };
}

export function missingVersion(status: number): ErrorEnvelope {
  return { status, code: 'VERSION_MISSING', message: 'A version must be present. Please specify a version by adding the LinkedIn-Version header.' };
}

export function unknownVersion(version: string): ErrorEnvelope {
  return { status: 426, code: 'NONEXISTENT_VERSION', message: `Requested version ${version} is not active` };
}

/** Only the text of the daily limit was seen; the minute's is built after it. */
export function throttled(span: 'MINUTE' | 'DAY', retryAfterSeconds: number): Answer {
  const answer = refuse({
    status: 429,
    serviceErrorCode: 101,
    message: `Resource level throttle APPLICATION_AND_MEMBER ${span} limit for calls to this resource is reached`,
  });
  return retryAfterSeconds > 0 ? { ...answer, headers: { 'retry-after': String(retryAfterSeconds) } } : answer;
}
