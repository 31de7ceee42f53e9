import fc from 'fast-check';
import { HOSTILE_TEXTS } from './hostile-values.ts';

/** As much of JSON Schema as the API's own document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
}

export interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** Texts that mean something where a field has this name: ids that exist among them. */
export type Dictionary = Readonly<Record<string, readonly unknown[]>>;

const MAX_DEPTH = 6;
const MAX_LIST = 4;

/** Values that a schema describes, at its bounds more often than chance would have it. */
export function valueOf(schema: Schema, name: string, document: OpenapiDocument, dictionary: Dictionary, depth = 0): fc.Arbitrary<unknown> {
  const known = dictionary[name];
  const drawn = fromSchema(schema, name, document, dictionary, depth);
  return known === undefined ? drawn : fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 4 }, { arbitrary: drawn, weight: 1 });
}

function fromSchema(schema: Schema, name: string, document: OpenapiDocument, dictionary: Dictionary, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const target = document.components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''];
    return target === undefined ? fc.anything() : fromSchema(target, name, document, dictionary, depth);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => fromSchema(choice, name, document, dictionary, depth)));
  if (schema.allOf !== undefined) return fromSchema(Object.assign({}, ...schema.allOf) as Schema, name, document, dictionary, depth);
  const types = [schema.type ?? (schema.properties === undefined ? 'any' : 'object')].flat();
  return fc.oneof(...types.map((type) => ofType(type, schema, document, dictionary, depth)));
}

function ofType(type: string, schema: Schema, document: OpenapiDocument, dictionary: Dictionary, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return textOf(schema);
    case 'number':
      return fc.oneof(bounds(schema), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: 0, max: 100 }));
    case 'integer':
      return fc.oneof(bounds(schema), fc.integer({ min: 0, max: 100 }), fc.maxSafeInteger());
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const items = depth >= MAX_DEPTH ? fc.constant(null) : valueOf(schema.items ?? {}, '', document, dictionary, depth + 1);
      return fc.array(items, { minLength: Math.min(schema.minItems ?? 0, MAX_LIST), maxLength: MAX_LIST });
    }
    case 'object':
      return objectOf(schema, document, dictionary, depth);
    default:
      return fc.oneof(fc.constantFrom(...HOSTILE_TEXTS.slice(0, 20)), fc.integer(), fc.jsonValue({ maxDepth: 2 }));
  }
}

function objectOf(schema: Schema, document: OpenapiDocument, dictionary: Dictionary, depth: number): fc.Arbitrary<unknown> {
  const free = schema.additionalProperties === true || typeof schema.additionalProperties === 'object';
  if (depth >= MAX_DEPTH) return fc.constant({});
  if (schema.properties === undefined) return free ? fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }) : fc.constant({});
  const members = Object.entries(schema.properties).map(([name, inner]) => [name, valueOf(inner, name, document, dictionary, depth + 1)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: [...(schema.required ?? [])].filter((name) => name in schema.properties!) });
}

function textOf({ minLength = 0, maxLength = 40, pattern, format }: Schema): fc.Arbitrary<string> {
  const plain = fc.string({ unit: 'grapheme', minLength: Math.min(minLength, 40), maxLength: Math.min(maxLength, 40) });
  const edges = fc.constantFrom('x'.repeat(minLength), 'x'.repeat(maxLength), 'x'.repeat(maxLength + 1), 'x'.repeat(Math.max(0, minLength - 1)));
  const kinds: fc.Arbitrary<string>[] = [plain, edges];
  if (format === 'date-time') kinds.push(fc.constantFrom('2026-10-01T10:00:00Z', '2026-10-01T10:00:00.000+02:00', '2026-13-40T99:99:99Z', '+275760-09-13T00:00:00.001Z', '0000-01-01T00:00:00Z'));
  if (pattern !== undefined) kinds.push(fc.stringMatching(new RegExp(pattern)), fc.stringMatching(new RegExp(pattern)));
  return fc.oneof(...kinds);
}

/** One below, at, and one above. */
function bounds({ minimum = 0, maximum = 2 ** 31 }: Schema): fc.Arbitrary<number> {
  return fc.constantFrom(minimum - 1, minimum, minimum + 1, maximum - 1, maximum, maximum + 1);
}
