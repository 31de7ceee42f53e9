import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UsageError } from '../faults.ts';
import { readLines } from './lines.ts';

/** One event of a file, or why a line is none. `place` is the line number, or the position in a JSON array, from 1. */
export type Row =
  | { readonly place: number; readonly value: unknown }
  | { readonly place: number; readonly fault: string };

export interface EventFile {
  readonly rows: AsyncGenerator<Row>;
  /** Undefined where it cannot be known (a pipe). */
  readonly totalBytes: number | undefined;
  /** Read so far. */
  readBytes(): number;
}

/** A JSON array is read as a whole, so it must fit; NDJSON may have any size. */
const MAX_ARRAY_BYTES = 256 * 1024 * 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const OPEN_BRACKET = 0x5b;

/** Opens NDJSON or a JSON array of events, told apart by the first character; `-` is standard input. */
export async function openEventFile(path: string, stdin: NodeJS.ReadableStream): Promise<EventFile> {
  let readBytes = 0;
  const totalBytes = path === '-' ? undefined : await sizeOf(path);
  const source = path === '-' ? stdin : createReadStream(path, { highWaterMark: 256 * 1024 });
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      readBytes += bytes.length;
      yield bytes;
    }
  }
  return { rows: readRows(counted()), totalBytes, readBytes: () => readBytes };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new UsageError(`${path} is a folder; name a file of events`);
    return stats.isFile() ? stats.size : undefined; // A named pipe has no size.
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

export async function* readRows(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Row> {
  const { head, all } = await peek(chunks);
  const start = markBytes(head);
  if (firstCharacter(head) === OPEN_BRACKET) yield* arrayRows(await readWhole(all), start);
  else yield* lineRows(readLines(all), start);
}

/** The beginning, up to a chunk with a character that is not white space, and the stream with nothing taken out of it. */
async function peek(chunks: AsyncGenerator<Buffer>): Promise<{ readonly head: Buffer; readonly all: AsyncGenerator<Buffer> }> {
  let head = Buffer.alloc(0);
  while (head.length < BYTE_ORDER_MARK.length || firstCharacter(head) === undefined) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  async function* again(): AsyncGenerator<Buffer> {
    yield head;
    yield* chunks;
  }
  return { head, all: again() };
}

function markBytes(head: Buffer): number {
  return head.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

function firstCharacter(bytes: Buffer): number | undefined {
  for (let at = markBytes(bytes); at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return byte;
  }
  return undefined;
}

async function readWhole(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ARRAY_BYTES) {
      throw new UsageError(`a JSON array of more than ${MAX_ARRAY_BYTES} bytes is not read at once: write one event a line (NDJSON) instead`);
    }
  }
  return Buffer.concat(parts);
}

function* arrayRows(bytes: Buffer, start: number): Generator<Row> {
  let events: unknown;
  try {
    events = JSON.parse(bytes.toString('utf8', start));
  } catch (cause) {
    throw new UsageError(`the file begins as a JSON array, but is not valid JSON: ${(cause as Error).message}`, { cause });
  }
  for (const [index, value] of (events as unknown[]).entries()) yield { place: index + 1, value };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

async function* lineRows(lines: AsyncIterable<Buffer>, start: number): AsyncGenerator<Row> {
  let place = 0;
  for await (const bytes of lines) {
    place += 1;
    const row = lineRow(place === 1 ? bytes.subarray(start) : bytes, place);
    if (row !== undefined) yield row;
  }
}

/** Undefined for an empty line. The fault never quotes the line: it may hold a person's data. */
function lineRow(bytes: Buffer, place: number): Row | undefined {
  let text: string;
  try {
    text = UTF8.decode(bytes).trim();
  } catch {
    return { place, fault: 'is not UTF-8' };
  }
  if (text === '') return undefined;
  try {
    return { place, value: JSON.parse(text) as unknown };
  } catch {
    return { place, fault: 'is not JSON' };
  }
}
