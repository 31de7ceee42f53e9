import { isPlatformId, type GroupStatus, type PlatformStatus } from '@relay/contract';
import type { ChunkState, Delivery, DeliveryStatus, Failure } from '@relay/delivery';

/**
 * A receipt is one hash a delivery, with short field names since there are millions of them:
 * p platform, a account, d destination, n submitted, rf refused at ingest, ok delivered, dd dead, at accepted (ms), dn done (ms),
 * nm event names, ei event ids (small requests), cv conversation, tr trace id, tc attempts, rp reply channel, rpl replays,
 * ps:<status id> what the platform said later of that request, 'processing' before it was asked,
 * c<k> chunk k: state|events|delivered|dead|attempts|last attempt ms|request ms|trace id|code, m<k> its last message.
 * Written by accept.lua and settle.lua, read here. While there is nothing to tell of it alone it may be in a hash with others (shared-receipts.ts).
 */
export type Receipt = Readonly<Record<string, string>>;

const CHUNK_STATES = { q: 'queued', r: 'retrying', h: 'held', d: 'delivered', p: 'partial', x: 'dead' } as const;

export function readChunks(receipt: Receipt): ChunkState[] {
  const chunks: ChunkState[] = [];
  for (let k = 0; ; k += 1) {
    const text = receipt[`c${k}`];
    if (text === undefined) return chunks;
    const [state, events, , , attempts, last, tookMs, traceId, ...code] = text.split('|');
    chunks.push({
      chunk: k,
      events: Number(events),
      status: CHUNK_STATES[state as keyof typeof CHUNK_STATES] ?? 'queued',
      attempts: Number(attempts),
      traceId: traceId || undefined,
      lastAttemptAtMs: last ? Number(last) : undefined,
      durationMs: tookMs ? Number(tookMs) : undefined,
      code: code.join('|') || undefined,
      // What went wrong on the way is no more the state of what arrived in full.
      message: state === 'd' ? undefined : receipt[`m${k}`],
    });
  }
}

/** Events of held chunks that have no final answer. */
function heldEvents(receipt: Receipt): number {
  let held = 0;
  for (let k = 0; ; k += 1) {
    const text = receipt[`c${k}`];
    if (text === undefined) return held;
    const [state, events, delivered, dead] = text.split('|');
    if (state === 'h') held += Number(events) - Number(delivered) - Number(dead);
  }
}

/** `undefined` when the hash is not a receipt (or not there). */
export function readReceipt(deliveryId: string, receipt: Receipt): Delivery | undefined {
  const platform = receipt['p'];
  if (platform === undefined || !isPlatformId(platform)) return undefined;
  const number = (field: string) => Number(receipt[field] ?? 0);
  const submitted = number('n');
  const failed = number('dd') + number('rf');
  const received = number('ok');
  const pending = submitted - failed - received;
  const chunks = readChunks(receipt);
  const acceptedAtMs = number('at');
  const finishedAtMs = receipt['dn'] === undefined ? undefined : number('dn');
  const statuses = Object.entries(receipt)
    .filter(([field]) => field.startsWith('ps:'))
    .map(([, text]) => JSON.parse(text) as GroupStatus);
  return {
    deliveryId,
    platform,
    accountId: receipt['a'] ?? '',
    destinationId: receipt['d'] ?? '',
    status: statusOf(pending, received, failed, chunks),
    eventsSubmitted: submitted,
    eventsReceived: received,
    eventsFailed: failed,
    eventsPending: pending,
    eventsHeld: heldEvents(receipt),
    traceId: receipt['tr'] || undefined,
    attempts: number('tc'),
    acceptedAtMs,
    finishedAtMs,
    durationMs: finishedAtMs === undefined ? undefined : Math.max(finishedAtMs - acceptedAtMs, 0),
    eventNames: (receipt['nm'] ?? '').split('\n').filter(Boolean),
    conversationId: receipt['cv'],
    eventIds: receipt['ei'] === undefined ? undefined : (JSON.parse(receipt['ei']) as string[]),
    platformStatus: combineStatus(statuses, pending > 0),
    platformStatusDetails: statuses.length === 0 ? undefined : statuses,
    replays: number('rpl'),
  };
}

/**
 * Several requests of one delivery make one status: still processing if any is, partial if they differ.
 * @param more whether events of it have yet to be sent.
 */
export function combineStatus(groups: readonly GroupStatus[], more: boolean): PlatformStatus | undefined {
  if (groups.length === 0) return undefined;
  const kinds = new Set(groups.map((group) => group.status));
  if (more || kinds.has('processing')) return 'processing';
  return kinds.size === 1 ? groups[0]!.status : 'partial_success';
}

function statusOf(pending: number, received: number, failed: number, chunks: readonly ChunkState[]): DeliveryStatus {
  if (pending > 0) {
    if (chunks.some((chunk) => chunk.status === 'held')) return 'held';
    return chunks.some((chunk) => chunk.status === 'retrying') ? 'retrying' : 'queued';
  }
  if (failed === 0) return 'delivered';
  return received === 0 ? 'failed' : 'partial';
}

/** What the failures hash keeps of one event. */
export interface StoredFailure {
  readonly id: string;
  readonly code: string | number;
  readonly message: string;
  /** Refused at ingest: it never was in the queue. */
  readonly refused?: boolean;
}

export function readFailures(hash: Receipt): Failure[] {
  return Object.entries(hash)
    .map(([index, text]) => {
      const { id, code, message } = JSON.parse(text) as StoredFailure;
      return { eventIndex: Number(index), eventId: id, code, message };
    })
    .sort((a, b) => a.eventIndex - b.eventIndex);
}
