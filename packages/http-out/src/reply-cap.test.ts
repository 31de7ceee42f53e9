import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_SEND_OPTIONS, LISTING_SEND_OPTIONS, createSend, type SendOptions } from './send.ts';

const MIB = 1024 * 1024;
/** Answers with as many bytes as the path says. */
const server = createServer((request, response) => {
  response.end(Buffer.alloc(Number(request.url!.slice(1)), 'x'));
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => void server.close(resolve)));

async function lengthOf(bytes: number, options: Omit<SendOptions, 'timeoutMs' | 'now'>): Promise<number | string> {
  const { send, close } = createSend({ ...options, timeoutMs: 10_000, now: Date.now });
  const result = await send({ method: 'GET', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${bytes}`, headers: {}, body: undefined });
  await close();
  return result.kind === 'reply' ? result.reply.body.length : result.code;
}

test('an answer is read up to the cap: 4 MiB to events, 32 MiB to listings', async () => {
  expect(await lengthOf(4 * MIB, DEFAULT_SEND_OPTIONS)).toBe(4 * MIB);
  expect(await lengthOf(4 * MIB + 1, DEFAULT_SEND_OPTIONS)).toBe('reply_too_large');
  expect(await lengthOf(32 * MIB, LISTING_SEND_OPTIONS)).toBe(32 * MIB);
  expect(await lengthOf(32 * MIB + 1, LISTING_SEND_OPTIONS)).toBe('reply_too_large');
});
