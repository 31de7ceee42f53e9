import { setImmediate } from 'node:timers/promises';
import type { Enqueue, EnqueueOptions, EnqueueResult, StorableRequest } from '@relay/delivery';
import { RelayError } from '@relay/contract';
import type { Sealer } from '@relay/runtime';
import { commitGroup, type Waiting } from './commit-group.ts';
import { unavailable, type Connector, STORAGE_RETRY_AFTER_SECONDS } from './connect.ts';
import { createBacklogReader, type BacklogReader } from './fairness.ts';
import type { Lane, Lanes } from './keys.ts';
import { openLaneQueue, type LaneQueue } from './lane-queue.ts';
import { answering } from './usable-redis.ts';
import { CROWD_REQUESTS, GATHER_BYTES, GATHER_MS, MAX_GROUP_BYTES, MAX_GROUP_REQUESTS, MAX_WAITING_BYTES, MAX_WAITING_REQUESTS, WHOLE_CROWD_REQUESTS } from './limits.ts';

/** What every stored request depends on; `apiId` names the reply channel of this process. */
export interface EnqueueConfig {
  readonly apiId: string;
  readonly logRetentionDays: number;
  readonly logMaxEntries: number;
  readonly eventIndexHours: number;
  readonly now: () => number;
}

/** What the writing side works with. */
export interface EnqueueDeps {
  readonly connector: Connector;
  readonly lanes: Lanes;
  readonly sealer: Sealer;
  readonly config: EnqueueConfig;
}

/**
 * Group commit: while one write to Redis is on its way, the requests that arrive wait and go out together in the next.
 * Each lane has a connection of its own, which does nothing else, so that WATCH guards just its own transaction.
 */
export function createEnqueue(deps: EnqueueDeps): { enqueue: Enqueue; ready(): Promise<void>; close(): Promise<void> } {
  const committers = new Map<string, Committer>();
  const committerOf = (lane: Lane): Committer => {
    let committer = committers.get(lane.queue);
    if (committer === undefined) {
      committer = new Committer(openLaneQueue(deps.connector, lane, 'producer'), deps);
      committers.set(lane.queue, committer);
    }
    return committer;
  };
  // Opened now, so that the first request does not wait for a connection.
  for (const lane of deps.lanes.all) committerOf(lane);
  return {
    enqueue: (request, options) =>
      committerOf(deps.lanes.forDestination(request.platform, request.accountId, request.destinationId)).add(request, options),
    async ready() {
      await Promise.all([...committers.values()].map((committer) => committer.ready()));
    },
    async close() {
      await Promise.all([...committers.values()].map((committer) => committer.close()));
    },
  };
}

class Committer {
  readonly #queue: LaneQueue;
  readonly #backlogs: BacklogReader;
  readonly #deps: EnqueueDeps;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  /** When the last write ended (`performance.now`), and how many requests were in it or waited by then. */
  #last = { endedMs: 0, requests: 0 };
  /** Ends the wait for a crowd. */
  #crowdIsHere: (() => void) | undefined;

  constructor(queue: LaneQueue, deps: EnqueueDeps) {
    this.#queue = queue;
    this.#backlogs = createBacklogReader(queue.connection, queue.lane, deps.config.now);
    this.#deps = deps;
  }

  add(request: StorableRequest, options: EnqueueOptions): Promise<EnqueueResult> {
    if (this.#waiting.length >= MAX_WAITING_REQUESTS || this.#waitingBytes >= MAX_WAITING_BYTES) {
      return Promise.reject(
        new RelayError('queue_full', 'Too many requests wait to be stored. Nothing was stored; send the same request again later.', {
          retryAfterSeconds: STORAGE_RETRY_AFTER_SECONDS,
        }),
      );
    }
    const bytes = 'events' in request ? request.events.reduce((sum, { wire }) => sum + wire.length, 0) : request.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, options, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      if (this.#crowdIsHere !== undefined && this.#isGathered()) this.#crowdIsHere();
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      const group = this.#take();
      try {
        await commitGroup(this.#queue, this.#backlogs, group, this.#deps);
      } catch (cause) {
        const error = cause instanceof RelayError ? cause : unavailable(cause);
        for (const waiting of group) waiting.reject(error);
      }
      this.#last = { endedMs: performance.now(), requests: group.length + this.#waiting.length };
    }
    this.#running = undefined;
  }

  /**
   * Requests that are in already, but not read yet, come along: fewer and fuller jobs, for no more than a turn of the event
   * loop. In a crowd callers go in step: those that were answered together come again together, and the more of them share a
   * write, its job and what the worker does with it, the less each costs. Left to chance, one of them may go alone before each write.
   */
  async #gather(): Promise<void> {
    if (this.#waitingBytes >= GATHER_BYTES) return;
    await setImmediate();
    const leftMs = this.#last.endedMs + GATHER_MS - performance.now();
    if (this.#last.requests < CROWD_REQUESTS || leftMs < 1 || this.#isGathered()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, leftMs);
    this.#crowdIsHere = resolve;
    await promise;
    this.#crowdIsHere = undefined;
    clearTimeout(timer);
  }

  #isGathered(): boolean {
    const { requests } = this.#last;
    const expected = requests <= WHOLE_CROWD_REQUESTS ? requests : Math.max(WHOLE_CROWD_REQUESTS, Math.ceil(requests / 2));
    return this.#waiting.length >= expected || this.#waitingBytes >= GATHER_BYTES;
  }

  #take(): Waiting[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && count < MAX_GROUP_REQUESTS && (count === 0 || bytes < MAX_GROUP_BYTES)) {
      bytes += this.#waiting[count]!.bytes;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  ready(): Promise<void> {
    return answering(this.#queue.connection);
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#queue.close();
  }
}
