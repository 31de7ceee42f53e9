import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACTION, anEvent, freshIds, PIXEL, PIXEL_2, RULE, toGoogle, toLinkedin, toMeta, toSecondMeta } from './events.ts';
import { BALANCED, KEYS, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { MAX_ATTEMPTS: '2' } });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const event = async (id: string, account = 'acc_meta'): Promise<Json> => (await relay.call('GET', `/v1/events/${encodeURIComponent(id)}?accountId=${account}`)).body;
const rows = async (query: string): Promise<Json> => (await relay.call('GET', `/v1/ads/conversions?${query}`)).body;

describe('did order 4711 reach Meta, and if not, why', () => {
  test('delivered, in each of its deliveries, newest first', async () => {
    const [id] = freshIds('order', 1);
    const first = (await relay.send(toMeta([anEvent('other'), anEvent(id!)]))).body.deliveryId;
    const second = (await relay.send(toMeta([anEvent(id!)], PIXEL_2))).body.deliveryId;
    expect(await event(id!)).toEqual({
      eventId: id,
      accountId: 'acc_meta',
      platform: 'metaads',
      status: 'delivered',
      deliveries: [
        { deliveryId: second, eventIndex: 0, destinationId: PIXEL_2, status: 'delivered', code: null, message: null, acceptedAt: expect.any(String), statusUrl: `/v1/deliveries/${second}` },
        { deliveryId: first, eventIndex: 1, destinationId: PIXEL, status: 'delivered', code: null, message: null, acceptedAt: expect.any(String), statusUrl: `/v1/deliveries/${first}` },
      ],
    });
    // Of another account it is unknown.
    expect((await relay.call('GET', `/v1/events/${id}?accountId=acc_meta_2`)).status).toBe(404);
    expect((await relay.call('GET', `/v1/events/${id}?accountId=acc_google`, { key: KEYS.bound })).status).toBe(403);
  });

  test('refused, with the reason', async () => {
    const [id] = freshIds('order', 1);
    await relay.send(toMeta([anEvent(id!, { user: { country: 'DE' } })]));
    expect(await event(id!)).toMatchObject({ status: 'refused', deliveries: [{ status: 'refused', code: 'no_match_keys', message: expect.stringMatching(/\S/) }] });
  });

  test("dead, with the platform's words, and delivered after the replay", async () => {
    const ids = freshIds('order', 3);
    await relay.sandbox.poison('meta', [ids[1]!]);
    const { deliveryId } = (await relay.send(toMeta(ids.map((id) => anEvent(id))))).body;
    expect(await event(ids[1]!)).toMatchObject({ status: 'dead', deliveries: [{ deliveryId, eventIndex: 1, status: 'dead', code: expect.stringMatching(/^100/), message: expect.stringMatching(/\S/) }] });
    expect(await event(ids[0]!)).toMatchObject({ status: 'delivered' });
    await relay.sandbox.reset();
    const [letter] = await relay.deadLetters('accountId=acc_meta');
    await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`);
    await relay.settled(deliveryId);
    expect(await event(ids[1]!)).toMatchObject({ status: 'delivered', deliveries: [{ code: null }] });
  });

  test('queued, retrying and held', async () => {
    const [queued, retrying, held] = freshIds('order', 3);
    await relay.sandbox.fault({ platform: 'linkedin', match: { path: 'conversionEvents' }, times: 1, fault: { kind: 'status', status: 503, headers: { 'retry-after': '1' } } });
    await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'revoked');
    // A worker that stands still has not taken it yet, however long the look takes.
    const worker = relay.workers[0]!.process;
    worker.kill('SIGSTOP');
    const first = await relay.queue(toGoogle([anEvent(queued!)]));
    expect((await event(queued!, 'acc_google')).status).toBe('queued');
    worker.kill('SIGCONT');
    const deliveries = [first, await relay.queue(toLinkedin([anEvent(retrying!)])), await relay.queue(toSecondMeta([anEvent(held!)]))];
    await waitFor(async () => (await event(retrying!, 'acc_linkedin')).status === 'retrying');
    await waitFor(async () => (await event(held!, 'acc_meta_2')).status === 'held');
    await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'valid');
    await relay.call('PATCH', '/v1/admin/accounts/acc_meta_2', { body: { credentials: { accessToken: 'sandbox-meta-token-2' } } });
    for (const deliveryId of deliveries) expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
    expect([(await event(queued!, 'acc_google')).status, (await event(retrying!, 'acc_linkedin')).status, (await event(held!, 'acc_meta_2')).status]).toEqual(['delivered', 'delivered', 'delivered']);
  });

  test.each(['a/b?c=d&e#f', 'Bestellung 4711 – Grün', 'x'.repeat(300), '日本-4711', '..%2f..'])('by an id such as %j', async (id) => {
    await relay.send(toMeta([anEvent(id, { user: { email: 'someone@example.com' } })]));
    expect(await event(id)).toMatchObject({ eventId: id, status: 'delivered' });
  });
});

describe('recent conversions', () => {
  test('one row per request, not per attempt, newest first', async () => {
    await relay.sandbox.fault({ platform: 'linkedin', match: { path: 'conversionEvents' }, times: 1, fault: { kind: 'status', status: 503 } });
    const ids = freshIds('row', 3);
    const { deliveryId } = (await relay.send(toLinkedin(ids.map((id, n) => anEvent(id, { eventName: n === 0 ? 'Lead' : 'SignUp' }))))).body;
    const { platform, conversions } = await rows('accountId=acc_linkedin&limit=1');
    expect(platform).toBe('linkedinads');
    expect(conversions).toEqual([
      {
        timestamp: expect.stringMatching(/^20\d\d-.*Z$/),
        deliveryId,
        destinationId: RULE,
        status: 'delivered',
        eventNames: ['Lead', 'SignUp'],
        eventIds: ids,
        eventCount: 3,
        eventsReceived: 3,
        eventsFailed: 0,
        traceId: null,
        durationMs: expect.any(Number),
        attempts: 2,
        platformStatus: null,
      },
    ]);
  });

  test('of a large request have the count instead of the ids', async () => {
    const ids = freshIds('large', 1200);
    const { deliveryId } = (await relay.send(toMeta(ids.map((id) => anEvent(id))))).body;
    const { conversions } = await rows('accountId=acc_meta&limit=1');
    expect(conversions).toMatchObject([{ deliveryId, eventCount: 1200, eventsReceived: 1200, status: 'delivered' }]);
    expect(conversions[0]).not.toHaveProperty('eventIds');
  });

  test('page by page, each row once, also while more come in', async () => {
    const sent: string[] = [];
    for (const id of freshIds('page', 25)) sent.push((await relay.send(toGoogle([anEvent(id)]))).body.deliveryId);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await rows(`accountId=acc_google&limit=10${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...page.conversions.map(({ deliveryId }: Json) => deliveryId as string));
      cursor = page.nextCursor;
      await relay.send(toGoogle([anEvent(freshIds('meanwhile', 1)[0]!)]));
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, 25)).toEqual(sent.toReversed());
  });

  test('by status', async () => {
    const failed = (await relay.send(toMeta([anEvent(freshIds('bad', 1)[0]!, { eventTime: 1_000_000_000 })]))).body.deliveryId;
    const page = await rows('accountId=acc_meta&status=failed');
    expect(page.conversions.map(({ status }: Json) => status)).toEqual(page.conversions.map(() => 'failed'));
    expect(page.conversions[0].deliveryId).toBe(failed);
  });
});

