import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSend, DEFAULT_SEND_OPTIONS } from './send.ts';

const TOKEN = 'EAAB-planted-token';
const REFRESH = '1//planted-refresh';
const parts = new AsyncDisposableStack();
let url: string;
let status = 200;
const { send, close } = createSend({ ...DEFAULT_SEND_OPTIONS, timeoutMs: 5_000, now: Date.now });

/** A platform that says the request's token and body back. */
beforeAll(async () => {
  const server = createServer((request, response) => {
    response.writeHead(status).write(`${request.headers.authorization ?? ''} `);
    request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  parts.defer(() => void server.close());
  parts.defer(close);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => parts.disposeAsync());

const bearer = { method: 'GET', url: '', headers: { authorization: `Bearer ${TOKEN}` }, body: undefined } as const;
const meta = { method: 'POST', url: '', headers: { 'content-type': 'application/json' }, body: `{"data":[],"access_token":"${TOKEN}"}` } as const;
const refresh = { method: 'POST', url: '', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `refresh_token=${encodeURIComponent(REFRESH)}` } as const;

test.each([
  ['a 200 that quotes the bearer token', 200, bearer, 'Bearer *** '],
  ['a 207 that quotes the token of the body', 207, meta, ' {"data":[],"access_token":"***"}'],
  ['a 400 that quotes', 400, meta, ' {"data":[],"access_token":"***"}'],
  ['a refresh that is refused', 400, refresh, ' refresh_token=***'],
  ['a refresh that is granted, which says the refresh token on purpose', 200, refresh, ` refresh_token=${encodeURIComponent(REFRESH)}`],
])('%s', async (_what, answered, request, body) => {
  status = answered;
  expect(await send({ ...request, url })).toMatchObject({ kind: 'reply', reply: { status: answered, body } });
});
