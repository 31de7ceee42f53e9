import type { KnownDestination } from './destinations.ts';
import type { Violation } from './error-bodies.ts';
import { checkIdentifiers } from './identifiers.ts';
import type { IdentifierRules, Report } from './identifiers.ts';
import { isTimestamp } from './json-shape.ts';
import type { EventInput } from './request-shape.ts';
import type { GoogleSettings } from './settings.ts';

export interface EventRules {
  readonly settings: GoogleSettings;
  readonly destinations: readonly KnownDestination[];
  readonly identifiers: IdentifierRules;
  readonly nowMs: number;
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Checks one event as far as Google does it synchronously; everything found is added to `violations`. */
export function checkEvent(event: EventInput, index: number, rules: EventRules, violations: Violation[]): void {
  const report: Report = (path, description, reason) => {
    violations.push({ field: `${rules.settings.pathStyle}[${index}]${path}`, description, reason });
  };
  checkTime(event.eventTimestamp, rules, report);
  if (event.userData?.userIdentifiers) checkIdentifiers(event.userData.userIdentifiers, rules.identifiers, report);
  checkClickIds(event, rules.settings, report);
  if (!hasIdentifier(event)) report('', 'No identifiers were provided.', 'NO_IDENTIFIERS_PROVIDED');
  if (event.currency !== undefined && !CURRENCIES.has(event.currency)) report('.currency', 'The currency code is invalid.', 'INVALID_CURRENCY_CODE');
  checkForTargets(event, rules, report);
}

/** The destinations an event goes to: those it names, else all of the request. */
export function targetsOf(event: EventInput, destinations: readonly KnownDestination[]): readonly KnownDestination[] {
  const references = event.destinationReferences;
  if (references === undefined || references.length === 0) return destinations;
  return destinations.filter((destination) => references.includes(destination.reference));
}

function checkTime(timestamp: string | undefined, { settings, nowMs }: EventRules, report: Report): void {
  if (!timestamp) {
    report('.event_timestamp', 'A required field is missing.', 'REQUIRED_FIELD_MISSING');
    return;
  }
  if (!isTimestamp(timestamp)) {
    report('.event_timestamp', 'The timestamp is malformed.', 'INVALID_FORMAT');
    return;
  }
  const { maxEventAgeDays, maxFutureMinutes } = settings;
  if (maxEventAgeDays <= 0 && maxFutureMinutes <= 0) return;
  const ageMs = nowMs - Date.parse(timestamp);
  const tooOld = maxEventAgeDays > 0 && ageMs > maxEventAgeDays * DAY_MS;
  const tooNew = maxFutureMinutes > 0 && -ageMs > maxFutureMinutes * MINUTE_MS;
  if (tooOld || tooNew) report('.event_timestamp', 'The event time is outside the accepted range.', 'EVENT_TIME_INVALID');
}

function checkClickIds(event: EventInput, settings: GoogleSettings, report: Report): void {
  const ids = event.adIdentifiers;
  if (ids === undefined || settings.allowSeveralClickIds) return;
  const set = [ids.gclid, ids.gbraid, ids.wbraid].filter(Boolean).length;
  // The refusal is on record, its reason is not: INVALID_EVENT is the general one.
  if (set > 1) report('.ad_identifiers', 'Only one of gclid, gbraid and wbraid may be set.', 'INVALID_EVENT');
}

function hasIdentifier(event: EventInput): boolean {
  const ids = event.adIdentifiers;
  if (ids && (ids.gclid || ids.gbraid || ids.wbraid || ids.dclid || ids.sessionAttributes)) return true;
  return (event.userData?.userIdentifiers?.length ?? 0) > 0 || Boolean(event.eventDeviceInfo?.ipAddress);
}

/** What depends on where the event goes: unknown references, and what each type of action requires. */
function checkForTargets(event: EventInput, rules: EventRules, report: Report): void {
  for (const [index, reference] of (event.destinationReferences ?? []).entries()) {
    if (!rules.destinations.some((destination) => destination.reference === reference)) {
      report(`.destination_references[${index}]`, 'The reference names no destination of the request.', 'INVALID_DESTINATION');
    }
  }
  const targets = targetsOf(event, rules.destinations);
  if (!event.transactionId && targets.some((target) => target.type === 'WEBPAGE')) {
    report('.transaction_id', 'A required field is missing.', 'REQUIRED_FIELD_MISSING');
  }
  const hasSource = event.eventSource !== undefined && event.eventSource !== 'EVENT_SOURCE_UNSPECIFIED';
  if (!hasSource && rules.settings.requireEventSource && targets.some((target) => target.type === 'UPLOAD_CLICKS')) {
    report('.event_source', 'A required field is missing.', 'REQUIRED_FIELD_MISSING');
  }
}
