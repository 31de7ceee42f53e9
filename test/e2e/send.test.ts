import { ZernioApiError } from '@zernio/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACTION, anEvent, freshIds, now, PIXEL, RULE, toGoogle, toLinkedin, toMeta, type SendBody } from './events.ts';
import { BALANCED, KEYS, startRelay, type Json, type Relay } from './harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay();
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

/** The client as its users call it. Its types know the fields of the hosted API; the relay answers with a few more. */
async function sendWith(client: ReturnType<Relay['client']>, body: SendBody): Promise<Json> {
  const { data } = await client.conversions.sendConversions({ body: body as never });
  return data;
}

async function faultOf(work: Promise<unknown>): Promise<ZernioApiError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ZernioApiError);
  return error as ZernioApiError;
}

describe('a single event through the client', () => {
  test('reaches Meta and comes back with its trace id', async () => {
    const [id] = freshIds('single', 1);
    const answer = await sendWith(relay.client(), toMeta([anEvent(id!)]));
    expect(answer).toEqual({
      platform: 'metaads',
      eventsReceived: 1,
      eventsFailed: 0,
      failures: [],
      traceId: expect.stringMatching(/^\S{5,}$/),
      deliveryId: expect.stringMatching(/^dlv_/),
      status: 'delivered',
    });
    const { events } = await relay.sandbox.accepted({ eventId: id! });
    expect(events).toEqual([{ platform: 'meta', destinationId: PIXEL, eventId: id, times: 1 }]);
  });

  test('reaches Google and comes back with the request id', async () => {
    const [id] = freshIds('single', 1);
    const answer = await sendWith(relay.client(), toGoogle([anEvent(id!)]));
    expect(answer).toMatchObject({ platform: 'googleads', eventsReceived: 1, eventsFailed: 0, failures: [], status: 'delivered' });
    expect(answer.traceId).toMatch(/\S{5,}/);
    const { events } = await relay.sandbox.accepted({ eventId: id! });
    expect(events).toEqual([{ platform: 'google', destinationId: ACTION, eventId: id, times: 1 }]);
  });

  test('reaches LinkedIn, which names no trace id', async () => {
    const [id] = freshIds('single', 1);
    const answer = await sendWith(relay.client(), toLinkedin([anEvent(id!)]));
    expect(answer).toMatchObject({ platform: 'linkedinads', eventsReceived: 1, eventsFailed: 0, failures: [], status: 'delivered' });
    expect(answer).not.toHaveProperty('traceId');
    const { events } = await relay.sandbox.accepted({ eventId: id! });
    expect(events).toEqual([{ platform: 'linkedin', destinationId: RULE, eventId: id, times: 1 }]);
  });

  test('goes the same way by the older name, by LinkedIn URN and under /api/v1', async () => {
    const ids = freshIds('alias', 3);
    const client = relay.client();
    const old = (await client.ads.sendConversions({ body: toMeta([anEvent(ids[0]!)]) as never })) as { data: Json };
    expect(old.data.status).toBe('delivered');
    const urn = await sendWith(client, toLinkedin([anEvent(ids[1]!)], `urn:lla:llaPartnerConversion:${RULE}`));
    expect(urn.status).toBe('delivered');
    expect((await relay.sandbox.accepted({ eventId: ids[1]! })).events[0]?.destinationId).toBe(RULE);
    const mounted = await relay.call('POST', '/api/v1/ads/conversions', { body: toMeta([anEvent(ids[2]!)]) });
    expect([mounted.status, mounted.body.status]).toEqual([200, 'delivered']);
  });
});

