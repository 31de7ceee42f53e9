import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { aRequest, openApi } from './testing/open-api.ts';

type Api = Awaited<ReturnType<typeof openApi>>;

/** A connection whose every answer is kept. Its own end stays open until it is disposed of. */
async function dial(api: Api) {
  if (!api.app.server.listening) await api.app.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect({ port: (api.app.server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  let failure: string | undefined;
  socket.setEncoding('utf8').on('data', (part: string) => (text += part)).on('error', (error) => (failure = String(error)));
  const ended = once(socket, 'end');
  return {
    write: (bytes: string) => new Promise<void>((resolve) => socket.write(bytes, () => resolve())),
    text: () => text,
    statuses: () => (text.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? []).map(Number),
    failure: () => failure,
    /** Until the server has said its last. */
    ended: () => ended,
    /** Until a byte of ours is not taken any more. */
    closed: async () => {
      while (!socket.closed) {
        socket.write(' ');
        await sleep(50);
      }
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

const HEAD = 'POST /v1/ads/conversions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer rk_root\r\nContent-Type: application/json\r\n';
const body = JSON.stringify(aRequest());
const SEND = `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;

/** Looked at every five seconds; of the two Node takes the longer one for the request. */
const hurry = (api: Api) => Object.assign(api.app.server, { headersTimeout: 200, requestTimeout: 200 });

describe.concurrent('what is no HTTP', () => {
  it.each([
    ['GARBAGE\r\n\r\n', '400 Bad Request', 'invalid_request'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large', 'invalid_header'],
  ])('is answered in the same shape, and the connection ends', async (bytes, status, code) => {
    await using api = await openApi();
    using caller = await dial(api);
    await caller.write(bytes);
    await caller.ended();
    expect(caller.text()).toContain(`HTTP/1.1 ${status}`);
    expect(JSON.parse(caller.text().split('\r\n\r\n')[1]!)).toMatchObject({ type: 'invalid_request_error', code });
  });

  it.each([
    ['a head', `GET / HTTP/1.1\r\nHost: a\r\n`, 'X: y\r\n'],
    ['chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\nno size\r\n`, '1\r\n{\r\n'],
    ['nothing known', 'GARBAGE\r\n', '\0'],
  ])('is read and dropped for a while, so that who sends all of it gets the answer: %s', async (_name, start, more) => {
    await using api = await openApi();
    using caller = await dial(api);
    await caller.write(start);
    for (let part = 0; part < 40; part += 1) await caller.write(more.repeat(20_000));
    await caller.ended();
    expect(caller.failure()).toBeUndefined();
    expect(caller.statuses()).toEqual([start.startsWith('GET') ? 431 : 400]);
  });

  it('is not listened to for ever', async () => {
    await using api = await openApi();
    using caller = await dial(api);
    await caller.write('GARBAGE\r\n');
    await caller.closed();
    expect(caller.statuses()).toEqual([400]);
  }, 15_000);

  it('behind a request that is under way is answered after it', async () => {
    await using api = await openApi();
    api.deliveries.onEnqueue = undefined;
    using caller = await dial(api);
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    await caller.write(`${SEND}}}`);
    await vi.waitUntil(() => api.deliveries.requests.length === 1);
    for (let part = 0; part < 20; part += 1) await caller.write('}').then(() => sleep(5)); // each is an error of its own to Node
    expect(caller.statuses()).toEqual([]);
    api.deliveries.finish('dlv_1');
    await caller.ended();
    expect(caller.statuses()).toEqual([200, 400]);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('within a request behind one that is under way is answered after that', async () => {
    await using api = await openApi();
    api.deliveries.onEnqueue = undefined;
    using caller = await dial(api);
    await caller.write(`${SEND}${HEAD}Transfer-Encoding: chunked\r\n\r\nno size`);
    await vi.waitUntil(() => api.deliveries.requests.length === 1);
    expect(caller.statuses()).toEqual([]);
    api.deliveries.finish('dlv_1');
    await caller.ended();
    expect(caller.statuses()).toEqual([200, 400]);
    expect(api.deliveries.requests).toHaveLength(1);
  });
});

describe.concurrent('what comes too late', () => {
  it('is refused, and taken no more', async () => {
    await using api = await openApi();
    using caller = await dial(api);
    hurry(api);
    await caller.write(SEND.slice(0, -10));
    await caller.ended();
    await caller.write(SEND.slice(-10));
    await caller.closed();
    expect(caller.statuses()).toEqual([408]);
    expect(api.deliveries.requests).toEqual([]);
  }, 15_000);

  it.each([
    { comes: false, statuses: [200, 408] },
    { comes: true, statuses: [200, 200] },
  ])('behind a request that is under way has until that is answered: $comes', async ({ comes, statuses }) => {
    await using api = await openApi({ config: { syncWaitMs: 14_000 } });
    api.deliveries.onEnqueue = undefined;
    using caller = await dial(api);
    hurry(api);
    const late = once(api.app.server, 'clientError');
    await caller.write(`${SEND}GET /healthz HTTP/1.1\r\nHost: a\r\n`);
    await late;
    if (comes) await caller.write('\r\n').then(() => sleep(100));
    api.deliveries.finish('dlv_1');
    await vi.waitUntil(() => caller.statuses().length === 2);
    expect(caller.statuses()).toEqual(statuses);
  }, 15_000);

  it('of a body that was answered early ends without a second answer', async () => {
    await using api = await openApi();
    using caller = await dial(api);
    hurry(api);
    await caller.write('POST /v1/ads/conversions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n');
    await caller.closed();
    expect(caller.statuses()).toEqual([401]);
  }, 15_000);
});
