import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it went over the wire. */
export interface WireRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** When the last byte of the answer had come, unix ms; `undefined`: not yet, or never. */
  readonly answeredAtMs: number | undefined;
}

/** Passes everything on to the sandbox and keeps what was asked: the sandbox keeps counts only. */
export async function tapWire(target: string): Promise<AsyncDisposable & { readonly url: string; readonly seen: readonly WireRequest[] }> {
  const seen: WireRequest[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      const { method = '', url: path = '', headers } = incoming;
      const entry: { -readonly [K in keyof WireRequest]: WireRequest[K] } = { method, path, headers, body: body.toString(), answeredAtMs: undefined };
      seen.push(entry);
      const onward = request({ hostname, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        answer.on('end', () => {
          entry.answeredAtMs = Date.now();
        });
        answer.on('error', () => outgoing.destroy());
      });
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
