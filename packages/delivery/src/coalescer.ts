import type { Fate, TakenJob } from './batch.ts';
import { canRest, isCrowd, Rest } from './crowd.ts';
import { Line, type Waiting } from './line.ts';
import { isSlow, MAX_PARK_MS, parkDelayMs, patienceMs, slowAfterMs } from './patience.ts';
import { takeBatch, type BatchLimits } from './take-batch.ts';

/** What one request may carry, how much may wait, and the ports of a `Coalescer`. */
export interface CoalescerOptions extends Omit<BatchLimits, 'maxJobs'> {
  /** Jobs that the worker takes at a time: what one destination keeps to itself is missing for all others. */
  readonly maxJobs: number;
  /** Requests in flight per destination; per account where destinations share requests. */
  readonly concurrency: number;
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

/** What shares requests in flight: a destination; where one request carries several, all destinations of an account. */
interface Target {
  readonly key: string;
  /** In order of their turns. */
  readonly lines: Map<string, Line>;
  /** Start of each request in flight. */
  readonly inFlight: Set<{ readonly startedAtMs: number }>;
  /** Waiting and in flight. */
  jobs: number;
  /** Moving average of the time a request takes; 0 before the first. */
  requestMs: number;
  /** After a crowd's request. */
  resting: Rest | undefined;
  /** When what went back to the queue would all have had its turn; unix ms. */
  parkedUntilMs: number;
}

/**
 * Gathers jobs for the same destination while a request to it is in flight and sends them together, up to the platform's
 * cap. An idle destination sends at once. In a crowd the next one rests until the last is answered, unless a caller waits
 * for what is in the line or there is much of it: much of what a request costs is the same whatever it holds. Never together: accounts,
 * test codes, consents, or (but for Google) destinations.
 *
 * Memory is bounded by bytes. A destination that has its share takes no more: what still comes for it waits about as long
 * as a request takes, and the worker takes no new jobs meanwhile; when the destination is slow or hangs, the job goes back
 * to the queue with a delay, so that it does not stand in the way of others.
 *
 * So are the worker's turns. One request carries so many jobs that a destination's requests in flight take half of them at
 * most; and once a destination is slow or hangs, it keeps no more than its share of the half that all slow ones have
 * together. What it holds beyond that goes back to the queue with a delay.
 */
export class Coalescer {
  readonly #options: CoalescerOptions;
  readonly #limits: BatchLimits;
  readonly #targets = new Map<string, Target>();
  /** Those whose requests are slow on average, or one of whose requests hangs. */
  readonly #slow = new Set<Target>();
  #bufferedBytes = 0;
  #overflowing = 0;
  #appetite = true;
  #stopping = false;

  constructor(options: CoalescerOptions) {
    this.#options = options;
    this.#limits = { ...options, maxJobs: Math.max(Math.floor(options.maxJobs / 2 / options.concurrency), 1) };
  }

