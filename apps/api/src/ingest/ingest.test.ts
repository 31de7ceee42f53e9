import type { AddressInfo } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { RelayError } from '@relay/contract';
import type { StorableRequest } from '@relay/delivery';
import { PLATFORMS } from '@relay/platforms';
import { jobDataSchema, payloadContext, unpackPayload } from '@relay/redis/testing';
import { createSealer } from '@relay/runtime';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { T0 } from '../testing/fake-accounts.ts';
import { aRequest, anEvent, openApi } from '../testing/open-api.ts';
import { LARGE_BODY_BYTES } from './large-body.ts';
import { openThreads } from './pool.ts';

const SEND = '/v1/ads/conversions';
const secretKeys = [Buffer.alloc(32, 7)];
const stack = new AsyncDisposableStack();
const largeBodies = openThreads(stack, 1, { secretKeys, isIndexed: true });
afterAll(() => stack.disposeAsync());

const NOW_S = T0 / 1000;
const PIXEL = '1234567890123456';
const largeRequest = (over: Record<string, unknown>) => aRequest({ destinationId: PIXEL, ...over });
/** With something that no schema knows: a body is large whatever its events are. */
const padded = (over: Record<string, unknown>) => JSON.stringify({ ...largeRequest(over), padding: 'x'.repeat(LARGE_BODY_BYTES) });
const events = (count: number, over: (n: number) => Record<string, unknown> = () => ({})) =>
  Array.from({ length: count }, (_, n) => anEvent({ eventId: `order_${n}`, eventTime: NOW_S, value: 1, currency: 'EUR', user: { email: `person${n}@example.com`, lastName: 'Müller' }, ...over(n) }));

/** The same request, answered with a thread and without. */
async function answers(body: string | Buffer, options: { as?: string; headers?: Record<string, string> } = {}) {
  const one = async (over: Parameters<typeof openApi>[0]) => {
    await using api = await openApi({ platforms: PLATFORMS, ...over });
    const reply = await api.call('POST', SEND, { body, ...options });
    return { status: reply.status, body: reply.body, requests: api.deliveries.requests, logged: api.lines.join('') };
  };
  return { threaded: await one({ largeBodies }), inline: await one({}) };
}

/** What a request holds, however it is kept. */
function contentOf(request: StorableRequest) {
  if ('events' in request) return request.events.map(({ eventId, expiresAtMs, wire }) => ({ eventId, expiresAtMs, wire }));
  return request.chunks.flatMap(({ data, events: count, bytes }) => {
    const job = jobDataSchema.parse(JSON.parse(data.toString()));
    expect(job).toMatchObject({ n: count, b: bytes, p: [{ d: request.deliveryId }] });
    const { eventIds, expiresAtMs, wires } = unpackPayload(job.z, createSealer(secretKeys), payloadContext(job.a, job.d), job.b);
    return eventIds.map((eventId, n) => ({ eventId, expiresAtMs: expiresAtMs[n]!, wire: Buffer.from(wires[n]!).toString() }));
  });
}

describe('a large body is answered as it is without threads', () => {
  const mixed = events(2500, (n) => (n % 10 === 3 ? { eventTime: 1_000_000_000 } : n % 10 === 7 ? { eventId: 'twice' } : {}));

  it.each<[string, string | Buffer]>([
    ['many events, some too old, some ids twice', JSON.stringify(largeRequest({ events: mixed, testCode: 'TEST1', consent: { adUserData: 'GRANTED' } }))],
    ['one event, and nearly nothing to keep', padded({ events: events(1) })],
    ['nothing but refused events', padded({ events: events(2, () => ({ eventTime: 1_000_000_000 })) })],
    ['umlauts and emoji', JSON.stringify(largeRequest({ events: events(600, (n) => ({ eventName: `Käufe 🛒 ${n}` })) }))],
  ])('%s', async (_name, body) => {
    const { threaded, inline } = await answers(body);
    expect(threaded.body).toMatchObject({ deliveryId: 'dlv_1' });
    expect(threaded.requests[0]).toHaveProperty('chunks');
    expect(threaded.status).toBe(200);
    expect({ ...threaded, requests: [], logged: '' }).toEqual({ ...inline, requests: [], logged: '' });
    expect(threaded.requests.map(contentOf)).toEqual(inline.requests.map(contentOf));
    const facts = (request: object) => ({ ...request, events: undefined, chunks: undefined, deliveryId: undefined, rowEventIds: undefined });
    expect(threaded.requests.map(facts)).toEqual(inline.requests.map(facts));
  });

  it.each<[string, number, string | Buffer, { as?: string }?]>([
    ['no JSON', 400, `{"accountId": ${' '.repeat(LARGE_BODY_BYTES)} oops`],
    ['no UTF-8', 400, Buffer.alloc(LARGE_BODY_BYTES, 0xff)],
    ['a lone surrogate', 400, padded({ events: [anEvent({ eventId: '\ud800' })] })],
    ['a wrong field among many', 400, JSON.stringify(largeRequest({ events: events(700, (n) => (n === 650 ? { eventTime: 'now' } : {})) }))],
    ['an account that is not there', 404, padded({ accountId: 'acc_none' })],
    ['a key of another account', 403, padded({ accountId: 'acc_other' }), { as: 'shop' }],
    ['an account without its grant', 403, padded({ accountId: 'acc_off' })],
    ['a destination that is none', 400, padded({ destinationId: 'pixel' })],
  ])('%s: refused, and nothing is stored', async (_name, status, body, options) => {
    const { threaded, inline } = await answers(body, options);
    expect(threaded.status).toBe(status);
    expect({ ...threaded, logged: '' }).toEqual({ ...inline, logged: '' });
    expect(threaded.requests).toEqual([]);
  });
});

