import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEYS, startRelay, type Relay } from './harness.ts';

const BODY_LIMIT = 1024 * 1024;

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { BODY_LIMIT_BYTES: String(BODY_LIMIT) } });
});
afterAll(() => relay?.stop());

describe('callers that send all of a body before they read an answer', () => {
  const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n';
  const large = Buffer.alloc(8 * BODY_LIMIT, ' ');
  const whole = { framing: `Content-Length: ${large.length}`, body: large };
  const chunked = { framing: 'Transfer-Encoding: chunked', body: Buffer.concat([Buffer.from(`${large.length.toString(16)}\r\n`), large, Buffer.from('\r\n0\r\n\r\n')]) };
  const key = `Authorization: Bearer ${KEYS.full}\r\n`;

  /** Statuses of the answers to a request and to one behind it on the same connection, none of which is read before all is sent. */
  const statusesOf = (head: string, sent: Uint8Array): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(relay.url).port) });
      let answers = '';
      const statuses = () => answers.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? [];
      socket.once('error', reject).once('close', () => resolve(statuses()));
      socket.write(head);
      socket.write(sent);
      socket.write(HEALTH, () => {
        socket.setEncoding('latin1').on('data', (part: string) => {
          answers += part;
          if (statuses().length === 2) socket.end();
        });
      });
    });

  test.each([
    { name: 'too long, by its length', path: '/v1/ads/conversions', headers: key, ...whole, status: '413' },
    { name: 'too long, in chunks', path: '/v1/ads/conversions', headers: key, ...chunked, status: '413' },
    { name: 'too long for a webhook', path: '/webhooks/whatsapp', headers: '', ...whole, status: '413' },
    { name: 'under no key', path: '/v1/ads/conversions', headers: '', ...whole, status: '401' },
    { name: 'to no route', path: '/v1/nothing', headers: key, ...whole, status: '413' },
  ])('get it: $name', async ({ path, headers, framing, body: sent, status }) => {
    const head = `POST ${path} HTTP/1.1\r\nHost: relay\r\n${headers}Content-Type: application/json\r\n${framing}\r\n\r\n`;
    expect(await statusesOf(head, sent)).toEqual([status, '200']);
  });
});
