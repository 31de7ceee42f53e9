import type { Fate, TakenJob } from './batch.ts';

/** A job in the worker that has not been sent yet, and who waits to hear of it. */
export interface Waiting {
  readonly job: TakenJob;
  resolve(fate: Fate): void;
  reject(error: unknown): void;
}

/** Below this many taken slots the list is not worth copying. */
const MIN_COMPACTION = 64;

/**
 * Jobs that wait for one destination with one test code and one consent, in order of arrival. Taking from the front costs
 * the same however many wait: `Array.shift` moves the whole list once it is long.
 */
export class Line {
  readonly key: string;
  /** Test code and consent as text: lines that differ in it never share a request. */
  readonly mix: string;
  /** Sums over the waiting jobs; overflow is not counted. */
  events = 0;
  bytes = 0;
  /** Waiting jobs whose outcome a caller waits for. */
  awaited = 0;
  /** Jobs that came although the line was full: they wait a little, then go back to the queue for a while. */
  readonly overflow = new Map<Waiting, NodeJS.Timeout>();
  #jobs: (Waiting | undefined)[] = [];
  #head = 0;

  constructor(key: string, mix: string) {
    this.key = key;
    this.mix = mix;
  }

  get size(): number {
    return this.#jobs.length - this.#head;
  }

  get first(): Waiting | undefined {
    return this.#jobs[this.#head];
  }

  push(waiting: Waiting): void {
    this.#jobs.push(waiting);
    this.#count(waiting.job, 1);
  }

  /** The one that came last. */
  pop(): Waiting | undefined {
    if (this.size === 0) return undefined;
    const waiting = this.#jobs.pop()!;
    this.#count(waiting.job, -1);
    return waiting;
  }

  shift(): Waiting | undefined {
    const waiting = this.first;
    if (waiting === undefined) return undefined;
    this.#jobs[this.#head] = undefined;
    this.#head += 1;
    this.#count(waiting.job, -1);
    if (this.#head >= MIN_COMPACTION && this.#head * 2 >= this.#jobs.length) {
      this.#jobs = this.#jobs.slice(this.#head);
      this.#head = 0;
    }
    return waiting;
  }

  #count({ events, bytes, awaited }: TakenJob, sign: 1 | -1): void {
    this.events += sign * events;
    this.bytes += sign * bytes;
    if (awaited) this.awaited += sign;
  }
}
