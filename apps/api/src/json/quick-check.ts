import { Ajv } from 'ajv';
import { eventTimeSchema } from '@relay/contract';
import { z } from 'zod';

/** Values that a schema which changes them leaves as they are. */
const UNCHANGED: ReadonlyMap<unknown, object> = new Map([[eventTimeSchema, { type: 'integer' }]]);

/**
 * Whether a body is what `schema` describes to the letter, so that zod's parse would give it back as it is: nothing to
 * refuse, no unknown key to drop, nothing to transform. Made from the zod schema itself, by ajv, whose checks copy nothing:
 * 0.3 µs an event instead of 2.4 and a copy. What is not quickly known to be right goes through zod, which says what is wrong.
 *
 * @throws Error where the schema changes values in a way that is not known here.
 */
export function compileQuickCheck(schema: z.ZodType): (body: unknown) => boolean {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const { type } = zodSchema._zod.def;
      if (CHANGING.has(type)) {
        const unchanged = UNCHANGED.get(zodSchema);
        if (unchanged === undefined) throw new Error(`no quick check of a schema that changes values (${type})`);
        Object.assign(jsonSchema, unchanged);
      }
      if (type === 'object') jsonSchema.additionalProperties = false;
    },
  });
  // Lengths as zod counts them, in UTF-16 units; ajv calls the option deprecated, not wrong, and would log that.
  return new Ajv({ unicode: false, logger: false }).compile(described);
}

const CHANGING: ReadonlySet<string> = new Set(['pipe', 'transform', 'default', 'prefault', 'catch', 'readonly', 'lazy', 'custom']);
