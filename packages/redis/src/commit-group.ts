import { OUTCOME_UNKNOWN, type EnqueueOptions, type EnqueueResult, type StorableRequest } from '@relay/delivery';
import { RelayError } from '@relay/contract';
import { freeMemory } from '@relay/runtime';
import { acceptArguments, type PlannedChunk, type PlannedRequest } from './accept-arguments.ts';
import { cutChunks, type Entry } from './chunks.ts';
import type { RedisConnection } from './connect.ts';
import type { EnqueueDeps } from './enqueue.ts';
import { priorityOf, type BacklogReader } from './fairness.ts';
import { AWAITED } from './job-data.ts';
import { keys, newDeliveryId, newId } from './keys.ts';
import { JOB_OPTIONS, type LaneQueue } from './lane-queue.ts';
import { IDEMPOTENCY_TTL_MS, MAX_CONFLICTS } from './limits.ts';
import { packChunk } from './pack.ts';
import { readFailures, readReceipt } from './receipt.ts';
import { withoutReusedKeys } from './reserve-keys.ts';
import { MIN_SHARED, sharedDeliveryId } from './shared-receipts.ts';

/** A request that waits for its write. */
export interface Waiting {
  readonly request: StorableRequest;
  readonly options: EnqueueOptions;
  readonly bytes: number;
  resolve(result: EnqueueResult): void;
  reject(error: unknown): void;
}

/** What one transaction is going to store, once repeats of an Idempotency-Key are taken out. */
interface Plan {
  readonly entries: readonly PlannedRequest[];
  readonly idempotency: readonly (readonly [string, string, number])[];
  readonly answers: ReadonlyMap<Waiting, EnqueueResult>;
}

/**
 * Stores a group of requests in one transaction: jobs, receipts, log rows, index, books and idempotency keys, all or nothing.
 * Every request of the group is answered, or the call throws and none was stored (or, when the connection broke at the
 * very end, none is promised: the caller sends again and the platform's dedup takes care of it).
 */
export async function commitGroup(queue: LaneQueue, backlogs: BacklogReader, group: readonly Waiting[], deps: EnqueueDeps): Promise<void> {
  const own = await withoutReusedKeys(queue, group);
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
    const plan = await planGroup(queue, own, deps);
    if (plan.entries.length === 0 || (await store(queue, backlogs, plan, deps))) {
      for (const [waiting, answer] of plan.answers) waiting.resolve(answer);
      return;
    }
  }
  throw new RelayError('storage_unavailable', 'Too many requests use the same Idempotency-Key at once. Send this one again later.', {
    retryAfterSeconds: 1,
  });
}

/** A key that only one request may take: an Idempotency-Key, or an event id that is good for one send. */
interface Guard {
  readonly key: string;
  /** What the request must be the same in to be a repeat. */
  readonly bodyHash: string;
  readonly ttlMs: number;
  /** Free again once the platform has refused for certain what it was used for. */
  readonly once: boolean;
}
interface Use {
  readonly bodyHash: string;
  readonly deliveryId: string;
}

function guardsOf({ idempotency, once }: EnqueueOptions, tag: string): readonly Guard[] {
  const guards: Guard[] = [];
  if (idempotency !== undefined) {
    guards.push({ key: keys.idempotency(tag, idempotency.scope, idempotency.key), bodyHash: idempotency.bodyHash, ttlMs: IDEMPOTENCY_TTL_MS, once: false });
  }
  if (once !== undefined) guards.push({ key: keys.idempotency(tag, once.scope, once.key), bodyHash: '-', ttlMs: once.ttlMs, once: true });
  return guards;
}

/** Looks up guards (under WATCH, so that a key taken meanwhile makes the transaction fail and be planned anew). */
async function planGroup(queue: LaneQueue, group: readonly Waiting[], deps: EnqueueDeps): Promise<Plan> {
  const { lane, connection } = queue;
  const guards = new Map(group.map((waiting) => [waiting, guardsOf(waiting.options, lane.tag)]));
  const all = [...guards.values()].flat();
  const watched = [...new Set(all.map(({ key }) => key))];
  const taken = await readTaken(connection, watched);
  const refused = await readRefused(queue, all.filter(({ key, once }) => once && taken.has(key)).map(({ key }) => taken.get(key)!.deliveryId));

  const write = newDeliveryId(lane, deps.config.now());
  const nextId = (): string => (group.length < MIN_SHARED ? newDeliveryId(lane, deps.config.now()) : sharedDeliveryId(write, entries.length));
  const entries: PlannedRequest[] = [];
  const idempotency: (readonly [string, string, number])[] = [];
  const answers = new Map<Waiting, EnqueueResult>();
  for (const waiting of group) {
    const { request, options } = waiting;
    const own = guards.get(waiting)!;
    const met = own.find(({ key, once }) => taken.has(key) && !(once && refused.has(taken.get(key)!.deliveryId)));
    if (met !== undefined) {
      const { bodyHash, deliveryId } = taken.get(met.key)!;
      answers.set(waiting, bodyHash === met.bodyHash ? { kind: 'repeated', deliveryId } : { kind: 'key_reused' });
      continue;
    }
    const deliveryId = 'deliveryId' in request ? request.deliveryId : nextId();
    for (const { key, bodyHash, ttlMs } of own) {
      // What is sent anew must not be replayed from its dead letter as well.
      const before = taken.get(key);
      if (before !== undefined) idempotency.push([keys.sentAnew(lane.tag, before.deliveryId), deliveryId, ttlMs]);
      taken.set(key, { bodyHash, deliveryId });
      idempotency.push([key, `${bodyHash} ${deliveryId}`, ttlMs]);
    }
    entries.push({ request, deliveryId, options });
    answers.set(waiting, { kind: 'accepted', deliveryId });
  }
  if (entries.length === 0 && watched.length > 0) await connection.unwatch();
  return { entries, idempotency, answers };
}

