import type { AcceptedRequest } from '@relay/delivery';
import { createSealer } from '@relay/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, cutChunks, indicesOf, pushIndex, toJobData, type Chunk, type Entry } from './chunks.ts';
import { encodeConsent, jobDataSchema, jobBytes, payloadContext, unpackPayload } from './job-data.ts';

const MAX_EVENTS = 10;
const MAX_BYTES = 200;

function aRequest(indices: readonly number[], over: Partial<AcceptedRequest> & { readonly wire?: string } = {}): AcceptedRequest {
  const { wire = '0123456789', ...fields } = over;
  return {
    platform: 'metaads',
    accountId: 'acc',
    destinationId: 'dest',
    testCode: undefined,
    consent: undefined,
    events: indices.map((index) => ({ index, eventId: '', wire, expiresAtMs: 1_000 * (index + 1) })),
    refused: [],
    eventsSubmitted: indices.length,
    eventNames: [],
    acceptedAtMs: 5,
    maxChunkEvents: MAX_EVENTS,
    maxChunkBytes: MAX_BYTES,
    ...fields,
  };
}
const cut = (...requests: readonly AcceptedRequest[]) => cutChunks(requests.map((request, i): Entry => ({ request, deliveryId: `d${i}` })));
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const bytesOf = (events: readonly { readonly wire: string }[]) => events.reduce((sum, { wire }) => sum + Buffer.byteLength(wire), 0);
const sizes = (chunks: readonly Chunk[]) => chunks.map(({ events }) => events.length);

describe('pushIndex, indicesOf, countOf', () => {
  const ascending = fc.uniqueArray(fc.nat(10_000), { maxLength: 200, size: 'max' }).map((list) => list.sort((a, b) => a - b));

  it('give back every list of indices, in order', () => {
    fc.assert(
      fc.property(fc.oneof(ascending, fc.array(fc.nat(20), { maxLength: 60 })), (indices) => {
        const part = { d: 'd', k: 0, r: [] as number[] };
        for (const index of indices) pushIndex(part.r, index);
        expect([...indicesOf(part)]).toEqual(indices);
        expect(countOf(part)).toBe(indices.length);
        expect(part.r.length % 2).toBe(0);
      }),
    );
  });

  it('keep a run in two numbers however long it is', () => {
    const ranges: number[] = [];
    for (const index of [...upTo(5_000), 5_002, 5_003]) pushIndex(ranges, index);
    expect(ranges).toEqual([0, 5_000, 5_002, 2]);
  });
});

