import type { AdsPlatformId, Consent, ConversionEvent, PlatformDefinition } from '@relay/contract';
import type { Failure } from './ports.ts';

/** One event that was accepted for delivery: what the queue keeps of it. */
export interface AcceptedEvent {
  /** Index in the submitted array. */
  readonly index: number;
  readonly eventId: string;
  /** The platform's wire JSON, one line. */
  readonly wire: string;
  readonly expiresAtMs: number;
}

/** What is known of one client request besides its events. */
export interface RequestFacts {
  readonly platform: AdsPlatformId | 'whatsapp';
  readonly accountId: string;
  readonly destinationId: string;
  readonly testCode: string | undefined;
  readonly consent: Consent | undefined;
  readonly refused: readonly Failure[];
  readonly eventsSubmitted: number;
  /** Distinct names, in order of appearance, at most a handful. */
  readonly eventNames: readonly string[];
  /** How many of the accepted events lack what the platform asks for and does not insist on (`ItemResult`). */
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

/** One client request, ready to be stored: what goes into chunks, and what was refused at once. */
export interface AcceptedRequest extends RequestFacts {
  readonly events: readonly AcceptedEvent[];
}

/** The same with its events packed already, which for a large request is done in another thread. Made by the storage. */
export interface PackedRequest extends RequestFacts {
  /** The delivery that it was packed for. */
  readonly deliveryId: string;
  readonly chunks: readonly PackedChunk[];
  /** All event ids in the order in which they were submitted, where they are few enough to be shown in a row of the log. */
  readonly rowEventIds: readonly string[] | undefined;
}

/** Events of one destination as they are stored. */
export interface PackedChunk {
  readonly events: number;
  /** Of the events, unpacked. */
  readonly bytes: number;
  /** Unix ms, of the oldest event. */
  readonly acceptedAtMs: number;
  /** The data of the job, JSON in UTF-8. */
  readonly data: Buffer;
  /** Entries of the event index: `"field","value"` of each event, joined by commas; '' where it is off. */
  readonly index: string;
}

/** What can be stored. */
export type StorableRequest = AcceptedRequest | PackedRequest;

export function countAccepted(request: StorableRequest): number {
  return 'events' in request ? request.events.length : request.chunks.reduce((sum, { events }) => sum + events, 0);
}

/** What a client sent, parsed, and where it goes. */
export interface AcceptInput {
  readonly accountId: string;
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
  const { definition, accountId, destinationId, consent, nowMs } = input;
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
    accountId,
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
