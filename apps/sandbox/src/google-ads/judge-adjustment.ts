import type { SandboxCore } from '../core/types.ts';
import { resourceNameOf } from '../google/actions.ts';
import type { ActionStore, ConversionAction } from '../google/actions.ts';
import type { ConversionStore } from '../google/conversions.ts';
import type { AdjustmentLedger } from './adjustment-ledger.ts';
import type { AdsFault, FieldPathElement } from './errors.ts';
import type { AdsSettings } from './settings.ts';
import type { AdjustmentInput } from './shapes.ts';

const HOUR_MS = 3_600_000;
const ACTION_HOURS = 6;
const CONVERSION_HOURS = 24;
const EXPIRY_DAYS = 54;
const MAX_IDENTIFIERS = 5;

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const RESOURCE_NAME = /^customers\/(\d+)\/conversionActions\/(\d+)$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d:\d\d)$/;
const LOWER_HEX64 = /^[0-9a-f]{64}$/;
const ADJUSTABLE = new Set(['UPLOAD_CLICKS', 'WEBPAGE', 'SALESFORCE']);

export interface JudgeParts {
  readonly core: SandboxCore;
  readonly customerId: string;
  readonly actions: ActionStore;
  readonly conversions: ConversionStore;
  readonly ledger: AdjustmentLedger;
  readonly settings: AdsSettings;
}

/** A sound row, and the key under which its conversion's adjustments are kept. */
export interface SoundRow {
  readonly input: AdjustmentInput;
  readonly key: string;
  readonly adjustedAtMs: number;
}

type Fail = (code: string, message: string, field?: string, category?: string) => AdsFault;