async function readTaken(connection: RedisConnection, watched: readonly string[]): Promise<Map<string, Use>> {
  const taken = new Map<string, Use>();
  if (watched.length === 0) return taken;
  await connection.watch(...watched);
  for (const [i, value] of (await connection.mget(...watched)).entries()) {
    if (value === null) continue;
    const [bodyHash, deliveryId] = value.split(' ');
    taken.set(watched[i]!, { bodyHash: bodyHash!, deliveryId: deliveryId! });
  }
  return taken;
}

/** Which of these deliveries of one event the platform refused for certain. Watched too: a replay makes them open again. */
async function readRefused({ connection, lane }: LaneQueue, deliveryIds: readonly string[]): Promise<ReadonlySet<string>> {
  const refused = new Set<string>();
  if (deliveryIds.length === 0) return refused;
  await connection.watch(...deliveryIds.map((id) => keys.receipt(lane.tag, id)));
  for (const id of deliveryIds) {
    const [receipt, failures] = await Promise.all([connection.hgetall(keys.receipt(lane.tag, id)), connection.hgetall(keys.failures(lane.tag, id))]);
    const isFailed = readReceipt(id, receipt)?.status === 'failed';
    if (isFailed && readFailures(failures).every(({ code }) => code !== OUTCOME_UNKNOWN)) refused.add(id);
  }
  return refused;
}

/** `false`: an Idempotency-Key changed under the transaction and nothing was stored. */
async function store(queue: LaneQueue, backlogs: BacklogReader, plan: Plan, deps: EnqueueDeps): Promise<boolean> {
  const { lane } = queue;
  const { chunks, chunksOf, jobOf } = planChunks(plan.entries, deps);
  const destinations = [...new Set(chunks.map(({ request }) => backlogField(request)))];
  const { round, waitingEvents } = chunks.length === 0 ? { round: 1, waitingEvents: new Map<string, number>() } : await backlogs.read(destinations);

  const transaction = await queue.transaction();
  const nowMs = deps.config.now();
  const jobs: [string, string, number, number][] = [];
  let accepted = 0;
  for (const chunk of chunks) {
    const { request, packed } = chunk;
    const field = backlogField(request);
    const waiting = waitingEvents.get(field)!;
    waitingEvents.set(field, waiting + packed.events);
    accepted += packed.events;
    const jobId = newId('j', nowMs);
    jobs.push([jobId, field, packed.events, packed.acceptedAtMs]);
    queue.add(transaction, chunk.awaited ? AWAITED : 'deliver', packed.data, {
      ...JOB_OPTIONS,
      jobId,
      timestamp: nowMs,
      priority: priorityOf(round, waiting, request.maxChunkEvents),
    });
  }
  const ledger = keys.ledger(lane.tag, lane.platform);
  // A plain write: with Redis out of memory it makes EXEC refuse the whole transaction, which scripts alone would not.
  transaction.hincrby(ledger, 'accepted', 0);
  transaction.runCommand('relayAccept', [
    ledger,
    keys.backlog(lane.tag, lane.platform),
    keys.open(lane.tag, lane.platform),
    acceptArguments({ lane, plan, chunks, chunksOf, jobOf, jobs, accepted, config: deps.config }),
  ]);
  let stored = false;
  try {
    const committed = queue.commit(transaction);
    if (destinations.length > 0) backlogs.readAhead(destinations);
    stored = await committed;
  } finally {
    if (!stored) backlogs.forget();
  }
  // Redis has answered, so it has read all of it.
  if (stored) for (const { packed } of chunks) freeMemory(packed.data);
  return stored;
}

/** Requests that are not packed yet share chunks. */
function planChunks(entries: readonly PlannedRequest[], deps: EnqueueDeps): { chunks: PlannedChunk[]; chunksOf: Map<string, number[]>; jobOf: Map<string, number> } {
  const loose: Entry[] = [];
  const packed: PlannedChunk[] = [];
  const awaited = new Set<string>();
  for (const { request, deliveryId, options } of entries) {
    if (options.wantsReply) awaited.add(deliveryId);
    if ('events' in request) loose.push({ request, deliveryId });
    else for (const chunk of request.chunks) packed.push({ request, packed: chunk, awaited: options.wantsReply });
  }
  const { chunks, chunksOf } = cutChunks(loose);
  const packing = { sealer: deps.sealer, isIndexed: deps.config.eventIndexHours > 0 };
  for (const { request, deliveryId } of entries) {
    if ('chunks' in request) chunksOf.set(deliveryId, request.chunks.map(({ events }) => events));
  }
  const shared = chunks.map((chunk) => ({ request: chunk.request, packed: packChunk(chunk, packing), awaited: chunk.parts.some(({ d }) => awaited.has(d)) }));
  const jobOf = new Map<string, number>();
  for (const [i, { parts }] of chunks.entries()) for (const { d, k } of parts) if (k === 0) jobOf.set(d, i);
  return { chunks: [...shared, ...packed], chunksOf, jobOf };
}

export function backlogField(request: { readonly accountId: string; readonly destinationId: string }): string {
  return `${request.accountId}|${request.destinationId}`;
}
