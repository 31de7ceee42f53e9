import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideRedis, waitFor, type ProvidedRedis } from '@relay/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anEvent, freshIds, toMeta } from './events.ts';
import { forwardTo, type Forward } from './forward.ts';
import { BALANCED, startRelay, type Relay } from './harness.ts';

const portOf = (redis: ProvidedRedis) => Number(new URL(redis.url).port);
const parts = new AsyncDisposableStack();
let folder: string;
let redis: ProvidedRedis;
let forward: Forward;
let relay: Relay;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-away-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  redis = await provideRedis({ dataDir: folder });
  parts.defer(() => redis.stop());
  forward = parts.use(await forwardTo(portOf(redis)));
  relay = await startRelay({ redisUrl: `redis://127.0.0.1:${forward.port}` });
  parts.defer(() => relay.stop());
});
afterAll(() => parts.disposeAsync());

const readyz = async () => (await relay.call('GET', '/readyz', { key: null })).status;

test('while Redis is away nothing is accepted; what was accepted before is delivered afterwards', async () => {
  // In flight, waiting and not even taken: all of it while Redis goes.
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 700 } });
  const ids = freshIds('before', 6000);
  const deliveries = await Promise.all([0, 1, 2].map((n) => relay.queue(toMeta(ids.slice(n * 2000, (n + 1) * 2000).map((id) => anEvent(id))))));
  await waitFor(async () => (await relay.sandbox.requests('meta')).length > 0, { what: 'a first request' });

  await redis.stop();
  await forward.cut();
  await waitFor(async () => (await readyz()) === 503, { what: 'the api to notice' });
  expect((await relay.call('GET', '/healthz', { key: null })).status).toBe(200);
  const [lost] = freshIds('lost', 1);
  const startedAt = performance.now();
  const refused = await relay.send(toMeta([anEvent(lost!)]));
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(refused.status).toBe(503);
  expect(refused.body).toMatchObject({ type: 'api_error', code: 'storage_unavailable', error: expect.stringMatching(/again/) });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const asked = await relay.call('GET', `/v1/deliveries/${deliveries[0]}`);
  expect([asked.status, asked.body.code]).toEqual([503, 'storage_unavailable']);
  expect((await relay.call('GET', '/metrics', { key: null })).status).toBe(200);

  redis = await provideRedis({ dataDir: folder });
  await forward.restore(portOf(redis));
  await waitFor(async () => (await readyz()) === 200, { what: 'the api to be ready again' });
  for (const deliveryId of deliveries) expect(await relay.settled(deliveryId, 45_000)).toMatchObject({ status: 'delivered', eventsReceived: 2000 });
  const accepted = await relay.sandbox.accepted({ platform: 'meta', limit: 0 });
  expect(accepted.unique).toBe(6000);
  // Requests in flight when Redis went may be sent again; no others.
  expect(accepted.duplicates).toBeLessThanOrEqual(2000);

  expect((await relay.call('GET', `/v1/events/${lost}?accountId=acc_meta`)).status).toBe(404);
  const after = await relay.send(toMeta([anEvent(freshIds('after', 1)[0]!)]));
  expect([after.status, after.body.status]).toEqual([200, 'delivered']);
  await expect.poll(() => relay.books()).toEqual(BALANCED);
  expect(await relay.ledger('metaads')).toMatchObject({ accepted: 6001, delivered: 6001, dead: 0 });
});

test('a connection that breaks for a moment is not even noticed by who waits', async () => {
  await relay.sandbox.reset();
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 1000 } });
  const waiting = relay.send(toMeta([anEvent(freshIds('moment', 1)[0]!)]));
  await waitFor(async () => (await relay.ledger('metaads')).pending === 1);
  await forward.cut();
  await forward.restore(portOf(redis));
  const answer = await waiting;
  expect([answer.status, answer.body.status]).toEqual([200, 'delivered']);
});
