import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toMeta } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { SYNC_WAIT_MS: '1000', PLATFORM_TIMEOUT_MS: '10000' } });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const slow = (ms: number) => relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms } });
const aLead = () => toMeta([anEvent(freshIds('wait', 1)[0]!)]);

describe('Prefer', () => {
  test('respond-async answers as soon as the events are queued, and the statusUrl works to the end', async () => {
    // A worker that stands still has not taken it yet, however long the first look takes.
    const worker = relay.workers[0]!.process;
    worker.kill('SIGSTOP');
    const answer = await relay.send(aLead(), { prefer: 'respond-async' });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    const { deliveryId, statusUrl } = answer.body;
    expect(answer.body).toMatchObject({ platform: 'metaads', eventsReceived: 0, eventsFailed: 0, failures: [], status: 'queued', statusUrl: `/v1/deliveries/${deliveryId}` });
    expect(answer.headers.get('location')).toBe(statusUrl);
    expect(await relay.call('GET', statusUrl)).toMatchObject({ status: 200, body: { status: 'queued' } });
    worker.kill('SIGCONT');
    const final = await waitFor(async () => {
      const { status, body } = await relay.call('GET', statusUrl);
      expect(status).toBe(200);
      return body.status === 'delivered' && body;
    });
    expect(final).toMatchObject({ eventsReceived: 1, eventsPending: 0, attempts: 1 });
  });

  test('wait=1 gives up after a second and the delivery goes on', async () => {
    await slow(3000);
    const startedAt = performance.now();
    const answer = await relay.send(aLead(), { prefer: 'wait=1' });
    const tookMs = performance.now() - startedAt;
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe('wait=1');
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(7500);
    expect(answer.body.status).toBe('queued');
    expect(await relay.settled(answer.body.deliveryId)).toMatchObject({ status: 'delivered', eventsReceived: 1 });
  });

  test('wait=5 waits beyond SYNC_WAIT_MS, and no preference waits just that long', async () => {
    await slow(1500);
    const patient = await relay.send(aLead(), { prefer: 'wait=5' });
    expect([patient.status, patient.body.status]).toEqual([200, 'delivered']);
    const usual = await relay.send(aLead());
    expect([usual.status, usual.body.status]).toEqual([202, 'queued']);
    expect(usual.headers.get('preference-applied')).toBeNull();
    await relay.settled(usual.body.deliveryId);
  });

  test('what is not understood is ignored', async () => {
    const answer = await relay.send(aLead(), { prefer: 'wait=soon, handling=lenient' });
    expect([answer.status, answer.body.status]).toEqual([200, 'delivered']);
  });
});

describe('Idempotency-Key', () => {
  test('fifty requests at once are one delivery', async () => {
    await slow(200);
    const body = aLead();
    const key = `fifty-${Date.now()}`;
    const answers = await Promise.all(Array.from({ length: 50 }, () => relay.send(body, { 'idempotency-key': key })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map((answer) => answer.body.deliveryId)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(49);
    expect(await relay.sandbox.accepted({ eventId: body.events[0]!.eventId })).toMatchObject({ total: 1, duplicates: 0 });
  });

  test('also answers with the first delivery when it is long over', async () => {
    const body = aLead();
    const first = await relay.send(body, { 'idempotency-key': 'long-over' });
    const again = await relay.send(body, { 'idempotency-key': 'long-over' });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await relay.sandbox.accepted({ platform: 'meta' })).toMatchObject({ total: 1 });
  });

  test('with another body is refused and queues nothing', async () => {
    await relay.send(aLead(), { 'idempotency-key': 'reused' });
    const before = await relay.ledger('metaads');
    const answer = await relay.send(aLead(), { 'idempotency-key': 'reused' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ type: 'invalid_request_error', code: 'idempotency_key_reused' });
    expect(await relay.ledger('metaads')).toEqual(before);
  });

  test('that is malformed is refused', async () => {
    const answer = await relay.send(aLead(), { 'idempotency-key': 'two words' });
    expect([answer.status, answer.body.code, answer.body.param]).toEqual([400, 'invalid_header', 'Idempotency-Key']);
  });
});

test('ids that stand twice in a request are kept, sent and reported', async () => {
  const [a, b] = freshIds('twice', 2);
  const answer = await relay.send(toMeta([anEvent(a!), anEvent(b!), anEvent(a!)]));
  expect(answer.body).toMatchObject({ eventsReceived: 3, status: 'delivered', warnings: [{ code: 'duplicate_event_id', eventIds: [a] }] });
  expect(await relay.sandbox.accepted({ platform: 'meta' })).toMatchObject({ total: 3, unique: 2, duplicates: 1 } satisfies Json);
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
