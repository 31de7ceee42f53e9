import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '../program.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StubReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is. */
  readonly body?: unknown;
  /** Close the connection without an answer. */
  readonly hangUp?: boolean;
  /** Never answer. */
  readonly silent?: boolean;
}

export interface StubRelay extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
}

/** A relay that answers as the test says, to try the CLI without the real one. */
export async function stubRelay(answer: (request: SeenRequest, count: number) => StubReply): Promise<StubRelay> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      seen.push(one);
      reply(response, answer(one, seen.length));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response: ServerResponse, given: StubReply): void {
  if (given.silent === true) return;
  if (given.hangUp === true) {
    response.destroy();
    return;
  }
  response.writeHead(given.status ?? 200, { 'content-type': 'application/json', ...given.headers });
  response.end(typeof given.body === 'string' || given.body === undefined ? given.body : JSON.stringify(given.body));
}

/** Runs one command line against the stub and collects what it prints. */
export async function cli(url: string, argv: readonly string[], stdin = ''): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    env: { RELAY_URL: url, RELAY_API_KEY: 'rk_test_stub' },
    stdin: Readable.from([Buffer.from(stdin)]),
    out: (part) => (out += part),
    err: (part) => (err += part),
    isTty: false,
  });
  return { code, out, err };
}
