import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from './faults.ts';
import type { Json } from './json.ts';

/** A JSON object from a file, or from standard input for `-`. Its content is never quoted: it may hold secrets. */
export async function readJsonObject(path: string, stdin: NodeJS.ReadableStream): Promise<Json> {
  const name = path === '-' ? 'standard input' : path;
  let content: string;
  try {
    content = path === '-' ? await text(stdin) : await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`cannot read ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new UsageError(`${name} is not JSON`); // Without the parser's words, which quote the text.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError(`${name} is not a JSON object`);
  return value as Json;
}
