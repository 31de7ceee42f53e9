import { randomUUID } from 'node:crypto';
import type { Answer } from './answer.ts';

/** A finding on one field. Without `reason` it comes from the generic front end, which knows none. */
export interface Violation {
  readonly field: string;
  readonly description: string;
  readonly reason?: string;
}

export const SERVICE = 'datamanager.googleapis.com';
const TYPE = 'type.googleapis.com/google.rpc.';

interface ErrorParts {
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly unknown[];
}

/** Google's error envelope; `details` is left out when there are none, as on gateway errors. */
export function errorAnswer({ code, status, message, details }: ErrorParts): Answer {
  return { status: code, body: { error: { code, message, status, ...(details ? { details } : {}) } } };
}

export function errorInfo(reason: string, domain: string, metadata: Readonly<Record<string, string>>) {
  return { '@type': `${TYPE}ErrorInfo`, reason, domain, metadata };
}

/** Data Manager's own 400: canonical reason on top, the useful ones inside the violations. */
export function invalidArgument(violations: readonly Violation[]): Answer {
  return dataManagerError(400, 'INVALID_ARGUMENT', violations);
}

export function permissionDenied(violations: readonly Violation[]): Answer {
  return dataManagerError(403, 'PERMISSION_DENIED', violations);
}

function dataManagerError(code: number, status: string, fieldViolations: readonly Violation[]): Answer {
  const requestId = `t-${randomUUID()}`;
  return errorAnswer({
    code,
    status,
    message: 'There was a problem with the request.',
    details: [
      errorInfo(status, SERVICE, { requestId }),
      { '@type': `${TYPE}RequestInfo`, requestId },
      ...(fieldViolations.length > 0 ? [{ '@type': `${TYPE}BadRequest`, fieldViolations }] : []),
    ],
  });
}

/** Malformed JSON, unknown names, bad enums: refused before the service sees them, without ErrorInfo. */
export function frontEndError(violations: readonly Violation[]): Answer {
  return errorAnswer({
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: violations.map((violation) => violation.description).join('\n'),
    details: [
      {
        '@type': `${TYPE}BadRequest`,
        fieldViolations: violations.map(({ field, description }) => (field === '' ? { description } : { field, description })),
      },
    ],
  });
}

/** Exact 401 texts are not confirmed for this API; these are Google's general ones. */
export function unauthenticated(why: 'missing' | 'invalid' | 'expired', method: string, service = SERVICE): Answer {
  const missing = why === 'missing';
  const reason = { missing: 'CREDENTIALS_MISSING', invalid: 'ACCESS_TOKEN_TYPE_UNSUPPORTED', expired: 'ACCESS_TOKEN_EXPIRED' }[why];
  return errorAnswer({
    code: 401,
    status: 'UNAUTHENTICATED',
    message: `Request ${missing ? 'is missing required authentication credential' : 'had invalid authentication credentials'}. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`,
    details: [errorInfo(reason, 'googleapis.com', { service, method })],
  });
}

export function scopeInsufficient(method: string, service = SERVICE): Answer {
  return errorAnswer({
    code: 403,
    status: 'PERMISSION_DENIED',
    message: 'Request had insufficient authentication scopes.',
    details: [errorInfo('ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'googleapis.com', { service, method })],
  });
}

export function serviceDisabled(): Answer {
  const project = '100000000001';
  const url = `https://console.developers.google.com/apis/api/${SERVICE}/overview?project=${project}`;
  const message = `Data Manager API has not been used in project ${project} before or it is disabled. Enable it by visiting ${url} then retry.`;
  return errorAnswer({
    code: 403,
    status: 'PERMISSION_DENIED',
    message,
    details: [
      errorInfo('SERVICE_DISABLED', 'googleapis.com', {
        consumer: `projects/${project}`,
        service: SERVICE,
        serviceTitle: 'Data Manager API',
        containerInfo: project,
        activationUrl: url,
      }),
      { '@type': `${TYPE}LocalizedMessage`, locale: 'en-US', message },
      { '@type': `${TYPE}Help`, links: [{ description: 'Google developers console API activation', url }] },
    ],
  });
}

/** `limit` as documented, e.g. `IngestionMutateRequestsPerMinutePerProject`. */
export function quotaExceeded(limit: string, retryAfterSeconds: number): Answer {
  const answer = errorAnswer({
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: `Quota exceeded for limit '${limit}' of service '${SERVICE}'.`,
    details: [
      errorInfo('RESOURCE_EXHAUSTED', SERVICE, { service: SERVICE, quota_limit: limit }),
      ...(retryAfterSeconds > 0 ? [{ '@type': `${TYPE}RetryInfo`, retryDelay: `${retryAfterSeconds}s` }] : []),
    ],
  });
  return retryAfterSeconds > 0 ? { ...answer, headers: { 'retry-after': String(retryAfterSeconds) } } : answer;
}
