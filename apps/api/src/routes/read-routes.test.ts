import { describe, expect, it } from 'vitest';
import { T0 } from '../testing/fake-accounts.ts';
import { aDelivery } from '../testing/fake-deliveries.ts';
import { openApi } from '../testing/open-api.ts';

async function openWithDeliveries() {
  const api = await openApi();
  for (let at = 1; at <= 3; at += 1) api.deliveries.rows.set(`dlv_${at}`, aDelivery({ deliveryId: `dlv_${at}` }));
  api.deliveries.rows.set('dlv_foreign', aDelivery({ deliveryId: 'dlv_foreign', accountId: 'acc_other', status: 'failed' }));
  return api;
}

describe('GET /v1/ads/conversions', () => {
  const LIST = '/v1/ads/conversions?accountId=acc_meta';

  it('lists the newest first, with the fields of a log row', async () => {
    await using api = await openWithDeliveries();
    const { status, body } = await api.call('GET', `${LIST}&limit=2`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ platform: 'metaads', nextCursor: '2' });
    expect((body['conversions'] as object[])[0]).toEqual({
      timestamp: new Date(T0).toISOString(),
      deliveryId: 'dlv_3',
      destinationId: '123',
      status: 'delivered',
      eventNames: ['Purchase'],
      eventIds: ['order_1'],
      eventCount: 1,
      eventsReceived: 1,
      eventsFailed: 0,
      traceId: 'trace_1',
      durationMs: 120,
      attempts: 1,
      platformStatus: null,
    });
  });

  it('pages to the end', async () => {
    await using api = await openWithDeliveries();
    const { body } = await api.call('GET', `${LIST}&limit=2&cursor=2`);
    expect(body['conversions']).toHaveLength(1);
    expect(body['nextCursor']).toBeNull();
  });

  it('filters by status', async () => {
    await using api = await openWithDeliveries();
    expect((await api.call('GET', `${LIST}&status=failed`)).body['conversions']).toEqual([]);
  });

  it.each([
    ['/v1/ads/conversions', 'root', 400, 'invalid_request'],
    [`${LIST}&limit=0`, 'root', 400, 'invalid_request'],
    [`${LIST}&limit=201`, 'root', 400, 'invalid_request'],
    [`${LIST}&limit=x`, 'root', 400, 'invalid_request'],
    [`${LIST}&status=sent`, 'root', 400, 'invalid_request'],
    [`${LIST}&cursor=nonsense`, 'root', 400, 'invalid_cursor'],
    ['/v1/ads/conversions?accountId=acc_other', 'shop', 403, 'account_not_allowed'],
    ['/v1/ads/conversions?accountId=acc_nowhere', 'shop', 403, 'account_not_allowed'],
    ['/v1/ads/conversions?accountId=acc_nowhere', 'root', 404, 'account_not_found'],
    ['/v1/ads/conversions?accountId=acc_wa', 'root', 405, 'wrong_platform'],
    [LIST, 'sender', 403, 'insufficient_scope'],
  ])('refuses %s as %s with %i', async (url, as, status, code) => {
    await using api = await openWithDeliveries();
    const reply = await api.call('GET', url, { as });
    expect(reply.status).toBe(status);
    expect(reply.body['code']).toBe(code);
  });
});

describe('GET /v1/deliveries/{id}', () => {
  it('tells counts, failures and chunks', async () => {
    await using api = await openWithDeliveries();
    api.deliveries.rows.set('dlv_1', aDelivery({ deliveryId: 'dlv_1', platformStatus: 'partial_success', platformStatusDetails: [{ status: 'partial_success', recordCount: undefined, errors: [{ reason: 'X', count: 1 }], warnings: [] }] }));
    const { status, body } = await api.call('GET', '/v1/deliveries/dlv_1', { as: 'shop' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      deliveryId: 'dlv_1', accountId: 'acc_meta', status: 'delivered', eventsSubmitted: 1, eventsPending: 0, eventsHeld: 0, failures: [], replays: 0,
      acceptedAt: new Date(T0).toISOString(), finishedAt: new Date(T0 + 120).toISOString(),
      platformStatus: 'partial_success', platformStatusDetails: [{ recordCount: null }],
      chunks: [{ chunk: 0, events: 1, status: 'delivered', attempts: 1, traceId: 'trace_1', durationMs: 80, code: null }],
    });
  });

  it('answers alike for what is not there and what is not yours', async () => {
    await using api = await openWithDeliveries();
    const foreign = await api.call('GET', '/v1/deliveries/dlv_foreign', { as: 'shop' });
    const missing = await api.call('GET', '/v1/deliveries/dlv_nowhere', { as: 'shop' });
    expect(foreign.status).toBe(404);
    expect(foreign.body).toEqual(missing.body);
    expect(foreign.body).toMatchObject({ type: 'not_found', code: 'delivery_not_found' });
    expect((await api.call('GET', '/v1/deliveries/dlv_foreign')).status).toBe(200);
  });
});

describe('GET /v1/events/{id}', () => {
  const state = { deliveryId: 'dlv_2', eventIndex: 4, destinationId: '123', status: 'dead' as const, code: 100, message: 'bad', acceptedAtMs: T0 };

  it('tells where an event stands, newest delivery first', async () => {
    await using api = await openApi();
    const eventId = 'Bestellung 4711/ä%';
    api.deliveries.events.set(`acc_meta ${eventId}`, [state, { ...state, deliveryId: 'dlv_1', status: 'refused', code: undefined, message: undefined }]);
    const { status, body } = await api.call('GET', `/v1/events/${encodeURIComponent(eventId)}?accountId=acc_meta`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      eventId, accountId: 'acc_meta', platform: 'metaads', status: 'dead',
      deliveries: [{ deliveryId: 'dlv_2', code: 100, statusUrl: '/v1/deliveries/dlv_2', acceptedAt: new Date(T0).toISOString() }, { deliveryId: 'dlv_1', code: null }],
    });
  });

  it('takes an event id of full length', async () => {
    await using api = await openApi();
    const eventId = '𝄞'.repeat(256);
    api.deliveries.events.set(`acc_meta ${eventId}`, [state]);
    expect((await api.call('GET', `/v1/events/${encodeURIComponent(eventId)}?accountId=acc_meta`)).status).toBe(200);
  });

  it('refuses what it does not know, has no right to, or has switched off', async () => {
    await using api = await openApi();
    expect((await api.call('GET', '/v1/events/x?accountId=acc_meta')).body['code']).toBe('event_not_found');
    expect((await api.call('GET', '/v1/events/x?accountId=acc_other', { as: 'shop' })).status).toBe(403);
    expect((await api.call('GET', '/v1/events/x')).status).toBe(400);
    expect((await api.call('GET', '/v1/events/%E0%A4%A?accountId=acc_meta')).status).toBe(400);
    await using off = await openApi({ config: { eventIndexHours: 0 } });
    expect(await off.call('GET', '/v1/events/x?accountId=acc_meta')).toMatchObject({ status: 501, body: { code: 'event_index_off', type: 'api_error' } });
  });
});
