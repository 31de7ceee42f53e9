import { randomBytes } from 'node:crypto';

/** One refused request in Graph's terms; becomes `{error: {...}}` on the wire. */
export interface Refusal {
  readonly status: number;
  readonly type: 'OAuthException' | 'GraphMethodException';
  readonly code: number;
  readonly subcode?: number;
  readonly message: string;
  readonly transient?: boolean;
  readonly title?: string;
  readonly userMessage?: string;
}

export const newTraceId = () => `A${randomBytes(15).toString('base64url')}`;

export function errorBody(refusal: Refusal, traceId: string): { readonly error: Record<string, unknown> } {
  const error: Record<string, unknown> = { message: refusal.message, type: refusal.type, code: refusal.code };
  if (refusal.subcode !== undefined) error['error_subcode'] = refusal.subcode;
  if (refusal.transient !== undefined) error['is_transient'] = refusal.transient;
  if (refusal.title !== undefined) error['error_user_title'] = refusal.title;
  if (refusal.userMessage !== undefined) error['error_user_msg'] = refusal.userMessage;
  error['fbtrace_id'] = traceId;
  return { error };
}

/** Bad parameters without a subcode, e.g. a missing `data`. */
export const badParameter = (message: string): Refusal => ({ status: 400, type: 'OAuthException', code: 100, message: `(#100) ${message}` });

export const TOO_OLD = 2804003;
export const BAD_CONTENTS = 2804008;
export const NO_VALUE = 2804009;
export const NO_CURRENCY = 2804010;
export const NOT_HASHED = 2804016;
export const BAD_SHAPE = 2804019;
export const BAD_LEAD_ID = 2804036;
export const BLANK_OS_VERSION = 2804043;
export const FEW_USER_KEYS = 2804050;
export const KEY_NOT_ALLOWED = 2804064;
export const BAD_EVENT_NAME = 2804066;
export const WRONG_PAGE = 2804072;
export const NO_ORDER_CURRENCY = 2804081;
export const BAD_CLICK = 2804087;
export const NO_IDENTITY = 2804116;
export const NO_PAGE_LINKED = 2804131;
export const NO_ACCOUNT_LINKED = 2804132;

/** Meta's titles per subcode. Texts are localised there, so German stands in for "any other language". */
const TITLES: ReadonlyMap<number, { readonly en: string; readonly de: string }> = new Map([
  [TOO_OLD, { en: 'Event Timestamp Too Old', de: 'Zeitstempel des Events zu alt' }],
  [BAD_CONTENTS, { en: 'Invalid Contents Parameter', de: 'Ungültiger Contents-Parameter' }],
  [NO_VALUE, { en: 'Missing Value for Purchase Event', de: 'Fehlender Wert für Kauf-Event' }],
  [NO_CURRENCY, { en: 'Missing Currency for Purchase Event', de: 'Fehlende Währung für Kauf-Event' }],
  [NOT_HASHED, { en: 'User Parameter Not Hashed', de: 'Nutzerparameter nicht gehasht' }],
  [BAD_SHAPE, { en: 'Server Side Api Parameter Error', de: 'Fehler bei einem Parameter der serverseitigen API' }],
  [BAD_LEAD_ID, { en: 'Invalid Lead ID', de: 'Ungültige Lead-ID' }],
  [BLANK_OS_VERSION, { en: 'Invalid App Extinfo', de: 'Ungültige App-Extinfo' }],
  [BAD_EVENT_NAME, { en: 'Messaging Event Invalid Event Type', de: 'Ungültiger Event-Typ für Messaging-Event' }],
  [BAD_CLICK, { en: 'Messaging Event Invalid Ctwa Clid', de: 'Ungültige Ctwa-Clid für Messaging-Event' }],
  [FEW_USER_KEYS, { en: 'Insufficient Customer Information Parameter Data', de: 'Zu wenige Kundeninformationsparameter' }],
]);

export type Locale = 'en' | 'de';

/** What is wrong with one event, before the caller's language is known. */
export interface EventFault {
  readonly subcode: number;
  /** English, and English it stays in every language where it holds a JSONPath. */
  readonly text: string;
}

/** Every 2804xxx sample is HTTP 400, code 100, "Invalid parameter"; only the user texts differ. */
export function eventRefusal(fault: EventFault, locale: Locale): Refusal {
  const title = TITLES.get(fault.subcode)?.[locale] ?? (locale === 'de' ? 'Ungültiger Parameter' : 'Invalid parameter');
  const localised = locale === 'de' && !fault.text.includes("$['data']");
  return {
    status: 400,
    type: 'OAuthException',
    code: 100,
    subcode: fault.subcode,
    message: 'Invalid parameter',
    transient: false,
    title,
    userMessage: localised ? `${title}.` : fault.text,
  };
}

/** An event time in the future: a real cause of failure for which no subcode is known. */
export const futureRefusal: Refusal = {
  status: 400,
  type: 'OAuthException',
  code: 100,
  message: 'Invalid parameter',
  transient: false,
};

/** `$['data'][3]['user_data']`, the only hint at an event's index that Meta ever gives. */
export function pathOf(index: number, ...keys: readonly (string | number)[]): string {
  return `$['data'][${index}]${keys.map((key) => (typeof key === 'number' ? `[${key}]` : `['${key}']`)).join('')}`;
}

export const shapeFault = (text: string): EventFault => ({ subcode: BAD_SHAPE, text });
export const requiredFault = (path: string): EventFault => shapeFault(`The parameter ${path} is required`);
export const unexpectedKey = (key: string, path: string): EventFault => shapeFault(`Unexpected key "${key}" on param "${path}"`);
export const invalidFault = (path: string, expected: string): EventFault => shapeFault(`The parameter ${path} must be ${expected}`);