describe('cutChunks', () => {
  it('makes one job of small requests that came together', () => {
    const { chunks, chunksOf } = cut(aRequest([0]), aRequest([0, 2]), aRequest([1]));
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.parts).toEqual([
      { d: 'd0', k: 0, r: [0, 1] },
      { d: 'd1', k: 0, r: [0, 1, 2, 1] },
      { d: 'd2', k: 0, r: [1, 1] },
    ]);
    expect([...chunksOf]).toEqual([['d0', [1]], ['d1', [2]], ['d2', [1]]]);
  });

  it('fills a chunk to the cap exactly', () => {
    expect(sizes(cut(aRequest(upTo(6)), aRequest(upTo(4)), aRequest([0])).chunks)).toEqual([10, 1]);
  });

  it('does not cut a request that would fit into a chunk of its own', () => {
    const { chunksOf } = cut(aRequest(upTo(6)), aRequest(upTo(6)));
    expect([...chunksOf.values()]).toEqual([[6], [6]]);
  });

  it('cuts a large request at the cap; small ones join its last chunk', () => {
    const { chunks, chunksOf } = cut(aRequest(upTo(23)), aRequest(upTo(5)));
    expect(sizes(chunks)).toEqual([10, 10, 8]);
    expect([...chunksOf.values()]).toEqual([[10, 10, 3], [5]]);
    expect(chunks.map(({ parts }) => parts)).toEqual([
      [{ d: 'd0', k: 0, r: [0, 10] }],
      [{ d: 'd0', k: 1, r: [10, 10] }],
      [{ d: 'd0', k: 2, r: [20, 3] }, { d: 'd1', k: 0, r: [0, 5] }],
    ]);
  });

  it('gives an event that is larger than a chunk a chunk of its own', () => {
    expect(sizes(cut(aRequest([0]), aRequest([0, 1], { wire: 'x'.repeat(201) }), aRequest([0])).chunks)).toEqual([1, 1, 1, 1]);
  });

  it.each<[string, Partial<AcceptedRequest>]>([
    ['accounts', { accountId: 'other' }],
    ['destinations', { destinationId: 'other' }],
    ['test codes', { testCode: 'T' }],
    ['consents', { consent: { adUserData: 'DENIED' } }],
  ])('never mixes %s', (_name, over) => {
    expect(cut(aRequest([0]), aRequest([0], over), aRequest([0])).chunks.map(({ parts }) => parts.map(({ d }) => d))).toEqual([['d0', 'd2'], ['d1']]);
  });

  it('takes an empty consent for none', () => {
    expect(cut(aRequest([0]), aRequest([0], { consent: {} })).chunks).toHaveLength(1);
  });

  it('dates a chunk by its oldest request', () => {
    expect(cut(aRequest([0], { acceptedAtMs: 9 }), aRequest([0], { acceptedAtMs: 7 }), aRequest([0], { acceptedAtMs: 8 })).chunks[0]!.acceptedAtMs).toBe(7);
  });

  it('knows a request without events: no chunks', () => {
    expect(cut(aRequest([]))).toEqual({ chunks: [], chunksOf: new Map([['d0', []]]) });
  });

  const request = fc
    .record({
      count: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 45 })),
      refusedEvery: fc.integer({ min: 2, max: 9 }),
      wireLength: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(250)),
      letter: fc.constantFrom('w', 'ü', '漢', '🛒'),
      accountId: fc.constantFrom('a', 'b'),
      destinationId: fc.constantFrom('a', 'b'),
      testCode: fc.constantFrom(undefined, 'T'),
      consent: fc.constantFrom(undefined, { adUserData: 'GRANTED' as const }, { adPersonalization: 'GRANTED' as const }),
    })
    .map(({ count, refusedEvery, wireLength, letter, ...over }) =>
      aRequest(
        upTo(count).filter((index) => (index + 1) % refusedEvery !== 0),
        { ...over, wire: letter.repeat(wireLength) },
      ),
    );

  it('puts every event into exactly one chunk, in order, within the caps, and never mixes', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
        const { chunks, chunksOf } = cut(...requests);
        const indices = new Map(requests.map((_, i): [string, number[]] => [`d${i}`, []]));
        const counts = new Map(requests.map((_, i): [string, number[]] => [`d${i}`, []]));
        for (const chunk of chunks) {
          expect(chunk.events.length).toBeLessThanOrEqual(MAX_EVENTS);
          expect(chunk.events.length === 1 || bytesOf(chunk.events) <= MAX_BYTES).toBe(true);
          // The parts, one after the other, say whose event stands at each position.
          expect(chunk.parts.flatMap((part) => [...indicesOf(part)])).toEqual(chunk.events.map(({ index }) => index));
          for (const part of chunk.parts) {
            const own = requests[Number(part.d.slice(1))]!;
            const mix = ({ accountId, destinationId, testCode, consent }: AcceptedRequest) => JSON.stringify([accountId, destinationId, testCode, encodeConsent(consent)]);
            expect(mix(own)).toBe(mix(chunk.request));
            expect(part.k).toBe(counts.get(part.d)!.length);
            counts.get(part.d)!.push(countOf(part));
            indices.get(part.d)!.push(...indicesOf(part));
          }
        }
        expect(counts).toEqual(chunksOf);
        expect([...indices.values()]).toEqual(requests.map(({ events }) => events.map(({ index }) => index)));
        for (const [i, { events }] of requests.entries()) {
          // A request that fits into a chunk is in one chunk.
          expect(events.length > MAX_EVENTS || bytesOf(events) > MAX_BYTES || chunksOf.get(`d${i}`)!.length <= 1).toBe(true);
        }
      }),
    );
  });
});

describe('toJobData', () => {
  it('says of a chunk what the worker needs to know before it opens it', () => {
    const sealer = createSealer([new Uint8Array(32).fill(7)]);
    const over = { testCode: 'T', consent: { adUserData: 'GRANTED' as const } };
    const data = toJobData(cut(aRequest([3, 4], over), aRequest([0], { ...over, acceptedAtMs: 2 })).chunks[0]!, sealer);
    expect(jobDataSchema.parse(JSON.parse(jobBytes(data).toString()))).toEqual(data);
    expect(data).toMatchObject({ v: 1, a: 'acc', d: 'dest', t: 'T', c: 'G-', n: 3, x: 1_000, at: 2, p: [{ d: 'd0', k: 0, r: [3, 2] }, { d: 'd1', k: 0, r: [0, 1] }] });
    expect(unpackPayload(data.z, sealer, payloadContext('acc', 'dest'), data.b)).toEqual({
      eventIds: ['', '', ''],
      expiresAtMs: [4_000, 5_000, 1_000],
      wires: ['0123456789', '0123456789', '0123456789'].map((wire) => Buffer.from(wire)),
    });
  });

  it('leaves out what is not set', () => {
    const data = toJobData(cut(aRequest([0])).chunks[0]!, createSealer([new Uint8Array(32)]));
    expect(Object.keys(data)).toEqual(['v', 'a', 'd', 'n', 'b', 'x', 'at', 'p', 'z']);
  });
});
