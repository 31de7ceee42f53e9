import { RelayError } from '@relay/contract';

/** How far one account's management calls go. The limits are each process' own: they bound a caller's mistake, not a quota. */
export interface CallLimits {
  /** Over one call, ms. */
  readonly callMs: number;
  /** Over one whole operation, however many calls it takes, ms. */
  readonly deadlineMs: number;
  /** Calls to the platform in flight for one account. */
  readonly callsAtOnce: number;
  /** Operations of one account that run or wait; what comes on top is answered with 429 at once. */
  readonly operations: number;
  /** Times that one call is sent again. */
  readonly repeats: number;
  /** Before the first repeat, ms; then twice as long. */
  readonly repeatAfterMs: number;
}

/** A caller waits, so no longer than this, however much `PLATFORM_TIMEOUT_MS` gives a worker. */
const MAX_CALL_MS = 12_000;
/** For what goes on between two calls. */
const MARGIN_MS = 1_000;

/** Of a process whose requests to a platform may take `platformTimeoutMs`: a call that hangs can be asked once again. */
export function callLimitsOf(platformTimeoutMs: number): CallLimits {
  const callMs = Math.min(platformTimeoutMs, MAX_CALL_MS);
  return { callMs, deadlineMs: 2 * callMs + MARGIN_MS, callsAtOnce: 6, operations: 32, repeats: 2, repeatAfterMs: 250 };
}

/** Lets so many through at a time, in the order they came. */
export interface Gate {
  pass<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(width: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    async pass(work) {
      if (inside >= width) await new Promise<void>((enter) => waiting.push(enter));
      else inside += 1;
      try {
        return await work();
      } finally {
        // Whoever waits takes the place over, so that nobody who comes now slips in between.
        const next = waiting.shift();
        if (next === undefined) inside -= 1;
        else next();
      }
    },
  };
}

const RETRY_AFTER_SECONDS = 2;

/** By account: its gate, as long as anything of it goes on. */
export function createAccountGates({ callsAtOnce, operations }: CallLimits) {
  const busy = new Map<string, { readonly gate: Gate; count: number }>();
  return {
    /** @throws RelayError `rate_limited`. */
    async enter<T>(accountId: string, work: (gate: Gate) => Promise<T>): Promise<T> {
      const entry = busy.get(accountId) ?? { gate: createGate(callsAtOnce), count: 0 };
      if (entry.count >= operations) {
        throw new RelayError('rate_limited', `${operations} calls to the platform are under way or waiting for this account already. Send this one again later.`, {
          param: 'accountId',
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
      busy.set(accountId, entry);
      entry.count += 1;
      try {
        return await work(entry.gate);
      } finally {
        entry.count -= 1;
        if (entry.count === 0) busy.delete(accountId);
      }
    },
  };
}
