import { RelayError, type PlatformId } from '@relay/contract';
import type { Delivery, DeliveryStatus, DeliveryStore, EventState, Page } from '@relay/delivery';
import { orUnavailable, type RedisConnection } from './connect.ts';
import { EVENT_BUCKET_MS, eventField, keys, type Lanes } from './keys.ts';
import { readChunks, readFailures, readReceipt, type Receipt, type StoredFailure } from './receipt.ts';
import type { Replies } from './replies.ts';

/** How often a waiting request looks at its receipt by itself, in case the wake-up got lost. */
const POLL_MS = 1_000;
/** Log rows looked at for one page when a status filter leaves most of them out. */
const MAX_SCANNED_ROWS = 5_000;
const DELIVERY_ID = /^dlv_[0-9a-z]{10,40}(_[a-z]+\.\d{1,4})?$/;

export interface DeliveriesDeps {
  readonly connection: RedisConnection;
  readonly lanes: Lanes;
  readonly replies: Replies;
  readonly eventIndexHours: number;
  readonly now: () => number;
}

export function createDeliveryStore(deps: DeliveriesDeps): DeliveryStore {
  const { connection, lanes } = deps;

  const receiptOf = async (deliveryId: string): Promise<Receipt | undefined> => {
    if (!DELIVERY_ID.test(deliveryId)) return undefined;
    const receipt = await connection.hgetall(keys.receipt(lanes.ofDelivery(deliveryId), deliveryId));
    return receipt['p'] === undefined ? undefined : receipt;
  };

  return {
    get: (deliveryId) =>
      orUnavailable(async () => {
        const receipt = await receiptOf(deliveryId);
        const delivery = receipt && readReceipt(deliveryId, receipt);
        if (delivery === undefined) return undefined;
        const failures =
          delivery.eventsFailed === 0 ? {} : await connection.hgetall(keys.failures(lanes.ofDelivery(deliveryId), deliveryId));
        return { ...delivery, failures: readFailures(failures), chunks: readChunks(receipt!) };
      }),

    recent: (query) => orUnavailable(() => recent(deps, query)),

    event: (accountId, platform, eventId) => orUnavailable(() => findEvent(deps, accountId, platform, eventId)),

    async waitFor(deliveryId, timeoutMs, signal) {
      const deadline = deps.now() + timeoutMs;
      for (;;) {
        const leftMs = deadline - deps.now();
        if (leftMs <= 0 || signal?.aborted) return;
        // Asked for the wake-up first, so that one between the look and the wait is not missed.
        const woken = deps.replies.wait(deliveryId, Math.min(leftMs, POLL_MS), signal);
        const receipt = await orUnavailable(() => receiptOf(deliveryId));
        if (receipt === undefined || readReceipt(deliveryId, receipt)?.eventsPending === 0) return;
        await woken;
      }
    },
  };
}

/** Rows of all lanes of the platform, newest first. The cursor is the stream id below which to go on. */
async function recent(
  { connection, lanes }: DeliveriesDeps,
  query: { accountId: string; platform: PlatformId; limit: number; cursor: string | undefined; status: DeliveryStatus | undefined },
): Promise<Page<Delivery>> {
  if (query.cursor !== undefined && !/^\d{1,16}-\d{1,20}$/.test(query.cursor)) {
    throw new RelayError('invalid_cursor', 'cursor is not one that this listing gave; start again without it.', { param: 'cursor' });
  }
  const rows: Delivery[] = [];
  let before = query.cursor;
  let scanned = 0;
  while (rows.length < query.limit && scanned < MAX_SCANNED_ROWS) {
    const want = query.status === undefined ? query.limit - rows.length : 200;
    const page = await logPage(connection, lanes, query, before, want);
    if (page.length === 0) return { rows, nextCursor: undefined };
    const receipts = await readMany(connection, page.map(([, deliveryId]) => keys.receipt(lanes.ofDelivery(deliveryId), deliveryId)));
    for (const [i, [id, deliveryId]] of page.entries()) {
      before = id;
      scanned += 1;
      const delivery = readReceipt(deliveryId, receipts[i]!);
      if (delivery !== undefined && (query.status === undefined || delivery.status === query.status)) rows.push(delivery);
      if (rows.length === query.limit) break;
    }
    if (page.length < want && rows.length < query.limit) return { rows, nextCursor: undefined };
  }
  return { rows, nextCursor: before };
}

