import { RelayError, type PlatformId } from '@relay/contract';
import type { Delivery, DeliveryStatus, DeliveryStore, EventState, Page } from '@relay/delivery';
import { orUnavailable, type RedisConnection } from './connect.ts';
import { EVENT_BUCKET_MS, eventField, keys, type Lanes } from './keys.ts';
import { readChunks, readFailures, readReceipt, type Receipt, type StoredFailure } from './receipt.ts';
import type { Replies } from './replies.ts';
import { receiptOf } from './shared-receipts.ts';

/** The wake-up of a waiting request may get lost. */
const REPLY_POLL_MS = 1_000;
/** Log rows looked at for one page when a status filter leaves most of them out. */
const MAX_SCANNED_ROWS = 5_000;
const DELIVERY_ID = /^dlv_[0-9a-z]{10,40}(_[a-z]+\.\d{1,4})?$/;

/** What the delivery store works with. */
export interface DeliveriesDeps {
  readonly connection: RedisConnection;
  readonly lanes: Lanes;
  readonly replies: Replies;
  readonly eventIndexHours: number;
  /** Rows that an account's listing has at most. */
  readonly logMaxEntries: number;
  /** How often a waiting request looks at its receipt by itself; default 1 s. */
  readonly replyPollMs?: number | undefined;
  readonly now: () => number;
}

/** Reads receipts, the log and the event index. */
export function createDeliveryStore(deps: DeliveriesDeps): DeliveryStore {
  const { connection, lanes, replyPollMs = REPLY_POLL_MS } = deps;

  const lookUp = async (deliveryId: string): Promise<Receipt | undefined> => {
    if (!DELIVERY_ID.test(deliveryId)) return undefined;
    const receipt = await receiptOf(connection, lanes.ofDelivery(deliveryId), deliveryId);
    return receipt['p'] === undefined ? undefined : receipt;
  };

  return {
    get: (deliveryId) =>
      orUnavailable(async () => {
        const receipt = await lookUp(deliveryId);
        const delivery = receipt && readReceipt(deliveryId, receipt);
        if (delivery === undefined) return undefined;
        const failures =
          delivery.eventsFailed === 0 ? {} : await connection.hgetall(keys.failures(lanes.ofDelivery(deliveryId), deliveryId));
        return { ...delivery, failures: readFailures(failures), chunks: readChunks(receipt!) };
      }),

    recent: (query) => orUnavailable(() => recent(deps, query)),

    event: (accountId, platform, eventId) => orUnavailable(() => findEvent(deps, accountId, platform, eventId)),

    async waitFor(deliveryId, timeoutMs, signal, isNew = false) {
      const deadline = deps.now() + timeoutMs;
      for (let look = !isNew; ; look = true) {
        const leftMs = deadline - deps.now();
        if (leftMs <= 0 || signal?.aborted) return undefined;
        // Asked for the wake-up first, so that one between the look and the wait is not missed.
        const wait = deps.replies.wait(deliveryId, Math.min(leftMs, replyPollMs), signal);
        try {
          const receipt = look ? await orUnavailable(() => lookUp(deliveryId)) : undefined;
          if (look && (receipt === undefined || readReceipt(deliveryId, receipt)?.eventsPending === 0)) return undefined;
          const whole = await wait.woken;
          if (whole !== undefined) return whole;
        } finally {
          wait.cancel();
        }
      }
    },
  };
}

/** Where a listing goes on: below this entry of the log. Entries of several lanes may have the same stream id. */
interface Position {
  readonly id: string;
  readonly lane: number;
}

/** Where a page begins: below this entry, `seen` entries down the log. */
interface Start {
  readonly below: Position | undefined;
  readonly seen: number;
}

/** `<stream id>.<lane number>.<entries down to this one>`. */
function readCursor(cursor: string | undefined): Start {
  if (cursor === undefined) return { below: undefined, seen: 0 };
  const match = /^(\d{1,15}-\d{1,19})\.(\d{1,4})\.(\d{1,12})$/.exec(cursor);
  if (match === null || /^0+-0+$/.test(match[1]!)) {
    throw new RelayError('invalid_cursor', 'cursor is not one that this listing gave; start again without it.', { param: 'cursor' });
  }
  return { below: { id: match[1]!, lane: Number(match[2]) }, seen: Number(match[3]) };
}

/**
 * Rows of all lanes of the platform, newest first. Each lane's log is trimmed by itself, and by whole nodes; where the
 * account's listing ends is counted here, so that adding a row stays cheap.
 */
async function recent(
  { connection, lanes, logMaxEntries }: DeliveriesDeps,
  query: { accountId: string; platform: PlatformId; limit: number; cursor: string | undefined; status: DeliveryStatus | undefined },
): Promise<Page<Delivery>> {
  const rows: Delivery[] = [];
  const start = readCursor(query.cursor);
  let before = start.below;
  let scanned = 0;
  const left = () => Math.max(logMaxEntries - start.seen - scanned, 0);
  while (rows.length < query.limit && scanned < MAX_SCANNED_ROWS) {
    const want = Math.min(query.status === undefined ? query.limit - rows.length : 200, left());
    const page = await logPage(connection, lanes, query, before, want);
    if (page.length === 0) return { rows, nextCursor: undefined };
    // Single commands in one write: unlike a pipeline this also works across the slots of a cluster.
    const receipts = await Promise.all(page.map(({ deliveryId }) => receiptOf(connection, lanes.ofDelivery(deliveryId), deliveryId)));
    for (const [i, entry] of page.entries()) {
      before = entry;
      scanned += 1;
      const delivery = readReceipt(entry.deliveryId, receipts[i]!);
      if (isWanted(delivery, query.status)) rows.push(delivery);
      if (rows.length === query.limit) break;
    }
    if (page.length < want && rows.length < query.limit) return { rows, nextCursor: undefined };
  }
  return { rows, nextCursor: before === undefined || left() === 0 ? undefined : `${before.id}.${before.lane}.${start.seen + scanned}` };
}

function isWanted(delivery: Delivery | undefined, status: DeliveryStatus | undefined): delivery is Delivery {
  return delivery !== undefined && (status === undefined || delivery.status === status);
}

interface LogEntry extends Position {
  readonly deliveryId: string;
}

/** The newest `count` entries below `before` over all lanes; of those with the same stream id the lower lane's first. */
async function logPage(
  connection: RedisConnection,
  lanes: Lanes,
  query: { accountId: string; platform: PlatformId },
  before: Position | undefined,
  count: number,
): Promise<LogEntry[]> {
  if (count === 0) return [];
  const perLane = await Promise.all(
    lanes.of(query.platform).map(async ({ tag }, lane) => {
      const end = before === undefined ? '+' : lane <= before.lane ? `(${before.id}` : before.id;
      const entries = await connection.xrevrange(keys.log(tag, query.accountId), end, '-', 'COUNT', count);
      return entries.map(([id, fields]): LogEntry => ({ id, lane, deliveryId: fields[1]! }));
    }),
  );
  return perLane
    .flat()
    .sort((a, b) => compareStreamIds(b.id, a.id) || a.lane - b.lane)
    .slice(0, count);
}

function compareStreamIds(a: string, b: string): number {
  const [aMs, aSeq] = a.split('-');
  const [bMs, bSeq] = b.split('-');
  return Number(aMs) - Number(bMs) || Number(aSeq) - Number(bSeq);
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
        receiptOf(connection, tag, deliveryId!),
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
