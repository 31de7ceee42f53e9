import { randomUUID } from 'node:crypto';
import type { SandboxCore } from '../core/types.ts';
import type { ActionStore } from './actions.ts';
import type { Answer, RawRequest } from './answer.ts';
import type { ConversionStore } from './conversions.ts';
import { checkDestinations, missing } from './destinations.ts';
import type { KnownDestination } from './destinations.ts';
import { errorAnswer, frontEndError, invalidArgument, permissionDenied, quotaExceeded, serviceDisabled } from './error-bodies.ts';
import type { Violation } from './error-bodies.ts';
import { checkEvent, targetsOf } from './events.ts';
import { checkShape } from './json-shape.ts';
import type { MinuteQuota } from './quota.ts';
import type { StatusStore } from './request-status.ts';
import { ingestRequestSpec } from './request-shape.ts';
import type { EventInput, IngestRequest } from './request-shape.ts';
import { readSettings } from './settings.ts';
import type { GoogleSettings } from './settings.ts';
import type { TokenStore } from './tokens.ts';
import { warningsOf } from './warnings.ts';

const METHOD = 'google.ads.datamanager.v1.IngestionService.IngestEvents';

interface Parts {
  readonly core: SandboxCore;
  readonly tokens: TokenStore;
  readonly quota: MinuteQuota;
  readonly statuses: StatusStore;
  readonly actions: ActionStore;
  readonly conversions: ConversionStore;
}

/** `POST /v1/events:ingest`: everything found goes into one 400, and then nothing is taken. */
export function ingestEvents(parts: Parts) {
  const { core, tokens, quota } = parts;
  return (request: RawRequest): Answer => {
    const settings = readSettings(core);
    const caller = tokens.authorise(request.headers.authorization, METHOD);
    if ('refusal' in caller) return caller.refusal;
    if (!settings.serviceEnabled) return serviceDisabled();
    if (!quota.take(`mutate ${caller.clientId}`, settings.quotaPerMinute)) {
      return quotaExceeded('IngestionMutateRequestsPerMinutePerProject', settings.retryAfterSeconds);
    }
    const parsed = parseJson(request.raw);
    if ('problem' in parsed) return frontEndError([parsed.problem]);
    const shapeFaults = checkShape(parsed.value, ingestRequestSpec, {
      acceptSnakeCase: settings.acceptSnakeCase,
      parseTimestamps: settings.badTimestamp === 'front_end',
    });
    if (shapeFaults.length > 0) return { ...frontEndError(shapeFaults), events: countOf(parsed.value) };
    const body = parsed.value as IngestRequest; // the shape check has just passed
    return { ...judge(body, settings, parts), events: body.events?.length ?? 0 };
  };
}

function judge(body: IngestRequest, settings: GoogleSettings, parts: Parts): Answer {
  const events = body.events ?? [];
  const { known, violations: destinationFaults } = checkDestinations(body.destinations ?? [], parts.actions);
  if (settings.accountMismatch === 'forbidden') {
    const denied = destinationFaults.filter((fault) => fault.reason === 'OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH');
    if (denied.length > 0) return permissionDenied(denied);
  }
  const violations = [...destinationFaults, ...requestFaults(body, settings)];
  const encoding = body.encoding === 'HEX' || body.encoding === 'BASE64' ? body.encoding : undefined;
  const identifiers = { encoding, identifierPath: settings.identifierPath };
  const rules = { settings, destinations: known, identifiers, nowMs: parts.core.now() };
  for (const [index, event] of events.entries()) checkEvent(event, index, rules, violations);
  const poisoned = poisonOf(events, settings, parts.core);
  if (settings.poisonNamesIndex) violations.push(...poisoned);
  if (violations.length > 0) return invalidArgument(violations);
  if (poisoned.length > 0) return errorAnswer({ code: 400, status: 'INVALID_ARGUMENT', message: 'Request contains an invalid argument.' });
  return take({ body, events, known, settings }, parts);
}

/** Scripted refusals, by transaction id. */
function poisonOf(events: readonly EventInput[], settings: GoogleSettings, core: SandboxCore): readonly Violation[] {
  const found: Violation[] = [];
  for (const [index, event] of events.entries()) {
    const rule = event.transactionId ? core.poison('google', event.transactionId) : undefined;
    if (rule === undefined) continue;
    found.push({ field: `${settings.pathStyle}[${index}]`, description: 'The event is invalid.', reason: rule.code ?? 'INVALID_EVENT' });
  }
  return found;
}

/** Faults of the request as a whole: how many events, and what user data asks of the rest. */
function requestFaults(body: IngestRequest, settings: GoogleSettings): readonly Violation[] {
  const events = body.events ?? [];
  const faults: Violation[] = [];
  if (events.length === 0) faults.push(missing('events'));
  if (events.length > settings.maxEvents) {
    faults.push({ field: 'events', description: `At most ${settings.maxEvents} events are allowed.`, reason: 'TOO_MANY_EVENTS' });
  }
  if (!events.some((event) => event.userData)) return faults;
  if (body.encoding === undefined || body.encoding === 'ENCODING_UNSPECIFIED') faults.push(missing('encoding'));
  if (!settings.customerTermsSigned) {
    // One event with user data is enough to lose the whole request, those with a click id included.
    for (const index of (body.destinations ?? []).keys()) {
      faults.push({
        field: `destinations[${index}]`,
        description: 'The terms for enhanced conversions have not been signed.',
        reason: 'DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED',
      });
    }
  }
  return faults;
}

interface Sound {
  readonly body: IngestRequest;
  readonly events: readonly EventInput[];
  readonly known: readonly KnownDestination[];
  readonly settings: GoogleSettings;
}

function take({ body, events, known, settings }: Sound, { core, statuses, conversions }: Parts): Answer {
  const requestId = randomUUID();
  if (body.validateOnly !== true) {
    const counts = new Map(known.map((destination) => [destination, 0]));
    const taken: { destinationId: string; eventId: string }[] = [];
    for (const event of events) {
      for (const target of targetsOf(event, known)) {
        counts.set(target, (counts.get(target) ?? 0) + 1);
        taken.push({ destinationId: target.destinationId, eventId: event.transactionId ?? '' });
        conversions.remember(target.destinationId, event);
      }
    }
    statuses.remember(requestId, known.map((destination) => ({ destination: destination.input, events: counts.get(destination) ?? 0 })));
    core.accept({ platform: 'google', traceId: requestId, events: taken });
  }
  const fieldWarnings = settings.fieldWarnings ? warningsOf(events, settings.pathStyle) : [];
  return { status: 200, body: { requestId, ...(fieldWarnings.length > 0 ? { fieldWarnings } : {}) } };
}

function parseJson(raw: Buffer): { readonly value: unknown } | { readonly problem: Violation } {
  try {
    const text = raw.toString('utf8');
    return { value: text === '' ? {} : JSON.parse(text) }; // Google reads no body as an empty message
  } catch {
    // The parser's own words would be Node's, not Google's.
    return { problem: { field: '', description: 'Invalid JSON payload received. Unexpected end of string.\n\n^' } };
  }
}

/** Only for the record of a request whose shape is broken. */
function countOf(value: unknown): number {
  const events = typeof value === 'object' && value !== null && 'events' in value ? value.events : undefined;
  return Array.isArray(events) ? events.length : 0;
}
