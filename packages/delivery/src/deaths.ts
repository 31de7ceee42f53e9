import type { ItemFault } from '@relay/contract';
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

/** Writes off what may be at the platform already where a repeat would count twice: a person decides about these. */
export async function buryMaybeSent(events: readonly BatchEvent[], ports: DeliverPorts): Promise<readonly BatchEvent[]> {
  const doubtful = events.filter((event) => event.maybeSent === true);
  await bury(outcomeUnknown(doubtful, 'The worker stopped while the request was under way.', undefined), ports);
  return doubtful.length === 0 ? events : events.filter((event) => event.maybeSent !== true);
}

/** Code of a death whose events may be at the platform. Where repeats would count, no other death leaves that open. */
export const OUTCOME_UNKNOWN = 'outcome_unknown';

/** The death of events whose request was written and not answered, on a platform that does not recognise repeats. */
export const outcomeUnknown = (events: readonly BatchEvent[], what: string, traceId: string | undefined): Death => ({
  events,
  reason: 'unknown',
  code: OUTCOME_UNKNOWN,
  message: `${what} It is not known whether the platform took the event, and it would count a repeat twice, so it is not sent again by itself.`,
  traceId,
});

/** Events that the platform refused in the same words die together. */
export function deathsByWords(named: readonly (readonly [BatchEvent, ItemFault])[], traceId: string | undefined): Death[] {
  return [...Map.groupBy(named, ([, fault]) => `${fault.code}\n${fault.message}`).values()].map((group) => ({
    events: group.map(([event]) => event),
    reason: 'rejected',
    code: group[0]![1].code,
    message: group[0]![1].message,
    traceId,
  }));
}
