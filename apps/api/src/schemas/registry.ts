import { z } from 'zod';

/** Named schemas: `components/schemas` of the OpenAPI document. */
export const schemaRegistry = z.registry<{ id: string }>();

export function named<T extends z.ZodType>(id: string, schema: T): T {
  schemaRegistry.add(schema, { id });
  return schema;
}

/** `security` of routes that take no API key. */
export const KEYLESS: readonly Record<string, string[]>[] = [];

/** ISO 8601, UTC, with milliseconds. */
export const isoTime = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC' });

/** A page's end: give it back as `cursor`; null on the last page. */
export const nextCursorSchema = z.string().nullable();

/** One of dead letters has a few characters for each queue, of which there may be 256. */
export const cursorField = z.string().min(1).max(4096).optional();
/** Query values are texts. */
export const limitField = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);
