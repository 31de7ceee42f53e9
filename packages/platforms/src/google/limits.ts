const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Events of one request. https://developers.google.com/data-manager/api/limits; comments in Google's protos speak of 10,000. */
export const MAX_EVENTS = 2000;
/** Destinations of one request. Same page. */
export const MAX_DESTINATIONS = 10;
/** Google publishes no body limit. 2000 events with carts stay far below this, and an answer 413 halves the request. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;
/** Conversions later than 90 days after the click are not imported (Google Ads help centre); v1 names no limit of its own. */
export const MAX_AGE_MS = 90 * DAY_MS;
/** How far a caller's clock may be ahead. Google publishes nothing; `EVENT_TIME_INVALID` exists. */
export const MAX_AHEAD_MS = 5 * MINUTE_MS;
