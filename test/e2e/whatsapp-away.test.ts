import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideRedis, waitFor, type ProvidedRedis } from '@relay/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshIds } from './events.ts';
import { forwardTo, type Forward } from './forward.ts';
import { BALANCED, startRelay, type Relay } from './harness.ts';
import { withWhatsapp, type Whatsapp } from './whatsapp-kit.ts';

const parts = new AsyncDisposableStack();
let folder: string;
let redis: ProvidedRedis;
let redisForward: Forward;
let metaForward: Forward;
let relay: Relay;
let wa: Whatsapp;

const portOf = (url: string) => Number(new URL(url).port);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-wa-away-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  redis = await provideRedis({ dataDir: folder });
  parts.defer(() => redis.stop());
  redisForward = parts.use(await forwardTo(portOf(redis.url)));
  metaForward = parts.use(await forwardTo(1));
  relay = await startRelay({ redisUrl: `redis://127.0.0.1:${redisForward.port}`, env: { META_GRAPH_URL: `http://127.0.0.1:${metaForward.port}/meta` } });
  parts.defer(() => relay.stop());
  wa = withWhatsapp(relay);
  await metaForward.cut();
  await metaForward.restore(portOf(relay.sandbox.url));
});
afterAll(() => parts.disposeAsync());

test('where no connection could be made, the event is sent again and taken once', async () => {
  await wa.provision();
  const { phone } = await wa.tap();
  await metaForward.cut();
  const [eventId] = freshIds('refused', 1);
  const deliveryId = await wa.queueConversion({ eventId, phoneE164: phone });
  await waitFor(async () => (await relay.delivery(deliveryId)).chunks[0].attempts >= 2, { what: 'two attempts' });
  expect((await relay.delivery(deliveryId)).chunks[0]).toMatchObject({ status: 'retrying', code: 'connect_failed' });
  expect(await wa.asked()).toBe(0);
  await metaForward.restore(portOf(relay.sandbox.url));
  expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered', eventsFailed: 0 });
  expect([await wa.asked(), await wa.taken(eventId!)]).toEqual([1, 1]);
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});

test('while Redis is away a webhook is not acknowledged, and counts when Meta sends it again', async () => {
  const before = (await wa.conversations()).length;
  await redis.stop();
  await redisForward.cut();
  await waitFor(async () => (await relay.call('GET', '/readyz', { key: null })).status === 503, { what: 'the api to notice' });
  const lost = await wa.tap();
  expect(lost.deliveredStatuses).toEqual([503]);
  const refused = await wa.convert({ eventId: 'while-away', phoneE164: lost.phone });
  expect([refused.status, refused.body.code]).toEqual([503, 'storage_unavailable']);
  expect((await wa.provision()).status).toBe(503);

  redis = await provideRedis({ dataDir: folder });
  await redisForward.restore(portOf(redis.url));
  await waitFor(async () => (await relay.call('GET', '/readyz', { key: null })).status === 200, { what: 'the api to be ready again' });
  expect(await wa.conversations()).toHaveLength(before);
  const again = await wa.tap({ waId: lost.phone, wamid: lost.wamid, ctwaClid: lost.ctwaClid! });
  expect(again.deliveredStatuses).toEqual([200]);
  expect((await wa.conversationOf(lost.phone)).metadata.ctwa_clid).toBe(lost.ctwaClid);
  expect((await wa.convert({ eventId: 'afterwards', phoneE164: lost.phone })).body.status).toBe('delivered');
});
