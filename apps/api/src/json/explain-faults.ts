import { RelayError } from '@relay/contract';
import type { z } from 'zod';
import { formatPath } from './format-path.ts';

export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** Paths that one answer lists; a body of 100,000 bad events must not be answered with 100,000 lines. */
export const MAX_DETAILS = 100;

/** The 400 that names every bad path: the first in `param` and in the sentence, all (at most 100) in `details`. */
export function explainFaults(issues: readonly z.core.$ZodIssue[], extra: readonly FieldFault[], whole: string): RelayError {
  const faults = new Map<string, string>();
  for (const fault of extra) faults.set(fault.path, fault.message);
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') addFirst(faults, formatPath(issue.path), issue.message);
    else for (const key of issue.keys) addFirst(faults, formatPath([...issue.path, key]), issue.message);
  }
  const details = Array.from(faults, ([path, message]): FieldFault => ({ path, message })).slice(0, MAX_DETAILS);
  const first = details[0] ?? { path: '', message: 'is not valid' };
  const subject = first.path === '' ? whole : first.path;
  return new RelayError('invalid_request', `${subject} ${first.message}.${others(faults.size)}`, {
    ...(first.path === '' ? {} : { param: first.path }),
    details,
  });
}

function addFirst(faults: Map<string, string>, path: string, message: string): void {
  if (!faults.has(path)) faults.set(path, message);
}

function others(count: number): string {
  if (count < 2) return '';
  const more = count === 2 ? ' 1 more field is wrong' : ` ${count - 1} more fields are wrong`;
  return count <= MAX_DETAILS ? `${more}, see details.` : `${more}; details list the first ${MAX_DETAILS}, ${count - MAX_DETAILS} are not listed.`;
}
