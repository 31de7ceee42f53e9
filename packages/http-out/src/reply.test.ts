import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createSend } from './send.ts';

const MAX_BYTES = 64 * 1024;
const stack: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function open(answer: RequestListener, timeoutMs = 5_000) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.push(() => server.close(), () => server.closeAllConnections());
  const { send, close } = createSend({ timeoutMs, maxReplyBytes: MAX_BYTES, connections: null, now: () => 7 });
  stack.push(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/events?a=b%20c`;
  return () => send({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: '{}' });
}
const half = (response: ServerResponse) => response.writeHead(200, { 'content-length': '20' }).write('{"half":');

test('an answer that comes in pieces is put together, its headers by lower-case name', async () => {
  const euro = Buffer.from('€');
  const send = await open((request, response) => {
    response.writeHead(400, { 'X-Trace': 'abc', 'X-Many': ['one', 'two'] }).write(euro.subarray(0, 1));
    setTimeout(() => response.end(Buffer.concat([euro.subarray(1), Buffer.from(request.url!)])), 10);
  });
  expect(await send()).toMatchObject({ kind: 'reply', reply: { status: 400, headers: { 'x-trace': 'abc', 'x-many': 'one, two' }, body: '€/v1/events?a=b%20c', receivedAtMs: 7 } });
});

test('an empty answer is one', async () => {
  const send = await open((_request, response) => response.writeHead(204).end());
  expect(await send()).toMatchObject({ kind: 'reply', reply: { status: 204, body: '' } });
});

test('a redirect is not followed', async () => {
  const send = await open((_request, response) => response.writeHead(302, { location: '/elsewhere' }).end('moved'));
  expect(await send()).toMatchObject({ kind: 'reply', reply: { status: 302, headers: { location: '/elsewhere' }, body: 'moved' } });
});

test('what is said before the answer is not the answer', async () => {
  const send = await open((_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload', 'x-early': '1' });
    setTimeout(() => response.writeHead(201).end('{}'), 10);
  });
  const result = await send();
  expect(result).toMatchObject({ kind: 'reply', reply: { status: 201, body: '{}' } });
  expect(result).not.toHaveProperty('reply.headers.x-early');
});

test('an answer that is cut off is none', async () => {
  const send = await open((_request, response) => half(response) && setTimeout(() => response.destroy(), 10));
  expect(await send()).toMatchObject({ kind: 'failed', code: 'connection_reset', bodySent: true });
});

test('an answer that stops half-way is none once the time is up', async () => {
  const send = await open((_request, response) => half(response), 60);
  expect(await send()).toMatchObject({ kind: 'failed', code: 'timeout', bodySent: true });
});

test.each(['keep-alive', 'close'])('an answer above the cap is none, and the next request is answered (%s)', async (connection) => {
  let sizes = [MAX_BYTES + 1, 2, 4 * MAX_BYTES, MAX_BYTES];
  const send = await open((_request, response) => {
    const [size, ...later] = sizes;
    sizes = later;
    response.writeHead(200, { connection }).end(Buffer.alloc(size!, 'x'));
  });
  expect(await send()).toMatchObject({ kind: 'failed', code: 'reply_too_large', bodySent: true });
  expect(await send()).toMatchObject({ kind: 'reply', reply: { body: 'xx' } });
  expect(await send()).toMatchObject({ kind: 'failed', code: 'reply_too_large', bodySent: true });
  expect(await send()).toMatchObject({ kind: 'reply', reply: { body: 'x'.repeat(MAX_BYTES) } });
});

test('an address that is none was never sent to', async () => {
  const { send, close } = createSend({ timeoutMs: 5_000, maxReplyBytes: MAX_BYTES, connections: null, now: () => 0 });
  stack.push(close);
  for (const url of ['no address', 'ftp://127.0.0.1/']) {
    expect(await send({ method: 'GET', url, headers: {}, body: undefined })).toMatchObject({ kind: 'failed', code: 'connect_failed', bodySent: false });
  }
});

test('a header that cannot be written was never sent', async () => {
  const { send, close } = createSend({ timeoutMs: 5_000, maxReplyBytes: MAX_BYTES, connections: null, now: () => 0 });
  stack.push(close);
  expect(await send({ method: 'GET', url: 'http://127.0.0.1:1/', headers: { authorization: 'Bearer a\nb' }, body: undefined })).toMatchObject({ kind: 'failed', code: 'connect_failed', bodySent: false });
});
