import { isUtf8 } from 'node:buffer';
import { RelayError } from '@relay/contract';
import { findJsonFault } from './json-fault.ts';
import { findTreeFaults, isSound, type TreeFault } from './tree-faults.ts';

/** Faults of single values, kept until the schema has spoken too, so that one answer names every bad path. */
const fieldFaults = new WeakMap<object, readonly TreeFault[]>();
/** Bodies that were not walked through yet. */
const unwalked = new WeakSet<object>();

/**
 * The faults of single values in this very body, which `parseBody` gave.
 * @throws RelayError `invalid_json`, where `parseBody` put its walk off.
 */
export function fieldFaultsOf(body: unknown): readonly TreeFault[] {
  if (typeof body !== 'object' || body === null) return [];
  if (unwalked.delete(body)) walk(body);
  return fieldFaults.get(body) ?? [];
}

/** Whether the walk was put off: the text of this body has no escapes, so all of its strings and keys are well-formed. */
export function isUnwalked(body: unknown): boolean {
  return typeof body === 'object' && body !== null && unwalked.has(body);
}

/**
 * @param later the caller asks for `fieldFaultsOf` before it uses the body, unless it knows by itself that there are none: a
 * schema that is checked anyway knows nearly all of it, and the walk costs as much as the rest of the check thrice over.
 * @throws RelayError `invalid_json`. The message tells the place and never quotes the body.
 */
export function parseBody(raw: Buffer, later = false): unknown {
  if (raw.length === 0) throw new RelayError('invalid_json', 'The request body is empty; send a JSON object.');
  if (!isUtf8(raw)) throw new RelayError('invalid_json', 'The request body is not UTF-8; JSON is sent in UTF-8.');
  const text = raw.toString('utf8');
  const body = parseText(text.charCodeAt(0) === 0xfe_ff ? text.slice(1) : text);
  if (typeof body !== 'object' || body === null) return body;
  // UTF-8 itself has no lone surrogates: they come as escapes.
  if (later && !text.includes('\\u')) unwalked.add(body);
  else walk(body);
  return body;
}

function walk(body: object): void {
  if (isSound(body)) return;
  const faults = findTreeFaults(body);
  const refused = faults.find((fault) => fault.kind === 'json');
  if (refused !== undefined) throw new RelayError('invalid_json', `The request body is not accepted: ${refused.path} ${refused.message}.`, { param: refused.path });
  fieldFaults.set(body, faults);
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's error quotes the body, so it is not even kept as the cause.
    const { position, line, column, what } = findJsonFault(text);
    throw new RelayError('invalid_json', `The request body ${what} (position ${position}, line ${line}, column ${column}).`, { details: { position, line, column } });
  }
}
