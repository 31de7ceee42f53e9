import { countAccepted, type EnqueueOptions, type PackedChunk, type RequestFacts, type StorableRequest } from '@relay/delivery';
import type { EnqueueConfig } from './enqueue.ts';
import { EVENT_BUCKET_MS, eventField, keys, type Lane } from './keys.ts';
import { MAX_ROW_TEXT } from './limits.ts';
import { rowEventIds } from './pack.ts';
import { SAYS_MORE_LATER, sharedEntry, sharedPlace } from './shared-receipts.ts';

/** A request that is going to be stored, under the delivery id that it was given. */
export interface PlannedRequest {
  readonly request: StorableRequest;
  readonly deliveryId: string;
  readonly options: EnqueueOptions;
}

/** A chunk that is going to be stored; of several requests that share it, the first. */
export interface PlannedChunk {
  readonly request: RequestFacts;
  readonly packed: PackedChunk;
  /** A caller waits for the outcome of some of its events. */
  readonly awaited: boolean;
}

/** What one write stores. */
export interface PlannedWrite {
  readonly lane: Lane;
  readonly plan: { readonly entries: readonly PlannedRequest[]; readonly idempotency: readonly (readonly [string, string, number])[] };
  readonly chunks: readonly PlannedChunk[];
  /** Per delivery, the events of each of its chunks. */
  readonly chunksOf: ReadonlyMap<string, readonly number[]>;
  /** Per delivery whose chunks may be shared, the index of the job that has its first. */
  readonly jobOf: ReadonlyMap<string, number>;
  readonly jobs: readonly (readonly [string, string, number, number])[];
  readonly accepted: number;
  readonly config: EnqueueConfig;
}

/** The argument of accept.lua, JSON; its head says what each field is. */
export function acceptArguments(input: PlannedWrite): string {
  const { lane, plan, config } = input;
  const ttl = config.logRetentionDays * 86_400;
  const nowMs = config.now();
  let refused = 0;
  for (const { request } of plan.entries) refused += request.refused.length;
  const rest = {
    tag: lane.tag,
    prefix: keys.job(lane, ''),
    ttl: String(ttl),
    logMax: String(config.logMaxEntries),
    logMinId: String(Math.max(nowMs - ttl * 1000, 0)),
    evTtl: String((config.eventIndexHours + 1) * 3600),
    accepted: input.accepted,
    refused,
    ...receiptsOf(input),
    jobs: input.jobs,
    idem: plan.idempotency,
  };
  const index = config.eventIndexHours > 0 ? indexOf(lane, plan.entries, input.chunks, nowMs) : [];
  // The entries are JSON already, and by far the most of it.
  return `${JSON.stringify(rest).slice(0, -1)},"index":[${index.join()}]}`;
}

/** What receipts of one write have in common: the log that they stand in, and fields with their values in turn. */
interface Shape {
  readonly log: string;
  readonly fields: readonly string[];
}

/** Requests that share a write are mostly alike: what their receipts have in common is written, and read by Redis, once. */
function receiptsOf({ lane, plan, chunksOf, jobOf, config }: PlannedWrite) {
  const shapes: Shape[] = [];
  const known = new Map<string, number>();
  let shared: { readonly key: string; readonly fields: string[] } | undefined;
  const sharedShapes = new Map<number, string>();
  const deliveries = plan.entries.map((entry) => {
    const { request, deliveryId } = entry;
    const chunks = chunksOf.get(deliveryId) ?? [];
    const place = isPlain(entry, chunks) ? sharedPlace(lane.tag, deliveryId) : undefined;
    const fields = commonFields(entry, chunks, config.apiId);
    const text = JSON.stringify(fields);
    let s = known.get(text);
    if (s === undefined) {
      s = shapes.push({ log: request.accountId, fields }) - 1;
      known.set(text, s);
    }
    if (place === undefined) return { id: deliveryId, s, ...ownFields(entry) };
    shared ??= { key: place.key, fields: [] };
    sharedShapes.set(s, text);
    shared.fields.push(place.entry, sharedEntry(s, jobOf.get(deliveryId)!, request.acceptedAtMs, eventIdsOf(request)));
    return { id: deliveryId, s };
  });
  shared?.fields.push('open', String(shared.fields.length / 2), ...Array.from(sharedShapes, ([s, text]) => [`s${s}`, text]).flat());
  return { shapes, deliveries, shared };
}

