import type { InboundReply, Said, SentBatch, Verdict } from '@relay/contract';
import { asList, asObject, asText, readJson, type JsonObject } from '../http/json.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { maskedText } from '../identity/mask.ts';
import { OPERATOR_REASONS, SCOPE_REASON, TRANSIENT_STATUSES, classOf } from './codes.ts';
import { codeOf, readErrorBody, type GoogleError } from './error-body.ts';
import { sortViolations, wordsOf } from './violations.ts';

const MINUTE_MS = 60 * 1000;
/** Quotas "per minute": a shorter pause would run into the same minute. */
const MINUTE_QUOTA_COOLDOWN_MS = MINUTE_MS;
/** The hour at which daily quotas are reset is not published: ask again every hour, which costs 24 refused requests. */
const DAY_QUOTA_COOLDOWN_MS = 60 * MINUTE_MS;
const MAX_WARNINGS = 20;

/** What an answer of `events:ingest` means. A bad event fails the whole request; nothing of it is ingested then. */
export function readReply(reply: InboundReply, sent: SentBatch): Verdict {
  const { status } = reply;
  if (status >= 200 && status < 300) return readSuccess(reply);
  const error = readErrorBody(reply.body);
  const said = saidOf(status, error);
  if (status === 413) return { kind: 'too_large', ...said };
  if (status === 401 || error?.status === 'UNAUTHENTICATED') return { kind: 'unauthorised', refreshable: true, ...said };
  if (status === 429 || error?.status === 'RESOURCE_EXHAUSTED') return rateLimited(reply, error, said);
  if (error === undefined || isTransient(status, error)) return { kind: 'retry', afterMs: hintOf(reply, error), ...said };
  return readRefusal(status, error, sent, said) ?? { kind: 'retry', afterMs: hintOf(reply, error), ...said };
}

/** `undefined`: a status that is not on record for this method. Never a success, and never thrown away either. */
function readRefusal(status: number, error: GoogleError, sent: SentBatch, said: Said): Verdict | undefined {
  switch (status) {
    case 400:
      return readRejection(error, sent, said) ?? { kind: 'rejected_events', indices: [], faults: [], ...said };
    case 403:
      return readForbidden(error, sent, said);
    case 404:
      return readRejection(error, sent, said) ?? { kind: 'rejected_request', groups: groupIfAlone(sent), concern: 'destination', ...said };
    default:
      return undefined;
  }
}

function readSuccess(reply: InboundReply): Verdict {
  const body = asObject(readJson(reply.body));
  const requestId = asText(body?.['requestId']);
  if (requestId === undefined || body === undefined || (body['error'] !== undefined && body['error'] !== null)) {
    const said = saidOf(reply.status, readErrorBody(reply.body));
    return { kind: 'retry', afterMs: hintOf(reply, undefined), ...said };
  }
  return { kind: 'accepted', traceId: requestId, statusId: requestId, faults: [], warnings: warningsOf(body) };
}

/** One line a reason, with how often: 2000 events may carry the same warning. */
function warningsOf(body: JsonObject): readonly string[] {
  const seen = new Map<string, { count: number; readonly words: string }>();
  for (const entry of asList(body['fieldWarnings'])) {
    const warning = asObject(entry);
    const reason = (asText(warning?.['reason']) ?? 'UNSPECIFIED').replace(/^WARNING_REASON_/, '').slice(0, 100);
    const known = seen.get(reason);
    if (known !== undefined) known.count += 1;
    else if (seen.size < MAX_WARNINGS) {
      seen.set(reason, { count: 1, words: wordsOf({ field: asText(warning?.['field']) ?? '', description: asText(warning?.['description']) ?? '', reason }) });
    }
  }
  return [...seen].map(([reason, { count, words }]) => maskedText(`${reason} (${count}): ${words}`));
}

