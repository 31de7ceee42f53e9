import type { AdsPlatformId, DeliveryPlatform, PlatformDefinition, PlatformEndpoints, PlatformId } from '@relay/contract';
import type { AccountStore, ApiKey, ApiKeyStore, ConversationStore, DeadLetterStore, DeliveryStore, Enqueue, Health, Locks, Scope, Send } from '@relay/delivery';
import type { Logger, Metrics } from '@relay/runtime';
import type { ActionCache } from '@relay/redis';
import type { BoardQueue } from './board/board-queue.ts';
import type { LargeBodies } from './ingest/pool.ts';
import type { RunOperation } from './management/run-operation.ts';

export interface ApiSettings {
  /** How long a send waits for the final answer where the caller says nothing, ms. */
  readonly syncWaitMs: number;
  readonly bodyLimitBytes: number;
  /** 0: the event lookup is off. */
  readonly eventIndexHours: number;
  /** Checks every answer against its documented schema and fails on a difference. For tests: it costs a second walk. */
  readonly checkResponses?: boolean;
}

/** What the HTTP edge is made of. Each route asks for the few it uses. */
export interface ApiDeps {
  readonly accounts: AccountStore;
  readonly apiKeys: ApiKeyStore;
  readonly deliveries: DeliveryStore;
  readonly deadLetters: DeadLetterStore;
  readonly health: Health;
  readonly enqueue: Enqueue;
  /** A new id for a delivery to this destination. */
  readonly newDeliveryId: (platform: PlatformId, accountId: string, destinationId: string) => string;
  /** Threads for large bodies; without them everything is done in the main one. */
  readonly largeBodies?: LargeBodies | undefined;
  readonly platforms: Readonly<Partial<Record<AdsPlatformId, PlatformDefinition> & Record<'whatsapp', DeliveryPlatform>>>;
  readonly conversations: ConversationStore;
  readonly locks: Locks;
  /** Calls to platforms that a caller waits for (datasets). */
  readonly send: Send;
  readonly endpoints: PlatformEndpoints;
  /** What a caller does at a platform through us: destinations, metrics, quality, conversion actions. */
  readonly runOperation: RunOperation;
  readonly actionCache: ActionCache;
  /** Secrets of Meta's webhook; without them it answers 501. */
  readonly webhooks: { readonly metaAppSecret: string | undefined; readonly metaVerifyToken: string | undefined };
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
  readonly config: ApiSettings;
  /** Fires when the process is asked to stop: `/readyz` turns 503, waiting requests are answered with what is known. */
  readonly draining?: AbortSignal | undefined;
  /** Bull Board; without it `/admin/queues` is not there. */
  readonly bullBoard?: { readonly queues: readonly BoardQueue[]; readonly user: string; readonly password: string } | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller, once authenticated. */
    apiKey: ApiKey | undefined;
    /** SHA-256 (hex) of the raw body; only where an Idempotency-Key came with it. */
    bodyHash: string | undefined;
    /** What a large body came in, until it is put together. */
    bodyParts: Buffer[] | undefined;
    /** Facts for the one log line of this request; `noteFacts` adds to them. */
    facts: Record<string, unknown> | undefined;
    /** When it came, on the monotonic clock; `undefined` once its line is written. */
    startedAtMs: number | undefined;
  }
  interface FastifyContextConfig {
    /** What the API key must be allowed to do. Every route under /v1 names one. */
    scope?: Scope;
    /** A POST that may come without a body. */
    bodyOptional?: boolean;
  }
}
