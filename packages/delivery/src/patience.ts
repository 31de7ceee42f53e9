/** A destination whose requests take longer than this is slow: nobody waits for it. */
const SLOW_MS = 2_500;
const MIN_PATIENCE_MS = 250;
const MIN_PARK_MS = 500;
const MAX_PARK_MS = 30_000;

export function isSlow(requestMs: number): boolean {
  return requestMs > SLOW_MS;
}

/** How long a job for a full destination waits in the worker before it goes back to the queue. */
export function patienceMs(requestMs: number): number {
  return Math.max(2 * requestMs, MIN_PATIENCE_MS);
}

/** How long it then stays away: about as long as what waits before it takes, with jitter so that not all come back at once. */
export function parkDelayMs(requestMs: number, waitingJobs: number, concurrency: number, random: number): number {
  const drainMs = (requestMs * Math.max(waitingJobs, 1)) / concurrency;
  return Math.round(Math.min(Math.max(drainMs, MIN_PARK_MS), MAX_PARK_MS) * (1 + random));
}
