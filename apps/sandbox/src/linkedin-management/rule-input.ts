import { Refused, badRequest } from './call.ts';

type Fields = Readonly<Record<string, unknown>>;

const TYPES: ReadonlySet<unknown> = new Set(
  (
    'ADD_TO_CART DOWNLOAD INSTALL KEY_PAGE_VIEW LEAD PURCHASE SIGN_UP OTHER SAVE START_CHECKOUT SCHEDULE VIEW_CONTENT VIEW_VIDEO ADD_BILLING_INFO BOOK_APPOINTMENT ' +
    'REQUEST_QUOTE SEARCH SUBSCRIBE AD_CLICK AD_VIEW COMPLETE_SIGNUP SUBMIT_APPLICATION PHONE_CALL INVITE LOGIN SHARE DONATE ADD_TO_LIST START_TRIAL OUTBOUND_CLICK ' +
    'CONTACT QUALIFIED_LEAD'
  ).split(' '),
);
/** Known from this version on. */
const NEWER_TYPES: ReadonlySet<unknown> = new Set(['MARKETING_QUALIFIED_LEAD', 'SALES_QUALIFIED_LEAD']);
const NEWER_SINCE = 202608;
const WINDOWS: ReadonlySet<unknown> = new Set([1, 7, 30, 90]);
const LONG_WINDOWS: ReadonlySet<unknown> = new Set([180, 365]);
const LONG_TYPES: ReadonlySet<unknown> = new Set(['SUBMIT_APPLICATION', 'PURCHASE', 'ADD_TO_CART', 'QUALIFIED_LEAD', 'LEAD', ...NEWER_TYPES]);

const REQUIRED = ['name', 'account', 'conversionMethod', 'type'] as const;
const READ_ONLY: ReadonlySet<string> = new Set(['id', 'created', 'lastModified', 'campaigns', 'associatedCampaigns', 'lastCallbackAt']);

const isText = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? undefined : `${JSON.stringify(value)} cannot be coerced to String`);
const isInteger = (value: unknown): string | undefined => (Number.isInteger(value) ? undefined : `${JSON.stringify(value)} cannot be coerced to Integer`);
const isBoolean = (value: unknown): string | undefined => (typeof value === 'boolean' ? undefined : `${JSON.stringify(value)} cannot be coerced to Boolean`);
const isList = (value: unknown): string | undefined => (Array.isArray(value) ? undefined : `${JSON.stringify(value)} cannot be coerced to array`);
const oneOf =
  (...symbols: readonly string[]) =>
  (value: unknown): string | undefined =>
    symbols.includes(String(value)) ? undefined : `${JSON.stringify(value)} is not an enum symbol`;

const CHECKS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  name: isText,
  account: isText,
  conversionMethod: oneOf('CONVERSIONS_API', 'INSIGHT_TAG', 'INSIGHT_TAG_URL_MATCH_RULES', 'INSIGHT_TAG_EVENT_SPECIFIC', 'OFFLINE'),
  type: isText,
  enabled: isBoolean,
  postClickAttributionWindowSize: isInteger,
  viewThroughAttributionWindowSize: isInteger,
  attributionType: oneOf('LAST_TOUCH_BY_CAMPAIGN', 'LAST_TOUCH_BY_CONVERSION'),
  valueType: oneOf('DYNAMIC', 'FIXED', 'NO_VALUE'),
  value: () => undefined, // has lines of its own
  autoAssociationType: oneOf('ALL_CAMPAIGNS', 'OBJECTIVE_BASED', 'NONE'),
  urlRules: isList,
  urlMatchRuleExpression: isList,
};

export interface InputRules {
  readonly rejectUnknownFields: boolean;
  readonly version: number;
}

/** Rest.li's own schema check; all faults in one 422, like those of events. */
export function checkFields(fields: Fields, mode: 'create' | 'update', rules: InputRules): void {
  const lines: string[] = [];
  const report = (path: string, text: string) => lines.push(`ERROR :: ${path} :: ${text}\n`);
  if (mode === 'create') {
    for (const name of REQUIRED) if (fields[name] === undefined) report(`/${name}`, 'field is required but not found and has no default value');
  }
  for (const [name, value] of Object.entries(fields)) {
    const check = CHECKS[name];
    if (READ_ONLY.has(name)) report(`/${name}`, `ReadOnly field present in a ${mode === 'create' ? 'create' : 'partial_update'} request`);
    else if (check === undefined) {
      if (rules.rejectUnknownFields) report(`/${name}`, 'unrecognized field found but not allowed');
    } else {
      const text = name === 'type' ? typeFault(value, rules.version) : check(value);
      if (text !== undefined) report(`/${name}`, text);
    }
  }
  if (fields['value'] !== undefined) checkValue(fields['value'], report);
  if (lines.length > 0) throw new Refused({ status: 422, message: lines.join('') });
}

function typeFault(value: unknown, version: number): string | undefined {
  if (TYPES.has(value) || (version >= NEWER_SINCE && NEWER_TYPES.has(value))) return undefined;
  return `${JSON.stringify(value)} is not an enum symbol`;
}

function checkValue(value: unknown, report: (path: string, text: string) => void): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report('/value', `${JSON.stringify(value)} cannot be coerced to record`);
    return;
  }
  const { currencyCode, amount } = value as Fields;
  if (currencyCode === undefined) report('/value/currencyCode', 'field is required but not found and has no default value');
  else if (typeof currencyCode !== 'string' || !/^[A-Z]{3}$/.test(currencyCode)) report('/value/currencyCode', `${JSON.stringify(currencyCode)} is not an enum symbol`);
  if (amount === undefined) report('/value/amount', 'field is required but not found and has no default value');
  // Decimal text, as in events: a bare number is not taken.
  else if (typeof amount !== 'string' || !/^-?\d+(?:\.\d+)?$/.test(amount)) report('/value/amount', `${JSON.stringify(amount)} cannot be coerced to BigDecimal`);
}

/** What the members of a rule ask of each other. */
export function checkRule(rule: { readonly type: string; readonly valueType: string; readonly value?: unknown; readonly postClickAttributionWindowSize: number; readonly viewThroughAttributionWindowSize: number }): void {
  for (const name of ['postClickAttributionWindowSize', 'viewThroughAttributionWindowSize'] as const) {
    const days = rule[name];
    if (WINDOWS.has(days) || (LONG_WINDOWS.has(days) && LONG_TYPES.has(rule.type))) continue;
    throw badRequest(`${name} ${days} is not supported for conversion type ${rule.type}`, 'INVALID_ATTRIBUTION_WINDOW_SIZE');
  }
  if (rule.valueType === 'FIXED' && rule.value === undefined) throw badRequest('A conversion with valueType FIXED needs a value', 'INVALID_VALUE');
}
