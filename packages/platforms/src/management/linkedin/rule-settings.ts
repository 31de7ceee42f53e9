import { isCurrency } from '../../identity/iso.ts';
import { LocalRuleError } from '../errors.ts';
import type { CreateDestinationInput, DestinationPatch, MoneyInput, RuleSettings } from '../management.ts';

/**
 * What a conversion rule may be set to. https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversion-tracking
 * and the public client's types (read 2026-11).
 */
const WINDOWS: readonly number[] = [1, 7, 30, 90, 365];
const LONG_WINDOW = 365;
const LONG_WINDOW_TYPES: ReadonlySet<string> = new Set(['LEAD', 'PURCHASE', 'ADD_TO_CART', 'QUALIFIED_LEAD', 'SUBMIT_APPLICATION']);
const ATTRIBUTION_TYPES: readonly string[] = ['LAST_TOUCH_BY_CAMPAIGN', 'LAST_TOUCH_BY_CONVERSION'];
const VALUE_TYPES: readonly string[] = ['DYNAMIC', 'FIXED', 'NO_VALUE'];
const AUTO_ASSOCIATION_TYPES: readonly string[] = ['ALL_CAMPAIGNS', 'OBJECTIVE_BASED', 'NONE'];

/** Standard event names, as the client speaks of them; any other text goes to LinkedIn as it is. */
const TYPES: Readonly<Record<string, string>> = {
  Purchase: 'PURCHASE',
  Lead: 'LEAD',
  CompleteRegistration: 'COMPLETE_SIGNUP',
  AddToCart: 'ADD_TO_CART',
  InitiateCheckout: 'START_CHECKOUT',
  AddPaymentInfo: 'ADD_BILLING_INFO',
  Subscribe: 'SUBSCRIBE',
  StartTrial: 'START_TRIAL',
  ViewContent: 'VIEW_CONTENT',
  Search: 'SEARCH',
  Contact: 'CONTACT',
  SubmitApplication: 'SUBMIT_APPLICATION',
  Schedule: 'SCHEDULE',
};

/** The body of `POST /rest/conversions`, with the defaults said aloud. */
export function newRule(input: CreateDestinationInput, accountUrn: string): Readonly<Record<string, unknown>> {
  const type = ruleType(input.type);
  const settings: RuleSettings = {
    attributionType: input.attributionType ?? 'LAST_TOUCH_BY_CAMPAIGN',
    postClickAttributionWindowSize: input.postClickAttributionWindowSize ?? 30,
    viewThroughAttributionWindowSize: input.viewThroughAttributionWindowSize ?? 7,
    valueType: input.valueType ?? 'DYNAMIC',
    value: input.value,
  };
  if (settings.valueType === 'FIXED' && settings.value === undefined) {
    throw new LocalRuleError('value', 'valueType FIXED needs value: {"currencyCode": "USD", "amount": "49.99"}.');
  }
  const checked = checkedSettings(settings);
  checkWindowType(settings, type);
  const autoAssociationType = input.autoAssociationType ?? 'ALL_CAMPAIGNS';
  oneOf('autoAssociationType', autoAssociationType, AUTO_ASSOCIATION_TYPES);
  return { name: ruleName(input.name), account: accountUrn, conversionMethod: 'CONVERSIONS_API', type, enabled: true, ...checked, autoAssociationType };
}

/** The `$set` of a partial update: only what may be changed, and at least one of it. */
export function changedRule(patch: DestinationPatch): Readonly<Record<string, unknown>> {
  if (patch.type !== undefined) throw new LocalRuleError('type', 'The type of a conversion rule cannot be changed. Create another destination.');
  const changes = {
    ...(patch.name !== undefined && { name: ruleName(patch.name) }),
    ...(patch.enabled !== undefined && { enabled: patch.enabled }),
    ...checkedSettings(patch),
  };
  if (Object.keys(changes).length === 0) {
    throw new LocalRuleError(
      'name',
      'There is nothing to change: give name, enabled, attributionType, postClickAttributionWindowSize, viewThroughAttributionWindowSize, valueType or value.',
    );
  }
  return changes;
}

export function wantsLongWindow({ postClickAttributionWindowSize, viewThroughAttributionWindowSize }: RuleSettings): boolean {
  return postClickAttributionWindowSize === LONG_WINDOW || viewThroughAttributionWindowSize === LONG_WINDOW;
}

/** Windows of a year are for some types only. */
export function checkWindowType(settings: RuleSettings, type: string): void {
  if (!wantsLongWindow(settings) || LONG_WINDOW_TYPES.has(type)) return;
  const param = settings.postClickAttributionWindowSize === LONG_WINDOW ? 'postClickAttributionWindowSize' : 'viewThroughAttributionWindowSize';
  throw new LocalRuleError(param, `A window of 365 days is possible for rules of type ${[...LONG_WINDOW_TYPES].join(', ')} only, not ${type}.`);
}

function ruleName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '') throw new LocalRuleError('name', 'name must not be empty.');
  return trimmed;
}

function ruleType(type: string): string {
  const trimmed = type.trim();
  if (trimmed === '') throw new LocalRuleError('type', 'type must not be empty: a standard event name such as Purchase, or a type of LinkedIn such as PURCHASE.');
  return Object.hasOwn(TYPES, trimmed) ? TYPES[trimmed]! : trimmed;
}

function checkedSettings(settings: RuleSettings): Readonly<Record<string, unknown>> {
  const { attributionType, postClickAttributionWindowSize, viewThroughAttributionWindowSize, valueType, value } = settings;
  if (attributionType !== undefined) oneOf('attributionType', attributionType, ATTRIBUTION_TYPES);
  if (valueType !== undefined) oneOf('valueType', valueType, VALUE_TYPES);
  checkWindow('postClickAttributionWindowSize', postClickAttributionWindowSize);
  checkWindow('viewThroughAttributionWindowSize', viewThroughAttributionWindowSize);
  return {
    ...(attributionType !== undefined && { attributionType }),
    ...(postClickAttributionWindowSize !== undefined && { postClickAttributionWindowSize }),
    ...(viewThroughAttributionWindowSize !== undefined && { viewThroughAttributionWindowSize }),
    ...(valueType !== undefined && { valueType }),
    ...(value !== undefined && { value: money(value) }),
  };
}

function oneOf(param: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new LocalRuleError(param, `${param} has to be one of ${allowed.join(', ')}.`);
}

function checkWindow(param: string, days: number | undefined): void {
  if (days !== undefined && !WINDOWS.includes(days)) throw new LocalRuleError(param, `${param} has to be one of ${WINDOWS.join(', ')} days.`);
}

/** Both halves, as LinkedIn refuses one. The amount is a text, so that no float gets between. */
function money({ currencyCode, amount }: MoneyInput): { readonly currencyCode: string; readonly amount: string } {
  const code = currencyCode?.trim().toUpperCase() ?? '';
  if (!isCurrency(code)) throw new LocalRuleError('value.currencyCode', 'value.currencyCode has to be an ISO 4217 code of three letters, such as USD.');
  if (amount === undefined || !/^\d{1,15}(?:\.\d{1,6})?$/.test(amount)) {
    throw new LocalRuleError('value.amount', 'value.amount has to be a decimal number as text, such as "49.99".');
  }
  return { currencyCode: code, amount };
}
