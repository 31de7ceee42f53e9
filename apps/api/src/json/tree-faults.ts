import { formatPath } from './format-path.ts';

/** What a JSON tree must not hold, whatever a schema says of it. */
export interface TreeFault {
  /** `json`: the text itself is refused. `field`: one value is, beside the schema's own faults. */
  readonly kind: 'json' | 'field';
  readonly path: string;
  readonly message: string;
}

/** Far beyond any conversion; keeps every later recursion safe. */
export const MAX_DEPTH = 64;
/** Faults that are listed; the rest is cut off, so that a bad body cannot make a huge answer. */
const MAX_FAULTS = 1000;

/** The quick question, asked of every body: no prototype keys, only finite numbers and well-formed text, not too deep. */
export function isSound(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return scalarFault(value) === undefined;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) if (!isSound(value[index], depth + 1)) return false;
    return true;
  }
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    if (isPrototypeKey(key, inner) || !key.isWellFormed() || !isSound(inner, depth + 1)) return false;
  }
  return true;
}

/** The slow question, asked once a body is known to be bad: where, and what. */
export function findTreeFaults(root: unknown): readonly TreeFault[] {
  const faults: TreeFault[] = [];
  const path: (string | number)[] = [];
  const note = (kind: TreeFault['kind'], message: string | undefined): void => {
    if (message !== undefined && faults.length < MAX_FAULTS) faults.push({ kind, path: formatPath(path), message });
  };
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return note('field', scalarFault(value));
    if (path.length >= MAX_DEPTH) return note('json', `is nested deeper than ${MAX_DEPTH} levels`);
    for (const [key, inner] of Object.entries(value)) {
      path.push(Array.isArray(value) ? Number(key) : key);
      if (isPrototypeKey(key, inner)) note('json', 'is a key that is not allowed');
      else if (key.isWellFormed()) visit(inner);
      else note('field', 'is a key with a lone surrogate; send well-formed Unicode');
      path.pop();
    }
  };
  visit(root);
  return faults;
}

function scalarFault(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : 'contains a lone surrogate; send well-formed Unicode';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number beyond what a double can hold';
  return undefined;
}

/** Harmless here, since `JSON.parse` makes own keys of them; a trap for whatever merges or copies later. */
function isPrototypeKey(key: string, value: unknown): boolean {
  return key === '__proto__' || (key === 'constructor' && holdsPrototype(value));
}

function holdsPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}
