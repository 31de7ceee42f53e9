import type { EventsRequest, InboundReply, ItemFault, Said, SentBatch, Verdict } from '@relay/contract';
import { partsOf } from '../../google/destination.ts';
import { joinItems } from '../../http/join-items.ts';
import { asList, asObject, asText, readJson } from '../../http/json.ts';
import { maskedText } from '../../identity/mask.ts';
import { ADJUSTMENT_WAIT_MS, type AdsClass } from './ads-codes.ts';
import { cooldownMs, readAdsError, readFailure, type AdsError, type AdsFault } from './ads-error.ts';
import { adsRequest, type AdsAccess } from './call.ts';

/** "Try uploading fewer than 2001 adjustments in a single API request": TOO_MANY_ADJUSTMENTS_IN_REQUEST, same proto as below. */
export const MAX_ADJUSTMENTS = 2000;

export interface AdjustmentAccess extends AdsAccess {
  /** Canonical; its customer is the one that is called. Items of several actions of that customer may share a request. */
  readonly destinationId: string;
}

/**
 * `uploadConversionAdjustments`, always with `partialFailure`, which Google demands.
 * https://github.com/googleapis/googleapis/blob/master/google/ads/googleads/v21/services/conversion_adjustment_upload_service.proto
 */
export function adjustmentsRequest(items: readonly Uint8Array[], access: AdjustmentAccess): EventsRequest {
  if (items.length === 0 || items.length > MAX_ADJUSTMENTS) throw new Error(`a request carries 1 to ${MAX_ADJUSTMENTS} adjustments, not ${items.length}`);
  const { customerId } = partsOf(access.destinationId);
  return adsRequest(access, `customers/${customerId}:uploadConversionAdjustments`, joinItems('{"conversionAdjustments":[', items, '],"partialFailure":true}'));
}

/** What an answer means. 200 also where every adjustment failed; then the partial failure tells which and why. */
export function readAdjustmentsReply(reply: InboundReply, sent: SentBatch): Verdict {
  const total = sent.groupSizes.reduce((sum, size) => sum + size, 0);
  if (reply.status >= 200 && reply.status < 300) return readSuccess(reply, sent, total);
  return verdictOf(readAdsError(reply), sent, total);
}

function readSuccess(reply: InboundReply, sent: SentBatch, total: number): Verdict {
  const body = asObject(readJson(reply.body));
  const { faults, requestId } = readFailure(asObject(body?.['partialFailureError']));
  const traceId = requestId ?? reply.headers['request-id'] ?? asText(body?.['jobId']);
  const results = asList(body?.['results']);
  const named = faultsByRow(faults, total);
  const unnamed = faults.find((fault) => fault.index === undefined || fault.index >= total);
  if (results.length === 0 && named.size === 0) {
    const said = unnamed === undefined ? unreadable(reply, traceId) : saidBy(unnamed, traceId);
    return { kind: 'retry', afterMs: undefined, ...said };
  }
  const rows = Array.from({ length: total }, (_, index) => named.get(index) ?? rowFault(index, results, unnamed)).filter((row) => row !== undefined);
  return setUpFault(rows, sent, total, traceId) ?? allDoubled(rows, total, traceId) ?? { kind: 'accepted', traceId, faults: rows.map(toItemFault), warnings: [], statusId: undefined };
}

/** Of a row that no fault names: a failed one is an empty object in the results, one that was taken repeats its key. */
function rowFault(index: number, results: readonly unknown[], unnamed: AdsFault | undefined): RowFault | undefined {
  // Without any results the named rows are all there is to go by.
  if (results.length === 0 && unnamed === undefined) return undefined;
  const isTaken = Object.keys(asObject(results[index]) ?? {}).length > 0;
  if (isTaken) return undefined;
  if (unnamed !== undefined) return { class: unnamed.class, index, code: unnamed.code, words: [unnamed.message] };
  return { class: 'retry', index, code: 'unacknowledged', words: ['Google Ads did not acknowledge this adjustment.'] };
}

interface RowFault {
  readonly class: AdsClass | undefined;
  readonly index: number;
  readonly code: string;
  readonly words: readonly string[];
}

/** The first code of a row and all its words. */
function faultsByRow(faults: readonly AdsFault[], total: number): ReadonlyMap<number, RowFault> {
  const rows = new Map<number, RowFault>();
  for (const { index, class: errorClass, code, message } of faults) {
    if (index === undefined || index >= total) continue;
    const known = rows.get(index);
    rows.set(index, known === undefined ? { index, class: errorClass, code, words: [message] } : { ...known, words: [...known.words, message] });
  }
  return rows;
}