/** Nothing is to be told of it alone: all of it is in one job, it is of no conversation, and the platform's answer is its last word. */
function isPlain({ request, options }: PlannedRequest, chunks: readonly number[]): boolean {
  if (SAYS_MORE_LATER.has(request.platform)) return false;
  return 'events' in request && chunks.length === 1 && request.refused.length === 0 && request.conversationId === undefined && options.once === undefined;
}

function commonFields({ request, options }: PlannedRequest, chunks: readonly number[], apiId: string): string[] {
  const fields = [
    'p', request.platform,
    'a', request.accountId,
    'd', request.destinationId,
    'n', String(request.eventsSubmitted),
    'rf', String(request.refused.length),
    'nm', joined(request.eventNames),
  ];
  if (options.wantsReply) fields.push('rp', apiId);
  for (const [k, events] of chunks.entries()) fields.push(`c${k}`, `q|${events}|0|0|0||||`);
  return fields;
}

function ownFields({ request }: PlannedRequest) {
  const f = ['at', String(request.acceptedAtMs)];
  const eventIds = eventIdsOf(request);
  if (eventIds !== undefined) f.push('ei', eventIds);
  if (request.conversationId !== undefined) f.push('cv', request.conversationId);
  if (request.refused.length === 0) return { f };
  const fails = request.refused.flatMap((failure) => [
    failure.eventIndex,
    JSON.stringify({ id: failure.eventId, code: failure.code, message: failure.message, refused: true }),
  ]);
  if (countAccepted(request) > 0) return { f, fails };
  f.push('dn', String(request.acceptedAtMs));
  return { f, fails, final: true };
}

function eventIdsOf(request: StorableRequest): string | undefined {
  const eventIds = 'events' in request ? rowEventIds(request) : request.rowEventIds;
  return eventIds && JSON.stringify(eventIds);
}

/** Names in one short text; long ones are cut, so that a receipt stays in Redis' compact encoding. */
function joined(names: readonly string[]): string {
  let text = '';
  for (const name of names) {
    const next = text === '' ? name.slice(0, MAX_ROW_TEXT) : `${text}\n${name}`;
    if (next.length > MAX_ROW_TEXT) break;
    text = next;
  }
  return text;
}

/** Event id → delivery, index and chunk (refused events have none), in the bucket of this hour, one for each account. */
function indexOf(lane: Lane, entries: readonly PlannedRequest[], chunks: readonly PlannedChunk[], nowMs: number): string[] {
  const bucket = Math.floor(nowMs / EVENT_BUCKET_MS);
  const byAccount = new Map<string, string[]>();
  const add = (account: string, some: string) => {
    if (some === '') return;
    const list = byAccount.get(account);
    if (list === undefined) byAccount.set(account, [some]);
    else list.push(some);
  };
  for (const { request, packed } of chunks) add(request.accountId, packed.index);
  for (const { request, deliveryId } of entries) {
    if (request.kind === 'adjustment') continue;
    const refused = request.refused.flatMap(({ eventId, eventIndex }) => [eventField(eventId), `${deliveryId}:${eventIndex.toString(36)}`]);
    add(request.accountId, JSON.stringify(refused).slice(1, -1));
  }
  return Array.from(byAccount, ([account, list]) => `{"key":${JSON.stringify(keys.eventIndex(lane.tag, account, bucket))},"entries":[${list.join()}]}`);
}
