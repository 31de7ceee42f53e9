import type { ActionSource, Consent, ConversionEvent, ItemContext, ItemResult, RefusalCode } from '@relay/contract';
import { customDataFault, customDataOf, type CustomData } from './custom-data.ts';
import { MAX_EVENT_AGE_MS, MAX_FUTURE_MS, MAX_REQUEST_BYTES, MAX_STORE_EVENT_AGE_MS } from './limits.ts';
import { isEnoughToMatch, userDataOf, type UserData } from './user-data.ts';

type MetaActionSource = 'website' | 'physical_store' | 'system_generated' | 'phone_call';

/** Shape: https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event (read 2026-09-12). */
interface ServerEvent {
  event_name: string;
  event_time: number;
  event_id: string;
  action_source: MetaActionSource;
  event_source_url?: string;
  user_data: UserData;
  custom_data?: CustomData;
  data_processing_options?: readonly string[];
  data_processing_options_country?: number;
  data_processing_options_state?: number;
}

/** One event as Meta's wire JSON. Runs for every event at ingest: no schema, no closure, one object, one stringify. */
export function metaItem(event: ConversionEvent, context: ItemContext): ItemResult {
  if (event.actionSource === 'app') return APP_UNSUPPORTED;
  const source = metaActionSource(event.actionSource, event.sourceUrl);
  const eventTimeMs = event.eventTime * 1000;
  const isStore = source === 'physical_store';
  const expiresAtMs = eventTimeMs + (isStore ? MAX_STORE_EVENT_AGE_MS : MAX_EVENT_AGE_MS);
  if (expiresAtMs < context.nowMs) return isStore ? STORE_TOO_OLD : TOO_OLD;
  if (eventTimeMs > context.nowMs + MAX_FUTURE_MS) return IN_FUTURE;

  const userData = userDataOf(event.user);
  if (!isEnoughToMatch(userData)) return NO_MATCH_KEYS;
  const customData = customDataOf(event);
  const fault = customDataFault(event, customData);
  if (fault !== undefined) return fault;

  const wire = wireOf(serverEvent({ event, source, userData, customData, consent: context.consent }));
  if (wire === undefined) return TOO_DEEP;
  // A UTF-16 unit is at most three bytes: most events are known to fit without being counted.
  if (wire.length * 3 > MAX_REQUEST_BYTES && Buffer.byteLength(wire) > MAX_REQUEST_BYTES) return TOO_LARGE;
  return { kind: 'item', wire, expiresAtMs, lacksWebContext: source === 'website' && (!isPresent(event.sourceUrl) || userData.client_user_agent === undefined) };
}

interface Parts {
  readonly event: ConversionEvent;
  readonly source: MetaActionSource;
  readonly userData: UserData;
  readonly customData: CustomData | undefined;
  readonly consent: Consent | undefined;
}

function serverEvent({ event, source, userData, customData, consent }: Parts): ServerEvent {
  const out: ServerEvent = {
    event_name: event.eventName,
    event_time: event.eventTime,
    event_id: event.eventId,
    action_source: source,
    user_data: userData,
  };
  if (isPresent(event.sourceUrl)) out.event_source_url = event.sourceUrl;
  if (customData !== undefined) out.custom_data = customData;
  if (consent !== undefined && (consent.adUserData === 'DENIED' || consent.adPersonalization === 'DENIED')) {
    // Limited Data Use; 0 and 0 let Meta find the state by itself.
    out.data_processing_options = LIMITED_DATA_USE;
    out.data_processing_options_country = 0;
    out.data_processing_options_state = 0;
  }
  return out;
}

const LIMITED_DATA_USE = ['LDU'] as const;

/** `undefined` where `platformData` is nested so deeply that V8's stringify runs out of stack (parse does not). */
function wireOf(event: ServerEvent): string | undefined {
  try {
    return JSON.stringify(event);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Meta requires an `action_source`; without a hint the address of a page tells a website, and nothing tells the rest. */
function metaActionSource(source: Exclude<ActionSource, 'app'> | undefined, sourceUrl: string | undefined): MetaActionSource {
  switch (source) {
    case 'web':
      return 'website';
    case 'offline':
      return 'physical_store';
    case 'phone_call':
      return 'phone_call';
    case 'crm':
    case 'system_generated':
      return 'system_generated';
    case undefined:
      return isPresent(sourceUrl) ? 'website' : 'system_generated';
  }
}

function isPresent(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function refused(code: RefusalCode, message: string): ItemResult {
  return { kind: 'refused', code, message };
}

const APP_UNSUPPORTED = refused(
  'action_source_unsupported',
  'actionSource "app" cannot be sent to Meta: it requires app_data (with the version of the operating system), which this request has no field for. Send app events through the Meta SDK, or use another actionSource if it fits.',
);
const TOO_OLD = refused('event_too_old', 'eventTime is more than 7 days ago; Meta refuses such an event and all that are sent with it. Send events within 7 days.');
const STORE_TOO_OLD = refused('event_too_old', 'eventTime is more than 62 days ago; Meta takes events of physical stores (actionSource "offline") for 62 days.');
const IN_FUTURE = refused('event_in_future', 'eventTime is more than 60 seconds ahead of now; send unix seconds in UTC, and check the clock that stamped the event.');
const NO_MATCH_KEYS = refused(
  'no_match_keys',
  'user holds too little for Meta to match: send at least email, phone, externalId, leadId, clickIds.fbc, clickIds.fbp or ipAddress, or firstName with lastName. Values that are malformed do not count.',
);
const TOO_DEEP = refused('field_invalid', 'platformData is nested too deeply to be sent; send flat keys.');
const TOO_LARGE = refused('event_too_large', 'The event is larger than one request may be (4 MiB); shorten items or platformData.');
