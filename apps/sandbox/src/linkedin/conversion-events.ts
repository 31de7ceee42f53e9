import type { SandboxCore } from '../core/types.ts';
import type { Answer, RawRequest } from './answer.ts';
import { refuse, throttled } from './error-bodies.ts';
import { readHeaders } from './headers.ts';
import type { RestMethod } from './headers.ts';
import { elementError, faultsOf, refusalOf } from './judge.ts';
import type { Fault } from './judge.ts';
import type { MinuteQuota } from './quota.ts';
import type { RuleBook } from './rule-book.ts';
import { ruleIdOf } from './rules.ts';
import type { ConversionEvent } from './rules.ts';
import { readSettings } from './settings.ts';
import type { LinkedinSettings } from './settings.ts';
import type { TokenStore } from './tokens.ts';

interface Parts {
  readonly core: SandboxCore;
  readonly tokens: TokenStore;
  readonly quota: MinuteQuota;
  readonly rules: RuleBook;
}

/** `POST /rest/conversionEvents`, one event or a batch; one bad event refuses all of them. */
export function conversionEvents(parts: Parts) {
  const { core, tokens, quota, rules } = parts;
  return (request: RawRequest): Answer => {
    const settings = readSettings(core);
    const caller = tokens.authorise(request.headers.authorization);
    if ('refusal' in caller) return caller.refusal;
    const head = readHeaders(request, settings);
    if ('refusal' in head) return head.refusal;
    if (!quota.take(caller.token, settings.quotaPerMinute)) return throttled('MINUTE', settings.retryAfterSeconds);
    const body = parseJson(request.raw);
    if (body === undefined) return refuse({ status: 400, message: 'Cannot parse request entity' });
    const read = elementsOf(body.value, head.method, settings);
    if ('refusal' in read) return read.refusal;
    const { elements } = read;
    const faults = faultsOf(elements, { core, settings, version: head.version, rules });
    const isBatch = head.method === 'BATCH_CREATE';
    const answer = answerOf({ elements, faults, isBatch, request, settings }, core);
    return { ...answer, events: elements.length };
  };
}

interface Judged {
  readonly elements: readonly unknown[];
  readonly faults: readonly Fault[];
  readonly isBatch: boolean;
  readonly request: RawRequest;
  readonly settings: LinkedinSettings;
}

function answerOf({ elements, faults, isBatch, request, settings }: Judged, core: SandboxCore): Answer {
  if (faults.length > 0 && !(isBatch && settings.mixedResults)) return refusalOf(faults, { settings, isBatch });
  const faultAt = new Map(faults.map((fault) => [fault.index, fault]));
  const upTo = request.partial ? Math.floor(elements.length / 2) : elements.length;
  const taken: { destinationId: string; eventId: string }[] = [];
  for (let index = 0; index < upTo; index += 1) {
    if (faultAt.has(index)) continue;
    const event = elements[index] as ConversionEvent; // no fault means it passed the schema check
    taken.push({ destinationId: ruleIdOf(event.conversion) ?? '', eventId: event.eventId ?? '' });
  }
  if (taken.length > 0) core.accept({ platform: 'linkedin', traceId: request.traceId, events: taken });
  if (!isBatch) return upTo === 0 ? refuse({ status: 500, message: 'Internal Server Error' }) : { status: 201 };
  const results = elements.map((_element, index) => {
    const fault = faultAt.get(index);
    if (fault) {
      const error = elementError(fault, settings);
      return { status: error.status, error };
    }
    return index < upTo ? { status: 201 } : { status: 500, error: { status: 500, message: 'Internal Server Error' } };
  });
  return { status: 200, body: { elements: settings.partialShape === 'short' ? results.slice(0, upTo) : results } };
}

function elementsOf(
  body: unknown,
  method: RestMethod,
  settings: LinkedinSettings,
): { readonly elements: readonly unknown[] } | { readonly refusal: Answer } {
  const elements: unknown = typeof body === 'object' && body !== null && 'elements' in body ? body.elements : undefined;
  if (method === 'CREATE') {
    if (elements === undefined) return { elements: [body] };
    return { refusal: refuse({ status: settings.missingMethodStatus, message: 'A body with elements needs the header X-RestLi-Method: BATCH_CREATE' }) };
  }
  if (!Array.isArray(elements) || elements.length === 0) return { refusal: refuse({ status: 400, message: 'The batch has no elements' }) };
  if (elements.length > settings.maxEvents) {
    const message = `The batch has ${elements.length} elements, more than the limit of ${settings.maxEvents}`;
    return { refusal: { ...refuse({ status: 400, message }), events: elements.length } };
  }
  return { elements };
}

function parseJson(raw: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(raw.toString('utf8')) };
  } catch {
    return undefined; // answered in LinkedIn's words by the caller
  }
}
