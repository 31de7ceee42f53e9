/** A destination whose requests take longer than this is slow: nobody waits for it. */
const SLOW_MS = 2_500;
const MIN_PATIENCE_MS = 250;
const MIN_PARK_MS = 500;
/** Also of a large backlog: a destination that has recovered is noticed within this time. */
export const MAX_PARK_MS = 30_000;

/** @param requestMs about how long a request to the destination takes now. */
export function isSlow(requestMs: number): boolean {
  return requestMs > SLOW_MS;
}

const FIRST_DOUBT_MS = 500;
/**
 * A request under way for longer than this tells that its destination hangs.
 * @param usualMs how long its requests take on average; 0: not known yet.
 */
export function slowAfterMs(usualMs: number): number {
  return usualMs === 0 ? SLOW_MS : Math.min(Math.max(4 * usualMs, FIRST_DOUBT_MS), SLOW_MS);
}

/** How long a job for a full destination waits in the worker before it goes back to the queue, ms. */
export function patienceMs(requestMs: number): number {
  return Math.max(2 * requestMs, MIN_PATIENCE_MS);
}

/**
 * How long it then stays away, ms, with jitter so that not all come back at once; as many come early as late, so that the
 * destination is not kept waiting for what is its own.
 *
 * @param beforeMs how long what is before it takes.
 * @param random 0 ≤ random < 1.
 */
export function parkDelayMs(beforeMs: number, random: number): number {
  return Math.round(Math.max(Math.min(beforeMs, MAX_PARK_MS) * (0.75 + random / 2), MIN_PARK_MS * (1 + random)));
}
