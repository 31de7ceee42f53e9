import type { PlatformId } from '@relay/contract';
import type { RedisConnection } from './connect.ts';
import { keys } from './keys.ts';
import type { Receipt } from './receipt.ts';

/*
 * Receipts of requests that share a write share a hash too, as long as nothing is to be told of one alone: each is one short field
 * instead of a hash of its own, and a job that is taken whole is one more field for all of its requests. As soon as one of
 * them is retried, held, dead or asked about later, settle.lua gives it a hash of its own and takes it out of here.
 *
 * Fields of `keys.sharedReceipts`:
 * `<entry>` (three characters): shape|job|accepted at (ms)|event ids (JSON, small requests);
 * `s<shape>`: fields and values that receipts have in common, as a JSON list (receipt.ts says which there are);
 * `o<job>`, once a job was taken whole: attempts|done at (ms)|request ms|trace id (where the platform gives one)|code;
 * `open`: entries without a final answer.
 */

/** Where a receipt is in a shared hash. */
export type SharedPlace = { readonly key: string; readonly entry: string };

/** So many requests in a write share; of fewer each has a hash of its own, which is read in one step. */
export const MIN_SHARED = 8;

/** Platforms that say more of every request later: each receipt would get a hash of its own at once, which costs more than to begin with it. */
export const SAYS_MORE_LATER: ReadonlySet<PlatformId> = new Set(['googleads']);

/** Delivery ids of a write: what all of them begin with, the entry, the lane. An entry is below `MAX_GROUP_REQUESTS`, so that no other field looks like one. */
const SHARED_ID = /^dlv_([0-9a-z]{20})([01][0-9a-z]{2})(?:_|$)/;
const GROUP_LENGTH = 'dlv_'.length + 20;
const ENTRY_LENGTH = 3;

/** The id of the `n`th delivery of a write, made from an id that `newDeliveryId` gave: its receipt is found by that alone. */
export function sharedDeliveryId(deliveryId: string, n: number): string {
  return `${deliveryId.slice(0, GROUP_LENGTH)}${n.toString(36).padStart(ENTRY_LENGTH, '0')}${deliveryId.slice(GROUP_LENGTH)}`;
}

/** Where the receipt is while it is shared; `undefined` where it has had a hash of its own from the start. */
export function sharedPlace(tag: string, deliveryId: string): SharedPlace | undefined {
  const match = SHARED_ID.exec(deliveryId);
  return match === null ? undefined : { key: keys.sharedReceipts(tag, match[1]!), entry: match[2]! };
}

/** The text of an entry. */
export function sharedEntry(shape: number, job: number, acceptedAtMs: number, eventIds: string | undefined): string {
  return `${shape}|${job}|${acceptedAtMs}|${eventIds ?? ''}`;
}

/** A delivery's receipt, empty when there is none. Its own hash is read last: what is taken out of the shared one is there by then. */
export async function receiptOf(connection: RedisConnection, tag: string, deliveryId: string): Promise<Receipt> {
  return (await sharedReceipt(connection, tag, deliveryId)) ?? connection.hgetall(keys.receipt(tag, deliveryId));
}

async function sharedReceipt(connection: RedisConnection, tag: string, deliveryId: string): Promise<Receipt | undefined> {
  const place = sharedPlace(tag, deliveryId);
  const text = place && (await connection.hget(place.key, place.entry));
  if (text === undefined || text === null) return undefined;
  const [shape, job, at, ...eventIds] = text.split('|');
  const [fields, outcome] = await connection.hmget(place!.key, `s${shape}`, `o${job}`);
  if (fields === null || fields === undefined) return undefined; // it ended meanwhile
  const receipt = { ...fromList(JSON.parse(fields) as string[]), at: at!, ...(eventIds[0] !== '' && { ei: eventIds.join('|') }) };
  return outcome === null || outcome === undefined ? receipt : { ...receipt, ...takenWhole(receipt, outcome) };
}

function fromList(list: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < list.length; i += 2) fields[list[i]!] = list[i + 1]!;
  return fields;
}

/** What settle.lua would have written to a receipt of its own. */
function takenWhole(receipt: Receipt, outcome: string): Receipt {
  const [attempts, doneMs, requestMs, traceId, ...code] = outcome.split('|') as [string, string, string, string, ...string[]];
  const n = receipt['n']!;
  return { ok: n, dd: '0', c0: ['d', n, n, '0', attempts, doneMs, requestMs, traceId, code.join('|')].join('|'), ...(traceId !== '' && { tr: traceId }), tc: attempts, dn: doneMs };
}