/** The newest `count` entries below `before` over all lanes: [stream id, delivery id]. */
async function logPage(
  connection: RedisConnection,
  lanes: Lanes,
  query: { accountId: string; platform: PlatformId },
  before: string | undefined,
  count: number,
): Promise<[string, string][]> {
  const end = before === undefined ? '+' : `(${before}`;
  const perLane = await Promise.all(
    lanes.of(query.platform).map((lane) => connection.xrevrange(keys.log(lane.tag, query.accountId), end, '-', 'COUNT', count)),
  );
  return perLane
    .flat()
    .map(([id, fields]): [string, string] => [id, fields[1]!])
    .sort(([a], [b]) => compareStreamIds(b, a))
    .slice(0, count);
}

function compareStreamIds(a: string, b: string): number {
  const [aMs, aSeq] = a.split('-');
  const [bMs, bSeq] = b.split('-');
  return Number(aMs) - Number(bMs) || Number(aSeq) - Number(bSeq);
}

/** Single commands in one write: unlike a pipeline this also works across the slots of a cluster. */
function readMany(connection: RedisConnection, hashKeys: readonly string[]): Promise<Receipt[]> {
  return Promise.all(hashKeys.map((key) => connection.hgetall(key)));
}

async function findEvent(deps: DeliveriesDeps, accountId: string, platform: PlatformId, eventId: string): Promise<EventState[]> {
  const { connection, lanes } = deps;
  const bucket = Math.floor(deps.now() / EVENT_BUCKET_MS);
  const field = eventField(eventId);
  const lookups: Promise<string | null>[] = [];
  for (let age = 0; age <= deps.eventIndexHours; age += 1) {
    for (const lane of lanes.of(platform)) lookups.push(connection.hget(keys.eventIndex(lane.tag, accountId, bucket - age), field));
  }
  const entries = (await Promise.all(lookups)).flatMap((value) => (value === null ? [] : value.split(',')));
  const states = await Promise.all(
    entries.map(async (entry): Promise<EventState | undefined> => {
      const [deliveryId, index36, chunk36] = entry.split(':');
      const tag = lanes.ofDelivery(deliveryId!);
      const eventIndex = parseInt(index36!, 36);
      const [receipt, failureText] = await Promise.all([
        connection.hgetall(keys.receipt(tag, deliveryId!)),
        connection.hget(keys.failures(tag, deliveryId!), String(eventIndex)),
      ]);
      const delivery = readReceipt(deliveryId!, receipt);
      if (delivery === undefined || delivery.accountId !== accountId) return undefined;
      const failure = failureText === null ? undefined : (JSON.parse(failureText) as StoredFailure);
      return {
        deliveryId: deliveryId!,
        eventIndex,
        destinationId: delivery.destinationId,
        status: failure === undefined ? openStatus(delivery, receipt, parseInt(chunk36 ?? '0', 36)) : failure.refused === true ? 'refused' : 'dead',
        code: failure?.code,
        message: failure?.message,
        acceptedAtMs: delivery.acceptedAtMs,
      };
    }),
  );
  return states.filter((state) => state !== undefined).sort((a, b) => b.acceptedAtMs - a.acceptedAtMs);
}

/**
 * The state of an event that has not failed is its chunk's. While some events of a chunk are settled and others are not,
 * the settled ones read as retrying too, until the chunk is done: which are which is known to the queue, not to the receipt.
 */
function openStatus(delivery: Delivery, receipt: Receipt, chunk: number): EventState['status'] {
  if (delivery.eventsPending === 0) return 'delivered';
  const status = readChunks(receipt)[chunk]?.status ?? 'queued';
  return status === 'partial' ? 'delivered' : status;
}