it('what a large body came in is freed, and a small one left to its owner', async () => {
  await using api = await openApi({ platforms: PLATFORMS, largeBodies });
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = api.app.server.address() as AddressInfo;
  const parts: Uint8Array[][] = [];
  const concat = vi.spyOn(Buffer, 'concat');
  try {
    for (const count of [1, 2000]) {
      const reply = await fetch(`http://127.0.0.1:${port}${SEND}`, {
        method: 'POST',
        headers: { authorization: 'Bearer rk_root', 'content-type': 'application/json', prefer: 'respond-async' },
        body: JSON.stringify(largeRequest({ events: events(count) })),
      });
      expect([200, 202]).toContain(reply.status);
    }
    parts.push(...concat.mock.calls.map(([list]) => [...list]));
  } finally {
    concat.mockRestore();
  }
  const [small, large] = [parts.at(0), parts.findLast((list) => list.length > 2)];
  expect(small!.length).toBeGreaterThan(0);
  expect(small!.map(({ length }) => length)).not.toContain(0);
  expect(large!.map(({ length }) => length)).toEqual(large!.map(() => 0));
});

describe('openThreads', () => {
  const target = { platform: 'metaads', accountId: 'acc_meta', destinationId: PIXEL, deliveryId: 'dlv_9', nowMs: T0 } as const;
  const bodyOf = (count: number) => Buffer.from(JSON.stringify(largeRequest({ events: events(count) })));

  it('asks where the events go, once', async () => {
    const heads: object[] = [];
    const { request } = await largeBodies.ingest(bodyOf(300), async (head) => (heads.push(head), target));
    expect(heads).toEqual([{ accountId: 'acc_meta', destinationId: PIXEL }]);
    expect(request.chunks.map((chunk) => chunk.events)).toEqual([300]);
    expect(JSON.parse(`[${request.chunks[0]!.index}]`).slice(-2)).toEqual(['order_299', 'dlv_9:8b:0']);
  });

  it('cuts at the cap of the platform, and knows each event by its chunk', async () => {
    const { request } = await largeBodies.ingest(bodyOf(2001), async () => target);
    expect(request.chunks.map((chunk) => chunk.events)).toEqual([1000, 1000, 1]);
    expect(JSON.parse(`[${request.chunks[2]!.index}]`)).toEqual(['order_2000', 'dlv_9:1jk:2']);
  });

  it('makes no index where events are not looked up', async () => {
    await using own = new AsyncDisposableStack();
    const { request } = await openThreads(own, 1, { secretKeys, isIndexed: false }).ingest(bodyOf(300), async () => target);
    expect(request.chunks[0]!.index).toBe('');
  });

  it('throws what was thrown on the question', async () => {
    const refusal = new RelayError('storage_unavailable', 'Redis is away.');
    await expect(largeBodies.ingest(bodyOf(300), () => Promise.reject(refusal))).rejects.toBe(refusal);
  });

  it('works on the next body while one waits to hear where it goes', async () => {
    const { promise, resolve } = Promise.withResolvers<typeof target>();
    const first = largeBodies.ingest(bodyOf(300), () => promise);
    await largeBodies.ingest(bodyOf(200), async () => target);
    resolve(target);
    expect((await first).request.chunks[0]!.events).toBe(300);
  });

  it('takes no more than may wait, and one that is larger by itself', async () => {
    await using own = new AsyncDisposableStack();
    const threads = openThreads(own, 1, { secretKeys, isIndexed: true }, 1000);
    const { promise, resolve } = Promise.withResolvers<typeof target>();
    const first = threads.ingest(bodyOf(300), () => promise);
    await expect(threads.ingest(bodyOf(1), async () => target)).rejects.toMatchObject({ code: 'queue_full', extras: { retryAfterSeconds: 1 } });
    resolve(target);
    await first;
    expect((await threads.ingest(bodyOf(1), async () => target)).request.chunks).toHaveLength(1);
  });

  it('fails what a thread had when it died, and goes on with another', async () => {
    const workers: Worker[] = [];
    const note = (worker: Worker) => void workers.push(worker);
    process.on('worker', note);
    await using own = new AsyncDisposableStack();
    const threads = openThreads(own, 1, { secretKeys, isIndexed: true });
    const dies = (): Promise<never> => {
      process.off('worker', note);
      void workers[0]!.terminate();
      return new Promise(() => {});
    };
    await expect(threads.ingest(bodyOf(300), dies)).rejects.toThrow(/worker/i);
    const { request } = await threads.ingest(bodyOf(200), async () => target);
    expect(request.chunks.map((chunk) => chunk.events)).toEqual([200]);
  });

  it('fails what a thread had when it ended', async () => {
    const own = new AsyncDisposableStack();
    const threads = openThreads(own, 1, { secretKeys, isIndexed: true });
    const lost = threads.ingest(bodyOf(300), () => new Promise(() => {}));
    const [outcome] = await Promise.all([Promise.allSettled([lost]), own.disposeAsync()]);
    expect(outcome).toEqual([{ status: 'rejected', reason: expect.objectContaining({ message: expect.stringMatching(/terminat|abort|destroy/i) }) }]);
  });
});
