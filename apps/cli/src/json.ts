/** Reads answers without trusting their shape: a newer relay may add or leave out fields. */
export type Json = Readonly<Record<string, unknown>>;

export function asRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function listIn(body: unknown, key: string): readonly Json[] {
  const list = asRecord(body)[key];
  return Array.isArray(list) ? list.map(asRecord) : [];
}

export function textIn(record: Json, key: string): string {
  const value = record[key];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** 0 where there is no number. */
export function numberIn(record: Json, key: string): number {
  const value = record[key];
  return typeof value === 'number' ? value : 0;
}
