import type { InboundReply, ItemFault, Said, SentBatch, Verdict } from '@relay/contract';
import { asCode, asCount, asList, asObject, asText, readJson, type JsonObject } from '../http/json.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { maskedText } from '../identity/mask.ts';
import { DAY_LIMIT, VERSION_HEADER, WRONG_METHOD, WRONG_URN, classOf } from './codes.ts';
import { namedEvents } from './named-events.ts';

const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 422]);

/**
 * What an answer of `conversionEvents` means. On record is both: one 4xx for a request with a bad event, and a status per
 * element under 200. So nothing was taken unless the status is 2xx, and then the elements decide.
 */
export function readReply(reply: InboundReply, sent: SentBatch): Verdict {
  const { status } = reply;
  const body = asObject(readJson(reply.body));
  const total = sent.groupSizes.reduce((sum, size) => sum + size, 0);
  if (status >= 200 && status < 300) return readElements(reply, body, total);
  const message = asText(body?.['message']) ?? '';
  const said = saidOf(status, body, message);
  switch (status) {
    case 401:
      // Also for 65600 and 65601: the token may have been replaced meanwhile. Without a refresh token the account is held.
      return { kind: 'unauthorised', refreshable: true, ...said };
    case 413:
    case 414:
      return { kind: 'too_large', ...said };
    case 426:
      return { kind: 'rejected_request', groups: allGroups(sent), concern: 'operator', ...said };
    case 429:
      return { kind: 'rate_limited', scope: 'account', cooldownMs: cooldownMsOf(reply, message), ...said };
    default:
  }
  // A 4xx without LinkedIn's envelope is from something on the way.
  if (body !== undefined && REFUSALS.has(status)) return readRefusal({ status, body, message, total }, sent, said);
  return { kind: 'retry', afterMs: retryAfterMs(reply.headers, reply.receivedAtMs), ...said };
}

interface Refusal {
  readonly status: number;
  readonly body: JsonObject;
  readonly message: string;
  readonly total: number;
}

function readRefusal({ status, body, message, total }: Refusal, sent: SentBatch, said: Said): Verdict {
  const groups = allGroups(sent);
  switch (status === 403 ? 'permission' : codeClass(body)) {
    case 'token':
      return { kind: 'unauthorised', refreshable: true, ...said };
    case 'permission':
      return { kind: 'unauthorised', refreshable: false, ...said };
    case 'version':
      return { kind: 'rejected_request', groups, concern: 'operator', ...said };
    case 'event':
    case undefined:
      break;
  }
  if (status === 404) return { kind: 'rejected_request', groups, concern: 'destination', ...said };
  const { faults, paths } = namedEvents(message, said.code, total);
  if (isDestinationFault(message, paths)) return { kind: 'rejected_request', groups, concern: 'destination', ...said };
  if (faults.length === 0 && VERSION_HEADER.test(message)) return { kind: 'rejected_request', groups, concern: 'operator', ...said };
  // Without names the request is split: the texts of the time and identifier faults are not on record.
  return { kind: 'rejected_events', indices: faults.map(({ index }) => index), faults, ...said };
}

/** A URN that is in an event's user (`lead`) is that event's own. */
function isDestinationFault(message: string, paths: readonly string[]): boolean {
  if (WRONG_METHOD.test(message)) return true;
  return WRONG_URN.test(message) && !paths.some((path) => path.startsWith('/user'));
}

function codeClass(body: JsonObject): ReturnType<typeof classOf> {
  return classOf(asCode(body['code']) ?? '') ?? classOf(asCode(body['serviceErrorCode']) ?? '');
}

/** The limits are per token. Those of a day are reset at midnight UTC. */
function cooldownMsOf(reply: InboundReply, message: string): number {
  const untilMidnightMs = DAY_MS - (reply.receivedAtMs % DAY_MS);
  const computedMs = Math.max(MINUTE_MS, DAY_LIMIT.test(message) ? untilMidnightMs : 0);
  // LinkedIn documents no Retry-After; one that is there knows better than the rule of thumb.
  return retryAfterMs(reply.headers, reply.receivedAtMs) ?? computedMs;
}

function readElements(reply: InboundReply, body: JsonObject | undefined, total: number): Verdict {
  const elements = asList(body?.['elements']);
  if (elements.length < total) {
    const message = `LinkedIn answered with status ${reply.status} but acknowledged ${elements.length} of ${total} events.`;
    return { kind: 'retry', afterMs: retryAfterMs(reply.headers, reply.receivedAtMs), code: 'elements_missing', message, traceId: undefined };
  }
  const faults: ItemFault[] = [];
  for (let index = 0; index < total; index += 1) {
    const fault = elementFault(reply, asObject(elements[index]), index);
    if (fault !== undefined) faults.push(fault);
  }
  return { kind: 'accepted', traceId: undefined, faults, warnings: [], statusId: undefined };
}

function elementFault(reply: InboundReply, element: JsonObject | undefined, index: number): ItemFault | undefined {
  const status = asCount(element?.['status']);
  if (status !== undefined && status >= 200 && status < 300) return undefined;
  const error = asObject(element?.['error']);
  const message = asText(error?.['message']) ?? '';
  const words = `LinkedIn gave this event ${status === undefined ? 'no status' : `the status ${status}`}.`;
  return {
    index,
    code: ownCode(error) ?? (status === undefined ? 'status_missing' : String(status)),
    message: maskedText(message) || words,
    retryable: !isFinal(status),
    ...(status === 429 && { cooldownMs: cooldownMsOf(reply, message) }),
  };
}

/** Only a plain 4xx: an event without a status is not known to be refused. */
function isFinal(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function ownCode(body: JsonObject | undefined): string | undefined {
  return asCode(body?.['code']) ?? asCode(body?.['serviceErrorCode']);
}

function saidOf(status: number, body: JsonObject | undefined, message: string): Said {
  const fallback = body === undefined ? 'unreadable_reply' : `http_${status}`;
  const code = ownCode(body) ?? fallback;
  // LinkedIn names no trace id in its bodies.
  return { code, message: maskedText(message) || `LinkedIn answered with status ${status} and no message.`, traceId: undefined };
}

function allGroups({ groupSizes }: SentBatch): readonly number[] {
  return groupSizes.map((_, group) => group);
}
