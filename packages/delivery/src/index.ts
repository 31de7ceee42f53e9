/** The use cases `acceptEvents` and `deliver`, the coalescer between queue and `deliver`, and the ports that they need. */
export { acceptEvents, countAccepted, duplicateEventIds, type AcceptInput, type AcceptedEvent, type AcceptedRequest, type PackedChunk, type PackedRequest, type RequestFacts, type StorableRequest } from './accept.ts';
export { backoffMs, withJitter } from './backoff.ts';
export type { BatchEvent, Fate, LoadedEvent, TakenJob } from './batch.ts';
export { Coalescer, type CoalescerOptions } from './coalescer.ts';
export { OUTCOME_UNKNOWN } from './deaths.ts';
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
export { deliveryIdsOf } from './delivery-ids.ts';
export type { Enqueue } from './enqueue-port.ts';
export { ACCOUNT_STATUSES, DEAD_REASONS, DELIVERY_STATUSES, SCOPES } from './ports.ts';
export type {
  Account,
  AccountPatch,
  AccountStatus,
  AccountStore,
  ApiKey,
  ApiKeyStore,
  ChunkState,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterStore,
  DeadReason,
  Delivery,
  DeliveredWhole,
  DeliveryDetails,
  DeliveryStatus,
  DeliveryStore,
  EnqueueOptions,
  EnqueueResult,
  EventState,
  Failure,
  Health,
  LedgerRow,
  Locks,
  Page,
  ReplayResult,
  Scope,
  TokenCache,
} from './ports.ts';
export type { Capture, Conversation, ConversationStore, CtwaMetadata, ImportResult } from './whatsapp-ports.ts';
export { createTokenSource, dropToken, type TokenSourceDeps } from './token-source.ts';
