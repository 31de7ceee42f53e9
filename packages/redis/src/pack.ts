import type { AcceptedRequest, PackedChunk, PackedRequest } from '@relay/delivery';
import type { Sealer } from '@relay/runtime';
import { countOf, cutChunks, toJobData, type Chunk } from './chunks.ts';
import { jobBytes } from './job-data.ts';
import { eventField } from './keys.ts';
import { MAX_ROW_EVENT_IDS } from './limits.ts';

/** What packing depends on. */
export interface Packing {
  readonly sealer: Sealer;
  /** Whether events can be looked up by their ids. */
  readonly isIndexed: boolean;
}

/** All that is done with every single event before it is stored; what is left then is by chunk. */
export function packChunk(chunk: Chunk, { sealer, isIndexed }: Packing): PackedChunk {
  const data = toJobData(chunk, sealer);
  return { events: data.n, bytes: data.b, acceptedAtMs: data.at, data: jobBytes(data), index: isIndexed ? indexEntries(chunk) : '' };
}

/** A request by itself, in chunks that it shares with no other. */
export function packRequest(request: AcceptedRequest, deliveryId: string, packing: Packing): PackedRequest {
  const { events: _, ...facts } = request;
  const { chunks } = cutChunks([{ request, deliveryId }]);
  return { ...facts, deliveryId, chunks: chunks.map((chunk) => packChunk(chunk, packing)), rowEventIds: rowEventIds(request) };
}

/** The ids of a request that is small enough to have them in its row of the log, in the order in which they were submitted. */
export function rowEventIds({ eventsSubmitted, events, refused }: Pick<AcceptedRequest, 'eventsSubmitted' | 'events' | 'refused'>): readonly string[] | undefined {
  if (eventsSubmitted > MAX_ROW_EVENT_IDS) return undefined;
  const submitted = [...events, ...refused.map(({ eventIndex, eventId }) => ({ index: eventIndex, eventId }))];
  return submitted.sort((a, b) => a.index - b.index).map(({ eventId }) => eventId);
}

/** Event id → delivery, index and chunk. */
function indexEntries({ request, events, parts }: Chunk): string {
  // An adjustment goes by its order, which is the id of another event.
  if (request.kind === 'adjustment') return '';
  const entries: string[] = [];
  let at = 0;
  for (const part of parts) {
    const suffix = `:${part.k.toString(36)}`;
    for (const end = at + countOf(part); at < end; at += 1) {
      const { eventId, index } = events[at]!;
      entries.push(eventField(eventId), `${part.d}:${index.toString(36)}${suffix}`);
    }
  }
  return JSON.stringify(entries).slice(1, -1);
}
