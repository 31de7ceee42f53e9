import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toGoogle, toLinkedin, toMeta } from '../../e2e/events.ts';
import { BALANCED, startRelay, type Json, type Platform, type Relay } from '../../e2e/harness.ts';
import { faultOf } from './check-answer.ts';
import { furnish, WEBHOOK_SECRETS } from './fuzz-world.ts';
import { createClient, type Answer } from './http-client.ts';
import { evaluateInApi, INSPECTED, memoryOfApi } from './memory.ts';
import type { OpenapiDocument } from './openapi-arbitrary.ts';
import { anyRequest, type FuzzRequest, type World } from './request-arbitrary.ts';
import { inParallel, LONG, SEED } from './run.ts';

const COUNT = Number(process.env['CHAOS_REQUESTS'] ?? (LONG ? 100_000 : 3_000));
/** Accounts that do not exist and are asked for: as many as the store remembers at most. */
const MADE_UP = 10_000;
/** Asked before memory is first measured: code is compiled and caches are filled by then. */
const WARM_UP = Math.min(2_000, Math.ceil(COUNT / 3));
const SOCKETS = 24;
/** No request of these waits for a platform for more than a second. */
const DEADLINE_MS = 15_000;
const MAX_HEAP_GROWTH_MIB = 24;
/** Buffers beside the heap. */
const MAX_EXTERNAL_GROWTH_MIB = 24;
const MAX_RSS_MIB = 600;
const BATCH = 500;
/** Enough to see what is wrong. */
const MAX_FAULTS = 20;

let relay: Relay;
let world: World;
let document: OpenapiDocument;
beforeAll(async () => {
  relay = await startRelay({ env: { ...WEBHOOK_SECRETS, ...INSPECTED, LOG_LEVEL: 'info', SYNC_WAIT_MS: '0', BODY_LIMIT_BYTES: String(1024 * 1024), MAX_ATTEMPTS: '2' } });
  world = await furnish(relay);
  const told = (await relay.call('GET', '/openapi.json')).body as OpenapiDocument;
  // Probes and the webhook stand beside it (`otherPaths`): the one takes no parameters, the other a signature.
  document = { ...told, paths: Object.fromEntries(Object.entries(told.paths).filter(([path]) => path.startsWith('/v1/'))) };
});
afterAll(() => relay?.stop());

const PLATFORMS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const satisfies readonly Platform[];
/** Events that were queued or refused at once, ever. */
const taken = async (): Promise<number> => {
  const rows = await Promise.all(PLATFORMS.map((platform) => relay.ledger(platform)));
  return rows.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
};