  /** Resolves with the job's fate once its request (or salvage) is over. */
  add(job: TakenJob): Promise<Fate> {
    if (this.#stopping) return Promise.resolve({ kind: 'give_back' });
    return new Promise((resolve, reject) => {
      const target = this.#targetOf(job);
      const line = lineOf(target, job);
      const waiting: Waiting = { job, resolve, reject };
      // What came before it goes before it, also where this one is small enough to fit.
      if (line.overflow.size === 0 && this.#hasRoom(target, line, job)) {
        this.#enqueue(target, line, waiting);
        this.#pump(target);
      } else {
        this.#overflow(target, line, waiting);
      }
      this.#tellAppetite();
    });
  }

  /** Requests in flight now. */
  get inFlight(): number {
    let count = 0;
    for (const target of this.#targets.values()) count += target.inFlight.size;
    return count;
  }

  /** Unpacked bytes of the jobs that wait to be sent; neither what is in flight nor what is about to go back. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Whether it was told to stop: what is delivered then sends no further request. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Gives back what has not been sent; what is in flight ends by itself. */
  stop(): void {
    this.#stopping = true;
    for (const { lines, resting } of this.#targets.values()) {
      resting?.cancel();
      for (const line of lines.values()) {
        for (let next = line.shift(); next !== undefined; next = line.shift()) next.resolve({ kind: 'give_back' });
        for (const [waiting, timer] of line.overflow) {
          clearTimeout(timer);
          waiting.resolve({ kind: 'give_back' });
        }
      }
      lines.clear();
    }
    this.#bufferedBytes = 0;
    this.#overflowing = 0;
  }

  #targetOf({ accountId, destinationId }: TakenJob): Target {
    const key = JSON.stringify(this.#options.maxDestinations > 1 ? [accountId] : [accountId, destinationId]);
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = { key, lines: new Map(), inFlight: new Set(), jobs: 0, requestMs: 0, resting: undefined, parkedUntilMs: 0 };
      this.#targets.set(key, target);
    }
    return target;
  }

  #hasRoom(target: Target, line: Line, job: TakenJob): boolean {
    if (this.#slow.has(target) && target.jobs >= this.#shareOfSlow()) return false;
    if (line.size === 0) return true; // one job always fits, however large
    return line.bytes + job.bytes <= this.#options.maxBufferedBytesPerDestination;
  }

  /** Jobs that each slow destination may keep. */
  #shareOfSlow(): number {
    return Math.max(Math.floor(this.#options.maxJobs / 2 / this.#slow.size), 2);
  }

  #enqueue(target: Target, line: Line, waiting: Waiting): void {
    line.push(waiting);
    target.jobs += 1;
    this.#bufferedBytes += waiting.job.bytes;
  }

  #pump(target: Target): void {
    const { lines, inFlight } = target;
    while (!this.#stopping && inFlight.size < this.#options.concurrency && lines.size > 0 && !(target.resting && canRest(lines))) {
      const { batch, from } = takeBatch(lines, this.#limits);
      for (const { job } of batch) this.#bufferedBytes -= job.bytes;
      const rest = isCrowd(batch) ? this.#rest(target) : undefined;
      for (const line of from) {
        this.#refill(target, line);
        if (line.size === 0) lines.delete(line.key);
      }
      void this.#send(target, batch, rest);
    }
    if (lines.size > 0 || inFlight.size > 0 || target.resting !== undefined) return;
    this.#targets.delete(target.key);
    this.#slow.delete(target);
  }

  #rest(target: Target): Rest {
    target.resting?.cancel();
    target.resting = new Rest(() => {
      target.resting = undefined;
      this.#pump(target);
    });
    return target.resting;
  }

