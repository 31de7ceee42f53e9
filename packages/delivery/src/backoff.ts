/**
 * Exponential backoff with full jitter: a random wait between 0 and base × 2^(attempt-1), capped. Full jitter spreads
 * retries of many jobs best (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * @param attempt 1 for the wait after the first attempt.
 * @param random 0 ≤ random < 1.
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: number): number {
  const ceiling = Math.min(baseMs * 2 ** Math.min(attempt - 1, 30), maxMs);
  return Math.round(ceiling * random);
}

/** Up to a tenth on top of a wait that the platform asked for, so that all who wait do not come back in one moment. */
export function withJitter(waitMs: number, random: number): number {
  return Math.round(waitMs * (1 + random * 0.1));
}
