import type { DeliveredWhole } from '@relay/delivery';
import type { RedisConnection } from './connect.ts';
import { keepSubscribed } from './keep-subscribed.ts';
import { globals } from './keys.ts';

/**
 * Wakes requests that wait for their delivery. Each API process has one channel of its own, so that it hears of its own
 * deliveries and of no others. A message that gets lost (the subscription was reconnecting) costs time, not truth:
 * waiters also look at the receipt now and then.
 *
 * A message is a list of `[delivery id]`, which asks to look, or where all of a delivery's events were taken
 * `[delivery id, events, trace id]`: then nothing has to be read before the caller is answered.
 */
export interface Replies {
  wait(deliveryId: string, timeoutMs: number, signal?: AbortSignal): Wait;
  close(): void;
}

type Message = readonly [deliveryId: string, eventsReceived?: number, traceId?: string];

export interface Wait {
  /** Resolves when the delivery may be complete, when the time is over, or when the caller goes away; with how it ended where that was said. */
  readonly woken: Promise<DeliveredWhole | undefined>;
  /** Gives the wait up; nothing of it is left. */
  cancel(): void;
}

/** Messages that came before anybody waited: the worker may be quicker than this process. The oldest go first. */
const MAX_EARLY = 10_000;

export function createReplies(subscriber: RedisConnection, apiId: string): Replies {
  const waiters = new Map<string, Set<(whole?: DeliveredWhole) => void>>();
  const early = new Map<string, DeliveredWhole | undefined>();
  const channel = globals.replies(apiId);
  keepSubscribed(subscriber, channel, (text) => {
    for (const message of JSON.parse(text) as readonly (Message | string)[]) {
      // Workers of before told the id alone.
      const [deliveryId, eventsReceived, traceId]: Message = typeof message === 'string' ? [message] : message;
      const whole = eventsReceived === undefined || traceId === undefined ? undefined : { eventsReceived, traceId };
      const waiting = waiters.get(deliveryId);
      if (waiting === undefined) {
        if (early.size >= MAX_EARLY) early.delete(early.keys().next().value!);
        early.set(deliveryId, whole);
      }
      for (const wake of waiting ?? []) wake(whole);
    }
  });
  return {
    wait(deliveryId, timeoutMs, signal) {
      const known = early.get(deliveryId);
      if (early.delete(deliveryId)) return { woken: Promise.resolve(known), cancel: () => undefined };
      const { promise: woken, resolve } = Promise.withResolvers<DeliveredWhole | undefined>();
      const set = waiters.get(deliveryId) ?? new Set();
      const wake = (whole?: DeliveredWhole) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', give);
        set.delete(wake);
        if (set.size === 0) waiters.delete(deliveryId);
        resolve(whole);
      };
      const give = () => wake();
      const timer = setTimeout(give, timeoutMs);
      set.add(wake);
      waiters.set(deliveryId, set);
      signal?.addEventListener('abort', give, { once: true });
      if (signal?.aborted === true) give();
      return { woken, cancel: give };
    },
    close() {
      for (const set of waiters.values()) for (const wake of set) wake();
      subscriber.disconnect();
    },
  };
}
