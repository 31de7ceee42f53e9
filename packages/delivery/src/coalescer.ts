import type { Fate, TakenJob } from './batch.ts';
import { isSlow, parkDelayMs, patienceMs } from './patience.ts';

export interface CoalescerOptions {
  /** Requests in flight per destination. */
  readonly concurrency: number;
  readonly maxEvents: number;
  /** Destinations of one account that may share a request: 1, Google 10. */
  readonly maxDestinations: number;
  readonly maxRequestBytes: number;
  /** Unpacked bytes that may wait in memory, in all and for one destination. */
  readonly maxBufferedBytes: number;
  readonly maxBufferedBytesPerDestination: number;
  /** Delivers jobs together and says what becomes of each, in order. */
  deliver(jobs: readonly TakenJob[]): Promise<readonly Fate[]>;
  /** Told when the answer to `wantsMore` changes. */
  onAppetite(wantsMore: boolean): void;
  now(): number;
  random(): number;
}

interface Waiting {
  readonly job: TakenJob;
  resolve(fate: Fate): void;
  reject(error: unknown): void;
}

interface Bucket {
  readonly key: string;
  readonly waiting: Waiting[];
  waitingBytes: number;
  /** Jobs that came although the bucket was full: they wait a little, then go back to the queue for a while. */
  readonly overflow: Map<Waiting, NodeJS.Timeout>;
  /** Start of each request in flight. */
  readonly inFlight: Set<{ readonly startedAtMs: number }>;
  /** Moving average of the time a request takes. */
  requestMs: number;
}

/**
 * Gathers jobs for the same destination while a request to it is in flight and sends them together, up to the platform's
 * cap. An idle destination sends at once. Never together: accounts, test codes, consents, or (but for Google) destinations.
 *
 * Memory is bounded by bytes. A destination that has its share takes no more: what still comes for it waits about as long
 * as a request takes, and the worker takes no new jobs meanwhile; when the destination is slow or hangs, the job goes back
 * to the queue with a delay, so that it does not stand in the way of others.
 */
export class Coalescer {
  readonly #options: CoalescerOptions;
  readonly #buckets = new Map<string, Bucket>();
  #bufferedBytes = 0;
  #overflowing = 0;
  #appetite = true;
  #stopping = false;

  constructor(options: CoalescerOptions) {
    this.#options = options;
  }

  /** Resolves with the job's fate once its request (or salvage) is over. */
  add(job: TakenJob): Promise<Fate> {
    if (this.#stopping) return Promise.resolve({ kind: 'give_back' });
    return new Promise((resolve, reject) => {
      const bucket = this.#bucketOf(job);
      const waiting: Waiting = { job, resolve, reject };
      if (this.#hasRoom(bucket, job)) {
        this.#enqueue(bucket, waiting);
        this.#pump(bucket);
      } else {
        this.#overflow(bucket, waiting);
      }
      this.#tellAppetite();
    });
  }

  /** Requests in flight now. */
  get inFlight(): number {
    let count = 0;
    for (const bucket of this.#buckets.values()) count += bucket.inFlight.size;
    return count;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Gives back what has not been sent; what is in flight ends by itself. */
  stop(): void {
    this.#stopping = true;
    for (const bucket of this.#buckets.values()) {
      for (const { resolve } of [...bucket.waiting, ...bucket.overflow.keys()]) resolve({ kind: 'give_back' });
      for (const timer of bucket.overflow.values()) clearTimeout(timer);
      this.#bufferedBytes -= bucket.waitingBytes;
      bucket.waiting.length = 0;
      bucket.waitingBytes = 0;
      bucket.overflow.clear();
    }
    this.#overflowing = 0;
  }

  #bucketOf(job: TakenJob): Bucket {
    const destination = this.#options.maxDestinations > 1 ? '' : job.destinationId;
    const key = JSON.stringify([job.accountId, destination, job.testCode, job.consent?.adUserData, job.consent?.adPersonalization]);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { key, waiting: [], waitingBytes: 0, overflow: new Map(), inFlight: new Set(), requestMs: 0 };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  #hasRoom(bucket: Bucket, job: TakenJob): boolean {
    if (bucket.waiting.length === 0) return true; // one job always fits, however large
    return bucket.waitingBytes + job.bytes <= this.#options.maxBufferedBytesPerDestination;
  }

  #enqueue(bucket: Bucket, waiting: Waiting): void {
    bucket.waiting.push(waiting);
    bucket.waitingBytes += waiting.job.bytes;
    this.#bufferedBytes += waiting.job.bytes;
  }

  #pump(bucket: Bucket): void {
    while (!this.#stopping && bucket.inFlight.size < this.#options.concurrency && bucket.waiting.length > 0) {
      void this.#send(bucket, this.#takeBatch(bucket));
    }
    this.#refill(bucket);
    if (bucket.waiting.length === 0 && bucket.inFlight.size === 0 && bucket.overflow.size === 0) this.#buckets.delete(bucket.key);
  }

