import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '@relay/testkit';
import { actionOf, anEvent, freshIds, PIXEL, PIXEL_2, PIXEL_3, RULE, RULE_2, toGoogle, toLinkedin, toMeta, type SendBody } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { QUEUE_LANES: '4' }, workers: 2 });
});
afterAll(() => relay?.stop());

const one = () => [anEvent(freshIds('lane', 1)[0]!)];
const BODIES: readonly (() => SendBody)[] = [
  ...[PIXEL, PIXEL_2, PIXEL_3].map((pixel) => () => toMeta(one(), pixel)),
  ...[RULE, RULE_2].map((rule) => () => toLinkedin(one(), rule)),
  ...['111', '112'].map((id) => () => toGoogle(one(), actionOf(id))),
];

test('with QUEUE_LANES=4 everything goes the same way', async () => {
  const sent = await Promise.all(BODIES.map(async (body) => (await relay.send(body(), { 'idempotency-key': freshIds('key', 1)[0]! })).body));
  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set(['delivered']));
  const lanes = await relay.redis.keys('{relay.metaads.*}:ledger:metaads');
  expect(lanes.length).toBeGreaterThan(1);
  for (const { deliveryId, platform } of sent) expect(await relay.delivery(deliveryId)).toMatchObject({ platform, status: 'delivered', eventsPending: 0 });

  const rows = (await relay.call('GET', '/v1/ads/conversions?accountId=acc_meta')).body.conversions as Json[];
  expect(new Set(rows.map(({ destinationId }) => destinationId))).toEqual(new Set([PIXEL, PIXEL_2, PIXEL_3]));
  const paged: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Json = (await relay.call('GET', `/v1/ads/conversions?accountId=acc_meta&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`)).body;
    paged.push(...page.conversions.map(({ deliveryId }: Json) => deliveryId as string));
    cursor = page.nextCursor;
  }
  expect(paged).toEqual(rows.map(({ deliveryId }) => deliveryId));
});

test('events are found, letters listed and replayed, and held events released, in whatever lane', async () => {
  const bad = [PIXEL, PIXEL_2, PIXEL_3].map((pixel) => toMeta(one(), pixel));
  const ids = bad.map(({ events }) => events[0]!.eventId);
  await relay.sandbox.poison('meta', ids);
  const dead = await Promise.all(bad.map(async (body) => (await relay.send(body)).body.deliveryId as string));
  for (const id of ids) expect((await relay.call('GET', `/v1/events/${id}?accountId=acc_meta`)).body.status).toBe('dead');
  expect((await relay.deadLetters('platform=metaads')).map(({ deliveryId }) => deliveryId as string).toSorted((a, b) => a.localeCompare(b))).toEqual(dead.toSorted((a, b) => a.localeCompare(b)));
  await relay.sandbox.reset();
  expect((await relay.call('POST', '/v1/dead-letters/replay', { body: { accountId: 'acc_meta' } })).body).toMatchObject({ replayed: 3, refused: 0 });
  for (const deliveryId of dead) expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered', replays: 1 });

  await relay.sandbox.token('meta', 'sandbox-meta-token', 'revoked');
  const held = await Promise.all([PIXEL, PIXEL_2, PIXEL_3].map((pixel) => relay.queue(toMeta(one(), pixel))));
  await waitFor(async () => (await relay.call('GET', '/v1/admin/accounts/acc_meta')).body.heldEvents === 3);
  await relay.sandbox.token('meta', 'sandbox-meta-token', 'valid');
  const patched = await relay.call('PATCH', '/v1/admin/accounts/acc_meta', { body: { credentials: { accessToken: 'sandbox-meta-token' } } });
  expect(patched.body.releasedEvents).toBe(3);
  for (const deliveryId of held) expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
