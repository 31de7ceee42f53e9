import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { RelayError } from '@relay/contract';
import { describe, expect, it } from 'vitest';
import { fakeApiKeys } from '../testing/fake-api-keys.ts';
import { fakeDeliveries } from '../testing/fake-deliveries.ts';
import { aRequest, openApi } from '../testing/open-api.ts';
import { errorBody } from './error-body.ts';

describe('who calls', () => {
  it.each([undefined, '', 'rk_root', 'Basic rk_root', 'Bearer', 'Bearer nobody', 'Bearer rk_root x', `Bearer ${'x'.repeat(600)}`])('is unknown with the header %j', async (authorization) => {
    await using api = await openApi();
    const reply = await api.app.inject({ method: 'GET', url: '/v1/dead-letters', headers: authorization === undefined ? {} : { authorization } });
    expect(reply.statusCode).toBe(401);
    expect(reply.headers['www-authenticate']).toBe('Bearer');
    expect(reply.json()).toEqual({ error: 'Unauthorized', type: 'authentication_error', code: 'unauthorized' });
  });

  it('is asked before the body is read', async () => {
    await using api = await openApi();
    expect((await api.call('POST', '/v1/ads/conversions', { body: '{broken', as: 'nobody' })).status).toBe(401);
    expect((await api.call('POST', '/v1/ads/conversions', { body: '{broken', as: 'reader' })).status).toBe(403);
  });

  it('is told by any case of Bearer, and 503 while keys cannot be read', async () => {
    await using api = await openApi();
    expect((await api.call('GET', '/v1/dead-letters', { headers: { authorization: 'bearer  rk_root' } })).status).toBe(200);
    const apiKeys = { ...fakeApiKeys([]), authenticate: () => Promise.reject(new RelayError('storage_unavailable', 'Redis is not reachable.')) };
    await using down = await openApi({ apiKeys });
    const reply = await down.call('GET', '/v1/dead-letters');
    expect(reply.status).toBe(503);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('what is asked for', () => {
  it('is 404 for unknown routes, with or without a key', async () => {
    await using api = await openApi();
    expect(await api.call('GET', '/v1/nothing', { as: 'nobody' })).toMatchObject({ status: 404, body: { type: 'not_found', code: 'route_not_found' } });
  });

  it.each([
    ['PUT', '/v1/ads/conversions', 'GET, HEAD, POST'],
    ['POST', '/v1/deliveries/dlv_1', 'GET, HEAD'],
    ['DELETE', '/api/v1/dead-letters/x/replay', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ] as const)('is 405 with Allow for %s %s', async (method, url, allow) => {
    await using api = await openApi();
    const reply = await api.call(method, url);
    expect(reply).toMatchObject({ status: 405, body: { type: 'invalid_request_error', code: 'method_not_allowed' } });
    expect(reply.headers['allow']).toBe(allow);
  });

  it('is 400 for a broken percent-encoding', async () => {
    await using api = await openApi();
    expect(await api.call('GET', '/v1/deliveries/%zz')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

describe('every answer', () => {
  it('carries a request id: the given one where it is harmless', async () => {
    await using api = await openApi();
    for (const url of ['/healthz', '/v1/nothing', '/v1/dead-letters', '/docs']) expect((await api.call('GET', url)).headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
    expect((await api.call('GET', '/healthz', { headers: { 'x-request-id': 'abc-12345' } })).headers['x-request-id']).toBe('abc-12345');
    expect((await api.call('GET', '/healthz', { headers: { 'x-request-id': 'jane@example.com' } })).headers['x-request-id']).toMatch(/^req_/);
  });

  it('says nothing about what serves it, and is kept by no cache', async () => {
    await using api = await openApi();
    const { headers } = await api.call('GET', '/v1/dead-letters');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['server']).toBeUndefined();
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('is an error when its schema does not describe it (in tests)', async () => {
    const deliveries = { ...fakeDeliveries(), get: async () => ({ accountId: 'acc_meta', failures: [], chunks: [], acceptedAtMs: 0 }) as never };
    await using api = await openApi({ deliveries });
    expect((await api.call('GET', '/v1/deliveries/x')).status).toBe(500);
    expect(api.lines.join('')).toContain('answers outside its schema');
  });
});

describe('errorBody', () => {
  it('has exactly the fields of the contract', () => {
    const error = new RelayError('conflict', 'No.', { param: 'a', platform: 'metaads', platformError: { code: 190 }, details: { x: 1 }, retryAfterSeconds: 3, cause: new Error('inside') });
    expect(errorBody(error)).toEqual({ error: 'No.', type: 'invalid_request_error', code: 'conflict', param: 'a', platform: 'metaads', platformError: { code: 190 }, details: { x: 1 } });
  });
});

describe('a caller that leaves', () => {
  it('while sending its body is no fault of ours', async () => {
    await using api = await openApi();
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((api.app.server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /v1/ads/conversions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer rk_root\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a":');
    await expect.poll(() => new Promise<number>((resolve) => api.app.server.getConnections((_error, count) => resolve(count)))).toBe(1);
    await api.call('GET', '/healthz'); // the server has seen the head of the request by now
    socket.destroy();
    await expect.poll(() => api.lines.join('')).toMatch(/"route":"\/v1\/ads\/conversions","status":(499|400)/);
    expect(api.lines.join('')).not.toContain('http.failed');
  });
});

describe('the server', () => {
  it('finds the limits of the server set', async () => {
    await using api = await openApi();
    expect(api.app.server).toMatchObject({ requestTimeout: 60_000, headersTimeout: 15_000, keepAliveTimeout: 72_000, timeout: 150_000 });
    expect((await api.call('POST', '/v1/ads/conversions', { body: aRequest() })).status).toBe(200);
  });
});
