import type { Violation } from './error-bodies.ts';

/** The parts of proto3 JSON that Google's generic front end checks before the service sees a request. */
export type Spec =
  | { readonly kind: 'string' | 'double' | 'int64' | 'bool' | 'timestamp' | 'any' }
  | { readonly kind: 'enum'; readonly name: string; readonly values: ReadonlySet<string> }
  | { readonly kind: 'list'; readonly of: Spec }
  | MessageSpec;

export interface MessageSpec {
  readonly kind: 'message';
  readonly name: string;
  /** Keyed by the camelCase and the snake_case name. */
  readonly fields: ReadonlyMap<string, FieldSpec>;
  /** Fields of which at most one may be set. */
  readonly oneof?: readonly string[];
}

interface FieldSpec {
  readonly camel: string;
  readonly snake: string;
  readonly spec: Spec;
}

export interface ShapeOptions {
  readonly acceptSnakeCase: boolean;
  /** When false a timestamp is only checked to be a string; the service judges it later. */
  readonly parseTimestamps: boolean;
  /** Of the type names in messages; the Data Manager's if absent. */
  readonly protoPackage?: string;
}

interface Walk {
  readonly options: ShapeOptions;
  /** Path so far; rendered only for a violation, since almost every value is fine. */
  readonly path: (string | number)[];
  readonly found: Violation[];
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

export function message(name: string, fields: Readonly<Record<string, Spec>>, oneof?: readonly string[]): MessageSpec {
  const byName = new Map<string, FieldSpec>();
  for (const [camel, spec] of Object.entries(fields)) {
    const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const field = { camel, snake, spec };
    byName.set(camel, field).set(snake, field);
  }
  return { kind: 'message', name, fields: byName, ...(oneof ? { oneof } : {}) };
}

export function isTimestamp(value: string): boolean {
  return RFC3339.test(value) && !Number.isNaN(Date.parse(value));
}

/** Rewrites accepted snake_case names to camelCase and drops nulls in place, as the real parser does. */
export function checkShape(value: unknown, spec: MessageSpec, options: ShapeOptions): readonly Violation[] {
  const walk: Walk = { options, path: [], found: [] };
  check(value, spec, walk);
  return walk.found;
}

function check(value: unknown, spec: Spec, walk: Walk): void {
  switch (spec.kind) {
    case 'any':
      return;
    case 'message':
      checkMessage(value, spec, walk);
      return;
    case 'list':
      checkList(value, spec.of, walk);
      return;
    case 'enum':
      if (typeof value !== 'string' || !spec.values.has(value)) invalid(value, typeName(spec.name, walk), walk);
      return;
    case 'string':
    case 'double':
    case 'int64':
    case 'bool':
    case 'timestamp':
      if (!isScalar(value, spec.kind, walk.options)) invalid(value, SCALAR_NAME[spec.kind], walk);
  }
}

const SCALAR_NAME = {
  string: 'TYPE_STRING',
  double: 'TYPE_DOUBLE',
  int64: 'TYPE_INT64',
  bool: 'TYPE_BOOL',
  timestamp: 'type.googleapis.com/google.protobuf.Timestamp',
} as const;

function isScalar(value: unknown, kind: keyof typeof SCALAR_NAME, options: ShapeOptions): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'double': // proto3 JSON takes numbers in quotes as well
      return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)));
    case 'int64':
      return Number.isInteger(value) || (typeof value === 'string' && /^-?\d{1,19}$/.test(value));
    case 'timestamp':
      return typeof value === 'string' && (!options.parseTimestamps || isTimestamp(value));
  }
}

function checkList(value: unknown, of: Spec, walk: Walk): void {
  if (!Array.isArray(value)) {
    invalid(value, 'repeated field', walk);
    return;
  }
  for (let index = 0; index < value.length; index += 1) {
    walk.path.push(index);
    check(value[index], of, walk);
    walk.path.pop();
  }
}

function checkMessage(value: unknown, spec: MessageSpec, walk: Walk): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    invalid(value, typeName(spec.name, walk), walk);
    return;
  }
  const record = value as Record<string, unknown>; // narrowed to a plain object just above
  for (const key of Object.keys(record)) {
    const field = spec.fields.get(key);
    if (field === undefined || (key !== field.camel && !walk.options.acceptSnakeCase)) {
      unknownName(key, walk);
      continue;
    }
    const inner = record[key];
    if (key !== field.camel || inner === null) delete record[key];
    if (inner === null) continue;
    if (key !== field.camel) record[field.camel] = inner;
    walk.path.push(field.snake);
    check(inner, field.spec, walk);
    walk.path.pop();
  }
  if (spec.oneof && spec.oneof.filter((name) => name in record).length > 1) {
    const path = pathOf(walk.path);
    walk.found.push({ field: path, description: `Invalid value at '${path}' (oneof), oneof field is already set. Cannot set more than one of ${spec.oneof.join(', ')}.` });
  }
}

function typeName(name: string, walk: Walk): string {
  return `type.googleapis.com/${walk.options.protoPackage ?? 'google.ads.datamanager.v1'}.${name}`;
}

function unknownName(key: string, walk: Walk): void {
  const path = pathOf(walk.path);
  const at = path === '' ? '' : ` at '${path}'`;
  walk.found.push({ field: path, description: `Invalid JSON payload received. Unknown name "${key}"${at}: Cannot find field.` });
}

function invalid(value: unknown, type: string, walk: Walk): void {
  const path = pathOf(walk.path);
  walk.found.push({ field: path, description: `Invalid value at '${path}' (${type}), ${JSON.stringify(value)}` });
}

function pathOf(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}
