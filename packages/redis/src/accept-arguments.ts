import type { EnqueueOptions } from '@relay/delivery';
import { countOf, type Chunk, type Entry } from './chunks.ts';
import type { EnqueueConfig } from './enqueue.ts';
import { EVENT_BUCKET_MS, eventField, keys, type Lane } from './keys.ts';
import { MAX_ROW_EVENT_IDS, MAX_ROW_TEXT } from './limits.ts';

/** The argument of accept.lua; its head says what each field is. */
export function acceptArguments(input: {
  lane: Lane;
  plan: { entries: readonly (Entry & { options: EnqueueOptions })[]; idempotency: readonly (readonly [string, string, number])[] };
  chunks: readonly Chunk[];
  chunksOf: ReadonlyMap<string, readonly number[]>;
  jobs: readonly (readonly [string, string, number, number])[];
  accepted: number;
  config: EnqueueConfig;
}): unknown {
  const { lane, plan, config } = input;
  const ttl = config.logRetentionDays * 86_400;
  const nowMs = config.now();
  let refused = 0;
  for (const { request } of plan.entries) refused += request.refused.length;
  return {
    tag: lane.tag,
    prefix: keys.job(lane, ''),
    ttl,
    logMax: config.logMaxEntries,
    logMinId: Math.max(nowMs - ttl * 1000, 0),
    evTtl: (config.eventIndexHours + 1) * 3600,
    accepted: input.accepted,
    refused,
    deliveries: plan.entries.map((entry) => deliveryOf(entry, input.chunksOf.get(entry.deliveryId) ?? [], config.apiId)),
    jobs: input.jobs,
    index: config.eventIndexHours > 0 ? indexOf(lane, plan.entries, input.chunks, nowMs) : [],
    idem: plan.idempotency,
  };
}

function deliveryOf(entry: Entry & { options: EnqueueOptions }, chunks: readonly number[], apiId: string) {
  const { request, deliveryId, options } = entry;
  const fields: (string | number)[] = [
    'p', request.platform,
    'a', request.accountId,
    'd', request.destinationId,
    'n', request.eventsSubmitted,
    'rf', request.refused.length,
    'at', request.acceptedAtMs,
    'nm', joined(request.eventNames),
  ];
  if (request.eventsSubmitted <= MAX_ROW_EVENT_IDS) {
    const submitted = [...request.events, ...request.refused.map(({ eventIndex, eventId }) => ({ index: eventIndex, eventId }))];
    fields.push('ei', JSON.stringify(submitted.sort((a, b) => a.index - b.index).map(({ eventId }) => eventId)));
  }
  if (request.conversationId !== undefined) fields.push('cv', request.conversationId);
  if (options.wantsReply) fields.push('rp', apiId);
  for (const [k, events] of chunks.entries()) fields.push(`c${k}`, `q|${events}|0|0|0||||`);
  const final = request.events.length === 0;
  if (final) fields.push('dn', request.acceptedAtMs);
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
function indexOf(lane: Lane, entries: readonly Entry[], chunks: readonly Chunk[], nowMs: number) {
  const bucket = Math.floor(nowMs / EVENT_BUCKET_MS);
  const byAccount = new Map<string, string[]>();
  const listOf = (account: string): string[] => {
    let list = byAccount.get(account);
    if (list === undefined) byAccount.set(account, (list = []));
    return list;
  };
  for (const chunk of chunks) {
    // An adjustment goes by its order, which is the id of another event.
    if (chunk.request.kind === 'adjustment') continue;
    const list = listOf(chunk.request.accountId);
    let at = 0;
    for (const part of chunk.parts) {
      const suffix = `:${part.k.toString(36)}`;
      for (const end = at + countOf(part); at < end; at += 1) {
        const event = chunk.events[at]!;
        list.push(eventField(event.eventId), `${part.d}:${event.index.toString(36)}${suffix}`);
      }
    }
  }
  for (const { request, deliveryId } of entries) {
    if (request.kind === 'adjustment' || request.refused.length === 0) continue;
    const list = listOf(request.accountId);
    for (const event of request.refused) list.push(eventField(event.eventId), `${deliveryId}:${event.eventIndex.toString(36)}`);
  }
  return [...byAccount].map(([account, list]) => ({ key: keys.eventIndex(lane.tag, account, bucket), entries: list }));
}
