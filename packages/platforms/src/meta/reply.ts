import type { InboundReply, Said, SentBatch, Verdict } from '@relay/contract';
import { metaCode, type MetaErrorClass } from './codes.ts';
import { readEnvelope, type MetaError, type MetaReply } from './envelope.ts';
import { namedIndices } from './indices.ts';
import { DEFAULT_COOLDOWN_MS, isAppExhausted, waitHintMs } from './rate-limit.ts';

/** Code 368: Meta says "temporarily"; asking again within minutes prolongs the block. */
const BLOCKED_RETRY_MS = 3_600_000;

/** What an answer of `/events` means. Reads the body before the status: Graph throttles with 400, and can fail with 200. */
export function readMetaReply(reply: InboundReply, sent: SentBatch): Verdict {
  const body = readEnvelope(reply);
  const refusal = refusalIn(body, reply.status);
  return refusal === undefined ? readSuccess(body, countOf(sent)) : verdictOf({ ...refusal, reply, sent });
}

/** A refusal of any endpoint of Graph, or of what stands before it. */
export interface MetaRefusal {
  readonly class: MetaErrorClass | 'too_large';
  readonly said: Said;
  /** `undefined`: the body holds no error object, so it is not known to be Meta that refused. */
  readonly error: MetaError | undefined;
}

/** `undefined`: a 2xx without an error object. */
export function readMetaRefusal(reply: InboundReply): MetaRefusal | undefined {
  return refusalIn(readEnvelope(reply), reply.status);
}

function refusalIn({ error, traceId }: MetaReply, status: number): MetaRefusal | undefined {
  if (error !== undefined) {
    return { class: classOf(error, status), said: { code: codeText(error, status), message: error.said || `Meta answered ${status} without a message.`, traceId }, error };
  }
  if (status >= 200 && status < 300) return undefined;
  const message = `HTTP ${status} without an error object of Meta; something in between may have answered.`;
  return { class: classOfStatus(status), said: { code: `http_${status}`, message, traceId }, error: undefined };
}

/**
 * Only a count that equals what was sent is a success. Fewer (also 0, which has been seen for discarded events), or a 2xx
 * that nobody can read, says that some events may be lost and not which, so all are sent again: Meta drops those that it
 * has by event id (48 h), and the attempts are bounded, after which the chunk is a dead letter that says so.
 */
function readSuccess({ eventsReceived, messages, traceId }: MetaReply, total: number): Verdict {
  if (eventsReceived === total) return { kind: 'accepted', traceId, faults: [], warnings: messages, statusId: undefined };
  if (eventsReceived === undefined) {
    return { kind: 'retry', afterMs: undefined, code: 'unreadable_reply', message: 'Meta answered 2xx without events_received, so it is not known what it took.', traceId };
  }
  const message = `Meta acknowledged ${eventsReceived} of ${total} events and did not say which.`;
  return { kind: 'retry', afterMs: undefined, code: 'events_received_mismatch', message, traceId };
}

interface Reading extends MetaRefusal {
  readonly reply: InboundReply;
  readonly sent: SentBatch;
}

function verdictOf({ class: errorClass, said, error, reply, sent }: Reading): Verdict {
  switch (errorClass) {
    case 'app_limit':
    case 'account_limit':
      return rateLimited(errorClass, reply, said);
    case 'retry':
      return { kind: 'retry', afterMs: waitHintMs(reply), ...said };
    case 'blocked':
      return { kind: 'retry', afterMs: Math.max(BLOCKED_RETRY_MS, waitHintMs(reply) ?? 0), ...said };
    case 'auth':
      return { kind: 'unauthorised', refreshable: false, ...said };
    case 'event':
      return { kind: 'rejected_events', indices: namedIndices(error?.places ?? '', countOf(sent)), faults: [], ...said };
    case 'destination':
    case 'account':
    case 'operator':
      return { kind: 'rejected_request', groups: [...sent.groupSizes.keys()], concern: errorClass, ...said };
    case 'too_large':
      return { kind: 'too_large', ...said };
  }
}

function rateLimited(errorClass: 'app_limit' | 'account_limit', reply: InboundReply, said: Said): Verdict {
  const scope = errorClass === 'app_limit' || isAppExhausted(reply.headers) ? 'app' : 'account';
  return { kind: 'rate_limited', scope, cooldownMs: waitHintMs(reply) ?? DEFAULT_COOLDOWN_MS, ...said };
}

function countOf(sent: SentBatch): number {
  return sent.groupSizes.reduce((sum, size) => sum + size, 0);
}

/** `100/2804003`, `190/463`, `190`. */
function codeText({ code, subcode }: MetaError, status: number): string {
  if (code === undefined) return `http_${status}`;
  return subcode === undefined ? String(code) : `${code}/${subcode}`;
}

function classOf(error: MetaError, status: number): MetaErrorClass | 'too_large' {
  const { code, subcode } = error;
  if (code === undefined) return error.isTransient ? 'retry' : classOfStatus(status);
  if (code === 100 && subcode === undefined && isAboutRequest(error)) return 'operator';
  const row = metaCode(code, subcode);
  // "Invalid parameter" of no known kind, which Meta itself calls passing: taking events for bad would lose good ones.
  const isVague = row === undefined || (row.code === 100 && row.subcode === undefined);
  if (isVague && error.isTransient) return 'retry';
  if (row !== undefined) return row.class;
  return code < 0 ? 'retry' : classOfUnknownCode(status);
}

/** Code 100 as `GraphMethodException` without subcode: the app secret's proof is missing or wrong. Events give `OAuthException`. */
function isAboutRequest(error: MetaError): boolean {
  return error.type === 'GraphMethodException' || error.isAboutProof;
}

/** Graph refused, for a reason that is not in the table: where the status leaves it open, some event may be at fault. */
function classOfUnknownCode(status: number): MetaErrorClass | 'too_large' {
  if (status === 400 || status === 422) return 'event';
  if (status === 401 || status === 403) return 'auth';
  if (status === 404) return 'destination';
  return classOfStatus(status);
}

/**
 * Without a code of Graph nobody at Meta is known to have refused anything: what stands in between did. Most of that
 * passes, so the attempts decide; but for what says that the relay itself calls wrongly.
 */
function classOfStatus(status: number): MetaErrorClass | 'too_large' {
  switch (status) {
    case 429:
      return 'account_limit';
    case 413:
      return 'too_large';
    case 401:
      return 'auth';
    case 404:
    case 405:
    case 410:
    case 414:
    case 415:
    case 431:
      return 'operator';
    default:
      return 'retry';
  }
}
