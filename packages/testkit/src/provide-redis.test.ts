import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { freePort } from './free-port.ts';
import { noRedis, provideRedis } from './provide-redis.ts';
import { answersPing } from './redis-ping.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a server that is too old for the relay is passed over, and the error says so', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'relay-path-'));
  const aServer = (name: string, version: string) =>
    writeFile(join(dir, name), `#!/bin/sh\nif [ "$1" = --version ]; then echo '${version}'; else echo "$0 was started"; exit 1; fi\n`, { mode: 0o755 });
  try {
    vi.stubEnv('PATH', dir);
    await aServer('redis-server', 'Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=0');
    const provide = () => provideRedis({ docker: false, install: false }).then(() => 'provided', (error: Error) => error.message);
    expect(await provide()).toContain('redis-server is version 6.2.14, and the relay needs 7.0 or newer');
    await aServer('valkey-server', 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0');
    const text = await provide();
    expect(text).toContain('valkey-server was started');
    expect(text).not.toContain('redis-server was started');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('the error when there is no way names what was tried and every way', () => {
  const text = noRedis(['the image redis:7 could not be pulled']);
  for (const part of ['tried: the image redis:7 could not be pulled', 'REDIS_URL', 'redis-server', 'valkey-server', 'Docker', 'as root']) {
    expect(text).toContain(part);
  }
});

test('a URL at which nothing answers is an error that names it, without its password', async () => {
  const port = await freePort();
  const failure = provideRedis({ url: `redis://:secret@127.0.0.1:${port}` });
  await expect(failure).rejects.toThrow(`127.0.0.1:${port}`);
  await expect(failure).rejects.not.toThrow('secret');
});

test('sentinel and cluster URLs are taken as they are', async () => {
  for (const url of ['redis+sentinel://10.0.0.1:26379/main', 'redis+cluster://10.0.0.1:7000,10.0.0.2:7000']) {
    expect(await provideRedis({ url })).toMatchObject({ url, source: 'url' });
  }
});

test.each([
  ['+PONG\r\n', true],
  ['-NOAUTH Authentication required.\r\n', true],
  ['-LOADING Redis is loading the dataset in memory\r\n', false],
  ['HTTP/1.1 400 Bad Request\r\n', false],
])('a server that answers a PING with %j', async (reply, expected) => {
  await using server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.end(reply));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await answersPing('127.0.0.1', port)).toBe(expected);
});