describe('a batch larger than the cap', () => {
  test('goes out in full requests and is answered as one', async () => {
    const ids = freshIds('batch', 2500);
    const answer = await sendWith(relay.client(), toMeta(ids.map((id) => anEvent(id))));
    expect(answer).toMatchObject({ eventsReceived: 2500, eventsFailed: 0, failures: [], status: 'delivered' });
    const requests = await relay.sandbox.requests('meta');
    expect(requests.map(({ events }) => events).sort((a, b) => b - a)).toEqual([1000, 1000, 500]);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 2500, unique: 2500, duplicates: 0 });
    const { chunks } = await relay.delivery(answer.deliveryId);
    expect(chunks.map(({ events, status }: Json) => [events, status])).toEqual([[1000, 'delivered'], [1000, 'delivered'], [500, 'delivered']]);
  });

  test('names what the platform refused by the index that was submitted', async () => {
    const ids = freshIds('indexed', 2500);
    const bad = [3, 999, 1000, 2047, 2499];
    await relay.sandbox.switches({ 'meta.poisonNamesIndex': true });
    await relay.sandbox.poison('meta', bad.map((index) => ids[index]!));
    const answer = await sendWith(relay.client(), toMeta(ids.map((id) => anEvent(id))));
    expect(answer).toMatchObject({ eventsReceived: 2495, eventsFailed: 5, status: 'partial' });
    expect(answer.failures.map(({ eventIndex, eventId }: Json) => [eventIndex, eventId])).toEqual(bad.map((index) => [index, ids[index]]));
    for (const { message, code } of answer.failures) {
      expect(String(code)).toMatch(/^100\//);
      expect(message).toMatch(/\S/);
    }
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 2495, duplicates: 0 });
  });

  test('keeps what is refused at ingest out of the chunks and in its place', async () => {
    const ids = freshIds('mixed', 1010);
    const events = ids.map((id) => anEvent(id));
    events[5] = anEvent(ids[5]!, { eventTime: now() - 8 * 86_400 });
    events[1003] = anEvent(ids[1003]!, { user: { country: 'DE' } });
    events[1009] = anEvent(ids[1009]!, { eventName: 'Purchase' });
    await relay.sandbox.poison('meta', [ids[700]!]);
    await relay.sandbox.switches({ 'meta.poisonNamesIndex': true });
    const answer = await sendWith(relay.client(), toMeta(events));
    expect(answer).toMatchObject({ eventsReceived: 1006, eventsFailed: 4, status: 'partial' });
    expect(answer.failures.map(({ eventIndex, code }: Json) => [eventIndex, code])).toEqual([
      [5, 'event_too_old'],
      [700, expect.stringMatching(/^100\//)],
      [1003, 'no_match_keys'],
      [1009, 'value_missing'],
    ]);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 1006, duplicates: 0 });
    const deadLetters = await relay.deadLetters('accountId=acc_meta');
    expect(deadLetters.filter((letter) => letter.deliveryId === answer.deliveryId).map(({ eventIds }) => eventIds)).toEqual([[ids[700]]]);
  });

  test('that is refused as a whole at ingest answers 200 failed and sends nothing', async () => {
    const ids = freshIds('refused', 3);
    const answer = await sendWith(relay.client(), toMeta(ids.map((id) => anEvent(id, { eventTime: now() - 30 * 86_400 }))));
    expect(answer).toMatchObject({ eventsReceived: 0, eventsFailed: 3, status: 'failed' });
    expect(await relay.sandbox.requests('meta')).toEqual([]);
  });

  test('of LinkedIn and of Google respects their caps', async () => {
    const leads = freshIds('leads', 5001);
    const sales = freshIds('sales', 2001);
    const [linkedin, google] = await Promise.all([
      sendWith(relay.client(), toLinkedin(leads.map((id) => anEvent(id)))),
      sendWith(relay.client(), toGoogle(sales.map((id) => anEvent(id)))),
    ]);
    expect([linkedin.eventsReceived, google.eventsReceived]).toEqual([5001, 2001]);
    const sizes = async (platform: 'google' | 'linkedin') => (await relay.sandbox.requests(platform)).map(({ events }) => events).filter((events) => events > 0).sort((a, b) => b - a);
    expect(await sizes('linkedin')).toEqual([5000, 1]);
    expect(await sizes('google')).toEqual([2000, 1]);
  });
});

describe('what the client throws', () => {
  const good = () => toMeta([anEvent(freshIds('thrown', 1)[0]!)]);

  test('400 with every bad path', async () => {
    const body = { ...good(), events: [anEvent('x'), { eventName: '', eventTime: 'now', user: {} }] } as unknown as SendBody;
    const error = await faultOf(sendWith(relay.client(), body));
    expect(error).toMatchObject({ statusCode: 400, type: 'invalid_request_error', code: 'invalid_request', param: 'events[1].eventName' });
    const paths = (error.details as unknown as Json[]).map(({ path }) => path);
    expect(new Set(paths)).toEqual(new Set(['events[1].eventName', 'events[1].eventTime', 'events[1].eventId']));
  });

  test('400 for a destination of another form', async () => {
    const error = await faultOf(sendWith(relay.client(), { ...good(), destinationId: 'not-a-pixel' }));
    expect(error).toMatchObject({ statusCode: 400, type: 'invalid_request_error', param: 'destinationId', platform: 'metaads' });
  });

  test('401 whose sentence is exactly Unauthorized', async () => {
    const error = await faultOf(sendWith(relay.client('rk_test_unknown'), good()));
    expect(error).toMatchObject({ statusCode: 401, message: 'Unauthorized', type: 'authentication_error' });
  });

  test('403 for a foreign account and for a missing scope', async () => {
    const foreign = await faultOf(sendWith(relay.client(KEYS.bound), { ...good(), accountId: 'acc_google', destinationId: ACTION }));
    expect(foreign).toMatchObject({ statusCode: 403, type: 'permission_error', param: 'accountId' });
    const scope = await faultOf(sendWith(relay.client(KEYS.reader), good()));
    expect(scope).toMatchObject({ statusCode: 403, type: 'permission_error', code: 'insufficient_scope' });
  });

  test('404 for an unknown account', async () => {
    const error = await faultOf(sendWith(relay.client(), { ...good(), accountId: 'acc_nobody' }));
    expect(error).toMatchObject({ statusCode: 404, type: 'not_found', code: 'account_not_found', param: 'accountId' });
  });

  test('422 for an Idempotency-Key with another body', async () => {
    const client = relay.client(KEYS.full, { 'Idempotency-Key': `key-${Date.now()}` });
    await sendWith(client, good());
    const error = await faultOf(sendWith(client, good()));
    expect(error).toMatchObject({ statusCode: 422, type: 'invalid_request_error', code: 'idempotency_key_reused', param: 'Idempotency-Key' });
  });
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
