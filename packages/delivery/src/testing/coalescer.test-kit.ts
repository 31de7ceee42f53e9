import { vi } from 'vitest';
import type { Fate, TakenJob } from '../batch.ts';
import { Coalescer, type CoalescerOptions } from '../coalescer.ts';

export const DONE: Fate = { kind: 'done' };

export interface Flight {
  readonly jobs: readonly TakenJob[];
  readonly ids: readonly string[];
  end(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A coalescer whose requests end when the test says so. */
export function aCoalescer(over: Partial<CoalescerOptions> = {}) {
  const flights: Flight[] = [];
  const appetite: boolean[] = [];
  const coalescer = new Coalescer({
    concurrency: 1,
    maxJobs: 1_000,
    maxEvents: 10,
    maxDestinations: 1,
    maxRequestBytes: 1_000_000,
    maxBufferedBytes: 1_000_000,
    maxBufferedBytesPerDestination: 100_000,
    deliver(jobs) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Fate[]>();
      const settled = async () => void (await vi.advanceTimersByTimeAsync(0));
      flights.push({
        jobs,
        ids: jobs.map(({ jobId }) => jobId),
        end: () => (resolve(jobs.map(() => DONE)), settled()),
        fail: (error) => (reject(error), settled()),
      });
      return promise;
    },
    onAppetite: (wantsMore) => appetite.push(wantsMore),
    now: Date.now,
    random: () => 0,
    ...over,
  });
  return { coalescer, flights, appetite, sent: () => flights.map(({ ids }) => ids) };
}
