import type { PoisonRule, SandboxCore } from '../core/types.ts';
import type { Answer } from './answer.ts';
import { refuse } from './error-bodies.ts';
import type { ErrorEnvelope } from './error-bodies.ts';
import type { RuleBook } from './rule-book.ts';
import { findingOf } from './rules.ts';
import type { ConversionEvent, Finding } from './rules.ts';
import { schemaLines } from './schema.ts';
import type { LinkedinSettings } from './settings.ts';

/** What is wrong with one element; a sound one has no entry. */
export interface Fault {
  readonly index: number;
  readonly kind: 'schema' | 'poison' | Finding;
  /** `ERROR :: path :: text` lines, for the kinds that answer 422. */
  readonly lines: readonly string[];
}

export interface JudgeParts {
  readonly core: SandboxCore;
  readonly settings: LinkedinSettings;
  readonly version: number;
  readonly rules: RuleBook;
}

const INVALID_TIME = 'INVALID_CONVERSION_TIME_FIELD_VALUE';
const INVALID_IDENTIFICATION = 'INVALID_USER_IDENTIFICATION_FIELD_VALUE';

export function faultsOf(elements: readonly unknown[], { core, settings, version, rules }: JudgeParts): readonly Fault[] {
  const schemaRules = { rejectUnknownFields: settings.rejectUnknownFields, acceptLegacyIdTypes: settings.acceptLegacyIdTypes, version };
  const clock = { nowMs: core.now(), maxAgeDays: settings.maxAgeDays };
  const faults: Fault[] = [];
  for (let index = 0; index < elements.length; index += 1) {
    const lines = schemaLines(elements[index], schemaRules);
    if (lines.length > 0) {
      faults.push({ index, kind: 'schema', lines });
      continue;
    }
    const event = elements[index] as ConversionEvent; // the schema check has just passed
    const finding = findingOf(event, { clock, rules });
    const rule = finding === undefined && event.eventId ? core.poison('linkedin', event.eventId) : undefined;
    if (finding !== undefined) faults.push({ index, kind: finding, lines: [] });
    else if (rule) faults.push({ index, kind: 'poison', lines: settings.poisonNamesIndex ? [poisonLine(rule)] : [] });
  }
  return faults;
}

function poisonLine(rule: PoisonRule): string {
  return `ERROR :: /user :: ${rule.code ?? INVALID_IDENTIFICATION}: the user identification is not valid`;
}

/** One answer for the whole request. Which kind wins when several are present is not documented: schema first. */
export function refusalOf(faults: readonly Fault[], { settings, isBatch }: { settings: LinkedinSettings; isBatch: boolean }): Answer {
  const withLines = faults.filter((fault) => fault.lines.length > 0);
  if (withLines.length > 0) return refuse({ message: linesOf(withLines, isBatch || settings.singleNamesIndex), status: 422 });
  for (const kind of ['urn_format', 'rule_unknown', 'rule_method', 'time', 'identifier', 'poison'] as const) {
    const indices = faults.filter((fault) => fault.kind === kind).map((fault) => fault.index);
    if (indices.length > 0) return refuse(envelopeOf(kind, settings, indices));
  }
  throw new Error('refusalOf needs at least one fault');
}

/** What one element is told when good and bad ones are answered side by side. */
export function elementError(fault: Fault, settings: LinkedinSettings): ErrorEnvelope {
  if (fault.lines.length > 0) return { status: 422, message: `${fault.lines.join('\n')}\n` };
  return fault.kind === 'schema' ? { status: 422, message: '' } : envelopeOf(fault.kind, settings, [fault.index]);
}

function linesOf(faults: readonly Fault[], namesIndex: boolean): string {
  return faults.map(({ index, lines }) => `${namesIndex ? `Index: ${index}, ` : ''}${lines.join('\n')}\n`).join('');
}

function envelopeOf(kind: Finding | 'poison', settings: LinkedinSettings, indices: readonly number[]): ErrorEnvelope {
  const at = `, indices [${indices.join(', ')}] (0-indexed)`;
  switch (kind) {
    case 'urn_format':
      return { status: 400, message: 'Invalid Urn format. Invalid prefix. Expected urn:lla:llaPartnerConversion' };
    case 'rule_unknown':
      return { status: 404, message: 'The conversion rule does not exist' };
    case 'rule_method':
      // In these words, with the list, in a production connector's record.
      return { status: 400, message: `Incorrect conversions information provided. Conversion's method should be CONVERSIONS_API${at}` };
    case 'time':
      return { status: 400, code: INVALID_TIME, message: `Invalid conversion time: not within the past ${settings.maxAgeDays} days${settings.timeErrorNamesIndex ? at : ''}` };
    case 'identifier':
      return { status: 400, code: INVALID_IDENTIFICATION, message: `Invalid user identification${settings.identifierErrorNamesIndex ? at : ''}` };
    case 'poison':
      return { status: 400, code: INVALID_IDENTIFICATION, message: 'Invalid conversion event' };
  }
}
