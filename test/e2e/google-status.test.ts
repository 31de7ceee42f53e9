import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { actionOf, anEvent, freshIds, toGoogle, toMeta } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { GOOGLE_STATUS_FIRST_POLL_MS: '500' } });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const some = (count: number) => freshIds('status', count).map((id) => anEvent(id));
const statusOf = (deliveryId: string, wanted: readonly string[]): Promise<Json> =>
  waitFor(
    async () => {
      const delivery = await relay.delivery(deliveryId);
      return wanted.includes(delivery.platformStatus) && delivery;
    },
    { what: `the status ${wanted.join(' or ')}`, timeoutMs: 10_000, everyMs: 20 },
  );

test('what Google did with a request is asked later and kept on the delivery and its row', async () => {
  const { body } = await relay.send(toGoogle(some(7)));
  expect(body.status).toBe('delivered');
  expect((await relay.delivery(body.deliveryId)).platformStatus).toBe('processing');
  const processing = await statusOf(body.deliveryId, ['processing']);
  expect(processing.status).toBe('delivered');
  const final = await statusOf(body.deliveryId, ['success']);
  expect(final).toMatchObject({ status: 'delivered', platformStatusDetails: [{ status: 'success', recordCount: 7, errors: [], warnings: [] }] });
  const rows = await relay.call('GET', '/v1/ads/conversions?accountId=acc_google&limit=1');
  expect(rows.body.conversions).toMatchObject([{ deliveryId: body.deliveryId, platformStatus: 'success' }]);
  // A final word is not asked for again.
  expect((await relay.sandbox.requests('google')).filter(({ route }) => route.includes('requestStatus'))).toHaveLength(2);
});

test('partial success comes with the counts by reason; single events keep their status', async () => {
  await relay.sandbox.switches({ 'google.statusProcessingPolls': 0, 'google.statusOutcome': 'partial' });
  const { body } = await relay.send(toGoogle(some(8)));
  const final = await statusOf(body.deliveryId, ['partial_success']);
  expect(final).toMatchObject({
    status: 'delivered', eventsReceived: 8, eventsFailed: 0,
    platformStatusDetails: [{ status: 'partial_success', recordCount: 8, errors: [{ reason: 'INVALID_GCLID', count: 4 }] }],
  });
});

test('failed altogether', async () => {
  await relay.sandbox.switches({ 'google.statusProcessingPolls': 0, 'google.statusOutcome': 'failed' });
  const { body } = await relay.send(toGoogle(some(2)));
  expect(await statusOf(body.deliveryId, ['failed'])).toMatchObject({ status: 'delivered', platformStatusDetails: [{ status: 'failed', errors: [{ count: 2 }] }] });
});

test('several destinations that shared a request each get their own', async () => {
  await relay.sandbox.switches({ 'google.statusProcessingPolls': 0 });
  await relay.sandbox.fault({ platform: 'google', match: { path: 'ingest' }, times: 2, fault: { kind: 'latency', ms: 200 } });
  const busy = await Promise.all([0, 1].map(() => relay.queue(toGoogle(some(1)))));
  const shared = await Promise.all([111, 112, 113].map((id, n) => relay.queue(toGoogle(some(n + 1), actionOf(String(id))))));
  for (const [n, deliveryId] of shared.entries()) {
    const { platformStatusDetails } = await statusOf(deliveryId, ['success']);
    expect(platformStatusDetails).toHaveLength(1);
    expect(platformStatusDetails[0].status).toBe('success');
    expect(platformStatusDetails[0].recordCount).toBeGreaterThanOrEqual(n + 1);
  }
  for (const deliveryId of busy) await statusOf(deliveryId, ['success']);
});

test('an outage while asking is asked again', async () => {
  await relay.sandbox.switches({ 'google.statusProcessingPolls': 0 });
  await relay.sandbox.fault({ platform: 'google', match: { path: 'requestStatus' }, times: 1, fault: { kind: 'unavailable' } });
  const { body } = await relay.send(toGoogle(some(1)));
  expect(await statusOf(body.deliveryId, ['success'])).toMatchObject({ status: 'delivered' });
});

test('other platforms have none', async () => {
  const { body } = await relay.send(toMeta(some(1)));
  const delivery = await relay.delivery(body.deliveryId);
  expect(delivery.platformStatus).toBeNull();
  expect(delivery).not.toHaveProperty('platformStatusDetails');
});

test('the ledger adds up in the end: looks are no events', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