test('a delivery tells its chunks, attempts, trace ids and timings', async () => {
  const { deliveryId, traceId } = (await relay.send(toGoogle([anEvent(freshIds('told', 1)[0]!)]))).body;
  const delivery = await relay.delivery(deliveryId);
  expect(delivery).toMatchObject({
    deliveryId, platform: 'googleads', accountId: 'acc_google', destinationId: ACTION, status: 'delivered',
    eventsSubmitted: 1, eventsReceived: 1, eventsFailed: 0, eventsPending: 0, eventsHeld: 0, failures: [], traceId, attempts: 1, replays: 0,
    chunks: [{ chunk: 0, events: 1, status: 'delivered', attempts: 1, traceId, code: null, message: null }],
  });
  expect(Date.parse(delivery.finishedAt) - Date.parse(delivery.acceptedAt)).toBe(delivery.durationMs);
  expect(delivery.chunks[0].durationMs).toBeLessThanOrEqual(delivery.durationMs);
});

test('metrics of api and worker count what happened, under the documented names', async () => {
  const api = await relay.metrics();
  const worker = await (await fetch(`${relay.workers[0]!.url}/metrics`)).text();
  const counted = (text: string, name: string): number =>
    text.split('\n').filter((line) => line.startsWith(`${name}{`)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  const ledgers = await Promise.all((['metaads', 'googleads', 'linkedinads'] as const).map((platform) => relay.ledger(platform)));
  const sum = (name: 'accepted' | 'dead') => ledgers.reduce((total, row) => total + row[name], 0);
  expect(counted(api, 'relay_events_accepted_total')).toBe(sum('accepted'));
  // A replayed event was dead once and is delivered.
  expect(counted(worker, 'relay_events_delivered_total')).toBe(sum('accepted') - sum('dead'));
  expect(counted(worker, 'relay_events_dead_lettered_total')).toBe(sum('dead') + 1);
  for (const name of ['relay_queue_jobs', 'relay_oldest_event_age_seconds', 'relay_held_events', 'relay_ledger_imbalance', 'relay_http_request_duration_seconds_count']) expect(api).toContain(`${name}{`);
  for (const name of ['relay_platform_requests_total', 'relay_platform_request_duration_seconds_count', 'relay_chunk_events_count', 'relay_event_age_seconds_count']) expect(worker).toContain(`${name}{`);
  expect(counted(api, 'relay_ledger_imbalance')).toBe(0);
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
