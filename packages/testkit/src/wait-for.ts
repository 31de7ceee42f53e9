import { setTimeout as delay } from 'node:timers/promises';

export type WaitOptions = {
  /** Default 10 000. */
  readonly timeoutMs?: number;
  /** Pause between two looks; default 50. */
  readonly everyMs?: number;
  /** What is waited for, as it should read in the error: "the delivery to be done". */
  readonly what?: string;
};

const LATE = Symbol('late');

/**
 * Asks again and again until the answer is neither undefined, null nor false, and returns it.
 * An answer that throws counts as "not yet"; the last one is the `cause` of the error when time is up.
 */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const { timeoutMs = 10_000, everyMs = 50, what = 'a condition' } = options;
  const until = performance.now() + timeoutMs;
  let last: { readonly value: unknown } | { readonly cause: unknown } | undefined;
  for (;;) {
    const leftMs = until - performance.now();
    if (leftMs <= 0) break;
    try {
      const value = await inTime(ask, leftMs);
      if (value === LATE) break;
      if (value !== undefined && value !== null && value !== false) return value as Exclude<T, undefined | null | false>;
      last = { value };
    } catch (cause) {
      last = { cause };
    }
    await delay(Math.min(everyMs, Math.max(0, until - performance.now())));
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}: ${describe(last)}`, last && 'cause' in last ? last : undefined);
}

/** The answer, or LATE: an `ask` that never settles must not outlive the deadline. */
async function inTime<T>(ask: () => T | Promise<T>, leftMs: number): Promise<T | typeof LATE> {
  const stop = new AbortController();
  try {
    return await Promise.race([ask(), delay(leftMs, LATE, { signal: stop.signal })]);
  } finally {
    stop.abort();
  }
}

function describe(last: { readonly value: unknown } | { readonly cause: unknown } | undefined): string {
  if (last === undefined) return 'no answer came';
  if ('cause' in last) return `the last look failed: ${last.cause instanceof Error ? last.cause.message : String(last.cause)}`;
  return `the last answer was ${String(last.value)}`;
}
