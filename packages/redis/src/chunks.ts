import type { AcceptedEvent, AcceptedRequest } from '@relay/delivery';
import type { Sealer } from '@relay/runtime';
import { encodeConsent, packPayload, payloadContext, type JobData, type JobPart } from './job-data.ts';

/** A request on its way into the queue, with the delivery id it was given. */
export interface Entry {
  readonly request: AcceptedRequest;
  readonly deliveryId: string;
}

/** One job to be: events of one destination, test code and consent, of one delivery or of several that came together. */
export interface Chunk {
  readonly request: AcceptedRequest;
  readonly events: AcceptedEvent[];
  readonly parts: { d: string; k: number; r: number[] }[];
  /** UTF-16 units of all events. */
  units: number;
  /** UTF-8 bytes of the first `counted` events: counting costs more than it is worth while all of them are known to fit. */
  bytes: number;
  counted: number;
  acceptedAtMs: number;
}

/**
 * Cuts a group of requests into chunks of at most the platform's cap. Requests that arrived together for the same
 * destination, test code and consent share a chunk, so that a hundred single events are one job and not a hundred.
 */
export function cutChunks(entries: readonly Entry[]): { chunks: Chunk[]; chunksOf: Map<string, number[]> } {
  const chunks: Chunk[] = [];
  /** Per delivery, the events of each of its chunks. */
  const chunksOf = new Map<string, number[]>();
  const openChunks = new Map<string, Chunk>();
  for (const { request, deliveryId } of entries) {
    const key = JSON.stringify([request.accountId, request.destinationId, request.kind, request.testCode, encodeConsent(request.consent)]);
    const counts: number[] = [];
    chunksOf.set(deliveryId, counts);
    let chunk: Chunk | undefined;
    let part: Chunk['parts'][number] | undefined;
    for (const event of request.events) {
      if (chunk === undefined || isFull(chunk, request, event)) {
        // Only a request that fits as a whole joins others: a full one stays one chunk.
        const open = part === undefined ? openChunks.get(key) : undefined;
        chunk = open !== undefined && fits(open, request) ? open : undefined;
        if (chunk === undefined) {
          chunk = { request, events: [], parts: [], units: 0, bytes: 0, counted: 0, acceptedAtMs: request.acceptedAtMs };
          chunks.push(chunk);
          openChunks.set(key, chunk);
        }
        part = { d: deliveryId, k: counts.length, r: [] };
        chunk.parts.push(part);
        counts.push(0);
        chunk.acceptedAtMs = Math.min(chunk.acceptedAtMs, request.acceptedAtMs);
      }
      chunk.events.push(event);
      chunk.units += unitsOf(event);
      counts[counts.length - 1]! += 1;
      pushIndex(part!.r, event.index);
    }
  }
  return { chunks, chunksOf };
}

function fits(chunk: Chunk, request: AcceptedRequest): boolean {
  if (chunk.events.length + request.events.length > request.maxChunkEvents) return false;
  let units = chunk.units;
  for (const event of request.events) units += unitsOf(event);
  if (units * MAX_BYTES_PER_UNIT <= request.maxChunkBytes) return true;
  let bytes = countBytes(chunk);
  for (const event of request.events) bytes += bytesOf(event);
  return bytes <= request.maxChunkBytes;
}

function isFull(chunk: Chunk, request: AcceptedRequest, event: AcceptedEvent): boolean {
  if (chunk.events.length >= request.maxChunkEvents) return true;
  if ((chunk.units + unitsOf(event)) * MAX_BYTES_PER_UNIT <= request.maxChunkBytes) return false;
  return countBytes(chunk) + bytesOf(event) > request.maxChunkBytes;
}

/** UTF-8 takes at most three bytes for a unit of a JavaScript string. */
const MAX_BYTES_PER_UNIT = 3;

function unitsOf({ wire, eventId }: AcceptedEvent): number {
  return wire.length + eventId.length;
}

function bytesOf({ wire, eventId }: AcceptedEvent): number {
  return Buffer.byteLength(wire) + Buffer.byteLength(eventId);
}

/** Each event is counted once. */
function countBytes(chunk: Chunk): number {
  for (; chunk.counted < chunk.events.length; chunk.counted += 1) chunk.bytes += bytesOf(chunk.events[chunk.counted]!);
  return chunk.bytes;
}

/** Ranges as start, count, start, count, …: a whole request is two numbers however long it is. */
export function pushIndex(ranges: number[], index: number): void {
  const last = ranges.length - 2;
  const next = last < 0 ? undefined : ranges[last]! + ranges[last + 1]!;
  if (next === index) ranges[last + 1]! += 1;
  else ranges.push(index, 1);
}

/** The submitted index behind each position of a part. */
export function* indicesOf(part: JobPart): Generator<number> {
  for (let i = 0; i < part.r.length; i += 2) {
    for (let n = 0; n < part.r[i + 1]!; n += 1) yield part.r[i]! + n;
  }
}

/** How many events of the job are the part's. */
export function countOf(part: JobPart): number {
  let count = 0;
  for (let i = 1; i < part.r.length; i += 2) count += part.r[i]!;
  return count;
}

/** The data of the chunk's job, its payload packed and sealed. */
export function toJobData(chunk: Chunk, sealer: Sealer): JobData {
  const { request, events } = chunk;
  const payload = {
    eventIds: events.map((event) => event.eventId),
    expiresAtMs: events.map((event) => event.expiresAtMs),
    wires: events.map((event) => event.wire),
  };
  const { sealed, bytes } = packPayload(payload, sealer, payloadContext(request.accountId, request.destinationId));
  const consent = encodeConsent(request.consent);
  return {
    v: 1,
    a: request.accountId,
    d: request.destinationId,
    ...(request.kind !== undefined && { j: request.kind }),
    ...(request.testCode !== undefined && { t: request.testCode }),
    ...(consent !== undefined && { c: consent }),
    n: events.length,
    b: bytes,
    x: payload.expiresAtMs.reduce((least, ms) => Math.min(least, ms), Infinity),
    at: chunk.acceptedAtMs,
    p: chunk.parts,
    z: sealed,
  };
}