  /** Jobs in order of arrival, as many as one request takes. A job that does not fit is passed over, not split. */
  #takeBatch(bucket: Bucket): Waiting[] {
    const { maxEvents, maxDestinations, maxRequestBytes } = this.#options;
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    const destinations = new Set<string>();
    let events = 0;
    let bytes = 0;
    for (const [i, waiting] of bucket.waiting.entries()) {
      const { job } = waiting;
      const fits =
        batch.length === 0 ||
        (events + job.events <= maxEvents &&
          bytes + job.bytes <= maxRequestBytes &&
          (destinations.has(job.destinationId) || destinations.size < maxDestinations));
      if (!fits) {
        left.push(waiting);
        continue;
      }
      batch.push(waiting);
      destinations.add(job.destinationId);
      events += job.events;
      bytes += job.bytes;
      if (events >= maxEvents) {
        left.push(...bucket.waiting.slice(i + 1));
        break;
      }
    }
    bucket.waiting.splice(0, bucket.waiting.length, ...left);
    bucket.waitingBytes -= bytes;
    this.#bufferedBytes -= bytes;
    return batch;
  }

  async #send(bucket: Bucket, batch: readonly Waiting[]): Promise<void> {
    const flight = { startedAtMs: this.#options.now() };
    bucket.inFlight.add(flight);
    try {
      const fates = await this.#options.deliver(batch.map(({ job }) => job));
      for (const [i, { resolve }] of batch.entries()) resolve(fates[i]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      bucket.inFlight.delete(flight);
      const tookMs = this.#options.now() - flight.startedAtMs;
      bucket.requestMs = bucket.requestMs === 0 ? tookMs : bucket.requestMs * 0.7 + tookMs * 0.3;
      this.#pump(bucket);
      this.#tellAppetite();
    }
  }

  #overflow(bucket: Bucket, waiting: Waiting): void {
    const estimateMs = this.#estimateMs(bucket);
    const park = () => {
      if (!bucket.overflow.delete(waiting)) return;
      this.#overflowing -= 1;
      const { concurrency, now, random } = this.#options;
      const delayMs = parkDelayMs(this.#estimateMs(bucket), bucket.waiting.length, concurrency, random());
      waiting.resolve({ kind: 'delay', untilMs: now() + delayMs });
      this.#tellAppetite();
    };
    // One that is known to be slow is not waited for: its jobs go back at once and others are served.
    const timer = setTimeout(park, isSlow(estimateMs) ? 0 : patienceMs(estimateMs));
    bucket.overflow.set(waiting, timer);
    this.#overflowing += 1;
  }

  /** The average, or what the oldest request in flight has taken already where that is longer: a hanging one has no average. */
  #estimateMs(bucket: Bucket): number {
    const now = this.#options.now();
    let estimate = bucket.requestMs;
    for (const { startedAtMs } of bucket.inFlight) estimate = Math.max(estimate, now - startedAtMs);
    return estimate;
  }

  #refill(bucket: Bucket): void {
    for (const [waiting, timer] of bucket.overflow) {
      if (!this.#hasRoom(bucket, waiting.job)) return;
      clearTimeout(timer);
      bucket.overflow.delete(waiting);
      this.#overflowing -= 1;
      this.#enqueue(bucket, waiting);
    }
  }

  #tellAppetite(): void {
    const wantsMore = this.#overflowing === 0 && this.#bufferedBytes < this.#options.maxBufferedBytes;
    if (wantsMore === this.#appetite) return;
    this.#appetite = wantsMore;
    this.#options.onAppetite(wantsMore);
  }
}
