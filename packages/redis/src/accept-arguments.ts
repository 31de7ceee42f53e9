import { countAccepted, type EnqueueOptions, type PackedChunk, type RequestFacts, type StorableRequest } from '@relay/delivery';
import type { EnqueueConfig } from './enqueue.ts';
import { EVENT_BUCKET_MS, eventField, keys, type Lane } from './keys.ts';
import { MAX_ROW_TEXT } from './limits.ts';
import { rowEventIds } from './pack.ts';

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

/** The argument of accept.lua, JSON; its head says what each field is. */
export function acceptArguments(input: {
  lane: Lane;
  plan: { entries: readonly PlannedRequest[]; idempotency: readonly (readonly [string, string, number])[] };
  chunks: readonly PlannedChunk[];
  /** Per delivery, the events of each of its chunks. */
  chunksOf: ReadonlyMap<string, readonly number[]>;
  jobs: readonly (readonly [string, string, number, number])[];
  accepted: number;
  config: EnqueueConfig;
}): string {
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
    ...receiptsOf(plan.entries, input.chunksOf, config.apiId),
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
function receiptsOf(entries: readonly PlannedRequest[], chunksOf: ReadonlyMap<string, readonly number[]>, apiId: string) {
  const shapes: Shape[] = [];
  const known = new Map<string, number>();
  const deliveries = entries.map((entry) => {
    const fields = commonFields(entry, chunksOf.get(entry.deliveryId) ?? [], apiId);
    const text = JSON.stringify(fields);
    let s = known.get(text);
    if (s === undefined) {
      s = shapes.push({ log: entry.request.accountId, fields }) - 1;
      known.set(text, s);
    }
    return { id: entry.deliveryId, s, ...ownFields(entry) };
  });
  return { shapes, deliveries };
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
  const eventIds = 'events' in request ? rowEventIds(request) : request.rowEventIds;
  if (eventIds !== undefined) f.push('ei', JSON.stringify(eventIds));
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
