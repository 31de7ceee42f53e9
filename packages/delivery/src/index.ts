export * from './ports.ts';
export { acceptEvents, duplicateEventIds, type AcceptInput, type AcceptedEvent, type AcceptedRequest } from './accept.ts';
export type { Enqueue } from './enqueue-port.ts';
export type { BatchEvent, Fate, LoadedEvent, TakenJob } from './batch.ts';
export { backoffMs, withJitter } from './backoff.ts';
export { Coalescer, type CoalescerOptions } from './coalescer.ts';
export { deliver } from './deliver.ts';
export type {
  AttemptReport,
  Death,
  DeliverPorts,
  Note,
  Poll,
  Send,
  SendResult,
  Settlement,
  TokenResult,
} from './deliver-ports.ts';
