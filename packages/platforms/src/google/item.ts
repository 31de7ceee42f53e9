import type { ActionSource, ConversionEvent, ItemContext, ItemResult, RefusalCode } from '@relay/contract';
import { isCurrency } from '../identity/iso.ts';
import { cartData } from './cart.ts';
import { adIdentifiers, sendableIp, userIdentifiers } from './identifiers.ts';
import { MAX_AGE_MS, MAX_AHEAD_MS } from './limits.ts';
import { passedFields, type PassedResult } from './platform-data.ts';
import { rfc3339 } from './timestamp.ts';

type Refused = Extract<ItemResult, { kind: 'refused' }>;

/** One event of `events:ingest`. https://developers.google.com/data-manager/api/reference/rest/v1/events/ingest */
interface WireEvent {
  transactionId: string;
  eventTimestamp: string;
  userData?: { readonly userIdentifiers: readonly object[] };
  adIdentifiers?: Readonly<Record<string, string>>;
  currency?: string;
  conversionValue?: number;
  eventSource: string;
  eventDeviceInfo?: { userAgent?: string; ipAddress?: string };
  cartData?: Readonly<Record<string, unknown>>;
  customVariables?: readonly object[];
  experimentalFields?: readonly object[];
  userProperties?: Readonly<Record<string, unknown>>;
}

/** Google has no source for what a system reports, nor for a CRM: `OTHER`, which is also what is sent for none. */
const EVENT_SOURCES: Readonly<Record<ActionSource, string>> = {
  web: 'WEB',
  app: 'APP',
  offline: 'IN_STORE',
  phone_call: 'PHONE',
  crm: 'OTHER',
  system_generated: 'OTHER',
};

const NOTHING_PASSED: PassedResult = { ok: true, fields: {} };

export function toItem(event: ConversionEvent, context: ItemContext): ItemResult {
  const eventTimeMs = event.eventTime * 1000;
  const untimely = timeRefusal(eventTimeMs, context.nowMs);
  if (untimely !== undefined) return untimely;
  const currency = event.currency?.trim().toUpperCase();
  const unpaid = moneyRefusal(event.value, currency);
  if (unpaid !== undefined) return unpaid;
  const passed = event.platformData === undefined ? NOTHING_PASSED : passedFields(event.platformData);
  if (!passed.ok) return refused('field_invalid', `${passed.field} has to be ${passed.wanted}. Correct it or leave it out.`);

  const wire: WireEvent = {
    transactionId: event.eventId,
    eventTimestamp: rfc3339(event.eventTime),
    eventSource: event.actionSource === undefined ? 'OTHER' : EVENT_SOURCES[event.actionSource],
  };
  if (!identify(wire, event.user)) return refused('no_match_keys', noMatchMessage(event.user));
  if (currency !== undefined) wire.currency = currency;
  if (event.value !== undefined) wire.conversionValue = event.value;
  const { cart, ...fields } = passed.fields;
  const bought = cartData(event.items, cart);
  if (bought !== undefined) wire.cartData = bought;
  return { kind: 'item', wire: JSON.stringify(Object.assign(wire, fields)), expiresAtMs: eventTimeMs + MAX_AGE_MS };
}

/** Adds all that tells who it was; `false`: nothing does, and Google would answer `NO_IDENTIFIERS_PROVIDED`. */
function identify(wire: WireEvent, user: ConversionEvent['user']): boolean {
  const identifiers = userIdentifiers(user);
  if (identifiers.length > 0) wire.userData = { userIdentifiers: identifiers };
  const click = adIdentifiers(user);
  if (click !== undefined) wire.adIdentifiers = click;
  const ipAddress = sendableIp(user);
  const userAgent = user.userAgent?.trim();
  if (ipAddress !== undefined || userAgent) {
    wire.eventDeviceInfo = { ...(userAgent && { userAgent }), ...(ipAddress !== undefined && { ipAddress }) };
  }
  return identifiers.length > 0 || click !== undefined || ipAddress !== undefined;
}

function timeRefusal(eventTimeMs: number, nowMs: number): Refused | undefined {
  if (eventTimeMs < nowMs - MAX_AGE_MS) {
    return refused('event_too_old', 'eventTime is more than 90 days ago; Google Ads imports no older conversions.');
  }
  if (eventTimeMs > nowMs + MAX_AHEAD_MS) {
    return refused('event_in_future', 'eventTime is more than 5 minutes ahead. It has to be the unix time, in seconds, at which the conversion happened; check the clock.');
  }
  return undefined;
}

function moneyRefusal(value: number | undefined, currency: string | undefined): Refused | undefined {
  if (value !== undefined && !Number.isFinite(value)) return refused('value_invalid', 'value has to be a finite number.');
  if (currency !== undefined && !isCurrency(currency)) {
    return refused('currency_invalid', 'currency has to be an ISO 4217 code of three letters, such as EUR.');
  }
  return undefined;
}

const MATCH_KEYS =
  'user.clickIds.gclid, gbraid or wbraid, user.email, user.phone with its country code, user.ipAddress (of a user outside the EEA, ' +
  'the UK and Switzerland), or all of user.firstName, lastName, country (two letters) and zip';

function noMatchMessage(user: ConversionEvent['user']): string {
  const unusable = (['email', 'phone', 'ipAddress'] as const).filter((name) => user[name]?.trim());
  const note = unusable.length === 0 ? '' : ` Given, but not usable: ${unusable.map((name) => `user.${name}`).join(', ')}.`;
  return `Google Ads needs at least one of ${MATCH_KEYS}.${note}`;
}

function refused(code: RefusalCode, message: string): Refused {
  return { kind: 'refused', code, message };
}
