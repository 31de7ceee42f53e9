import { countAccepted, type DeliveryDetails, type DeliveryStore, type Enqueue, type EventState, type StorableRequest } from '@relay/delivery';
import { RelayError } from '@relay/contract';
import { T0 } from './fake-accounts.ts';

export function aDelivery(over: Partial<DeliveryDetails> & Pick<DeliveryDetails, 'deliveryId'>): DeliveryDetails {
  return {
    platform: 'metaads',
    accountId: 'acc_meta',
    destinationId: '123',
    status: 'delivered',
    eventsSubmitted: 1,
    eventsReceived: 1,
    eventsFailed: 0,
    eventsPending: 0,
    eventsHeld: 0,
    traceId: 'trace_1',
    attempts: 1,
    acceptedAtMs: T0,
    finishedAtMs: T0 + 120,
    durationMs: 120,
    eventNames: ['Purchase'],
    conversationId: undefined,
    eventIds: ['order_1'],
    platformStatus: undefined,
    platformStatusDetails: undefined,
    replays: 0,
    failures: [],
    chunks: [{ chunk: 0, events: 1, status: 'delivered', attempts: 1, traceId: 'trace_1', lastAttemptAtMs: T0 + 100, durationMs: 80, code: undefined, message: undefined }],
    ...over,
  };
}

export interface FakeDeliveries extends DeliveryStore {
  readonly rows: Map<string, DeliveryDetails>;
  readonly events: Map<string, readonly EventState[]>;
  readonly enqueue: Enqueue;
  readonly requests: StorableRequest[];
  readonly waits: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined }[];
  /** Gives a delivery its final answer and wakes who waits for it. */
  finish(deliveryId: string, over?: Partial<DeliveryDetails>): void;
  /** What a delivery becomes as soon as it is queued; `undefined`: it stays queued. */
  onEnqueue: ((request: StorableRequest) => Partial<DeliveryDetails>) | undefined;
}

export function fakeDeliveries(): FakeDeliveries {
  const rows = new Map<string, DeliveryDetails>();
  const events = new Map<string, readonly EventState[]>();
  const byKey = new Map<string, { readonly deliveryId: string; readonly bodyHash: string }>();
  const waiting = new Map<string, (() => void)[]>();
  const fake: FakeDeliveries = {
    rows,
    events,
    requests: [],
    waits: [],
    onEnqueue: () => ({}),
    finish(deliveryId, over = {}) {
      rows.set(deliveryId, { ...rows.get(deliveryId)!, status: 'delivered', ...over });
      for (const wake of waiting.get(deliveryId) ?? []) wake();
    },
    async enqueue(request, { idempotency }) {
      const key = idempotency === undefined ? undefined : `${idempotency.scope} ${idempotency.key}`;
      const before = key === undefined ? undefined : byKey.get(key);
      if (before !== undefined) return before.bodyHash === idempotency?.bodyHash ? { kind: 'repeated', deliveryId: before.deliveryId } : { kind: 'key_reused' };
      const deliveryId = 'deliveryId' in request ? request.deliveryId : `dlv_${rows.size + 1}`;
      if (key !== undefined) byKey.set(key, { deliveryId, bodyHash: idempotency!.bodyHash });
      fake.requests.push(request);
      const { platform, accountId, destinationId, refused, eventNames } = request;
      const base = { deliveryId, platform, accountId, destinationId, eventNames: [...eventNames], eventsSubmitted: request.eventsSubmitted, failures: refused, eventsFailed: refused.length, eventIds: 'events' in request ? request.events.map((event) => event.eventId) : undefined };
      const accepted = countAccepted(request);
      const isRefused = accepted === 0;
      rows.set(deliveryId, aDelivery({ ...base, eventsReceived: 0, traceId: undefined, status: isRefused ? 'failed' : 'queued', finishedAtMs: undefined, durationMs: undefined }));
      const becomes = fake.onEnqueue?.(request);
      if (becomes !== undefined && !isRefused) fake.finish(deliveryId, { eventsReceived: accepted, traceId: 'trace_1', status: refused.length === 0 ? 'delivered' : 'partial', ...becomes });
      return { kind: 'accepted', deliveryId };
    },
    get: async (deliveryId) => rows.get(deliveryId),
    async recent({ accountId, limit, cursor, status }) {
      const at = cursor === undefined ? 0 : Number(cursor);
      if (!Number.isInteger(at)) throw new RelayError('invalid_cursor', 'The cursor is not one of this listing.', { param: 'cursor' });
      const all = [...rows.values()].filter((row) => row.accountId === accountId && (status === undefined || row.status === status)).toReversed();
      return { rows: all.slice(at, at + limit), nextCursor: at + limit < all.length ? String(at + limit) : undefined };
    },
    event: async (accountId, _platform, eventId) => events.get(`${accountId} ${eventId}`) ?? [],
    async waitFor(deliveryId, timeoutMs, signal) {
      fake.waits.push({ timeoutMs, signal });
      const { status } = rows.get(deliveryId)!;
      if (status !== 'queued' && status !== 'retrying' && status !== 'held') return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      waiting.set(deliveryId, [...(waiting.get(deliveryId) ?? []), resolve]);
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      clearTimeout(timer);
      return undefined;
    },
  };
  return fake;
}
