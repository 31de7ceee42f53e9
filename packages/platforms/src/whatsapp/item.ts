import type { ItemResult, RefusalCode } from '@relay/contract';
import { isCurrency } from '../identity/iso.ts';
import { hashedEmail, hashedExternalId, MAX_EVENT_AGE_MS, MAX_FUTURE_MS, MAX_REQUEST_BYTES } from '../meta/index.ts';
import { explainEventName } from './event-names.ts';

/** One conversion of a WhatsApp conversation whose click was captured. */
export interface MessagingConversion {
  /** One of `MESSAGING_EVENT_NAMES`; anything else is refused. */
  readonly eventName: string;
  /** Unix seconds. */
  readonly eventTime: number;
  readonly eventId: string;
  readonly value?: number | undefined;
  /** ISO 4217. */
  readonly currency?: string | undefined;
  readonly contentIds?: readonly string[] | undefined;
  /** In the clear or already hashed; hashed here. A malformed one is left out. */
  readonly email?: string | undefined;
  readonly externalId?: string | undefined;
  /** As the webhook brought it, byte for byte. */
  readonly ctwaClid: string;
  /** The WhatsApp Business Account that the dataset belongs to. */
  readonly wabaId?: string | undefined;
  /** The ad's Page, for a dataset that belongs to a Page; only used without `wabaId`. */
  readonly pageId?: string | undefined;
}

export interface MessagingContext {
  /** Now, unix ms. */
  readonly nowMs: number;
}

/** Only what Meta takes here: fbc, fbp, address and user agent fail the event with 100/2804064. */
interface UserData {
  whatsapp_business_account_id?: string;
  page_id?: string;
  ctwa_clid: string;
  em?: readonly string[];
  external_id?: readonly string[];
}

/** Shape: https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging (read 2026-09-12). */
interface MessagingEvent {
  event_name: string;
  event_time: number;
  event_id: string;
  action_source: 'business_messaging';
  messaging_channel: 'whatsapp';
  user_data: UserData;
  custom_data?: CustomData;
}

interface CustomData {
  currency?: string;
  value?: number;
  content_ids?: readonly string[];
}

/** One conversion as Meta's wire JSON, or why Meta is certain to refuse it. */
export function toMessagingItem(event: MessagingConversion, { nowMs }: MessagingContext): ItemResult {
  const fault = eventFault(event, nowMs) ?? moneyFault(event);
  if (fault !== undefined) return fault;
  const userData = userDataOf(event);
  if (userData === undefined) return NO_OWNER;
  const wire = JSON.stringify(messagingEvent(event, userData));
  if (wire.length * 3 > MAX_REQUEST_BYTES && Buffer.byteLength(wire) > MAX_REQUEST_BYTES) return TOO_LARGE;
  return { kind: 'item', wire, expiresAtMs: event.eventTime * 1000 + MAX_EVENT_AGE_MS };
}

function eventFault(event: MessagingConversion, nowMs: number): ItemResult | undefined {
  const misnamed = explainEventName(event.eventName);
  if (misnamed !== undefined) return refused('field_invalid', misnamed);
  const eventTimeMs = event.eventTime * 1000;
  if (eventTimeMs + MAX_EVENT_AGE_MS < nowMs) return TOO_OLD;
  if (eventTimeMs > nowMs + MAX_FUTURE_MS) return IN_FUTURE;
  return event.ctwaClid.trim() === '' ? NO_CLICK : undefined;
}

/** A Purchase needs both (100/2804009, 2804010); a value without a currency is refused on orders (2804081). */
function moneyFault({ eventName, value, currency }: MessagingConversion): ItemResult | undefined {
  const code = currencyOf(currency);
  if (code !== undefined && !isCurrency(code)) return CURRENCY_INVALID;
  if (value !== undefined && !Number.isFinite(value)) return VALUE_INVALID;
  if (eventName !== 'Purchase') return undefined;
  if (value === undefined) return VALUE_MISSING;
  return code === undefined ? CURRENCY_MISSING : undefined;
}

/** Upper case; blank is none. */
function currencyOf(currency: string | undefined): string | undefined {
  const code = currency?.trim().toUpperCase();
  return code === '' ? undefined : code;
}

/** `undefined`: neither account nor Page is known, which Meta refuses (100/2804116). */
function userDataOf({ ctwaClid, wabaId, pageId, email, externalId }: MessagingConversion): UserData | undefined {
  const owner = ownerOf(wabaId, pageId);
  if (owner === undefined) return undefined;
  const data: UserData = { ...owner, ctwa_clid: ctwaClid };
  const em = email === undefined ? undefined : hashedEmail(email);
  if (em !== undefined) data.em = [em];
  const id = externalId === undefined ? undefined : hashedExternalId(externalId);
  if (id !== undefined) data.external_id = [id];
  return data;
}

/** Never both: what Meta makes of that is not known. */
function ownerOf(wabaId: string | undefined, pageId: string | undefined): Pick<UserData, 'whatsapp_business_account_id' | 'page_id'> | undefined {
  if (wabaId !== undefined && wabaId !== '') return { whatsapp_business_account_id: wabaId };
  return pageId !== undefined && pageId !== '' ? { page_id: pageId } : undefined;
}

function messagingEvent(event: MessagingConversion, userData: UserData): MessagingEvent {
  const out: MessagingEvent = {
    event_name: event.eventName,
    event_time: event.eventTime,
    event_id: event.eventId,
    action_source: 'business_messaging',
    messaging_channel: 'whatsapp',
    user_data: userData,
  };
  const custom: CustomData = {};
  const currency = currencyOf(event.currency);
  if (currency !== undefined) custom.currency = currency;
  if (event.value !== undefined) custom.value = event.value;
  if (event.contentIds !== undefined && event.contentIds.length > 0) custom.content_ids = event.contentIds;
  if (Object.keys(custom).length > 0) out.custom_data = custom;
  return out;
}

function refused(code: RefusalCode, message: string): ItemResult {
  return { kind: 'refused', code, message };
}

const TOO_OLD = refused('event_too_old', 'eventTime is more than 7 days ago; Meta refuses such an event. Send conversions within 7 days.');
const IN_FUTURE = refused('event_in_future', 'eventTime is more than 60 seconds ahead of now; send unix seconds in UTC, and check the clock that stamped the event.');
const NO_CLICK = refused('no_match_keys', 'The conversation has no ctwa_clid, without which Meta cannot attribute a WhatsApp conversion.');
const NO_OWNER = refused('no_match_keys', 'Neither the WhatsApp Business Account id nor the Page id is known, and Meta needs one of them (subcode 2804116). Set the WhatsApp Business Account id of the account.');
const CURRENCY_INVALID = refused('currency_invalid', 'currency is not an ISO 4217 code; send three letters such as "USD" or "EUR".');
const VALUE_INVALID = refused('value_invalid', 'value is not a finite number; send the amount as a number.');
const VALUE_MISSING = refused('value_missing', 'value is missing; Meta takes a Purchase only with value and currency. Send value as a number.');
const CURRENCY_MISSING = refused('currency_missing', 'currency is missing; Meta takes a Purchase only with value and currency. Send currency as an ISO 4217 code.');
const TOO_LARGE = refused('event_too_large', 'The event is larger than one request may be (4 MiB); shorten contentIds.');
