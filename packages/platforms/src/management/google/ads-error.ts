import type { InboundReply } from '@relay/contract';
import { OPERATOR_REASONS, SCOPE_REASON, TRANSIENT_STATUSES } from '../../google/codes.ts';
import { readErrorBody, type GoogleError } from '../../google/error-body.ts';
import { asCode, asCount, asList, asObject, asText, readJson, type JsonObject } from '../../http/json.ts';
import { boundedHint, retryAfterMs } from '../../http/retry-after.ts';
import type { QuotaScope } from '../errors.ts';
import { adsClass, type AdsClass } from './ads-codes.ts';

/** One entry of a `GoogleAdsFailure`. */
export interface AdsFault {
  readonly class: AdsClass | undefined;
  /** `CONVERSION_NOT_FOUND`. */
  readonly code: string;
  readonly message: string;
  /** Place of the adjustment in the request; `undefined`: not about one. */
  readonly index: number | undefined;
  readonly retryDelayMs: number | undefined;
  readonly quotaScope: QuotaScope | undefined;
}

/** A refusal of a whole request. https://developers.google.com/google-ads/api/rest/design/errors */
export interface AdsError {
  readonly class: AdsClass;
  readonly code: string;
  readonly message: string;
  readonly faults: readonly AdsFault[];
  readonly traceId: string | undefined;
  /** The longest wait that a header or a detail asks for. */
  readonly retryAfterMs: number | undefined;
  readonly quotaScope: QuotaScope | undefined;
}

const MAX_FAULTS = 4000;

/** Total: also for what is no answer of Google's. Call it for answers that are not 2xx. */
export function readAdsError(reply: InboundReply): AdsError {
  const general = readErrorBody(reply.body);
  const { faults, requestId } = readFailure(statusIn(reply.body));
  const hints = [retryAfterMs(reply.headers, reply.receivedAtMs), general?.retryDelayMs, ...faults.map((fault) => fault.retryDelayMs)];
  const known = hints.filter((hint) => hint !== undefined);
  return {
    class: faults.find((fault) => fault.class !== undefined)?.class ?? classOf(reply.status, general),
    ...wordsOf(reply.status, faults[0], general),
    faults,
    traceId: requestId ?? reply.headers['request-id'] ?? general?.requestId,
    retryAfterMs: known.length === 0 ? undefined : Math.max(...known),
    quotaScope: faults.find((fault) => fault.quotaScope !== undefined)?.quotaScope,
  };
}

/** Streaming methods wrap the error in a list. */
function statusIn(body: string): JsonObject | undefined {
  const read = readJson(body);
  return asObject(asObject(Array.isArray(read) ? (read[0] as unknown) : read)?.['error']);
}

/** The most telling first. */
function wordsOf(httpStatus: number, fault: AdsFault | undefined, general: GoogleError | undefined): Pick<AdsError, 'code' | 'message'> {
  if (fault !== undefined) return { code: fault.code, message: fault.message };
  const silence = `Google answered with status ${httpStatus} and no message.`;
  if (general === undefined) return { code: 'unreadable_reply', message: silence };
  return { code: general.reason ?? general.status ?? `http_${httpStatus}`, message: general.message ?? silence };
}

/** The `GoogleAdsFailure` in a `google.rpc.Status`, which is also what a partial failure is. */
export function readFailure(status: JsonObject | undefined): { readonly faults: readonly AdsFault[]; readonly requestId: string | undefined } {
  const failures = asList(status?.['details'])
    .map(asObject)
    .filter((detail) => asText(detail?.['@type'])?.endsWith('GoogleAdsFailure') === true);
  const faults = failures.flatMap((failure) => asList(failure?.['errors'])).slice(0, MAX_FAULTS);
  return {
    faults: faults.map(asObject).filter((fault) => fault !== undefined).map(readFault),
    requestId: asText(failures[0]?.['requestId']),
  };
}

function readFault(fault: JsonObject): AdsFault {
  // One category at most, as it is a oneof: {"quotaError": "RESOURCE_EXHAUSTED"}.
  const [category = '', value] = Object.entries(asObject(fault['errorCode']) ?? {})[0] ?? [];
  const code = asCode(value) ?? 'UNSPECIFIED';
  const quota = asObject(asObject(fault['details'])?.['quotaErrorDetails']);
  const rateScope = quota?.['rateScope'];
  return {
    class: adsClass(category, code),
    code,
    message: asText(fault['message']) ?? code,
    index: indexOf(fault),
    retryDelayMs: durationMs(quota?.['retryDelay']),
    quotaScope: rateScope === 'ACCOUNT' || rateScope === 'DEVELOPER' ? rateScope : undefined,
  };
}

/** Of the first path element; the fields below it are named after it. */
function indexOf(fault: JsonObject): number | undefined {
  const element = asObject(asList(asObject(fault['location'])?.['fieldPathElements'])[0]);
  const field = asText(element?.['fieldName']);
  return field === 'conversion_adjustments' || field === 'conversionAdjustments' ? asCount(element?.['index']) : undefined;
}

/** A `google.protobuf.Duration` in JSON: seconds with up to nine decimals and an `s`. */
function durationMs(value: unknown): number | undefined {
  const text = asText(value);
  return text !== undefined && /^\d+(?:\.\d{1,9})?s$/.test(text) ? boundedHint(Number(text.slice(0, -1)) * 1000) : undefined;
}

function classOf(httpStatus: number, error: GoogleError | undefined): AdsClass {
  // Without Google's envelope something on the way answered, which says little about the request.
  if (error === undefined) return PROXY_STATUSES[httpStatus] ?? 'retry';
  if (error.reason === SCOPE_REASON) return 'grant';
  if (OPERATOR_REASONS.has(error.reason ?? '')) return 'operator';
  const canonical = CANONICAL_STATUSES[error.status ?? ''] ?? STATUSES[httpStatus];
  return TRANSIENT_STATUSES.has(error.status ?? '') ? 'retry' : (canonical ?? 'retry');
}

const STATUSES: Readonly<Record<number, AdsClass>> = { 400: 'invalid', 401: 'refresh', 403: 'permission', 404: 'not_found', 413: 'too_large', 429: 'quota' };
const CANONICAL_STATUSES: Readonly<Record<string, AdsClass>> = { UNAUTHENTICATED: 'refresh', RESOURCE_EXHAUSTED: 'quota' };
/** 404: Google's front end answers HTML for a version or a path that it does not serve. */
const PROXY_STATUSES: Readonly<Record<number, AdsClass>> = { 401: 'refresh', 404: 'operator', 413: 'too_large', 429: 'quota' };

const MINUTE_MS = 60 * 1000;
/** Daily budgets: the hour of their reset is not published, so it is tried again every hour. */
const DAY_QUOTA_CODES: ReadonlySet<string> = new Set(['RESOURCE_EXHAUSTED', 'EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION']);

/** How long to leave the quota alone; Google's own hint wins. */
export function cooldownMs(error: AdsError): number {
  return Math.max(1000, error.retryAfterMs ?? (DAY_QUOTA_CODES.has(error.code) ? 60 * MINUTE_MS : MINUTE_MS));
}
