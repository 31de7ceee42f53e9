import type { GroupStatus, InboundReply, PlatformStatus, StatusSource, StatusVerdict } from '@relay/contract';
import { asCount, asList, asObject, asText, readJson, type JsonObject } from '../http/json.ts';
import { maskedText } from '../identity/mask.ts';
import type { GoogleCredentials } from './credentials.ts';
import { codeOf, readErrorBody, type GoogleError } from './error-body.ts';
import { DATA_MANAGER_VERSION } from './version.ts';

const MINUTE_MS = 60 * 1000;

/** Prose on Google's site writes FAILURE for FAILED. What is unknown is not final: ask again. */
const STATUSES: Readonly<Record<string, PlatformStatus>> = {
  PROCESSING: 'processing',
  SUCCESS: 'success',
  PARTIAL_SUCCESS: 'partial_success',
  FAILED: 'failed',
  FAILURE: 'failed',
};
/** `PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER` lacks a word of the usual prefix. */
const PREFIX = /^PROCESSING_(?:ERROR|WARNING)_(?:REASON_)?/;
const MAX_REASONS = 100;

/**
 * `requestStatus:retrieve`. Counts by reason, never which event. Google: wait about 30 minutes, processing may take up to
 * 24 hours. https://developers.google.com/data-manager/api/devguides/diagnostics
 */
export const status: StatusSource<GoogleCredentials> = {
  firstPollMs: 30 * MINUTE_MS,
  giveUpMs: 24 * 60 * MINUTE_MS,
  toRequest: (statusId, { accessToken }, endpoints) => ({
    method: 'GET',
    url: `${endpoints.googleDataManagerUrl}/${DATA_MANAGER_VERSION}/requestStatus:retrieve?requestId=${encodeURIComponent(statusId)}`,
    headers: { authorization: `Bearer ${accessToken}` },
    body: undefined,
  }),
  readReply,
};

function readReply(reply: InboundReply): StatusVerdict {
  if (reply.status !== 200) return readFailure(reply);
  const destinations = asList(asObject(readJson(reply.body))?.['requestStatusPerDestination']).map(asObject);
  if (destinations.length === 0 || destinations.includes(undefined)) {
    return { kind: 'retry', code: 'unreadable_reply', message: 'Google answered with status 200 but without a status per destination.' };
  }
  return { kind: 'status', groups: destinations.filter((one) => one !== undefined).map(groupStatus) };
}

function groupStatus(destination: JsonObject): GroupStatus {
  const state = asText(destination['requestStatus']) ?? '';
  return {
    status: Object.hasOwn(STATUSES, state) ? STATUSES[state]! : 'processing',
    recordCount: asCount(asObject(destination['eventsIngestionStatus'])?.['recordCount']),
    errors: counts(asObject(destination['errorInfo'])?.['errorCounts']),
    warnings: counts(asObject(destination['warningInfo'])?.['warningCounts']),
  };
}

function counts(value: unknown): readonly { readonly reason: string; readonly count: number }[] {
  return asList(value)
    .slice(0, MAX_REASONS)
    .map((entry) => {
      const count = asObject(entry);
      const reason = (asText(count?.['reason']) ?? 'UNSPECIFIED').replace(PREFIX, '').slice(0, 100);
      return { reason, count: asCount(count?.['recordCount']) ?? 0 };
    });
}

function readFailure(reply: InboundReply): StatusVerdict {
  const error = readErrorBody(reply.body);
  const message = maskedText(error?.message ?? '') || `Google answered with status ${reply.status}.`;
  return { kind: failureOf(reply.status, error), code: codeOf(reply.status, error), message };
}

function failureOf(httpStatus: number, error: GoogleError | undefined): 'gone' | 'unauthorised' | 'retry' {
  if (httpStatus === 401) return 'unauthorised';
  // A page of something on the way says nothing about the request.
  if (error === undefined) return 'retry';
  if (httpStatus === 403) return 'unauthorised';
  if (httpStatus === 404) return 'gone';
  // For ids that are unknown, another client's, or of a request that was only validated.
  const isUnknownId = [error, ...error.violations].some(({ reason }) => reason === 'INVALID_REQUEST_ID');
  return httpStatus === 400 && isUnknownId ? 'gone' : 'retry';
}
