import { connect } from 'node:net';
import type { Answer } from './http-client.ts';

export interface Conversation {
  readonly answers: readonly Pick<Answer, 'status' | 'headers' | 'text'>[];
  /** What came after the last whole answer. */
  readonly rest: string;
  /** Who ended it: the server, or our deadline. */
  readonly closed: boolean;
  readonly tookMs: number;
}

export interface RawOptions {
  readonly deadlineMs: number;
  /** How long nothing has to come before it is said that nothing more follows. Not at once: Node takes that for a caller who left. */
  readonly quietMs: number;
  /** The same for the first byte; default: as long. */
  readonly firstMs?: number;
}

/** Writes the pieces as they are, one segment each, and reads until the server closes. */
export function speak(url: string, pieces: readonly Buffer[], { deadlineMs, quietMs, firstMs = quietMs }: RawOptions): Promise<Conversation> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const parts: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    const done = (closed: boolean): void => {
      clearTimeout(late);
      clearTimeout(quiet);
      socket.destroy();
      resolve({ ...readAnswers(Buffer.concat(parts)), closed, tookMs: performance.now() - startedAt });
    };
    const late = setTimeout(() => done(false), deadlineMs);
    let quiet: NodeJS.Timeout | undefined;
    const waitForQuiet = (ms: number): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.end(), ms);
    };
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      waitForQuiet(quietMs);
    });
    // A reset is the server's end as well: it may close before it has read all that we wrote.
    socket.on('error', () => done(true));
    socket.on('end', () => done(true));
    socket.on('close', () => done(true));
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece);
      waitForQuiet(firstMs);
    });
  });
}

/** The answers in a stream of bytes, as a client behind the same connection would take them apart. */
export function readAnswers(stream: Buffer): Pick<Conversation, 'answers' | 'rest'> {
  const answers: Conversation['answers'][number][] = [];
  let text = stream.toString('latin1');
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
    if (end === -1 || status === undefined) return { answers, rest: text };
    const headers = Object.fromEntries(
      text.slice(0, end).split('\r\n').slice(1).map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const after = text.slice(end + 4);
    if (status.startsWith('1') && status !== '101') {
      text = after;
      continue;
    }
    const body = bodyOf(after, Number(status), headers);
    if (body === undefined) return { answers, rest: text };
    answers.push({ status: Number(status), headers, text: Buffer.from(body.text, 'latin1').toString() });
    text = after.slice(body.length);
  }
}

function bodyOf(text: string, status: number, headers: Readonly<Record<string, string>>): { readonly text: string; readonly length: number } | undefined {
  if (status === 204 || status === 304) return { text: '', length: 0 };
  if (headers['transfer-encoding'] === 'chunked') return unchunked(text);
  const length = Number(headers['content-length'] ?? text.length);
  return text.length < length ? undefined : { text: text.slice(0, length), length };
}

function unchunked(text: string): { readonly text: string; readonly length: number } | undefined {
  let at = 0;
  let body = '';
  for (;;) {
    const line = text.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (Number.isNaN(size) || text.length < line + 4 + size) return undefined;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
    if (size === 0) return { text: body, length: at };
  }
}
