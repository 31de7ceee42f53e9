import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACTION, actionOf, anEvent, freshIds, now, toGoogle } from './events.ts';
import { BALANCED, GOOGLE_CREDENTIALS, startRelay, type Json, type Relay } from './harness.ts';

const WEBPAGE = actionOf(SEED.google.webpageActions[0]);

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ tap: true });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

/** Conversions that Google has, by their event ids. */
async function sent(count: number, destinationId = ACTION): Promise<string[]> {
  const ids = freshIds('adjusted', count);
  expect((await relay.send(toGoogle(ids.map((id) => anEvent(id)), destinationId))).body).toMatchObject({ status: 'delivered', eventsReceived: count });
  return ids;
}
const retraction = (orderId: string) => ({ adjustmentType: 'RETRACTION' as const, adjustmentTime: now(), orderId });
const adjust = (adjustments: object[], headers: Record<string, string> = {}, destinationId = ACTION): Promise<{ status: number; body: Json }> =>
  relay.call('POST', '/v1/ads/conversions/adjustments', { body: { accountId: 'acc_google', destinationId, adjustments }, headers });

describe('adjustConversions', () => {
  test('retracts, restates and enhances through the client, and maps what fails to its index', async () => {
    const [order, other] = await sent(2);
    const { data } = await relay.client().conversions.adjustConversions({
      body: {
        accountId: 'acc_google',
        destinationId: ACTION,
        adjustments: [
          retraction(order!),
          retraction('never-sent'),
          { adjustmentType: 'RESTATEMENT', adjustmentTime: now(), orderId: other!, restatementValue: 12.5, currency: 'eur' },
          { adjustmentType: 'RESTATEMENT', adjustmentTime: now(), orderId: other! },
        ],
      },
    });
    expect(data).toMatchObject({ platform: 'googleads', adjustmentsReceived: 2, adjustmentsFailed: 2, traceId: expect.any(String) });
    expect(data?.failures).toEqual([
      { adjustmentIndex: 1, code: 'CONVERSION_NOT_FOUND', message: expect.any(String) },
      { adjustmentIndex: 3, code: 'value_missing', message: expect.stringContaining('restatementValue') },
    ]);
    const [web] = await sent(1, WEBPAGE);
    const enhanced = await adjust([{ adjustmentType: 'ENHANCEMENT', adjustmentTime: now(), orderId: web, user: { email: 'Jane@Example.com' } }], {}, WEBPAGE);
    expect([enhanced.status, enhanced.body]).toMatchObject([200, { adjustmentsReceived: 1, adjustmentsFailed: 0, failures: [] }]);
    await expect.poll(() => relay.books(), { timeout: 10_000 }).toEqual(BALANCED);
  });

  test('is retried, keeps its index, and counts an attempt whose answer got lost as done', async () => {
    const [order] = await sent(1);
    await relay.sandbox.fault({ platform: 'google', match: { path: 'uploadConversionAdjustments' }, times: 1, fault: { kind: 'reset', when: 'after' } });
    const { status, body } = await adjust([retraction(order!)], { prefer: 'wait=20' });
    // The second attempt hears "already retracted": the first one had been taken.
    expect([status, body]).toMatchObject([200, { status: 'delivered', adjustmentsReceived: 1, adjustmentsFailed: 0 }]);
  });

  test('is held with its account and released with new credentials', async () => {
    const [order] = await sent(1);
    await relay.sandbox.token('google', SEED.google.refreshToken, 'revoked');
    const queued = await adjust([retraction(order!)], { prefer: 'wait=3' });
    expect([queued.status, queued.body.status]).toEqual([202, 'held']);
    await relay.sandbox.token('google', SEED.google.refreshToken, 'valid');
    const patched = await relay.call('PATCH', '/v1/admin/accounts/acc_google', { body: { credentials: GOOGLE_CREDENTIALS } });
    expect(patched.body).toMatchObject({ status: 'active', releasedEvents: 1 });
    expect(await relay.settled(queued.body.deliveryId)).toMatchObject({ status: 'delivered' });
  });

  test('dies into a letter that can be replayed, to the same endpoint', async () => {
    const [id] = freshIds('late', 1);
    const { body } = await adjust([retraction(id!)]);
    expect(body).toMatchObject({ adjustmentsFailed: 1, failures: [{ adjustmentIndex: 0, code: 'CONVERSION_NOT_FOUND' }] });
    expect((await relay.send(toGoogle([anEvent(id!, { eventTime: now() - 3600 })]))).body.status).toBe('delivered');
    const letters = await relay.call('GET', '/v1/dead-letters?accountId=acc_google&platform=googleads');
    const letter = (letters.body.deadLetters as Json[]).find(({ eventIds }) => eventIds.includes(id));
    expect((await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`)).body).toMatchObject({ replayed: true, events: 1 });
    expect(await relay.settled(body.deliveryId)).toMatchObject({ status: 'delivered', eventsFailed: 0, replays: 1 });
  });

  test('without its scope dies into a letter; the account stays active and sends', async () => {
    const [order] = await sent(1);
    await relay.sandbox.switches({ 'googleAds.grantHasScope': false });
    const { body } = await adjust([retraction(order!)]);
    expect(body).toMatchObject({ adjustmentsFailed: 1, failures: [{ code: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }] });
    expect((await relay.call('GET', '/v1/admin/accounts/acc_google')).body).toMatchObject({ status: 'active', heldEvents: 0 });
    await sent(1);
    const letters = await relay.call('GET', '/v1/dead-letters?accountId=acc_google&reason=account');
    expect(letters.body.deadLetters).toEqual([expect.objectContaining({ eventIds: [order], replayable: true })]);
    await relay.sandbox.switches({ 'googleAds.grantHasScope': true });
    await relay.call('POST', `/v1/dead-letters/${letters.body.deadLetters[0].id}/replay`);
    expect(await relay.settled(body.deliveryId)).toMatchObject({ status: 'delivered', eventsFailed: 0 });
  });

  test.each(['later', 'all'])('that two requests ask for at once is no fault of either (%s)', async (duplicateRows) => {
    const [order, ...others] = await sent(3);
    await relay.sandbox.switches({ 'googleAds.duplicateRows': duplicateRows });
    await relay.sandbox.fault({ platform: 'google', match: { path: 'uploadConversionAdjustments' }, times: 2, fault: { kind: 'latency', ms: 1_000 } });
    const uploads = () => relay.wire().filter(({ path }) => path.includes('uploadConversionAdjustments'));
    const firsts: string[] = [];
    // As many requests as may be under way to a destination; meanwhile the others gather.
    for (const other of others) {
      const before = uploads().length;
      firsts.push((await adjust([retraction(other)], { prefer: 'respond-async' })).body.deliveryId);
      await waitFor(() => uploads().length > before, { what: 'the request' });
    }
    const same = retraction(order!);
    const answers = await Promise.all([same, same].map((one) => adjust([one], { prefer: 'wait=20' })));
    const [together] = uploads().filter(({ body }) => body.includes(order!));
    expect(JSON.parse(together!.body).conversionAdjustments).toHaveLength(2);
    const codes = answers.flatMap(({ body }) => body.failures.map(({ code }: Json) => code as string));
    // Whoever came second may hear that it was done already.
    expect(codes.length).toBeLessThanOrEqual(1);
    expect(codes.filter((code) => code !== 'CONVERSION_ALREADY_RETRACTED')).toEqual([]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    // One that is still under way would meet the next test's fault.
    for (const first of firsts) expect(await relay.settled(first)).toMatchObject({ status: 'delivered' });
  });

  test('rests for a spent quota by itself: conversions go on', async () => {
    const [order] = await sent(1);
    await relay.sandbox.fault({ platform: 'google', match: { path: 'uploadConversionAdjustments' }, times: 1, fault: { kind: 'rate_limit', variant: 'ads_developer', retryAfterSeconds: 6 } });
    const { body } = await adjust([retraction(order!)], { prefer: 'respond-async' });
    const status = async () => (await relay.delivery(body.deliveryId)).status;
    await expect.poll(status, { timeout: 10_000 }).toBe('retrying');
    await sent(1);
    // With one cool-down for both the conversion would have come after it.
    expect(await status()).toBe('retrying');
    expect(await relay.settled(body.deliveryId, 20_000)).toMatchObject({ status: 'delivered' });
  });

  test('is for Google alone', async () => {
    const { status, body } = await relay.call('POST', '/v1/ads/conversions/adjustments', { body: { accountId: 'acc_meta', destinationId: '1', adjustments: [retraction('x')] } });
    expect([status, body]).toMatchObject([405, { type: 'invalid_request_error', code: 'wrong_platform', platform: 'metaads' }]);
  });
});
