/**
 * Rest.li 2.0 text: `List(a,b)`, `(key:value)`, strings. Structure is raw, what belongs to a string is percent-encoded, so this reads
 * the address as it came in and decodes only the strings.
 */
export type RestliValue = string | readonly RestliValue[] | { readonly [key: string]: RestliValue };

interface Cursor {
  readonly text: string;
  at: number;
}

const STRING = /[^(),:']*/y;

/** `undefined` for text that breaks the rules, e.g. a URN with raw colons. */
export function parseRestli(text: string): RestliValue | undefined {
  const cursor = { text, at: 0 };
  const value = readValue(cursor);
  return value !== undefined && cursor.at === text.length ? value : undefined;
}

function take(cursor: Cursor, text: string): boolean {
  if (!cursor.text.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}

function readValue(cursor: Cursor): RestliValue | undefined {
  if (take(cursor, 'List(')) return readList(cursor);
  if (take(cursor, '(')) return readRecord(cursor);
  if (take(cursor, "''")) return '';
  return readString(cursor);
}

function readString(cursor: Cursor): string | undefined {
  STRING.lastIndex = cursor.at;
  const found = STRING.exec(cursor.text)?.[0] ?? '';
  if (found === '') return undefined; // an empty string is spelt ''
  cursor.at += found.length;
  return decode(found);
}

function readList(cursor: Cursor): readonly RestliValue[] | undefined {
  const values: RestliValue[] = [];
  if (take(cursor, ')')) return values;
  do {
    const value = readValue(cursor);
    if (value === undefined) return undefined;
    values.push(value);
  } while (take(cursor, ','));
  return take(cursor, ')') ? values : undefined;
}

function readRecord(cursor: Cursor): Readonly<Record<string, RestliValue>> | undefined {
  const record: Record<string, RestliValue> = {};
  do {
    const key = readString(cursor);
    if (key === undefined || !take(cursor, ':')) return undefined;
    const value = readValue(cursor);
    if (value === undefined) return undefined;
    record[key] = value;
  } while (take(cursor, ','));
  return take(cursor, ')') ? record : undefined;
}

export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a broken escape
  }
}

/** The parts of an address or of a tunnelled body: names decoded, values as they came in. */
export function rawQuery(text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    params.set(decode(equals === -1 ? part : part.slice(0, equals)) ?? part, equals === -1 ? '' : part.slice(equals + 1));
  }
  return params;
}

export const isRecord = (value: RestliValue | undefined): value is Readonly<Record<string, RestliValue>> => typeof value === 'object' && !Array.isArray(value);

export function stringsIn(value: RestliValue | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined;
}
