import { isUtf8 } from 'node:buffer';
import { RelayError } from '@relay/contract';
import { findJsonFault } from './json-fault.ts';
import { findTreeFaults, isSound, type TreeFault } from './tree-faults.ts';

/** Faults of single values, kept until the schema has spoken too, so that one answer names every bad path. */
const fieldFaults = new WeakMap<object, readonly TreeFault[]>();

/** The faults that `parseBody` found in this very body. */
export function fieldFaultsOf(body: unknown): readonly TreeFault[] {
  return typeof body === 'object' && body !== null ? (fieldFaults.get(body) ?? []) : [];
}

/** @throws RelayError `invalid_json`. The message tells the place and never quotes the body. */
export function parseBody(raw: Buffer): unknown {
  if (raw.length === 0) throw new RelayError('invalid_json', 'The request body is empty; send a JSON object.');
  if (!isUtf8(raw)) throw new RelayError('invalid_json', 'The request body is not UTF-8; JSON is sent in UTF-8.');
  const text = raw.toString('utf8');
  const body = parseText(text.charCodeAt(0) === 0xfe_ff ? text.slice(1) : text);
  if (isSound(body)) return body;
  const faults = findTreeFaults(body);
  const refused = faults.find((fault) => fault.kind === 'json');
  if (refused !== undefined) throw new RelayError('invalid_json', `The request body is not accepted: ${refused.path} ${refused.message}.`, { param: refused.path });
  if (typeof body === 'object' && body !== null) fieldFaults.set(body, faults);
  return body;
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
