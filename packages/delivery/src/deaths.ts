import type { BatchEvent } from './batch.ts';
import type { Death, DeliverPorts } from './deliver-ports.ts';

/** Writes a death, unless nobody died: a job taken again may have had all its events settled before. */
export async function bury(death: Death, ports: DeliverPorts, requestMs?: number): Promise<void> {
  if (death.events.length > 0) await ports.settle({ dead: [death], requestMs });
}

/** Writes off what the platform would no longer take: it is not worth a request, and would take others down with it. */
export async function buryExpired(events: readonly BatchEvent[], ports: DeliverPorts): Promise<readonly BatchEvent[]> {
  const nowMs = ports.now();
  if (events.every((event) => event.expiresAtMs > nowMs)) return events;
  await bury(expired(events.filter((event) => event.expiresAtMs <= nowMs)), ports);
  return events.filter((event) => event.expiresAtMs > nowMs);
}

const expired = (events: readonly BatchEvent[]): Death => ({
  events,
  reason: 'expired',
  code: 'expired',
  message: 'The event grew older than the platform accepts before it could be delivered.',
  traceId: undefined,
});

/** The death of events whose account was removed while they were in the queue. */
export const accountRemoved = (events: readonly BatchEvent[]): Death => ({
  events,
  reason: 'account',
  code: 'account_removed',
  message: 'The account was removed before the events were delivered.',
  traceId: undefined,
});
