import type { RedisConnection } from './connect.ts';
import { keepSubscribed } from './keep-subscribed.ts';
import { globals } from './keys.ts';

/**
 * Wakes requests that wait for their delivery. Each API process has one channel of its own, so that it hears of its own
 * deliveries and of no others. A message that gets lost (the subscription was reconnecting) costs time, not truth:
 * waiters also look at the receipt now and then.
 */
export interface Replies {
  wait(deliveryId: string, timeoutMs: number, signal?: AbortSignal): Wait;
  close(): void;
}

export interface Wait {
  /** Resolves when the delivery may be complete, when the time is over, or when the caller goes away. */
  readonly woken: Promise<void>;
  /** Gives the wait up; nothing of it is left. */
  cancel(): void;
}

export function createReplies(subscriber: RedisConnection, apiId: string): Replies {
  const waiters = new Map<string, Set<() => void>>();
  const channel = globals.replies(apiId);
  keepSubscribed(subscriber, channel, (text) => {
    for (const deliveryId of JSON.parse(text) as string[]) {
      for (const wake of waiters.get(deliveryId) ?? []) wake();
    }
  });
  return {
    wait(deliveryId, timeoutMs, signal) {
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      const set = waiters.get(deliveryId) ?? new Set();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        set.delete(wake);
        if (set.size === 0) waiters.delete(deliveryId);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      set.add(wake);
      waiters.set(deliveryId, set);
      signal?.addEventListener('abort', wake, { once: true });
      if (signal?.aborted === true) wake();
      return { woken, cancel: wake };
    },
    close() {
      for (const set of waiters.values()) for (const wake of set) wake();
      subscriber.disconnect();
    },
  };
}
