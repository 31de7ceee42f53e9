import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ACTION, actionOf, anEvent, freshIds, PIXEL, PIXEL_2, toGoogle, toMeta, type SendBody } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';
import { SECOND_META_TOKEN } from './sandbox-control.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ tap: true });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const AT_ONCE = 100;

/** Each event in a request of its own, as many at a time as a busy shop would. */
async function sendSingly(bodies: readonly SendBody[]): Promise<void> {
  const left = [...bodies];
  const sender = async () => {
    for (let body = left.pop(); body !== undefined; body = left.pop()) await relay.queue(body);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}

const allTaken = (platform: 'meta' | 'google', count: number) =>
  waitFor(async () => (await relay.sandbox.accepted({ platform, limit: 0 })).unique >= count, { timeoutMs: 30_000, what: `${count} events to arrive` });

test('two thousand single events become a few requests, each event once', async () => {
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 100 } });
  const ids = freshIds('single', 2000);
  await sendSingly(ids.map((id) => toMeta([anEvent(id)])));
  await allTaken('meta', 2000);
  const requests = await relay.sandbox.requests('meta');
  expect(requests.length).toBeLessThanOrEqual(60);
  expect(Math.max(...requests.map(({ events }) => events))).toBeLessThanOrEqual(1000);
  expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 2000, unique: 2000, duplicates: 0 });
});

test('one single event to an idle destination does not wait for others', async () => {
  const before = relay.wire().length;
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 300 } });
  const [first, ...others] = freshIds('idle', 10);
  const deliveryId = await relay.queue(toMeta([anEvent(first!)]));
  await Promise.all(others.map((id) => relay.queue(toMeta([anEvent(id)]))));
  expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
  await allTaken('meta', 10);
  // A linger would have let those that came right after it into its request.
  const [alone] = relay.wire().slice(before);
  expect((JSON.parse(alone!.body).data as Json[]).map(({ event_id }) => event_id)).toEqual([first]);
});

test('never mixed in one request: test codes, consents, pixels and accounts', async () => {
  await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 100 } });
  const kinds = [
    { ...toMeta([]), testCode: 'TEST1' },
    { ...toMeta([]), testCode: 'TEST2' },
    toMeta([]),
    { ...toMeta([]), consent: { adUserData: 'DENIED' } },
    toMeta([], PIXEL_2),
    { ...toMeta([]), accountId: 'acc_meta_2' },
  ];
  const bodies = kinds.flatMap((kind, n) => freshIds(`kind${n}`, 60).map((id): SendBody => ({ ...kind, events: [anEvent(id)] })));
  const before = relay.wire().length;
  // Mixed, so that events of all kinds wait at the same time.
  await sendSingly(bodies.toSorted((a, b) => a.events[0]!.eventId.slice(-2).localeCompare(b.events[0]!.eventId.slice(-2))));
  await allTaken('meta', 360);
  const requests = relay.wire().slice(before).map(({ path, body }) => {
    const request: Json = JSON.parse(body);
    const events = request.data as Json[];
    return {
      senders: [...new Set(events.map(({ event_id }) => event_id.split('-')[0] as string))],
      pixel: path.split('/').at(-2),
      token: request.access_token,
      testCode: request.test_event_code,
      options: [...new Set(events.map(({ data_processing_options }) => data_processing_options?.[0]))],
    };
  });
  const plain = { pixel: PIXEL, token: SEED.meta.accessToken, testCode: undefined, options: [undefined] };
  const expected: Json = {
    kind0: { ...plain, testCode: 'TEST1' },
    kind1: { ...plain, testCode: 'TEST2' },
    kind2: plain,
    kind3: { ...plain, options: ['LDU'] },
    kind4: { ...plain, pixel: PIXEL_2 },
    kind5: { ...plain, token: SECOND_META_TOKEN },
  };
  for (const { senders, ...what } of requests) {
    expect(senders).toHaveLength(1);
    expect(what).toEqual(expected[senders[0]!]);
  }
  // They do share requests with their own kind.
  expect(requests.length).toBeLessThanOrEqual(60);
  expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 360, duplicates: 0 });
});

test('up to ten destinations of one Google account share a request, never an account and never more', async () => {
  await relay.sandbox.fault({ platform: 'google', match: { path: 'events:ingest' }, fault: { kind: 'latency', ms: 150 } });
  const actions = Array.from({ length: 12 }, (_, n) => actionOf(String(111 + n)));
  const bodies = actions.flatMap((action, n) => freshIds(`action${n}`, 20).map((id) => toGoogle([anEvent(id)], action)));
  await sendSingly(bodies.toSorted((a, b) => a.events[0]!.eventId.slice(-2).localeCompare(b.events[0]!.eventId.slice(-2))));
  await allTaken('google', 240);
  const ofGoogle = () => relay.logged('delivery.attempted').filter(({ platform }: Json) => platform === 'googleads');
  // Lines come a moment after what they tell of.
  await waitFor(() => ofGoogle().reduce((sum, { events }: Json) => sum + (events as number), 0) >= 240, { what: 'all attempts to be in the log' });
  const attempts = ofGoogle();
  const widths = attempts.map(({ destinationIds }: Json) => destinationIds.length as number);
  expect(Math.max(...widths)).toBeLessThanOrEqual(10);
  expect(Math.max(...widths)).toBeGreaterThan(1);
  expect(attempts.length).toBeLessThanOrEqual(30);
  const { events, ...totals } = await relay.sandbox.accepted({ platform: 'google', limit: 1000 });
  expect(totals).toMatchObject({ total: 240, duplicates: 0 });
  expect(new Set(events.map(({ destinationId }) => destinationId))).toEqual(new Set(actions));
  expect(events.filter(({ destinationId }) => destinationId === ACTION)).toHaveLength(20);
});

test('a destination with much to do does not make another one wait', async () => {
  await relay.sandbox.fault({ platform: 'meta', match: { destinationId: PIXEL }, fault: { kind: 'latency', ms: 1000 } });
  const before = relay.wire().length;
  const ids = freshIds('many', 10_000);
  await relay.queue(toMeta(ids.map((id) => anEvent(id))));
  const answer = await relay.send(toMeta([anEvent(freshIds('one', 1)[0]!)], PIXEL_2));
  expect(answer.body.status).toBe('delivered');
  await allTaken('meta', 10_001);
  const pixels = relay.wire().slice(before).map(({ path }) => path.split('/').at(-2));
  // Ten requests of a second each, two at a time: most of them go out after the one that came last.
  expect(pixels.slice(pixels.indexOf(PIXEL_2) + 1).length).toBeGreaterThanOrEqual(4);
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
