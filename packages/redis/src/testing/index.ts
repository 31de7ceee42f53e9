/** What integration tests and the benchmark look at or call by itself, and nobody else. */
export { jobDataSchema, payloadContext, unpackPayload, type JobData } from '../job-data.ts';
export { globals, keys } from '../keys.ts';
export { createRelease } from '../holds.ts';
export { joinLines } from '../lines.ts';
export { letterDataSchema, type LetterData } from '../letter-data.ts';
export { MIN_SHARED, sharedPlace } from '../shared-receipts.ts';
export { jobRef, settle, type SettleOp } from '../settle.ts';
export { statusDataSchema } from '../status-poll.ts';
export { takeJob } from '../taken-job.ts';
export { leanTransaction } from '../transaction.ts';