/** Quotas are per Cloud project, so all accounts of the OAuth client pause together. */
function rateLimited(reply: InboundReply, error: GoogleError | undefined, said: Said): Verdict {
  const isDaily = error?.quotaLimit?.includes('PerDay') === true;
  const hintMs = hintOf(reply, error);
  const cooldownMs = hintMs ?? (isDaily ? DAY_QUOTA_COOLDOWN_MS : MINUTE_QUOTA_COOLDOWN_MS);
  return { kind: 'rate_limited', scope: 'app', cooldownMs, ...said, code: error?.quotaLimit ?? said.code };
}

/**
 * What a person has to grant holds the account, so that nothing is lost while they do: `PERMISSION_DENIED` too, which is
 * cured by access for the authorised user. A destination that Google names is that destination's fault alone, also where no
 * other was sent: it must not hold those that come in other requests.
 */
function readForbidden(error: GoogleError, sent: SentBatch, said: Said): Verdict {
  const reason = error.reason ?? '';
  if (reason === SCOPE_REASON) return { kind: 'unauthorised', refreshable: false, ...said };
  if (OPERATOR_REASONS.has(reason)) return { kind: 'rejected_request', groups: allGroups(sent), concern: 'operator', ...said };
  const { destination } = sortViolations(error.violations, sent);
  if (destination !== undefined && destination.named.length > 0) {
    return { kind: 'rejected_request', groups: destination.named, concern: destination.concern, ...saidBy(said, destination.first) };
  }
  return { kind: 'unauthorised', refreshable: false, ...said };
}

/** `undefined`: the answer names neither events nor destinations, nor anything else that decides. */
function readRejection(error: GoogleError, sent: SentBatch, said: Said): Verdict | undefined {
  const { events, destination, relay, tooLarge } = sortViolations(error.violations, sent);
  const topClass = classOf(error.reason);
  if (tooLarge !== undefined || topClass === 'size') return { kind: 'too_large', ...saidBy(said, tooLarge) };
  if (destination !== undefined) {
    const groups = destination.named.length > 0 ? destination.named : groupIfAlone(sent);
    return { kind: 'rejected_request', groups, concern: destination.concern, ...saidBy(said, destination.first) };
  }
  if (events.length > 0) {
    const first = events[0]!;
    return { kind: 'rejected_events', indices: events.map(({ index }) => index), faults: events, ...said, code: first.code, message: first.message };
  }
  if (topClass === 'destination' || topClass === 'account' || topClass === 'source') {
    return { kind: 'rejected_request', groups: groupIfAlone(sent), concern: topClass === 'account' ? 'account' : 'destination', ...said };
  }
  if (relay !== undefined || topClass === 'relay') {
    return { kind: 'rejected_request', groups: allGroups(sent), concern: 'operator', ...saidBy(said, relay) };
  }
  return undefined;
}

function isTransient(status: number, error: GoogleError): boolean {
  return status >= 500 || status === 408 || status === 409 || status === 499 || TRANSIENT_STATUSES.has(error.status ?? '');
}

function hintOf(reply: InboundReply, error: GoogleError | undefined): number | undefined {
  const header = retryAfterMs(reply.headers, reply.receivedAtMs);
  const detail = error?.retryDelayMs;
  return header === undefined || detail === undefined ? (header ?? detail) : Math.max(header, detail);
}

/** Whom a fault of some destination concerns where Google names none: with several, that is not known. */
function groupIfAlone({ groupSizes }: SentBatch): readonly number[] {
  return groupSizes.length === 1 ? [0] : [];
}

function allGroups({ groupSizes }: SentBatch): readonly number[] {
  return groupSizes.map((_, group) => group);
}

function saidOf(status: number, error: GoogleError | undefined): Said {
  const violation = error?.violations[0];
  const words = [error?.message, violation === undefined ? undefined : wordsOf(violation)].filter((text) => text !== undefined).join(' ');
  return { code: codeOf(status, error), message: maskedText(words) || `Google answered with status ${status} and no message.`, traceId: error?.requestId };
}

/** With the code and the words of the violation that decided, where there is one. */
function saidBy(said: Said, violation: Parameters<typeof wordsOf>[0] | undefined): Said {
  if (violation === undefined) return said;
  return { ...said, code: violation.reason ?? said.code, message: wordsOf(violation) };
}
