import type { AdsPlatformId, Consent, ConversionEvent, PlatformDefinition } from '@relay/contract';
import type { Account, Failure } from './ports.ts';

/** One event that was accepted for delivery: what the queue keeps of it. */
export interface AcceptedEvent {
  /** Index in the submitted array. */
  readonly index: number;
  readonly eventId: string;
  /** The platform's wire JSON, one line. */
  readonly wire: string;
  readonly expiresAtMs: number;
}

/** One client request, ready to be stored: what goes into chunks, and what was refused at once. */
export interface AcceptedRequest {
  readonly platform: AdsPlatformId | 'whatsapp';
  readonly accountId: string;
  readonly destinationId: string;
  readonly testCode: string | undefined;
  readonly consent: Consent | undefined;
  readonly events: readonly AcceptedEvent[];
  readonly refused: readonly Failure[];
  readonly eventsSubmitted: number;
  /** Distinct names, in order of appearance, at most a handful. */
  readonly eventNames: readonly string[];
  /** How many of `events` lack what the platform asks for and does not insist on (`ItemResult`). */
  readonly lackingWebContext?: number | undefined;
  /** What the events are, where not conversions: they go to another endpoint, never in one request with conversions. */
  readonly kind?: 'adjustment' | undefined;
  /** WhatsApp: the conversation that the event belongs to. */
  readonly conversationId?: string | undefined;
  readonly acceptedAtMs: number;
  /** Most events a chunk may hold, from the platform. */
  readonly maxChunkEvents: number;
  /** Most bytes of events a chunk may hold, from the platform. */
  readonly maxChunkBytes: number;
}

/** What a client sent, parsed, and the account and platform that it goes to. */
export interface AcceptInput {
  readonly account: Account;
  readonly definition: PlatformDefinition;
  /** Canonical: what `parseDestination` gave. */
  readonly destinationId: string;
  readonly events: readonly ConversionEvent[];
  readonly testCode: string | undefined;
  readonly consent: Consent | undefined;
  readonly nowMs: number;
}

/** Names kept on a receipt: enough to read a log row by. */
const MAX_NAMES = 5;

/** Normalises and hashes every event, at ingest, so that what is stored is already the platform's wire event. Pure. */
export function acceptEvents(input: AcceptInput): AcceptedRequest {
  const { definition, account, destinationId, consent, nowMs } = input;
  const context = { nowMs, destinationId, consent };
  const events: AcceptedEvent[] = [];
  const refused: Failure[] = [];
  let lackingWebContext = 0;
  const names = new Set<string>();
  for (let index = 0; index < input.events.length; index += 1) {
    const event = input.events[index]!;
    if (names.size < MAX_NAMES) names.add(event.eventName);
    const item = definition.toItem(event, context);
    if (item.kind === 'refused') {
      refused.push({ eventIndex: index, eventId: event.eventId, code: item.code, message: item.message });
    } else if (isLonger(item.wire, definition.maxRequestBytes)) {
      refused.push({
        eventIndex: index,
        eventId: event.eventId,
        code: 'event_too_large',
        message: `The event is larger than one request to the platform may be (${definition.maxRequestBytes} bytes). Send fewer items or less platformData.`,
      });
    } else {
      if (item.lacksWebContext === true) lackingWebContext += 1;
      events.push({ index, eventId: event.eventId, wire: item.wire, expiresAtMs: item.expiresAtMs });
    }
  }
  return {
    platform: definition.id,
    accountId: account.id,
    destinationId,
    testCode: input.testCode,
    consent,
    events,
    refused,
    eventsSubmitted: input.events.length,
    eventNames: [...names],
    lackingWebContext,
    acceptedAtMs: nowMs,
    maxChunkEvents: definition.maxEvents,
    maxChunkBytes: definition.maxRequestBytes,
  };
}

/** UTF-8 takes at most three bytes for a unit of a JavaScript string: counting is for the few texts that come near. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

/** Event ids that stand more than once in one request; kept, since the platform decides, and reported. */
export function duplicateEventIds(events: readonly ConversionEvent[]): readonly string[] {
  if (events.length < 2) return [];
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { eventId } of events) {
    if (seen.has(eventId)) twice.add(eventId);
    else seen.add(eventId);
  }
  return [...twice];
}
