import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a date',
};
const COUNTED: Readonly<Record<string, string>> = { string: ' characters', array: ' entries', number: '', int: '' };

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/**
 * What is wrong with a field and how to mend it, to be read after its path: "events[3].eventTime is required".
 * Never shows the value. Texts given in a schema itself come before these.
 */
export function describeIssue(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, issue.input);
    case 'invalid_value':
      return oneOf(issue.values.map(String));
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'unrecognized_keys':
      return 'is not a known field';
    case 'invalid_format':
      return `must be a valid ${issue.format}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'invalid_union':
      return 'is not valid';
    default:
      return 'is not valid';
  }
}

function wrongType(expected: string, input: unknown): string {
  if (input === undefined) return 'is required';
  if (typeof input === 'number' && (expected === 'number' || expected === 'int') && !Number.isFinite(input)) return 'must be a finite number';
  return `must be ${KINDS[expected] ?? 'of another type'}${input === null ? ', not null' : ''}`;
}

function oneOf(values: readonly string[]): string {
  return `must be ${values.length > 1 ? 'one of ' : ''}${values.map((value) => JSON.stringify(value)).join(', ')}`;
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  const verb = origin === 'string' || origin === 'array' ? 'have' : 'be';
  return `must ${verb} ${relation} ${limit}${COUNTED[origin] ?? ''}`;
}