/** What an answered request should have added to the books. */
function eventsTaken({ method, path, sent }: FuzzRequest, { status, headers, text }: Answer): number {
  if (method !== 'POST' || (status !== 200 && status !== 202) || headers['idempotent-replayed'] === 'true') return 0;
  const { events, adjustments } = (sent ?? {}) as Record<string, Json>;
  const route = (path.split('?', 1)[0] ?? '').replace(/^\/api\/v1\//, '/v1/');
  if (!text.includes('"deliveryId"')) return 0;
  if (route === '/v1/ads/conversions') return (events as unknown[]).length;
  if (route === '/v1/ads/conversions/adjustments') return (adjustments as unknown[]).length;
  return route === '/v1/whatsapp/conversions' ? 1 : 0;
}

const byStatus = new Map<string, number>();
const faults: string[] = [];
const reached = new Set<string>();
let slowestMs = 0;

async function fuzz(client: ReturnType<typeof createClient>, from: number, count: number): Promise<number> {
  const arbitrary = anyRequest(document, world);
  let events = 0;
  for (let at = from; at < from + count; at += BATCH) {
    const requests = fc.sample(arbitrary, { seed: SEED + at, numRuns: Math.min(BATCH, from + count - at) });
    await inParallel(requests, SOCKETS, async (request, index) => {
      const which = `request ${at + index} (${request.operation}): ${request.method} ${request.path.slice(0, 300)} ${JSON.stringify(request.headers).slice(0, 600)} ${request.body?.toString().slice(0, 600) ?? ''}`;
      const answer = await client.send(request, DEADLINE_MS).catch((error: unknown) => {
        faults.push(`${String(error)}: ${which}`);
      });
      if (answer === undefined) return;
      byStatus.set(String(answer.status), (byStatus.get(String(answer.status)) ?? 0) + 1);
      slowestMs = Math.max(slowestMs, answer.tookMs);
      const fault = faultOf(answer, request.method, request.path);
      if (fault !== undefined) faults.push(`${fault}: ${answer.text.slice(0, 600)}\n${which}`);
      if (answer.status < 300) reached.add(request.operation);
      events += eventsTaken(request, answer);
    });
    if (faults.length >= MAX_FAULTS) break;
  }
  return events;
}

describe('requests of every shape', () => {
  test.runIf(LONG)('keys that were made up are not remembered', { timeout: 120_000 }, async () => {
    const client = createClient(relay.url, SOCKETS);
    const ask = (from: number) =>
      inParallel(Array.from({ length: MADE_UP }, (_, n) => `rk_${from + n}-${'x'.repeat(400)}`), SOCKETS, async (key) => {
        const { status } = await client.send({ method: 'GET', path: '/v1/ads/conversions?accountId=acc_meta', headers: { authorization: `Bearer ${key}` }, body: undefined }, DEADLINE_MS);
        if (status !== 401) throw new Error(`a ${status}`);
      });
    await ask(0);
    const before = await memoryOfApi(relay);
    await ask(MADE_UP);
    const after = await memoryOfApi(relay);
    client.close();
    expect(after.heapMiB - before.heapMiB).toBeLessThan(3);
  });

  test(`${COUNT} of them are answered well, and leave only what was accepted`, { timeout: LONG ? 3_600_000 : 60_000 }, async () => {
    const before = await taken();
    const client = createClient(relay.url, SOCKETS);
    const startedAt = performance.now();
    let events = await fuzz(client, 0, WARM_UP);
    const warm = await memoryOfApi(relay);
    events += await fuzz(client, WARM_UP, COUNT - WARM_UP);
    const tookMs = performance.now() - startedAt;
    const after = await memoryOfApi(relay);
    client.close();
    console.log(JSON.stringify({ seed: SEED, requests: COUNT, tookS: Math.round(tookMs / 1000), slowestMs: Math.round(slowestMs), statuses: Object.fromEntries([...byStatus].sort(([a], [b]) => Number(a) - Number(b))), eventsTaken: events, warm, after }));

    expect(faults.join('\n\n')).toBe('');
    expect(await taken()).toBe(before + events);
    expect(after.heapMiB - warm.heapMiB).toBeLessThan(MAX_HEAP_GROWTH_MIB);
    expect(after.externalMiB - warm.externalMiB).toBeLessThan(MAX_EXTERNAL_GROWTH_MIB);
    expect(after.rssMiB).toBeLessThan(MAX_RSS_MIB);
    // A fuzzer that only ever meets a 400 shows nothing.
    expect(byStatus.get('200') ?? 0).toBeGreaterThan(COUNT / 50);
    expect(byStatus.get('202') ?? 0).toBeGreaterThan(COUNT / 100);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    // A few thousand requests need not have met each of them.
    console.log(JSON.stringify({ neverTaken: operations.filter((operation) => !reached.has(operation)) }));
    expect(LONG ? operations.filter((operation) => !reached.has(operation)) : []).toEqual([]);
  });

  test('the api still serves, nothing was logged as a fault, and the books balance', { timeout: 120_000 }, async () => {
    expect(await evaluateInApi(relay, '({}).polluted')).toBe('undefined');
    expect(await evaluateInApi(relay, 'Object.keys(Object.prototype).join()')).toBe('');
    await relay.sandbox.reset();
    const [id] = freshIds('after', 1);
    for (const to of [toMeta, toGoogle, toLinkedin]) expect((await relay.send(to([anEvent(id!)]), { prefer: 'wait=60' })).body.status).toBe('delivered');
    const logged = relay.logs().filter(({ text }) => /"level":"(error|fatal)"|[Uu]ncaught|[Uu]nhandled/.test(text));
    expect(logged).toEqual([]);
    expect((await relay.books()).off).toEqual(BALANCED.off);
  });
});
