import { createHash, randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import type { PlatformId } from '@relay/contract';
import type { AcceptedRequest, BatchEvent, EnqueueResult, Failure, LedgerRow } from '@relay/delivery';
import { openApiStore, openDelivery, openWorkerStore, type ApiStore, type DeliveryLane, type Lane, type QueueJob, type SharedStore, type StoreOptions } from '@relay/redis';
import { jobDataSchema, takeJob } from '@relay/redis/testing';
import { createSealer, type Sealer } from '@relay/runtime';
import { freshDatabase } from '@relay/testkit';

export interface Relay extends AsyncDisposable {
  readonly url: string;
  /** A plain connection, for looking. */
  readonly redis: Redis;
  readonly sealer: Sealer;
  readonly api: ApiStore;
  readonly worker: SharedStore;
  /** What the stores take for the time: the real one, moved by `advance`. */
  now(): number;
  advance(ms: number): void;
  /** Another API process on the same Redis. */
  anotherApi(): Promise<ApiStore>;
  anotherWorker(): Promise<SharedStore>;
  lane(platform?: PlatformId, number?: number): Lane;
  delivery(lane?: Lane): DeliveryLane;
  /** Takes what waits in the lane the way a worker reads it, without taking it out of the queue. */
  jobs(lane?: Lane): Promise<QueueJob[]>;
  ledger(platform?: PlatformId): Promise<LedgerRow>;
}

export interface RelayOptions extends Partial<Omit<StoreOptions, 'redisUrl' | 'sealer' | 'now'>> {
  /** A Redis of the test's own; default: a fresh database of the run's. */
  readonly redisUrl?: string;
  readonly sealer?: Sealer;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const aSealer = (): Sealer => createSealer([randomBytes(32)]);

/** An API process and a worker process, as far as Redis goes. */
export async function openRelay(options: RelayOptions = {}): Promise<Relay> {
  const url = options.redisUrl ?? (await freshDatabase(inject('redisUrl')));
  const sealer = options.sealer ?? aSealer();
  const stack = new AsyncDisposableStack();
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const storeOptions: StoreOptions = {
    lanes: 1,
    logRetentionDays: 30,
    logMaxEntries: 100_000,
    eventIndexHours: 72,
    dedupWindowMs: () => 48 * HOUR_MS,
    ...options,
    redisUrl: url,
    sealer,
    now,
  };
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  stack.defer(() => redis.disconnect());
  const api = await openApiStore(stack, storeOptions);
  const worker = await openWorkerStore(stack, storeOptions);
  const lane = (platform: PlatformId = 'metaads', number = 0) => worker.lanes.of(platform)[number]!;
  const retentionDays = storeOptions.logRetentionDays;
  return {
    url,
    redis,
    sealer,
    api,
    worker,
    now,
    advance(ms) {
      aheadMs += ms;
    },
    anotherApi: () => openApiStore(stack, storeOptions),
    anotherWorker: () => openWorkerStore(stack, storeOptions),
    lane,
    delivery: (of = lane()) => openDelivery(worker, of, { sealer, retentionDays, now }),
    async jobs(of = lane()) {
      const queue = api.queues.find(({ name }) => name === of.queue)!;
      const waiting = await queue.getJobs(['prioritized', 'waiting', 'delayed', 'active'], 0, -1, true);
      return waiting
        .filter((job) => job.name !== 'status')
        .map((job) => takeJob(job, jobDataSchema.parse(job.data), of, worker.connection, sealer));
    },
    async ledger(platform = 'metaads') {
      return (await api.health.ledger()).find((row) => row.platform === platform)!;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export interface RequestShape extends Partial<Omit<AcceptedRequest, 'events' | 'refused'>> {
  /** Event ids, or how many. */
  readonly events?: number | readonly string[];
  /** Indices of the submitted array that were refused; the others are the events. */
  readonly refused?: readonly number[];
}

let requests = 0;

/** A request as `acceptEvents` hands it over. Each wire holds the event id and a person's address. */
export function aRequest({ events = 1, refused = [], ...rest }: RequestShape = {}): AcceptedRequest {
  requests += 1;
  const ids = typeof events === 'number' ? Array.from({ length: events + refused.length }, (_, i) => `e${requests}-${i}`) : events;
  const failures: Failure[] = refused.map((eventIndex) => ({ eventIndex, eventId: ids[eventIndex]!, code: 'too_old', message: 'The event is too old.' }));
  return {
    platform: 'metaads',
    accountId: 'acc',
    destinationId: 'pixel',
    testCode: undefined,
    consent: undefined,
    events: ids.flatMap((eventId, index) =>
      refused.includes(index) ? [] : [{ index, eventId, wire: JSON.stringify({ id: eventId, mail: PERSON }), expiresAtMs: Math.floor(Date.now() / 1000) * 1000 + 7 * DAY_MS }],
    ),
    refused: failures,
    eventsSubmitted: ids.length,
    eventNames: ['Purchase'],
    acceptedAtMs: Date.now(),
    maxChunkEvents: 1000,
    maxChunkBytes: 4_000_000,
    ...rest,
  };
}

/** In every wire: what Redis must never hold in the clear. */
export const PERSON = 'jane.doe@planted-plaintext.example';

export async function send(api: ApiStore, shape: RequestShape = {}, wantsReply = false): Promise<string> {
  const result = await api.enqueue(aRequest(shape), { wantsReply });
  if (result.kind !== 'accepted') throw new Error(`expected the request to be accepted, not ${result.kind}`);
  return result.deliveryId;
}

export function idempotent(key: string, body: string, scope = 'key_1') {
  return { idempotency: { scope, key, bodyHash: createHash('sha256').update(body).digest('hex') }, wantsReply: false };
}

export const idOf = (result: EnqueueResult): string | undefined => (result.kind === 'key_reused' ? undefined : result.deliveryId);

/** Events of jobs as a batch holds them, at these positions or all. */
export async function batchOf(job: QueueJob, positions?: readonly number[]): Promise<BatchEvent[]> {
  const events = (await job.load()).map((event) => ({ ...event, job }));
  return positions === undefined ? events : events.filter(({ position }) => positions.includes(position));
}

export const delivered = (events: readonly BatchEvent[], traceId = 'trace') => ({ delivered: { events, traceId, poll: undefined }, requestMs: 12 });

export const died = (events: readonly BatchEvent[], code = '100', message = 'Invalid parameter') => ({
  dead: [{ events, reason: 'rejected' as const, code, message, traceId: 'trace' }],
  requestMs: 12,
});

/** Every key of the database with its type and value, for comparing and for looking for what must not be there. */
export async function dump(redis: Redis): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for await (const found of redis.scanStream({ count: 1000 })) {
    for (const key of found as string[]) all.set(key, await valueOf(redis, key));
  }
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function valueOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return `string ${await redis.get(key)}`;
    case 'hash': {
      const fields = await redis.hgetall(key);
      return `hash ${JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
    }
    case 'list':
      return `list ${JSON.stringify(await redis.lrange(key, 0, -1))}`;
    case 'set':
      return `set ${JSON.stringify((await redis.smembers(key)).sort())}`;
    case 'zset':
      return `zset ${JSON.stringify(await redis.zrange(key, 0, '-1', 'WITHSCORES'))}`;
    case 'stream':
      return `stream ${JSON.stringify(await redis.xrange(key, '-', '+'))}`;
    default:
      return type;
  }
}

/** BullMQ's own event stream and housekeeping come and go with its scripts, without any meaning for us. */
export const isHousekeeping = (key: string): boolean => /:(?:events|meta|id|marker|stalled-check|pc)$/.test(key);

