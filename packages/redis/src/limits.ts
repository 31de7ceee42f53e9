/** BullMQ's highest priority number (`PRIORITY_LIMIT` in its job.ts). */
export const PRIORITY_LIMIT = 2 ** 21 - 1;
/** Requests that may wait in one process for the next write to Redis; past that callers hear 503. */
export const MAX_WAITING_REQUESTS = 20_000;
/** The same in bytes of wire events. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** Most that one write takes along. A write is one blocking step of Redis, so it stays in the tens of milliseconds. */
export const MAX_GROUP_REQUESTS = 2_000;
/** The same in bytes of wire events. */
export const MAX_GROUP_BYTES = 16 * 1024 * 1024;
/** How often a write is tried again when an Idempotency-Key changed under it. */
export const MAX_CONFLICTS = 50;
/** Idempotency-Keys are remembered for a day (IETF draft leaves it to the server; the design says 24 h). */
export const IDEMPOTENCY_TTL_MS = 24 * 3_600_000;
/** Event ids shown on a log row, and how long they may be together: small values keep a receipt compact in Redis. */
export const MAX_ROW_EVENT_IDS = 3;
/** Characters of the event names on a row, together. */
export const MAX_ROW_TEXT = 60;
/** So many requests that were written or waited when a write ended are a crowd: the next write waits for those to come that may be expected. */
export const CROWD_REQUESTS = 16;
/** Up to so many callers that go in step are waited for, all of them. A larger crowd goes in halves: one is read while the other is written. */
export const WHOLE_CROWD_REQUESTS = 64;
/** The longest that a write waits for its crowd, from the end of the last one. */
export const GATHER_MS = 10;
/** So much of wire events is worth a write of its own, crowd or not. */
export const GATHER_BYTES = 256 * 1024;
