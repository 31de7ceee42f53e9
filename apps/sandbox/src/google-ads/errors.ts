import { randomBytes } from 'node:crypto';

import type { Answer } from '../google/answer.ts';

/** One error in Google Ads' words; `category` is the member of `errorCode`, e.g. `quotaError`. */
export interface AdsFault {
  readonly category: string;
  readonly code: string;
  readonly message: string;
  /** `{ fieldName, index? }` from the outside in. */
  readonly location?: readonly FieldPathElement[];
  readonly trigger?: string;
  readonly details?: unknown;
}

export interface FieldPathElement {
  readonly fieldName: string;
  readonly index?: number;
}

export interface AdsRefusal {
  readonly status: number;
  readonly canonical: string;
  /** Text of the envelope; the first fault's if absent. */
  readonly message?: string;
  readonly faults: readonly AdsFault[];
}

const INVALID = 'Request contains an invalid argument.';

export const newRequestId = () => randomBytes(16).toString('base64url');

/** The version of the failure's type name is that of the request; faults of the core know none and get the newest. */
export const versionOf = (path: string): string => /^\/google\/ads\/(v\d+)\//.exec(path)?.[1] ?? 'v26';

function errorOf({ category, code, message, location, trigger, details }: AdsFault) {
  return {
    errorCode: { [category]: code },
    message,
    ...(trigger === undefined ? {} : { trigger: { stringValue: trigger } }),
    ...(location === undefined ? {} : { location: { fieldPathElements: location } }),
    ...(details === undefined ? {} : { details }),
  };
}

export function failureOf(faults: readonly AdsFault[], version: string, requestId: string) {
  return {
    '@type': `type.googleapis.com/google.ads.googleads.${version}.errors.GoogleAdsFailure`,
    errors: faults.map(errorOf),
    requestId,
  };
}

/** The request-level answer: nothing of the request was done. */
export function adsError({ status, canonical, message, faults }: AdsRefusal, version: string): Answer {
  const requestId = newRequestId();
  const text = message ?? faults[0]?.message ?? INVALID;
  return {
    status,
    headers: { 'request-id': requestId },
    body: { error: { code: status, message: text, status: canonical, details: [failureOf(faults, version, requestId)] } },
  };
}

export const badRequest = (...faults: readonly AdsFault[]): AdsRefusal => ({ status: 400, canonical: 'INVALID_ARGUMENT', message: INVALID, faults });

export const requestFault = (code: string, message: string, location?: readonly FieldPathElement[]): AdsFault => ({
  category: 'requestError',
  code,
  message,
  ...(location === undefined ? {} : { location }),
});

export const forbidden = (code: string, message: string): AdsRefusal => ({
  status: 403,
  canonical: 'PERMISSION_DENIED',
  message: 'The caller does not have permission',
  faults: [{ category: 'authorizationError', code, message }],
});

export const unauthenticated = (code: string, message: string): AdsRefusal => ({
  status: 401,
  canonical: 'UNAUTHENTICATED',
  message:
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. ' +
    'See https://developers.google.com/identity/sign-in/web/devconsole-project.',
  faults: [{ category: 'authenticationError', code, message }],
});

export interface Quota {
  readonly code: string;
  readonly rateScope: 'ACCOUNT' | 'DEVELOPER';
  readonly rateName: string;
  readonly retrySeconds: number;
}

/** `quotaErrorDetails` is what tells the account's share from the developer's. */
export const quotaRefusal = ({ code, rateScope, rateName, retrySeconds }: Quota): AdsRefusal => ({
  status: 429,
  canonical: 'RESOURCE_EXHAUSTED',
  message: 'Resource has been exhausted (e.g. check quota).',
  faults: [
    {
      category: 'quotaError',
      code,
      message: `Too many requests. Retry in ${retrySeconds} seconds.`,
      details: { quotaErrorDetails: { rateScope, rateName, retryDelay: `${retrySeconds}s` } },
    },
  ],
});
