import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toMeta } from '../../e2e/events.ts';
import { KEYS, startRelay, type Relay } from '../../e2e/harness.ts';
import { INSPECTED, memoryOfApi } from './memory.ts';
import { speak } from './raw-client.ts';
import { LONG } from './run.ts';

/** The limits of `apps/api/src/server-limits.ts`, and how late Node may look. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;
const LATE_MS = 8_000;
const SLOW = 200;

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ workers: 0, env: { ...INSPECTED, SYNC_WAIT_MS: '0' } });
});
afterAll(() => relay?.stop());

interface Slow {
  readonly answer: string;
  readonly openMs: number;
}

/** Says the first bytes, then one more every second, until the server has had enough. */
function dawdle(first: string, more: string, deadlineMs: number): Promise<Slow> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let answer = '';
    const socket: Socket = connect({ host: '127.0.0.1', port: Number(new URL(relay.url).port) });
    const drip = setInterval(() => socket.write(more), 1_000);
    const late = setTimeout(() => socket.destroy(), deadlineMs);
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(drip);
      clearTimeout(late);
      resolve({ answer, openMs: performance.now() - startedAt });
    });
    socket.on('connect', () => socket.write(first));
  });
}

const several = (first: string, more: string, deadlineMs: number) => Promise.all(Array.from({ length: SLOW }, () => dawdle(first, more, deadlineMs)));
const HEAD = `POST /v1/ads/conversions HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${KEYS.full}\r\nContent-Type: application/json\r\n`;

describe('clients that take their time', () => {
  test.runIf(LONG)('hold no socket for ever: silent, slow with their headers, and meanwhile others are served', { timeout: 60_000 }, async () => {
    const before = await memoryOfApi(relay);
    const all = Promise.all([several('', '', HEADERS_MS + LATE_MS), several('GET /healthz HTTP/1.1\r\n', 'X', HEADERS_MS + LATE_MS), several(`${HEAD}X-A: `, 'a', HEADERS_MS + LATE_MS)]);
    let served = 0;
    const until = performance.now() + 10_000;
    while (performance.now() < until) {
      const startedAt = performance.now();
      expect((await relay.send(toMeta([anEvent(freshIds('meanwhile', 1)[0]!)]), { prefer: 'respond-async' })).status).toBe(202);
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      served += 1;
    }
    const groups = await all;
    const after = await memoryOfApi(relay);
    console.log(JSON.stringify({ slow: groups.length * SLOW, longestOpenS: Math.round(Math.max(...groups.flat().map(({ openMs }) => openMs)) / 1000), served, before, after }));
    for (const { answer, openMs } of groups.flat()) {
      expect(openMs).toBeLessThan(HEADERS_MS + LATE_MS - 200);
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ type: 'invalid_request_error', code: 'invalid_request' });
    }
  });

  test.runIf(LONG)('a body that drips is cut off after a minute', { timeout: 120_000 }, async () => {
    const groups = await Promise.all([several(`${HEAD}Content-Length: 100000\r\n\r\n{`, ' ', REQUEST_MS + LATE_MS), several(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n', REQUEST_MS + LATE_MS)]);
    for (const { answer, openMs } of groups.flat()) {
      expect(openMs).toBeLessThan(REQUEST_MS + LATE_MS - 200);
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    }
    expect(await relay.ledger('metaads')).toMatchObject({ imbalance: 0 });
  });
});

describe('bodies that want to be more than they are', () => {
  test('nobody without a key has a body read', async () => {
    const head = `POST /v1/ads/conversions HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer rk_test_nobody\r\nContent-Type: application/json\r\nContent-Length: 30000000\r\n\r\n`;
    const { answers } = await speak(relay.url, [Buffer.from(`${head}{`)], { deadlineMs: 5_000, firstMs: 3_000, quietMs: 100 });
    expect(answers.map(({ status }) => status)).toEqual([401]);
  });

  test('a gzip bomb is not unpacked', async () => {
    const before = await memoryOfApi(relay);
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024, 0x20));
    const send = (headers: Record<string, string>, body: Uint8Array<ArrayBuffer>) => fetch(`${relay.url}/v1/ads/conversions`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${KEYS.full}`, ...headers }, body });
    const startedAt = performance.now();
    const bombs = await Promise.all(Array.from({ length: 10 }, () => send({ 'content-encoding': 'gzip' }, bomb)));
    expect(bombs.map(({ status }) => status)).toEqual(bombs.map(() => 415));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const after = await memoryOfApi(relay);
    expect(after.rssMiB - before.rssMiB).toBeLessThan(100);
  });

  const rows: readonly (readonly [name: string, body: () => string, code: string])[] = [
    ['ten million pairs of brackets', () => `${'['.repeat(10_000_000)}${']'.repeat(10_000_000)}`, 'invalid_json'],
    ['two million objects in each other', () => `${'{"a":'.repeat(2_000_000)}1${'}'.repeat(2_000_000)}`, 'invalid_json'],
    ['a string of 30 million backslashes', () => `{"a":"${'\\\\'.repeat(15_000_000)}`, 'invalid_json'],
    ['a number of 30 million digits', () => `{"accountId":${'9'.repeat(30_000_000)}}`, 'invalid_request'],
    ['three million empty events', () => `{"accountId":"acc_meta","destinationId":"1","events":[${'{},'.repeat(3_000_000)}{}]}`, 'invalid_request'],
    ['a million unknown keys', () => `{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":0,`).join('')}"z":0}`, 'invalid_request'],
    ['ten million brackets', () => '['.repeat(10_000_000), 'invalid_json'],
  ];
  test.each(LONG ? rows : rows.slice(1, 5))('%s: refused, and the process lives', { timeout: 60_000 }, async (name, body, code) => {
    const startedAt = performance.now();
    const answer = await relay.call('POST', '/v1/ads/conversions', { body: body() });
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect(answer.text.length).toBeLessThan(100_000);
    console.log(`${name}: ${Math.round(performance.now() - startedAt)} ms`);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect((await relay.call('GET', '/healthz')).status).toBe(200);
  });
});
