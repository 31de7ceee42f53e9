import type { Line, Waiting } from './line.ts';

/** So many events in one request are a crowd's: its target rests before the next one. */
const CROWD_EVENTS = 32;
const MIN_REST_MS = 50;
const MAX_REST_MS = 250;
/** So much is worth a request of its own, crowd or not. */
const FULL_BYTES = 256 * 1024;

export function isCrowd(batch: readonly Waiting[]): boolean {
  let events = 0;
  for (const { job } of batch) events += job.events;
  return events >= CROWD_EVENTS;
}

/** Whether what waits can go on waiting until the rest is over: no caller waits for it, and it is not much. */
export function canRest(lines: ReadonlyMap<string, Line>): boolean {
  let bytes = 0;
  for (const line of lines.values()) {
    if (line.awaited > 0) return false;
    bytes += line.bytes;
  }
  return bytes < FULL_BYTES;
}

/** From the beginning of a crowd's request until it is answered, but `MIN_REST_MS` at least and `MAX_REST_MS` at most. */
export class Rest {
  readonly #over: () => void;
  #timer: NodeJS.Timeout;
  #isAnswered = false;
  #state: 'least' | 'until answered' | 'over' = 'least';

  /** @param over called once, unless it is cancelled before. */
  constructor(over: () => void) {
    this.#over = over;
    this.#timer = setTimeout(() => this.#lastedLeast(), MIN_REST_MS);
  }

  answered(): void {
    this.#isAnswered = true;
    if (this.#state === 'until answered') this.#end();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#state = 'over';
  }

  #lastedLeast(): void {
    if (this.#isAnswered) return this.#end();
    this.#state = 'until answered';
    this.#timer = setTimeout(() => this.#end(), MAX_REST_MS - MIN_REST_MS);
  }

  #end(): void {
    this.cancel();
    this.#over();
  }
}
