import { Agent, request } from 'node:http';

export interface Request {
  readonly method: string;
  /** With the query; as it goes over the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface Answer {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  readonly tookMs: number;
}

/** Keeps connections, and sends exactly the headers that it is given: no Accept, no User-Agent, no encoding of the path. */
export function createClient(url: string, sockets: number) {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  const send = ({ method, path, headers, body }: Request, deadlineMs: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const outgoing = request({ hostname, port, agent, method, path, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) } }, (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', reject);
        incoming.on('end', () => {
          clearTimeout(late);
          const flat = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
          resolve({ status: incoming.statusCode ?? 0, headers: flat, text: Buffer.concat(parts).toString(), tookMs: performance.now() - startedAt });
        });
      });
      const late = setTimeout(() => outgoing.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
      outgoing.on('error', (error) => {
        clearTimeout(late);
        reject(error);
      });
      outgoing.end(body);
    });
  return { send, close: () => agent.destroy() };
}
