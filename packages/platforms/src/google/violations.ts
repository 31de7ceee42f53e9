import type { ItemFault, SentBatch } from '@relay/contract';
import { maskedText } from '../identity/mask.ts';
import { classOf } from './codes.ts';
import type { FieldViolation } from './error-body.ts';

/** Google doubles the list's name for events (`events.events[0]`) in its examples, and may not everywhere. */
const EVENT_INDEX = /(?:^|\.)events\[(\d+)\]\.?/;
const DESTINATION_INDEX = /(?:^|\.)destinations\[(\d+)\]/;

export interface SortedViolations {
  /** One per event named, first code, all its words. */
  readonly events: readonly ItemFault[];
  /** `named`: empty where no path says which destination. */
  readonly destination: { readonly named: readonly number[]; readonly concern: 'destination' | 'account'; readonly first: FieldViolation } | undefined;
  readonly relay: FieldViolation | undefined;
  readonly tooLarge: FieldViolation | undefined;
}

/** Whom each violation concerns, by its reason first and its path second. Indices that were never sent are left out. */
export function sortViolations(violations: readonly FieldViolation[], sent: SentBatch): SortedViolations {
  const total = sent.groupSizes.reduce((sum, size) => sum + size, 0);
  const events = new Map<number, { readonly code: string; readonly words: string[] }>();
  const destinations: { violation: FieldViolation; group: number | undefined }[] = [];
  let relay: FieldViolation | undefined;
  let tooLarge: FieldViolation | undefined;
  for (const violation of violations) {
    const event = indexIn(violation.field, EVENT_INDEX, total);
    switch (kindOf(violation, event)) {
      case 'size':
        tooLarge ??= violation;
        break;
      case 'destination':
        destinations.push({ violation, group: groupNamed(violation.field, event, sent) });
        break;
      case 'relay':
        relay ??= violation;
        break;
      case 'event': {
        if (event === undefined) break;
        const known = events.get(event);
        if (known === undefined) events.set(event, { code: violation.reason ?? 'INVALID_ARGUMENT', words: [wordsOf(violation)] });
        else known.words.push(wordsOf(violation));
        break;
      }
    }
  }
  return { events: faultsOf(events), destination: destinationFault(destinations), relay, tooLarge };
}

function kindOf({ field, reason }: FieldViolation, event: number | undefined): 'size' | 'destination' | 'relay' | 'event' {
  switch (classOf(reason)) {
    case 'size':
      return 'size';
    case 'relay':
      return 'relay';
    case 'destination':
    case 'account':
      return 'destination';
    case 'source':
      return event === undefined ? 'destination' : 'event';
    case 'event':
    case undefined:
      if (DESTINATION_INDEX.test(field)) return 'destination';
      // A field of the request itself (`consent`, `encoding`): no event is at fault, and splitting would repeat it per event.
      return field === '' || /^events\b/.test(field) || EVENT_INDEX.test(field) ? 'event' : 'relay';
  }
}

function faultsOf(events: ReadonlyMap<number, { readonly code: string; readonly words: readonly string[] }>): readonly ItemFault[] {
  return [...events]
    .sort(([one], [other]) => one - other)
    .map(([index, { code, words }]) => ({ index, code, message: maskedText(words.join('; ')), retryable: false }));
}

/** What names a destination decides: those it names are at fault whatever else is, and the rest is asked again. */
function destinationFault(found: readonly { readonly violation: FieldViolation; readonly group: number | undefined }[]): SortedViolations['destination'] {
  const first = (found.find(({ group }) => group !== undefined) ?? found[0])?.violation;
  if (first === undefined) return undefined;
  const named = new Set(found.map(({ group }) => group).filter((group) => group !== undefined));
  return { named: [...named].sort((one, other) => one - other), concern: concernOf(first.reason), first };
}

function concernOf(reason: string | undefined): 'destination' | 'account' {
  return classOf(reason) === 'account' ? 'account' : 'destination';
}

/** The destination in the path, else that of the event in the path. */
function groupNamed(field: string, event: number | undefined, { groupSizes }: SentBatch): number | undefined {
  const group = indexIn(field, DESTINATION_INDEX, groupSizes.length);
  if (group !== undefined || event === undefined) return group;
  let end = 0;
  return groupSizes.findIndex((size) => event < (end += size));
}

function indexIn(field: string, pattern: RegExp, below: number): number | undefined {
  const digits = pattern.exec(field)?.[1];
  const index = digits === undefined ? undefined : Number(digits);
  return index !== undefined && index < below ? index : undefined;
}

/** Google's words. The path without the event's place in the request, which says nothing to the sender. */
export function wordsOf({ field, description, reason }: FieldViolation): string {
  const match = EVENT_INDEX.exec(field);
  const path = match === null ? field : field.slice(match.index + match[0].length);
  const words = description === '' ? (reason ?? 'refused') : description;
  return maskedText(path === '' ? words : `${path}: ${words}`) || 'refused';
}
