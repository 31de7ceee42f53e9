import { describe, expect, it } from 'vitest';
import { createClient, retryAfterMs, sentenceOf } from './http.ts';
import { stubRelay, type StubReply } from './testing/stub-relay.ts';

async function call(reply: StubReply, timeoutMs = 5_000) {
  await using relay = await stubRelay(() => reply);
  const answer = await createClient({ baseUrl: `${relay.url}/`, apiKey: 'rk_1' })
    .call({ path: '/v1/x', query: { a: '1 2', none: undefined }, timeoutMs })
    .catch((error: unknown) => error as Error);
  return { answer, seen: relay.seen };
}

describe('createClient', () => {
  it('sends the key and the query, and gives the body', async () => {
    const { answer, seen } = await call({ body: { ok: true } });
    expect(answer).toEqual({ status: 200, body: { ok: true } });
    expect(seen[0]).toMatchObject({ path: '/v1/x?a=1+2', headers: { authorization: 'Bearer rk_1' } });
  });

  it('takes an empty body', async () => {
    expect((await call({ status: 204 })).answer).toEqual({ status: 204, body: undefined });
  });

  it("rejects with the relay's own sentence", async () => {
    const { answer } = await call({ status: 404, body: { error: 'No account acc_1.', code: 'account_not_found' } });
    expect(answer).toMatchObject({ name: 'ApiError', status: 404, message: 'No account acc_1.' });
  });

  it('does not follow a redirect with the key', async () => {
    const { answer, seen } = await call({ status: 302, headers: { location: 'http://127.0.0.1:9/' } });
    expect(answer).toMatchObject({ name: 'ApiError', status: 302 });
    expect(seen).toHaveLength(1);
  });

  it('says that no answer came in time', async () => {
    const { answer } = await call({ silent: true }, 50);
    expect(answer).toMatchObject({ name: 'UnreachableError', message: expect.stringContaining('within 0.05 s') as string });
  });

  it('says why it cannot connect', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:1', apiKey: undefined });
    await expect(client.call({ path: '/healthz' })).rejects.toThrow(/cannot reach the relay at http:\/\/127\.0\.0\.1:1 \(.+\)/);
  });

  it('refuses an address that is none', () => {
    expect(() => createClient({ baseUrl: 'localhost:8080', apiKey: 'rk' })).toThrow(/RELAY_URL/);
  });
});

describe('sentenceOf', () => {
  it('shows the beginning of what a proxy said', () => {
    expect(sentenceOf(502, '<html>\n  Bad   gateway</html>')).toBe('HTTP 502: <html> Bad gateway</html>');
    expect(sentenceOf(502, undefined)).toBe('HTTP 502');
  });
});

describe('retryAfterMs', () => {
  it.each([
    ['7', 7_000],
    ['0', 0],
    ['Thu, 01 Jan 1970 00:00:12 GMT', 2_000],
    ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j is %j ms', (header, ms) => {
    expect(retryAfterMs(header, 10_000)).toBe(ms);
  });
});
