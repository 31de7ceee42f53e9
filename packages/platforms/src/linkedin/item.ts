import type { ConversionEvent, ItemContext, ItemResult, RefusalCode } from '@relay/contract';
import { isCurrency } from '../identity/iso.ts';
import { conversionUrn } from './destination.ts';
import { wireUser, type WireUser } from './identifiers.ts';
import { MAX_AGE_MS, MAX_AHEAD_MS } from './limits.ts';
import { decimalText } from './normalise.ts';

type Refused = Extract<ItemResult, { kind: 'refused' }>;

/** One element of `conversionEvents`. https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api-schema */
interface WireEvent {
  conversion: string;
  conversionHappenedAt: number;
  conversionValue?: { readonly currencyCode: string; readonly amount: string };
  eventId: string;
  user: WireUser;
}

export function toItem(event: ConversionEvent, context: ItemContext): ItemResult {
  const eventTimeMs = event.eventTime * 1000;
  const untimely = timeRefusal(eventTimeMs, context.nowMs);
  if (untimely !== undefined) return untimely;
  const unpaid = moneyRefusal(event);
  if (unpaid !== undefined) return unpaid;
  const user = wireUser(event.user);
  if (user === undefined) return refused('no_match_keys', noMatchMessage(event.user));

  const wire: WireEvent = {
    conversion: conversionUrn(context.destinationId),
    // LinkedIn refuses any time in the future, and the whole request with it; a fast clock is the usual cause.
    conversionHappenedAt: Math.min(eventTimeMs, context.nowMs),
    eventId: event.eventId,
    user,
  };
  // Both or none: a half `conversionValue` is a 422. A currency alone says nothing and is left out.
  if (event.value !== undefined && event.currency !== undefined) {
    wire.conversionValue = { currencyCode: currencyOf(event.currency), amount: decimalText(event.value) };
  }
  return { kind: 'item', wire: JSON.stringify(wire), expiresAtMs: wire.conversionHappenedAt + MAX_AGE_MS };
}

function timeRefusal(eventTimeMs: number, nowMs: number): Refused | undefined {
  if (eventTimeMs < nowMs - MAX_AGE_MS) {
    return refused('event_too_old', 'eventTime is more than 90 days ago; LinkedIn takes no older conversions.');
  }
  if (eventTimeMs > nowMs + MAX_AHEAD_MS) {
    return refused('event_in_future', 'eventTime is more than 60 seconds ahead. It has to be the unix time, in seconds, at which the conversion happened; check the clock.');
  }
  return undefined;
}

function moneyRefusal({ value, currency }: ConversionEvent): Refused | undefined {
  if (value === undefined) return undefined;
  if (!Number.isFinite(value)) return refused('value_invalid', 'value has to be a finite number.');
  if (currency === undefined) return refused('currency_missing', 'LinkedIn takes a value only with its currency. Add currency, an ISO 4217 code such as EUR, or leave value out.');
  if (!isCurrency(currencyOf(currency))) return refused('currency_invalid', 'currency has to be an ISO 4217 code of three letters, such as EUR.');
  return undefined;
}

function currencyOf(raw: string): string {
  return raw.trim().toUpperCase();
}

const MATCH_KEYS =
  'user.email, user.clickIds.li_fat_id, user.ipAddress (IPv4), user.firstName together with user.lastName, user.externalId, ' +
  'or a user.leadId that is a LinkedIn URN';

function noMatchMessage(user: ConversionEvent['user']): string {
  const unusable = (['email', 'ipAddress', 'leadId'] as const).filter((name) => user[name]?.trim());
  const note = unusable.length === 0 ? '' : ` Given, but not usable: ${unusable.map((name) => `user.${name}`).join(', ')}.`;
  const phone = user.phone?.trim() ? ' LinkedIn does not match by user.phone.' : '';
  return `LinkedIn needs at least one of ${MATCH_KEYS}.${note}${phone}`;
}

function refused(code: RefusalCode, message: string): Refused {
  return { kind: 'refused', code, message };
}