  async #send(target: Target, batch: readonly Waiting[], rest: Rest | undefined): Promise<void> {
    const flight = { startedAtMs: this.#options.now() };
    target.inFlight.add(flight);
    const doubt = setTimeout(() => this.#becameSlow(target), slowAfterMs(target.requestMs));
    try {
      const fates = await this.#options.deliver(batch.map(({ job }) => job));
      if (fates.length !== batch.length) throw new Error(`${batch.length} jobs were delivered and ${fates.length} fates came back`);
      for (const [i, { resolve }] of batch.entries()) resolve(fates[i]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      clearTimeout(doubt);
      target.inFlight.delete(flight);
      target.jobs -= batch.length;
      const tookMs = this.#options.now() - flight.startedAtMs;
      target.requestMs = target.requestMs === 0 ? tookMs : target.requestMs * 0.7 + tookMs * 0.3;
      if (isSlow(target.requestMs)) this.#slow.add(target);
      else if (!this.#hangs(target)) this.#slow.delete(target);
      rest?.answered();
      this.#pump(target);
      this.#tellAppetite();
    }
  }

  #hangs({ inFlight, requestMs }: Target): boolean {
    return [...inFlight].some(({ startedAtMs }) => this.#options.now() - startedAtMs >= slowAfterMs(requestMs));
  }

  /** One more shares the half of the slow, so each of them gives up what is beyond its share by now. */
  #becameSlow(target: Target): void {
    this.#slow.add(target);
    const share = this.#shareOfSlow();
    for (const slow of this.#slow) {
      for (const line of [...slow.lines.values()].toReversed()) {
        while (slow.jobs > share && line.size > 0) {
          const waiting = line.pop()!;
          this.#bufferedBytes -= waiting.job.bytes;
          slow.jobs -= 1;
          this.#park(slow, line, waiting);
        }
        // Nobody waits for a slow one: neither they nor, with them, the worker's appetite.
        for (const [waiting, timer] of line.overflow) {
          clearTimeout(timer);
          line.overflow.delete(waiting);
          this.#overflowing -= 1;
          this.#park(slow, line, waiting);
        }
        if (line.size === 0) slow.lines.delete(line.key);
      }
    }
    this.#tellAppetite();
  }

  /**
   * Back to the queue for about as long as what is before it takes: what waits here, and what went back already. Were all to
   * come back after the same while, the worker would do little else than take and give back a large backlog.
   */
  #park(target: Target, line: Line, waiting: Waiting): void {
    const { maxEvents, maxRequestBytes, concurrency, now, random } = this.#options;
    const nowMs = now();
    const turnMs = Math.max(this.#estimateMs(target), 1) / concurrency;
    const waitingRequests = Math.max(line.events / maxEvents, line.bytes / maxRequestBytes, 1);
    const beforeMs = Math.max(waitingRequests * turnMs, target.parkedUntilMs - nowMs);
    const ownRequests = Math.max(waiting.job.events / maxEvents, waiting.job.bytes / maxRequestBytes, 1 / this.#limits.maxJobs);
    target.parkedUntilMs = nowMs + Math.min(beforeMs + ownRequests * turnMs, MAX_PARK_MS);
    waiting.resolve({ kind: 'delay', untilMs: nowMs + parkDelayMs(beforeMs, random()) });
  }

  #overflow(target: Target, line: Line, waiting: Waiting): void {
    const estimateMs = this.#estimateMs(target);
    const park = () => {
      if (!line.overflow.delete(waiting)) return;
      this.#overflowing -= 1;
      this.#park(target, line, waiting);
      this.#tellAppetite();
    };
    // Its share is used up by what is in flight: the line has nobody who could be sent.
    if (line.size === 0) target.lines.delete(line.key);
    // One that is known to be slow is not waited for: its jobs go back at once and others are served.
    line.overflow.set(waiting, setTimeout(park, this.#slow.has(target) || isSlow(estimateMs) ? 0 : patienceMs(estimateMs)));
    this.#overflowing += 1;
  }

  /** The average, or what the oldest request in flight has taken already where that is longer: a hanging one has no average. */
  #estimateMs(target: Target): number {
    const now = this.#options.now();
    let estimate = target.requestMs;
    for (const { startedAtMs } of target.inFlight) estimate = Math.max(estimate, now - startedAtMs);
    return estimate;
  }

  #refill(target: Target, line: Line): void {
    for (const [waiting, timer] of line.overflow) {
      if (!this.#hasRoom(target, line, waiting.job)) return;
      clearTimeout(timer);
      line.overflow.delete(waiting);
      this.#overflowing -= 1;
      this.#enqueue(target, line, waiting);
    }
  }

  #tellAppetite(): void {
    if (this.#stopping) return; // nothing is taken any more, whatever has room
    const wantsMore = this.#overflowing === 0 && this.#bufferedBytes < this.#options.maxBufferedBytes;
    if (wantsMore === this.#appetite) return;
    this.#appetite = wantsMore;
    this.#options.onAppetite(wantsMore);
  }
}

function lineOf({ lines }: Target, job: TakenJob): Line {
  const mix = JSON.stringify([job.testCode, job.consent?.adUserData, job.consent?.adPersonalization]);
  const key = `${mix}${job.destinationId}`;
  let line = lines.get(key);
  if (line === undefined) {
    line = new Line(key, mix);
    lines.set(key, line);
  }
  return line;
}
