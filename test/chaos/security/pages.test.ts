import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEYS, OPS, startRelay, type Relay } from '../../e2e/harness.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ workers: 0 });
});
afterAll(() => relay?.stop());

const LOGIN = `Basic ${btoa(`${OPS.user}:${OPS.password}`)}`;
const get = (path: string, authorization?: string) => fetch(`${relay.url}${path}`, { redirect: 'manual', headers: authorization === undefined ? {} : { authorization } });

describe('pages for people', () => {
  test.each([
    ['/docs', undefined],
    ['/admin/queues', LOGIN],
    ['/admin/queues/queue/metaads', LOGIN],
  ])('%s: nothing from elsewhere, no frame around it, nothing told to others', async (path, authorization) => {
    const page = await get(path, authorization);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'"]) expect(policy).toContain(rule);
    expect(policy).not.toMatch(/script-src[^;]*(?:unsafe|https?:|\*)/);
    expect(Object.fromEntries(['x-frame-options', 'x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy'].map((name) => [name, page.headers.get(name)]))).toEqual({
      'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin',
    });
    const html = await page.text();
    expect([...html.matchAll(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)].map(([match]) => match)).toEqual([]);
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>[^<]*[a-z(]\(/);
  });

  test('no page of another origin is let in', async () => {
    const answer = await fetch(`${relay.url}/v1/ads/conversions`, { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect([...(await get('/v1/admin/accounts', `Bearer ${KEYS.full}`)).headers.keys()].filter((name) => name.startsWith('access-control-') || name === 'set-cookie')).toEqual([]);
  });

  test.each([
    ['/v1/admin/accounts', `Bearer ${KEYS.full}`],
    ['/v1/ads/conversions?accountId=acc_meta', `Bearer ${KEYS.full}`],
    ['/v1/nowhere', undefined],
  ])('no cache keeps %s', async (path, authorization) => {
    expect((await get(path, authorization)).headers.get('cache-control')).toBe('no-store');
  });

  test('nothing says what the server is made of', async () => {
    for (const path of ['/healthz', '/v1/admin/accounts', '/docs', '/admin/queues']) {
      const { headers } = await get(path);
      expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
    }
  });

  test.each(['', 'Basic', `Basic ${btoa(`${OPS.user}:`)}`, `Basic ${btoa(`${OPS.user}:${OPS.password}x`)}`, `Basic ${btoa(`${OPS.user}:${OPS.password.slice(0, -1)}`)}`, `Basic ${btoa(`${OPS.password}:${OPS.user}`)}`, `Basic ${btoa(`:${OPS.password}`)}`, `Basic ${btoa(`${OPS.user}\0:${OPS.password}`)}`, `Bearer ${KEYS.full}`])(
    'the dashboard asks for its login with %j',
    async (authorization) => {
      for (const path of ['/admin/queues', '/admin/queues/', '/admin/queues/api/queues', '/admin/queues/api/redis/stats', '//admin/queues', '/admin/queues/../queues', '/admin/queues%2fapi%2fqueues']) {
        expect([401, 404]).toContain((await get(path, authorization)).status);
      }
    },
  );

  test.each(['PUT', 'POST', 'PATCH', 'DELETE'])('the dashboard changes nothing: %s', async (method) => {
    for (const path of ['queues/metaads/pause', 'queues/metaads/empty', 'queues/metaads/clean/completed', 'queues/metaads/1/retry', 'queues/metaads/retry/failed', 'queues/metaads/promote', 'queues/metaads/add']) {
      const answer = await fetch(`${relay.url}/admin/queues/api/${path}`, { method, headers: { authorization: LOGIN } });
      expect([404, 405]).toContain(answer.status);
    }
  });
});