const PASSING: ReadonlySet<AdsClass | undefined> = new Set(['later', 'doubled', 'retry', 'quota']);

function toItemFault({ class: errorClass, index, code, words }: RowFault): ItemFault {
  const retryable = PASSING.has(errorClass);
  return { index, code, message: maskedText(words.join('; ')) || code, retryable, ...(retryable && ADJUSTMENT_WAIT_MS[code] !== undefined && { afterMs: ADJUSTMENT_WAIT_MS[code] }) };
}

/**
 * Every row refused for the conversion action or the customer's settings: not the adjustments' fault. Where other rows were
 * taken, the refused ones stand alone instead: what was taken must not be sent again.
 */
function setUpFault(rows: readonly RowFault[], sent: SentBatch, total: number, traceId: string | undefined): Verdict | undefined {
  const first = rows[0];
  if (first === undefined || rows.length < total) return undefined;
  if (!rows.every((row) => row.class === 'destination' || row.class === 'account')) return undefined;
  const concern = rows.some((row) => row.class === 'account') ? 'account' : 'destination';
  return { kind: 'rejected_request', groups: allGroups(sent), concern, code: first.code, message: maskedText(first.words.join('; ')) || first.code, traceId };
}

/**
 * Nothing but adjustments that are there twice, none of which Google took: the next request would be the same, so they are cut
 * apart instead. Whether the first of two is taken is not documented; where it was, the other one just comes again.
 */
function allDoubled(rows: readonly RowFault[], total: number, traceId: string | undefined): Verdict | undefined {
  const first = rows[0];
  if (first === undefined || total === 1 || rows.length < total || !rows.every((row) => row.class === 'doubled')) return undefined;
  return { kind: 'too_large', code: first.code, message: maskedText(first.words.join('; ')) || first.code, traceId };
}

/**
 * A dead token holds the account, whose conversions need the same one. What only the Ads API misses must not stop them: they
 * go through another API, and need neither its scope nor its permissions.
 */
const HELD: Readonly<Partial<Record<AdsClass, { readonly refreshable: boolean }>>> = {
  refresh: { refreshable: true },
  reconnect: { refreshable: false },
};
const CONCERNS: Readonly<Partial<Record<AdsClass, 'destination' | 'account' | 'operator'>>> = {
  operator: 'operator',
  account: 'account',
  permission: 'account',
  grant: 'account',
  destination: 'destination',
  not_found: 'destination',
  duplicate: 'destination',
};

function verdictOf(error: AdsError, sent: SentBatch, total: number): Verdict {
  const said = saidBy(error, error.traceId);
  const held = HELD[error.class];
  if (held !== undefined) return { kind: 'unauthorised', ...held, ...said };
  const concern = CONCERNS[error.class];
  if (concern !== undefined) return { kind: 'rejected_request', groups: allGroups(sent), concern, ...said };
  if (error.class === 'too_large' || (error.class === 'doubled' && total > 1)) return { kind: 'too_large', ...said };
  if (error.class === 'invalid' || error.class === 'already') return rejected(error, total, said);
  if (error.class !== 'quota') return { kind: 'retry', afterMs: error.retryAfterMs, ...said };
  // A developer token's budget is shared by all its accounts; unnamed quotas are taken for that, which only waits longer.
  return { kind: 'rate_limited', scope: error.quotaScope === 'ACCOUNT' ? 'account' : 'app', cooldownMs: cooldownMs(error), ...said };
}

/** The rows that Google named; without any the request is split. */
function rejected(error: AdsError, total: number, said: Said): Verdict {
  const rows = [...faultsByRow(error.faults, total).values()].sort((one, other) => one.index - other.index);
  return { kind: 'rejected_events', indices: rows.map(({ index }) => index), faults: rows.map((row) => ({ ...toItemFault(row), retryable: false })), ...said };
}

function saidBy({ code, message }: Pick<AdsFault, 'code' | 'message'>, traceId: string | undefined): Said {
  return { code, message: maskedText(message) || code, traceId };
}

function unreadable(reply: InboundReply, traceId: string | undefined): Said {
  return { code: 'unreadable_reply', message: `Google Ads answered with status ${reply.status} but without results.`, traceId };
}

function allGroups({ groupSizes }: SentBatch): readonly number[] {
  return groupSizes.map((_, group) => group);
}