/** `yyyy-mm-dd hh:mm:ss+|-hh:mm`, with a blank and with a colon in the offset. */
export function parseDateTime(text: string): number | undefined {
  const [, date, time, offset] = DATE_TIME.exec(text) ?? [];
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}T${time ?? ''}${offset ?? ''}`);
  return Number.isNaN(ms) ? undefined : ms;
}

export function judgeAdjustment(input: AdjustmentInput, index: number, parts: JudgeParts): SoundRow | { readonly fault: AdsFault } {
  const at: FieldPathElement = { fieldName: 'conversion_adjustments', index };
  const fail: Fail = (code, message, field, category = 'conversionAdjustmentUploadError') => ({
    category,
    code,
    message,
    ...(input.orderId ? { trigger: input.orderId } : {}),
    location: field === undefined ? [at] : [at, { fieldName: field }],
  });
  const found = actionOf(input, parts, fail);
  if ('fault' in found) return found;
  const { action } = found;
  const fault = shapeFault(input, fail) ?? (input.adjustmentType === 'ENHANCEMENT' ? enhancementFault(input, action, { parts, fail }) : valueFault(input, action, fail));
  if (fault !== undefined) return { fault };
  const poison = parts.core.poison('google', input.orderId ?? input.gclidDateTimePair?.gclid ?? '');
  if (poison !== undefined) return { fault: fail(poison.code ?? 'CONVERSION_EXPIRED', 'The adjustment was scripted to be refused.') };
  const target = targetOf(input, action, parts);
  const late = stateFault(input, target, { parts, fail });
  return late === undefined ? { input, key: target.key, adjustedAtMs: target.adjustedAtMs } : { fault: late };
}

interface Target {
  readonly action: ConversionAction;
  /** `undefined`: no such conversion. */
  readonly conversionMs: number | undefined;
  readonly adjustedAtMs: number;
  readonly key: string;
}

function targetOf({ orderId = '', gclidDateTimePair: pair, adjustmentDateTime = '' }: AdjustmentInput, action: ConversionAction, { core, conversions }: JudgeParts): Target {
  const resourceName = resourceNameOf(action);
  const adjustedAtMs = parseDateTime(adjustmentDateTime) ?? core.now();
  if (pair === undefined) return { action, adjustedAtMs, key: `${resourceName} order ${orderId}`, conversionMs: conversions.timeOfOrder(resourceName, orderId) };
  const { gclid = '', conversionDateTime = '' } = pair;
  const clickMs = parseDateTime(conversionDateTime) ?? 0;
  return { action, adjustedAtMs, key: `${resourceName} click ${gclid} ${clickMs}`, conversionMs: conversions.timeOfClick(resourceName, gclid, clickMs) };
}

function actionOf(input: AdjustmentInput, { customerId, actions }: JudgeParts, fail: Fail): { readonly action: ConversionAction } | { readonly fault: AdsFault } {
  if (!input.conversionAction) return { fault: fail('REQUIRED', 'The required field was not present.', 'conversion_action', 'fieldError') };
  const [, cid, id = ''] = RESOURCE_NAME.exec(input.conversionAction) ?? [];
  if (cid === undefined) return { fault: fail('RESOURCE_NAME_MALFORMED', 'Resource name is malformed.', 'conversion_action', 'requestError') };
  const action = cid === customerId ? actions.find(cid, id) : undefined;
  if (action === undefined || action.status === 'REMOVED') return { fault: fail('NO_CONVERSION_ACTION_FOUND', 'No conversion action of the customer matches.', 'conversion_action') };
  if (ADJUSTABLE.has(action.type)) return { action };
  return { fault: fail('INVALID_CONVERSION_ACTION_TYPE', 'The conversion action type is not supported for adjustments.', 'conversion_action') };
}

/** Members that every type of adjustment needs. */
function shapeFault(input: AdjustmentInput, fail: Fail): AdsFault | undefined {
  const { adjustmentType } = input;
  if (!adjustmentType || adjustmentType === 'UNSPECIFIED' || adjustmentType === 'UNKNOWN') return required('adjustment_type', fail);
  return keyFault(input, fail) ?? timeFault(input, fail);
}

const required = (field: string, fail: Fail) => fail('REQUIRED', 'The required field was not present.', field, 'fieldError');

/** Exactly one of the two ways to name the conversion. */
function keyFault({ adjustmentType, orderId, gclidDateTimePair: pair }: AdjustmentInput, fail: Fail): AdsFault | undefined {
  if (pair !== undefined) {
    if (orderId) return fail('GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET', 'Only one of gclid/date time pair and order id may be set.', 'order_id');
    return pair.gclid ? undefined : required('gclid_date_time_pair.gclid', fail);
  }
  if (!orderId) return adjustmentType === 'ENHANCEMENT' ? fail('MISSING_ORDER_ID_FOR_WEBPAGE', 'An order id is required.', 'order_id') : required('order_id', fail);
  return /\S@\S/.test(orderId) ? fail('ORDER_ID_CONTAINS_PII', 'The order id contains personally identifiable information.', 'order_id') : undefined;
}

function timeFault({ adjustmentType, gclidDateTimePair: pair, adjustmentDateTime }: AdjustmentInput, fail: Fail): AdsFault | undefined {
  const badTime = (field: string) =>
    fail('INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET', 'The string date time does not match the format yyyy-mm-dd hh:mm:ss+|-hh:mm.', field, 'dateError');
  if (pair !== undefined && parseDateTime(pair.conversionDateTime ?? '') === undefined) return badTime('gclid_date_time_pair.conversion_date_time');
  // Only an enhancement may leave its time out.
  if (!adjustmentDateTime) return adjustmentType === 'ENHANCEMENT' ? undefined : required('adjustment_date_time', fail);
  return parseDateTime(adjustmentDateTime) === undefined ? badTime('adjustment_date_time') : undefined;
}

function valueFault(input: AdjustmentInput, action: ConversionAction, fail: Fail): AdsFault | undefined {
  const value = input.restatementValue;
  if (input.adjustmentType === 'RETRACTION') {
    return value === undefined ? undefined : fail('VALUE_MUST_BE_UNSET', 'The field value must not be set.', 'restatement_value', 'fieldError');
  }
  if (value?.adjustedValue === undefined) return fail('REQUIRED', 'The required field was not present.', 'restatement_value.adjusted_value', 'fieldError');
  if (value.currencyCode !== undefined && !CURRENCIES.has(value.currencyCode)) return fail('UNSUPPORTED', 'The currency code is not supported.', 'restatement_value.currency_code', 'currencyCodeError');
  if (!action.valueSettings.alwaysUseDefaultValue) return undefined;
  return fail('CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE', 'The conversion action always uses its default value.');
}

function enhancementFault(input: AdjustmentInput, action: ConversionAction, { parts, fail }: { readonly parts: JudgeParts; readonly fail: Fail }): AdsFault | undefined {
  if (action.type !== 'WEBPAGE') return fail('CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT', 'Only website conversion actions can be enhanced.', 'conversion_action');
  if (!parts.settings.termsSigned) return fail('CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS', 'The customer has not accepted the customer data terms.');
  if (!input.orderId) return fail('MISSING_ORDER_ID_FOR_WEBPAGE', 'Enhancements need an order id.', 'order_id');
  if (input.restatementValue !== undefined) return fail('VALUE_MUST_BE_UNSET', 'The field value must not be set.', 'restatement_value', 'fieldError');
  const identifiers = input.userIdentifiers ?? [];
  if (identifiers.length === 0) return fail('REQUIRED', 'The required field was not present.', 'user_identifiers', 'fieldError');
  if (identifiers.length > MAX_IDENTIFIERS) return fail('INVALID_USER_IDENTIFIER', 'At most five user identifiers are allowed.', 'user_identifiers');
  if (identifiers.some(({ mobileId, thirdPartyUserId }) => mobileId !== undefined || thirdPartyUserId !== undefined)) {
    return fail('UNSUPPORTED_USER_IDENTIFIER', 'The user identifier is not supported.', 'user_identifiers');
  }
  // Both hashes are lower-case hex; an address is taken as it is, the relay sends none.
  const sound = identifiers.every(({ hashedEmail, hashedPhoneNumber, addressInfo }) => addressInfo !== undefined || LOWER_HEX64.test(hashedEmail ?? hashedPhoneNumber ?? ''));
  return sound ? undefined : fail('INVALID_USER_IDENTIFIER', 'The user identifier is not a valid SHA-256 hash.', 'user_identifiers');
}

/** What depends on the conversion and on what was done to it before. */
function stateFault({ adjustmentType }: AdjustmentInput, { action, conversionMs, adjustedAtMs, key }: Target, { parts, fail }: { readonly parts: JudgeParts; readonly fail: Fail }): AdsFault | undefined {
  const { settings, core, ledger } = parts;
  const now = core.now();
  if (settings.tooRecentConversionAction && now - action.createdAtMs < ACTION_HOURS * HOUR_MS) {
    return fail('TOO_RECENT_CONVERSION_ACTION', 'The conversion action was created too recently. Try again after 6 hours.', 'conversion_action');
  }
  if (conversionMs === undefined) return fail('CONVERSION_NOT_FOUND', 'The conversion was not found.');
  if (settings.tooRecentConversion && now - conversionMs < CONVERSION_HOURS * HOUR_MS) return fail('TOO_RECENT_CONVERSION', 'The conversion happened too recently. Try again after 24 hours.');
  if (now - conversionMs > EXPIRY_DAYS * 24 * HOUR_MS) return fail('CONVERSION_EXPIRED', 'The conversion is too old to be adjusted.');
  if (adjustedAtMs < conversionMs) return fail('ADJUSTMENT_PRECEDES_CONVERSION', 'The adjustment time is before the conversion time.', 'adjustment_date_time');
  const state = ledger.stateOf(key);
  if (adjustmentType === 'ENHANCEMENT') return state.enhanced ? fail('CONVERSION_ALREADY_ENHANCED', 'The conversion has already been enhanced.') : undefined;
  if (state.retracted) return fail('CONVERSION_ALREADY_RETRACTED', 'The conversion was already retracted.');
  if (adjustmentType !== 'RESTATEMENT') return undefined;
  if (state.restatedAtMs.includes(adjustedAtMs)) return fail('RESTATEMENT_ALREADY_EXISTS', 'A restatement with this time already exists.');
  const newer = state.restatedAtMs.some((atMs) => atMs > adjustedAtMs);
  return newer ? fail('MORE_RECENT_RESTATEMENT_FOUND', 'A more recent restatement was found.') : undefined;
}
