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
    deliveries: plan.entries.map((entry) => deliveryOf(entry, input.chunksOf.get(entry.deliveryId) ?? [], config.apiId)),
    jobs: input.jobs,
    idem: plan.idempotency,
  };
  const index = config.eventIndexHours > 0 ? indexOf(lane, plan.entries, input.chunks, nowMs) : [];
  // The entries are JSON already, and by far the most of it.
  return `${JSON.stringify(rest).slice(0, -1)},"index":[${index.join()}]}`;
}

function deliveryOf(entry: PlannedRequest, chunks: readonly number[], apiId: string) {
  const { request, deliveryId, options } = entry;
  const fields: string[] = [
    'p', request.platform,
    'a', request.accountId,
    'd', request.destinationId,
    'n', String(request.eventsSubmitted),
    'rf', String(request.refused.length),
    'at', String(request.acceptedAtMs),
    'nm', joined(request.eventNames),
  ];
  const eventIds = 'events' in request ? rowEventIds(request) : request.rowEventIds;
  if (eventIds !== undefined) fields.push('ei', JSON.stringify(eventIds));
  if (request.conversationId !== undefined) fields.push('cv', request.conversationId);
  if (options.wantsReply) fields.push('rp', apiId);
  for (const [k, events] of chunks.entries()) fields.push(`c${k}`, `q|${events}|0|0|0||||`);
  const final = countAccepted(request) === 0;
  if (final) fields.push('dn', String(request.acceptedAtMs));
  return {
    id: deliveryId,
    log: request.accountId,
    fields,
    fails: request.refused.flatMap((failure) => [
      failure.eventIndex,
      JSON.stringify({ id: failure.eventId, code: failure.code, message: failure.message, refused: true }),
    ]),
    final,
  };
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
