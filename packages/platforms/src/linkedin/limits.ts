const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Elements of one BATCH_CREATE, and how old an event may be.
 * https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api (read 2026-11)
 */
export const MAX_EVENTS = 5000;
export const MAX_AGE_MS = 90 * DAY_MS;
/** LinkedIn publishes no body limit. 5000 usual events are about 2 MB; an answer 413 halves the request. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Skew of the caller's clock that is forgiven. LinkedIn takes nothing from the future, so such an event is moved to now. */
export const MAX_AHEAD_MS = MINUTE_MS;
