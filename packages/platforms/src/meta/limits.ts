const DAY_MS = 86_400_000;

/** https://developers.facebook.com/documentation/ads-commerce/conversions-api/using-the-api (read 2026-09-12): "up to 1,000 events in data". */
export const MAX_EVENTS = 1000;

/** One older event fails its whole batch (100/2804003). https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event (read 2026-09-12) */
export const MAX_EVENT_AGE_MS = 7 * DAY_MS;

/**
 * Events of physical stores: "upload within 62 days of when the conversion occurred", in a paragraph that repeats the 7
 * days. The longer one holds here, as refusing what Meta would take loses it for good, while what Meta does refuse comes
 * back as 2804003 and is taken out of its batch.
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/offline-events (read 2026-09-12)
 */
export const MAX_STORE_EVENT_AGE_MS = 62 * DAY_MS;

/** Meta documents no bound, but events ahead of its clock are a known cause of failure. A minute is ordinary clock drift. */
export const MAX_FUTURE_MS = 60_000;

/** Meta publishes no limit. A thousand ordinary events are 1 to 2 MB; a 413 halves the request anyway. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Same event id and event name within 48 h: the later one is dropped. https://developers.facebook.com/documentation/ads-commerce/conversions-api/deduplicate-pixel-and-server-events (read 2026-09-12) */
export const DEDUP_WINDOW_MS = 48 * 3_600_000;
