import type { ItemResult, RefusalCode } from '@relay/contract';
import { normaliseEmail, normalisePhone } from '../../google/normalise.ts';
import { asSha256Hex, sha256Hex } from '../../identity/hash.ts';
import { isCurrency } from '../../identity/iso.ts';

export const ADJUSTMENT_TYPES = ['RETRACTION', 'RESTATEMENT', 'ENHANCEMENT'] as const;
export type AdjustmentType = (typeof ADJUSTMENT_TYPES)[number];

/** One of `adjustments[]`, field by field as the public client types it. */
export interface ConversionAdjustment {
  readonly adjustmentType: AdjustmentType;
  /** Unix seconds. */
  readonly adjustmentTime: number;
  /** The `eventId` that was sent. */
  readonly orderId?: string | undefined;
  readonly gclid?: string | undefined;
  /** Of the original conversion, unix seconds; goes with `gclid`. */
  readonly conversionTime?: number | undefined;
  /** The corrected total. */
  readonly restatementValue?: number | undefined;
  readonly currency?: string | undefined;
  readonly user?: { readonly email?: string | undefined; readonly phone?: string | undefined } | undefined;
  readonly userAgent?: string | undefined;
}

export interface AdjustmentContext {
  /** Now, unix ms. */
  readonly nowMs: number;
  /** Canonical: `customers/{digits}/conversionActions/{digits}`. */
  readonly destinationId: string;
}

/** As `ItemResult`, and which field it is. */
export type AdjustmentItemResult = Extract<ItemResult, { kind: 'item' }> | (Extract<ItemResult, { kind: 'refused' }> & { readonly param: string });
type Refused = Extract<AdjustmentItemResult, { kind: 'refused' }>;

const MINUTE_MS = 60 * 1000;
/**
 * "Adjustment can't be made to a conversion that occurred more than 54 days ago": CONVERSION_EXPIRED in
 * https://github.com/googleapis/googleapis/blob/master/google/ads/googleads/v21/errors/conversion_adjustment_upload_error.proto
 */
export const MAX_CONVERSION_AGE_MS = 54 * 24 * 60 * MINUTE_MS;
/** How far a caller's clock may be ahead, as with conversions. */
const MAX_AHEAD_MS = 5 * MINUTE_MS;

/** `ConversionAdjustment` of `uploadConversionAdjustments`. */
interface WireAdjustment {
  readonly conversionAction: string;
  readonly adjustmentType: AdjustmentType;
  readonly adjustmentDateTime: string;
  orderId?: string;
  gclidDateTimePair?: { readonly gclid: string; readonly conversionDateTime: string };
  restatementValue?: { readonly adjustedValue: number; readonly currencyCode?: string };
  userIdentifiers?: readonly UserIdentifier[];
  userAgent?: string;
}
type UserIdentifier = { readonly userIdentifierSource: 'FIRST_PARTY' } & ({ readonly hashedEmail: string } | { readonly hashedPhoneNumber: string });

/** One adjustment as Google's JSON, hashed; or why Google is certain to refuse it. */
export function adjustmentToItem(adjustment: ConversionAdjustment, context: AdjustmentContext): AdjustmentItemResult {
  const key = keyOf(adjustment);
  if ('kind' in key) return key;
  const untimely = timeRefusal(adjustment, context.nowMs);
  if (untimely !== undefined) return untimely;
  const content = contentOf(adjustment);
  if ('kind' in content) return content;
  const wire: WireAdjustment = {
    conversionAction: context.destinationId,
    adjustmentType: adjustment.adjustmentType,
    adjustmentDateTime: adsDateTime(adjustment.adjustmentTime),
    ...key,
    ...content,
  };
  return { kind: 'item', wire: JSON.stringify(wire), expiresAtMs: happenedAt(adjustment) * 1000 + MAX_CONVERSION_AGE_MS };
}

/**
 * Alike of two adjustments: Google refuses both or the second when they come in one request. Enhancements are the same by their
 * order, the others by their time too (DUPLICATE_ENHANCEMENT_IN_REQUEST, DUPLICATE_ADJUSTMENT_IN_REQUEST; same proto).
 */
export function adjustmentIdentity({ adjustmentType, orderId, gclid, conversionTime, adjustmentTime }: ConversionAdjustment): string {
  const at = adjustmentType === 'ENHANCEMENT' ? undefined : Math.trunc(adjustmentTime);
  const order = orderId?.trim();
  return JSON.stringify([adjustmentType, at, ...(order ? [order] : [gclid?.trim(), conversionTime === undefined ? undefined : Math.trunc(conversionTime)])]);
}

/** Exactly one way to name the conversion: Google refuses both (`GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET`). */
function keyOf({ adjustmentType, orderId, gclid, conversionTime }: ConversionAdjustment): Pick<WireAdjustment, 'orderId' | 'gclidDateTimePair'> | Refused {
  const order = orderId?.trim();
  const click = gclid?.trim();
  if (adjustmentType === 'ENHANCEMENT' && !order) return refused('field_invalid', 'orderId', 'ENHANCEMENT needs orderId: the eventId of the conversion.');
  if (order && click) return refused('field_invalid', 'gclid', 'Name the conversion either by orderId or by gclid and conversionTime, not by both.');
  if (order) return { orderId: order };
  if (!click) return refused('field_invalid', 'orderId', 'Name the conversion by orderId, which is the eventId that was sent, or by gclid and conversionTime.');
  if (conversionTime === undefined) return refused('field_invalid', 'conversionTime', 'gclid needs conversionTime, the unix time in seconds at which the conversion happened.');
  return { gclidDateTimePair: { gclid: click, conversionDateTime: adsDateTime(conversionTime) } };
}

