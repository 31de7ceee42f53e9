/** Readers for answers that may be anything: HTML, cut JSON, numbers where texts belong. None of them throws. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** `undefined`: not JSON. */
export function readJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    // What is not JSON has a meaning too, and the caller gives it.
    return undefined;
  }
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** An empty list for what is none. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** `undefined` for what is no text, and for an empty one. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Non-negative integers, also as text: proto3 JSON writes 64-bit integers as strings. */
export function asCount(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

const CODE = /^[A-Za-z0-9][\w./:-]{0,99}$/;

/** A platform's code as text; `undefined` for what does not look like one, since codes reach metrics and clients. */
export function asCode(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && CODE.test(value) ? value : undefined;
}
