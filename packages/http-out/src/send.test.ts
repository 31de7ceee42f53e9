import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createSend, DEFAULT_SEND_OPTIONS } from './index.ts';

const stack: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.push(() => server.close());
  return (server.address() as AddressInfo).port;
}
const tcp = (onSocket: (socket: Socket) => void) => listening(createServer((socket) => onSocket(socket.on('error', () => {}))));
const http = (onRequest: RequestListener) => {
  const server = createHttpServer(onRequest);
  stack.push(() => server.closeAllConnections());
  return listening(server);
};

function open(timeoutMs: number) {
  const { send, close } = createSend({ ...DEFAULT_SEND_OPTIONS, timeoutMs, now: () => 0 });
  stack.push(close);
  return (url: string) => send({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: '{}' });
}

const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe('a request that fails', () => {
  it('sent nothing where the time ran out before the connection stood', async () => {
    const seen: string[] = [];
    const port = await http((request, response) => {
      seen.push(request.url!);
      response.end('{}');
    });
    const sending = open(20)(`http://127.0.0.1:${port}/late`);
    // Busy until after the deadline: the connection is noticed when the time is up already.
    block(60);
    expect(await sending).toMatchObject({ kind: 'failed', code: 'connect_failed', bodySent: false });
    expect(seen).toEqual([]);
  });

  it('sent nothing where the connection broke before it stood', async () => {
    const port = await tcp((socket) => socket.once('data', () => socket.destroy())); // in the middle of the TLS handshake
    expect(await open(5_000)(`https://127.0.0.1:${port}/`)).toMatchObject({ kind: 'failed', code: 'connect_failed', bodySent: false });
  });

  it('sent nothing where nobody listens', async () => {
    const port = await tcp(() => {});
    await stack.pop()!();
    expect(await open(5_000)(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'failed', code: 'connect_failed', bodySent: false });
  });

  it('may have sent all where the platform was silent, or hung up', async () => {
    const silent = await http(() => {});
    expect(await open(50)(`http://127.0.0.1:${silent}/`)).toMatchObject({ kind: 'failed', code: 'timeout', bodySent: true });
    const rude = await http((request) => request.socket.destroy());
    expect(await open(5_000)(`http://127.0.0.1:${rude}/`)).toMatchObject({ kind: 'failed', code: 'connection_reset', bodySent: true });
  });

  it('may have sent all on a connection that had served before', async () => {
    let requests = 0;
    const port = await http((request, response) => {
      requests += 1;
      if (requests === 1) response.end('{}');
      else request.socket.destroy();
    });
    const send = open(5_000);
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'reply', reply: { status: 200, body: '{}' } });
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'failed', bodySent: true });
  });
});