/** The conversion's own time where it is known; else the latest that it can have been. */
function happenedAt({ adjustmentTime, conversionTime }: ConversionAdjustment): number {
  return Math.trunc(conversionTime ?? adjustmentTime);
}

function timeRefusal(adjustment: ConversionAdjustment, nowMs: number): Refused | undefined {
  const { adjustmentTime, conversionTime } = adjustment;
  if (adjustmentTime * 1000 > nowMs + MAX_AHEAD_MS) {
    return refused('event_in_future', 'adjustmentTime', 'adjustmentTime is more than 5 minutes ahead. It has to be a unix time in seconds; check the clock.');
  }
  if (conversionTime !== undefined && adjustmentTime < conversionTime) {
    return refused('field_invalid', 'adjustmentTime', 'adjustmentTime has to be after conversionTime.');
  }
  if (happenedAt(adjustment) * 1000 < nowMs - MAX_CONVERSION_AGE_MS) {
    const param = conversionTime === undefined ? 'adjustmentTime' : 'conversionTime';
    return refused('event_too_old', param, 'The conversion is more than 54 days ago; Google Ads adjusts no older ones.');
  }
  return undefined;
}

/** What the adjustment says besides its key. Fields of another kind of adjustment that change nothing are left out. */
function contentOf(adjustment: ConversionAdjustment): Pick<WireAdjustment, 'restatementValue' | 'userIdentifiers' | 'userAgent'> | Refused {
  const { adjustmentType, restatementValue } = adjustment;
  if (restatementValue !== undefined && adjustmentType !== 'RESTATEMENT') {
    return refused('field_invalid', 'restatementValue', `${adjustmentType} takes no restatementValue; a corrected total is a RESTATEMENT.`);
  }
  switch (adjustmentType) {
    case 'RETRACTION':
      return {};
    case 'RESTATEMENT':
      return restatement(adjustment);
    case 'ENHANCEMENT':
      return enhancement(adjustment);
  }
}

function restatement({ restatementValue, currency }: ConversionAdjustment): Pick<WireAdjustment, 'restatementValue'> | Refused {
  if (restatementValue === undefined) return refused('value_missing', 'restatementValue', 'RESTATEMENT needs restatementValue, the corrected total.');
  if (!Number.isFinite(restatementValue)) return refused('value_invalid', 'restatementValue', 'restatementValue has to be a finite number.');
  const currencyCode = currency?.trim().toUpperCase();
  if (!currencyCode) return { restatementValue: { adjustedValue: restatementValue } };
  if (!isCurrency(currencyCode)) return refused('currency_invalid', 'currency', 'currency has to be an ISO 4217 code of three letters, such as EUR.');
  return { restatementValue: { adjustedValue: restatementValue, currencyCode } };
}

function enhancement({ user, userAgent }: ConversionAdjustment): Pick<WireAdjustment, 'userIdentifiers' | 'userAgent'> | Refused {
  const hashedEmail = hashed(user?.email, normaliseEmail);
  const hashedPhoneNumber = hashed(user?.phone, normalisePhone);
  const userIdentifiers: UserIdentifier[] = [];
  if (hashedEmail !== undefined) userIdentifiers.push({ userIdentifierSource: 'FIRST_PARTY', hashedEmail });
  if (hashedPhoneNumber !== undefined) userIdentifiers.push({ userIdentifierSource: 'FIRST_PARTY', hashedPhoneNumber });
  if (userIdentifiers.length === 0) {
    return refused('no_match_keys', 'user', 'ENHANCEMENT needs a usable user.email, or user.phone with its country code.');
  }
  const agent = userAgent?.trim();
  return { userIdentifiers, ...(agent && { userAgent: agent }) };
}

/**
 * As for events. Google's guide for the Ads API trims, lowers, and takes dots and what follows a plus out of Gmail
 * addresses; its samples leave the plus. Its newest formatter does both, so one person has one hash at Google.
 * A value of 64 hex digits counts as hashed already.
 */
function hashed(raw: string | undefined, normalise: (raw: string) => string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  const given = asSha256Hex(raw.trim());
  if (given !== undefined) return given;
  const normal = normalise(raw);
  return normal === undefined ? undefined : sha256Hex(normal);
}

/** `yyyy-MM-dd HH:mm:ss+00:00`; a fraction is cut off. */
export function adsDateTime(unixSeconds: number): string {
  return new Date(Math.trunc(unixSeconds) * 1000).toISOString().slice(0, 19).replace('T', ' ').concat('+00:00');
}

function refused(code: RefusalCode, param: string, message: string): Refused {
  return { kind: 'refused', code, param, message };
}
