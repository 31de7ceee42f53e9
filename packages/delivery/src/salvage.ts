import type { BatchEvent } from './batch.ts';

/**
 * Where to cut a rejected set in two, as the size of the first half.
 *
 * Client requests are kept whole where that costs nothing: the cut moves to a boundary between two requests as long as
 * both halves stay within the next lower power of two, so that the depth of the search is the same as with exact halves.
 *
 * The first half is never the larger one. It is sent first; when it is accepted the fault must be in the second, which is
 * then cut without being sent. So a fault in the second half costs one request a level and one in the first two, and
 * k faults among n events are found in at most 2·k·log2(n) + 2 requests (proved by a property test).
 *
 * @param requestOf number of the client request of each event, in order.
 */
export function cutAt(requestOf: readonly number[]): number {
  const n = requestOf.length;
  const half = Math.floor(n / 2);
  const limit = 2 ** Math.ceil(Math.log2(n) - 1);
  for (let size = half; size >= n - limit && size > 0; size -= 1) {
    if (requestOf[size - 1] !== requestOf[size]) return size;
  }
  return half;
}

/** Numbers the client requests along the set: where the number changes, a cut keeps requests whole. */
export function requestNumbers(events: readonly BatchEvent[]): number[] {
  let number = 0;
  return events.map((event, i) => {
    const before = events[i - 1];
    if (before !== undefined && (before.job !== event.job || before.part !== event.part)) number += 1;
    return number;
  });
}
