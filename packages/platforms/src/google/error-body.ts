import { asCode, asList, asObject, asText, readJson, type JsonObject } from '../http/json.ts';
import { boundedHint } from '../http/retry-after.ts';

export interface FieldViolation {
  /** Snake-case path with zero-based indices, e.g. `events.events[0].user_data`; empty if Google named none. */
  readonly field: string;
  readonly description: string;
  readonly reason: string | undefined;
}

/** A `google.rpc.Status` with those of its details that the relay reads. https://cloud.google.com/apis/design/errors */
export interface GoogleError {
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly reason: string | undefined;
  readonly quotaLimit: string | undefined;
  readonly requestId: string | undefined;
  readonly retryDelayMs: number | undefined;
  readonly violations: readonly FieldViolation[];
}

/** `undefined`: not an error body of Google's, so something on the way answered. The order of the details is not guaranteed. */
export function readErrorBody(body: string): GoogleError | undefined {
  const read = readJson(body);
  // Streaming methods wrap the error in a list; some proxies of Google's do so for all.
  const error = asObject(asObject(Array.isArray(read) ? (read[0] as unknown) : read)?.['error']);
  if (error === undefined) return undefined;
  const details = asList(error['details']).map(asObject).filter((detail) => detail !== undefined);
  const info = detailOf(details, 'ErrorInfo');
  const metadata = asObject(info?.['metadata']);
  return {
    status: asCode(error['status']),
    message: asText(error['message']),
    reason: asCode(info?.['reason']),
    quotaLimit: asCode(metadata?.['quota_limit']),
    requestId: asText(detailOf(details, 'RequestInfo')?.['requestId']) ?? asText(metadata?.['requestId']),
    retryDelayMs: durationMs(detailOf(details, 'RetryInfo')?.['retryDelay']),
    violations: asList(detailOf(details, 'BadRequest')?.['fieldViolations']).map(asObject).filter((one) => one !== undefined).map(readViolation),
  };
}

function detailOf(details: readonly JsonObject[], type: string): JsonObject | undefined {
  return details.find((detail) => asText(detail['@type'])?.endsWith(`google.rpc.${type}`));
}

function readViolation(violation: JsonObject): FieldViolation {
  return {
    field: asText(violation['field']) ?? '',
    description: asText(violation['description']) ?? '',
    reason: asCode(violation['reason']),
  };
}

/** The most telling code: a violation's, else that of the whole error, else the canonical status. */
export function codeOf(status: number, error: GoogleError | undefined): string {
  if (error === undefined) return 'unreadable_reply';
  return error.violations[0]?.reason ?? error.reason ?? error.status ?? `http_${status}`;
}

/** A `google.protobuf.Duration` in JSON: seconds with up to nine decimals and an `s`. */
function durationMs(value: unknown): number | undefined {
  const text = asText(value);
  return text !== undefined && /^\d+(?:\.\d{1,9})?s$/.test(text) ? boundedHint(Number(text.slice(0, -1)) * 1000) : undefined;
}
