/**
 * What Meta's error codes mean for the events of a request. First match wins: the rows of a code that name a subcode stand
 * before the one that does not. Texts are localised and change, so only numbers are matched.
 * `source` is a page under https://developers.facebook.com/ (stored copies, read 2026-09-12), or "observed" for what others
 * recorded as Meta's live answer.
 */
export type MetaErrorClass =
  /** Pause the app, or the account, and send again. */
  | 'app_limit'
  | 'account_limit'
  /** May pass by itself. */
  | 'retry'
  /** Blocked by Meta for a policy: hours, not seconds. */
  | 'blocked'
  /** The token is dead, or may not do this: someone has to reconnect. */
  | 'auth'
  /** Permanent, and no event's fault: the dataset, the account's set-up, or the relay's own configuration. */
  | 'destination'
  | 'account'
  | 'operator'
  /** Permanent, and some event's fault. */
  | 'event';

export interface MetaCode {
  readonly code: number;
  /** Last code of a range. */
  readonly to?: number;
  /** `undefined`: any or none. */
  readonly subcode?: number;
  readonly class: MetaErrorClass;
  readonly note: string;
  readonly source: string;
}

const ERRORS = 'docs/graph-api/guides/error-handling';
const MARKETING_ERRORS = 'docs/marketing-api/error-reference';
const MARKETING_LIMITS = 'documentation/ads-commerce/marketing-api/overview/rate-limiting';
const GRAPH_LIMITS = 'docs/graph-api/overview/rate-limiting';
const OBSERVED = 'observed';

export const META_CODES: readonly MetaCode[] = [
  { code: 4, class: 'app_limit', note: 'too many calls of the app', source: ERRORS },
  { code: 17, class: 'account_limit', note: 'too many calls of the user or ad account', source: ERRORS },
  { code: 32, class: 'account_limit', note: 'too many calls for a Page with a user token', source: GRAPH_LIMITS },
  { code: 613, class: 'account_limit', note: 'custom rate limit or abuse prevention', source: MARKETING_LIMITS },
  { code: 80000, to: 80006, class: 'account_limit', note: 'business use case limit: insights, Page, Instagram, audiences, ads management, leads, Messenger', source: GRAPH_LIMITS },
  { code: 80008, to: 80009, class: 'account_limit', note: 'business use case limit: WhatsApp management, catalog management', source: GRAPH_LIMITS },
  { code: 80014, class: 'account_limit', note: 'business use case limit: catalog batch', source: GRAPH_LIMITS },
  { code: 341, class: 'app_limit', note: 'application limit, or downtime', source: ERRORS },
  { code: 368, class: 'blocked', note: 'temporarily blocked for a policy violation; asking again quickly prolongs it', source: ERRORS },
  { code: 1, subcode: 99, class: 'operator', note: 'parameters that do not go together', source: ERRORS },
  { code: 1, class: 'retry', note: 'unknown error, possibly downtime', source: ERRORS },
  { code: 2, class: 'retry', note: 'service temporarily unavailable', source: ERRORS },
  { code: 5000, class: 'retry', note: 'unknown error', source: MARKETING_ERRORS },
  { code: 21009, class: 'retry', note: 'dataset temporarily not ready for uploads', source: OBSERVED },
  { code: 190, class: 'auth', note: 'token expired, revoked or malformed (458, 459, 460, 463, 464, 467, 492)', source: ERRORS },
  { code: 102, class: 'auth', note: 'session invalid', source: ERRORS },
  { code: 104, class: 'operator', note: 'incorrect signature', source: MARKETING_ERRORS },
  { code: 3, class: 'operator', note: 'the app lacks the capability', source: ERRORS },
  { code: 10, class: 'auth', note: 'permission not granted or taken away', source: ERRORS },
  { code: 200, to: 299, class: 'auth', note: 'permission missing (294: ads_management)', source: ERRORS },
  { code: 803, class: 'destination', note: 'no object of this id', source: OBSERVED },
  { code: 2500, class: 'operator', note: 'unknown path', source: OBSERVED },
  { code: 2635, class: 'operator', note: 'API version no longer served', source: OBSERVED },
  { code: 100, subcode: 33, class: 'destination', note: 'dataset does not exist, or the token may not upload to it', source: MARKETING_ERRORS },
  { code: 100, subcode: 2804003, class: 'event', note: 'event_time too old', source: OBSERVED },
  { code: 100, subcode: 2804008, class: 'event', note: 'contents is not a list of objects', source: OBSERVED },
  { code: 100, subcode: 2804009, class: 'event', note: 'Purchase without value', source: OBSERVED },
  { code: 100, subcode: 2804010, class: 'event', note: 'Purchase without currency', source: OBSERVED },
  { code: 100, subcode: 2804016, class: 'event', note: 'a user_data key is not hashed: a fault of the relay', source: OBSERVED },
  { code: 100, subcode: 2804019, class: 'event', note: 'parameter error; the one that names the event', source: OBSERVED },
  { code: 100, subcode: 2804036, class: 'event', note: 'lead id unknown', source: OBSERVED },
  { code: 100, subcode: 2804043, class: 'event', note: 'app event without version of the operating system', source: OBSERVED },
  { code: 100, subcode: 2804050, class: 'event', note: 'too little user_data', source: OBSERVED },
  { code: 100, subcode: 2804064, class: 'event', note: 'key not allowed on a messaging event', source: OBSERVED },
  { code: 100, subcode: 2804066, class: 'event', note: 'event name not allowed on a messaging event', source: OBSERVED },
  { code: 100, subcode: 2804072, class: 'account', note: 'page_id is not the Page of the ad', source: OBSERVED },
  { code: 100, subcode: 2804081, class: 'event', note: 'messaging order without currency', source: OBSERVED },
  { code: 100, subcode: 2804087, class: 'event', note: 'ctwa_clid invalid', source: OBSERVED },
  { code: 100, subcode: 2804116, class: 'account', note: 'neither page_id nor whatsapp_business_account_id', source: OBSERVED },
  { code: 100, subcode: 2804131, class: 'destination', note: 'no Page linked to the dataset', source: OBSERVED },
  { code: 100, subcode: 2804132, class: 'destination', note: 'no WhatsApp Business Account linked to the dataset', source: OBSERVED },
  { code: 100, subcode: 2804030, class: 'operator', note: 'Limited Data Use selection required (legacy offline API)', source: OBSERVED },
  { code: 100, class: 'event', note: 'invalid parameter', source: ERRORS },
];

/** The first row that fits. */
export function metaCode(code: number, subcode: number | undefined): MetaCode | undefined {
  return META_CODES.find((row) => code >= row.code && code <= (row.to ?? row.code) && (row.subcode === undefined || row.subcode === subcode));
}
