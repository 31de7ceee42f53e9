import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { RelayError } from '@relay/contract';
import { describe, expect, it } from 'vitest';
import { aRequest, anEvent, openApi } from '../testing/open-api.ts';

const SEND = '/v1/ads/conversions';

describe('POST /v1/ads/conversions: answers', () => {
  it.each([SEND, '/api/v1/ads/conversions'])('answers 200 with the exact fields at %s', async (url) => {
    await using api = await openApi();
    const reply = await api.call('POST', url, { body: aRequest() });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ platform: 'metaads', eventsReceived: 1, eventsFailed: 0, failures: [], traceId: 'trace_1', deliveryId: 'dlv_1', status: 'delivered' });
  });

  it('says in its log line whose delivery it was, and under which id the platform knows it', async () => {
    await using api = await openApi();
    await api.call('POST', SEND, { body: aRequest() });
    const lines = api.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ msg }) => msg === 'http.answered')).toMatchObject([{ deliveryId: 'dlv_1', accountId: 'acc_meta', platform: 'metaads', traceId: 'trace_1' }]);
  });

  it('leaves traceId out where the platform gives none', async () => {
    await using api = await openApi();
    api.deliveries.onEnqueue = () => ({ traceId: undefined });
    const { body } = await api.call('POST', SEND, { body: aRequest() });
    expect(body).not.toHaveProperty('traceId');
  });

  it('lists failures by the index in the submitted array', async () => {
    await using api = await openApi();
    const late = { eventIndex: 2, eventId: 'c', message: 'bad', code: 2804 };
    api.deliveries.onEnqueue = ({ refused }) => ({ failures: [late, ...refused], status: 'partial', eventsReceived: 1, eventsFailed: 2 });
    const events = [anEvent({ eventId: 'a', eventName: 'stale' }), anEvent({ eventId: 'b' }), anEvent({ eventId: 'c' })];
    const { status, body } = await api.call('POST', SEND, { body: aRequest({ events }) });
    expect(status).toBe(200);
    expect(body).toMatchObject({ eventsReceived: 1, eventsFailed: 2, status: 'partial', failures: [{ eventIndex: 0, eventId: 'a', code: 'event_too_old' }, late] });
    expect(await api.metrics.registry.metrics()).toContain('relay_events_failed_total{platform="metaads",reason="event_too_old"} 1');
  });

  it('answers at once when every event is refused', async () => {
    await using api = await openApi();
    const { status, body } = await api.call('POST', SEND, { body: aRequest({ events: [anEvent({ eventName: 'stale' })] }) });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'failed', eventsReceived: 0, eventsFailed: 1, failures: [{ eventIndex: 0, code: 'event_too_old' }] });
    expect(api.deliveries.waits).toHaveLength(0);
  });

  it('names ids that stand twice in the request', async () => {
    await using api = await openApi();
    const { body } = await api.call('POST', SEND, { body: aRequest({ events: [anEvent(), anEvent(), anEvent({ eventId: 'other' })] }) });
    expect(body['warnings']).toEqual([{ code: 'duplicate_event_id', eventIds: ['order_1'] }]);
  });

  it('says how many of the events that are sent lack what the platform asks for', async () => {
    await using api = await openApi();
    const events = [anEvent({ eventName: 'bare' }), anEvent({ eventId: 'b' }), anEvent({ eventId: 'c', eventName: 'bare' })];
    const { body } = await api.call('POST', SEND, { body: aRequest({ events }) });
    expect(body['warnings']).toEqual([{ code: 'web_context_missing', count: 2, message: expect.stringContaining('user.userAgent') }]);
  });

  it('answers 202 with where to look when the wait runs out', async () => {
    await using api = await openApi({ config: { syncWaitMs: 10 } });
    api.deliveries.onEnqueue = undefined;
    const reply = await api.call('POST', SEND, { body: aRequest() });
    expect(reply.status).toBe(202);
    expect(reply.headers['location']).toBe('/v1/deliveries/dlv_1');
    expect(reply.body).toEqual({ platform: 'metaads', eventsReceived: 0, eventsFailed: 0, failures: [], deliveryId: 'dlv_1', status: 'queued', statusUrl: '/v1/deliveries/dlv_1' });
  });

  it.each([
    ['respond-async', 0, 'respond-async'],
    ['wait=7', 7000, 'wait=7'],
    ['wait=100000', 120_000, 'wait=120'],
    ['respond-async, wait=2', 2000, 'respond-async, wait=2'],
    ['handling=lenient', 1000, undefined],
    ['wait=soon', 1000, undefined],
  ])('follows Prefer: %s', async (prefer, timeoutMs, applied) => {
    await using api = await openApi();
    const reply = await api.call('POST', SEND, { body: aRequest(), headers: { prefer } });
    expect(reply.status).toBe(timeoutMs === 0 ? 202 : 200);
    expect(reply.headers['preference-applied']).toBe(applied);
    expect(api.deliveries.waits.map((wait) => wait.timeoutMs)).toEqual(timeoutMs === 0 ? [] : [timeoutMs]);
  });

  it('says what was refused even with respond-async', async () => {
    await using api = await openApi();
    const { status, body } = await api.call('POST', SEND, { body: aRequest({ events: [anEvent(), anEvent({ eventName: 'stale' })] }), headers: { prefer: 'respond-async' } });
    expect(status).toBe(202);
    expect(body).toMatchObject({ eventsFailed: 1, failures: [{ eventIndex: 1, code: 'event_too_old' }], status: 'queued' });
  });

  it('ends the wait when the caller hangs up, and counts it as 499', async () => {
    await using api = await openApi({ config: { syncWaitMs: 60_000 } });
    const queued = Promise.withResolvers<void>();
    api.deliveries.onEnqueue = undefined;
    const { waitFor } = api.deliveries;
    const ended = Promise.withResolvers<boolean>();
    api.deliveries.waitFor = async (id, ms, signal) => {
      queued.resolve();
      await waitFor(id, ms, signal);
      ended.resolve(signal?.aborted ?? false);
    };
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((api.app.server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const body = JSON.stringify(aRequest());
    socket.write(`POST ${SEND} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer rk_root\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await queued.promise;
    socket.destroy();
    expect(await ended.promise).toBe(true);
    await expect.poll(async () => api.metrics.registry.metrics()).toContain('status="499"');
  });

  it('stops waiting and answers 202 when the process is asked to stop', async () => {
    const stop = new AbortController();
    await using api = await openApi({ config: { syncWaitMs: 60_000 }, draining: stop.signal });
    api.deliveries.onEnqueue = undefined;
    const { waitFor } = api.deliveries;
    api.deliveries.waitFor = (...args) => {
      setImmediate(() => stop.abort());
      return waitFor(...args);
    };
    const reply = await api.call('POST', SEND, { body: aRequest() });
    expect(reply.status).toBe(202);
    expect((await api.call('POST', SEND, { body: aRequest() })).status).toBe(202);
  });
});

describe('POST /v1/ads/conversions: refusals', () => {
  it.each([
    ['an account of a foreign key', { accountId: 'acc_other' }, 'shop', 403, 'account_not_allowed', 'accountId'],
    ['an unknown account, asked by a bound key', { accountId: 'acc_nowhere' }, 'shop', 403, 'account_not_allowed', 'accountId'],
    ['an unknown account', { accountId: 'acc_nowhere' }, 'root', 404, 'account_not_found', 'accountId'],
    ['a bound account that is gone', { accountId: 'acc_missing' }, 'shop', 404, 'account_not_found', 'accountId'],
    ['a WhatsApp account', { accountId: 'acc_wa' }, 'root', 405, 'wrong_platform', 'accountId'],
    ['a platform that is not served', { accountId: 'acc_google' }, 'root', 501, 'not_implemented', undefined],
    ['a disabled account', { accountId: 'acc_off' }, 'root', 403, 'account_disabled', 'accountId'],
    ['a grant that does not suffice', { accountId: 'acc_no_grant' }, 'root', 403, 'grant_insufficient', 'accountId'],
    ['a destination of another kind', { destinationId: 'customers/1' }, 'root', 400, 'invalid_destination', 'destinationId'],
    ['a key without the scope', {}, 'reader', 403, 'insufficient_scope', undefined],
  ])('refuses %s and queues nothing', async (_, over, as, status, code, param) => {
    await using api = await openApi();
    const reply = await api.call('POST', SEND, { body: aRequest(over), as });
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ code, ...(param === undefined ? {} : { param }) });
    expect(api.deliveries.requests).toHaveLength(0);
  });

  it('tells a caller with an insufficient grant to reconnect', async () => {
    await using api = await openApi();
    const { body } = await api.call('POST', SEND, { body: aRequest({ accountId: 'acc_no_grant' }) });
    expect(body['error']).toMatch(/Reconnect the account/);
  });

  it('answers 503 with Retry-After when the storage is away', async () => {
    await using api = await openApi({ enqueue: () => Promise.reject(new RelayError('storage_unavailable', 'Redis is not reachable; nothing was stored.', { retryAfterSeconds: 2 })) });
    const reply = await api.call('POST', SEND, { body: aRequest() });
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('2');
    expect(reply.body).toMatchObject({ type: 'api_error', code: 'storage_unavailable' });
  });

  it('answers 500 without a word about the inside, and logs it once', async () => {
    await using api = await openApi({ enqueue: () => Promise.reject(new Error('secret detail')) });
    const reply = await api.call('POST', SEND, { body: aRequest() });
    expect(reply.status).toBe(500);
    expect(reply.body).toMatchObject({ type: 'api_error', code: 'internal_error' });
    expect(reply.text).not.toContain('secret detail');
    expect(api.lines.filter((line) => line.includes('secret detail'))).toHaveLength(1);
  });

  it('puts nothing about a person or a token into the log', async () => {
    await using api = await openApi();
    await api.call('POST', SEND, { body: aRequest({ events: [anEvent(), anEvent({ eventName: 'stale' })] }) });
    await api.call('POST', SEND, { body: aRequest({ accountId: 5, events: [anEvent({ user: { email: 5 } })] }) });
    await api.call('POST', SEND, { body: '{"email":"planted@example.com",' });
    expect(api.lines.join('')).not.toMatch(/planted|rk_root/);
  });
});

describe('Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'order-4711' };

  it('answers a repeat with the first delivery and queues nothing again', async () => {
    await using api = await openApi();
    const first = await api.call('POST', SEND, { body: aRequest(), headers });
    const second = await api.call('POST', SEND, { body: aRequest(), headers });
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.body).toEqual(first.body);
    expect(api.deliveries.requests).toHaveLength(1);
    expect(await api.metrics.registry.metrics()).toContain('relay_events_accepted_total{platform="metaads"} 1');
  });

  it('refuses the same key with other bytes', async () => {
    await using api = await openApi();
    await api.call('POST', SEND, { body: aRequest(), headers });
    const { status, body } = await api.call('POST', SEND, { body: aRequest({ testCode: 'T' }), headers });
    expect(status).toBe(422);
    expect(body).toMatchObject({ type: 'invalid_request_error', code: 'idempotency_key_reused' });
  });

  it('keeps the keys of two callers apart', async () => {
    await using api = await openApi();
    await api.call('POST', SEND, { body: aRequest(), headers });
    await api.call('POST', SEND, { body: aRequest(), headers, as: 'sender' });
    expect(api.deliveries.requests).toHaveLength(2);
  });

  it.each(['', ' ', 'a b', 'a, b', 'ä', 'x'.repeat(256)])('refuses %j as a key', async (key) => {
    await using api = await openApi();
    const { status, body } = await api.call('POST', SEND, { body: aRequest(), headers: { 'idempotency-key': key } });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_header', param: 'Idempotency-Key' });
  });

  it('takes 255 characters', async () => {
    await using api = await openApi();
    expect((await api.call('POST', SEND, { body: aRequest(), headers: { 'idempotency-key': 'x'.repeat(255) } })).status).toBe(200);
  });
});
