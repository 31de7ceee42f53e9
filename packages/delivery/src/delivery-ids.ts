import type { BatchEvent } from './batch.ts';

/** How many client requests a log line names: a request to a platform may carry thousands. */
const MOST_NAMED = 20;

/** The client requests that these events came with, in order; as many as a log line names. */
export function deliveryIdsOf(events: readonly BatchEvent[]): readonly string[] {
  const ids = new Set<string>();
  let last: BatchEvent | undefined;
  for (const event of events) {
    if (event.job === last?.job && event.part === last.part) continue;
    last = event;
    ids.add(event.job.deliveryId(event.part));
    if (ids.size === MOST_NAMED) break;
  }
  return [...ids];
}
