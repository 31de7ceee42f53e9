import type { PlatformId, PlatformStatus, GroupStatus } from '@relay/contract';

/**
 * What the API needs from storage, as functions; `@relay/redis` implements them. A port that cannot reach Redis throws
 * `RelayError('storage_unavailable')`. "Not there" is data (`undefined`), not an exception.
 */

// --- accounts ---------------------------------------------------------------------------------------------------------
/** `needs_reconnect` and `disabled` accounts hold their events. */
export const ACCOUNT_STATUSES = ['active', 'needs_reconnect', 'disabled'] as const;
/** One of `ACCOUNT_STATUSES`. */
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** An ads account (or WhatsApp number) that events are delivered for. */
export interface Account {
  readonly id: string;
  readonly platform: PlatformId;
  /** Already checked against the platform's schema. Never leaves the process. */
  readonly credentials: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: AccountStatus;
  /** Why it needs a reconnect, in the platform's words. */
  readonly statusReason: string | undefined;
  /** Counts up with every change of credentials, so that a late failure of old ones does not hold new ones. */
  readonly revision: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
/** What to change; what is absent stays. */
export interface AccountPatch {
  /** Replaces the credentials, makes the account active and releases what was held. */
  readonly credentials?: Readonly<Record<string, unknown>> | undefined;
  /** Merged, key by key; `null` removes a key. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly status?: 'active' | 'disabled' | undefined;
}
/** Accounts, their credentials sealed. */
export interface AccountStore {
  /** Cached for a few seconds; a change anywhere empties the cache. */
  get(id: string): Promise<Account | undefined>;
  list(): Promise<readonly Account[]>;
  /** `undefined`: the id is taken. */
  create(account: { id: string; platform: PlatformId; credentials: Account['credentials']; metadata: Account['metadata'] }): Promise<Account | undefined>;
  /** `undefined`: no such account. Resolves with how many held events were released. */
  patch(id: string, patch: AccountPatch): Promise<{ readonly account: Account; readonly releasedEvents: number } | undefined>;
  /** `false`: no such account; `'busy'`: it still has pending or held events. */
  remove(id: string): Promise<boolean | 'busy'>;
  heldEvents(accountId: string): Promise<number>;
}

// --- API keys ---------------------------------------------------------------------------------------------------------
/** What an API key may do. */
export const SCOPES = ['send', 'read', 'manage', 'admin'] as const;
/** One of `SCOPES`. */
export type Scope = (typeof SCOPES)[number];

/** An API key without its secret, which is not kept. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Account ids, or `['*']`. */
  readonly accounts: readonly string[];
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | undefined;
}
/** API keys, as hashes. */
export interface ApiKeyStore {
  /** The key that this secret belongs to. Stored as SHA-256, compared in constant time; notes the use, at most once a minute. */
  authenticate(secret: string): Promise<ApiKey | undefined>;
  list(): Promise<readonly ApiKey[]>;
  get(id: string): Promise<ApiKey | undefined>;
  /** Resolves with the secret, which is never readable again. */
  create(key: Pick<ApiKey, 'name' | 'scopes' | 'accounts'>): Promise<{ readonly apiKey: ApiKey; readonly secret: string }>;
  patch(id: string, patch: Partial<Pick<ApiKey, 'name' | 'scopes' | 'accounts'>>): Promise<ApiKey | undefined>;
  remove(id: string): Promise<boolean>;
}

// --- deliveries -------------------------------------------------------------------------------------------------------
/** The first three are open, the others final. */
export const DELIVERY_STATUSES = ['queued', 'retrying', 'held', 'delivered', 'partial', 'failed'] as const;
/** One of `DELIVERY_STATUSES`. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** An event that was refused at ingest or died, as the client is told. */
export interface Failure {
  readonly eventIndex: number;
  readonly eventId: string;
  readonly message: string;
  readonly code: string | number;
}
/** The part of a client request that went into one job. */
export interface ChunkState {
  readonly chunk: number;
  readonly events: number;
  readonly status: 'queued' | 'retrying' | 'held' | 'delivered' | 'partial' | 'dead';
  readonly attempts: number;
  readonly traceId: string | undefined;
  readonly lastAttemptAtMs: number | undefined;
  /** Of the last platform request. */
  readonly durationMs: number | undefined;
  /** The last failure's code and words. */
  readonly code: string | undefined;
  readonly message: string | undefined;
}
/** The state of one client request. */
export interface Delivery {
  readonly deliveryId: string;
  readonly platform: PlatformId;
  readonly accountId: string;
  readonly destinationId: string;
  readonly status: DeliveryStatus;
  readonly eventsSubmitted: number;
  readonly eventsReceived: number;
  readonly eventsFailed: number;
  readonly eventsPending: number;
  readonly eventsHeld: number;
  readonly traceId: string | undefined;
  readonly attempts: number;
  readonly acceptedAtMs: number;
  readonly finishedAtMs: number | undefined;
  /** Accept to final answer. */
  readonly durationMs: number | undefined;
  readonly eventNames: readonly string[];
  /** WhatsApp only. */
  readonly conversationId: string | undefined;
  /** Present for small requests only. */
  readonly eventIds: readonly string[] | undefined;
  readonly platformStatus: PlatformStatus | undefined;
  readonly platformStatusDetails: readonly GroupStatus[] | undefined;
  readonly replays: number;
}
/** The same with what only the lookup of one delivery shows. */
export interface DeliveryDetails extends Delivery {
  readonly failures: readonly Failure[];
  readonly chunks: readonly ChunkState[];
}
/** One page of a list; `nextCursor` is `undefined` on the last. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextCursor: string | undefined;
}
/** Receipts, the delivery log and the event index. */
export interface DeliveryStore {
  get(deliveryId: string): Promise<DeliveryDetails | undefined>;
  /** Newest first. A bad cursor throws `RelayError('invalid_cursor')`. */
  recent(query: { accountId: string; platform: PlatformId; limit: number; cursor: string | undefined; status: DeliveryStatus | undefined }): Promise<Page<Delivery>>;
  /** Where one event stands; newest delivery first. Empty: unknown or older than the index keeps. */
  event(accountId: string, platform: PlatformId, eventId: string): Promise<readonly EventState[]>;
  /**
   * Resolves when every event of the delivery has a final answer, or at the deadline. With what there is to say where all
   * events were taken; `undefined`: ask `get`.
   * @param isNew the delivery was stored just now with `wantsReply`, by this process: it need not be looked at first.
   */
  waitFor(deliveryId: string, timeoutMs: number, signal?: AbortSignal, isNew?: boolean): Promise<DeliveredWhole | undefined>;
}
/** A delivery none of whose events was refused or died. */
export interface DeliveredWhole {
  readonly eventsReceived: number;
  readonly traceId: string;
}
/** Where one event stands within one delivery. */
export interface EventState {
  readonly deliveryId: string;
  readonly eventIndex: number;
  readonly destinationId: string;
  readonly status: 'queued' | 'retrying' | 'held' | 'delivered' | 'dead' | 'refused';
  readonly code: string | number | undefined;
  readonly message: string | undefined;
  readonly acceptedAtMs: number;
}

// --- dead letters -----------------------------------------------------------------------------------------------------
/** Whom or what events died of: themselves, their destination, account or operator; age; too many attempts; an unknown end. */
export const DEAD_REASONS = ['rejected', 'destination', 'account', 'operator', 'expired', 'attempts_exhausted', 'unknown'] as const;
/** One of `DEAD_REASONS`. */
export type DeadReason = (typeof DEAD_REASONS)[number];

/** The events of one client request that died of one cause, without their payload. */
export interface DeadLetter {
  readonly id: string;
  readonly platform: PlatformId;
  readonly accountId: string;
  readonly destinationId: string;
  readonly deliveryId: string;
  readonly reason: DeadReason;
  readonly code: string;
  readonly message: string;
  /** The first 100. */
  readonly eventIds: readonly string[];
  readonly eventCount: number;
  readonly attempts: number;
  readonly firstAttemptAtMs: number | undefined;
  readonly lastAttemptAtMs: number | undefined;
  readonly replayable: boolean;
  readonly whyNot: string | undefined;
  /** Set once it was replayed: when, and the id of the job it went out with. */
  readonly replayedAtMs: number | undefined;
}
/** All that are given must match. */
export interface DeadLetterFilter {
  readonly platform?: PlatformId | undefined;
  readonly accountId?: string | undefined;
  readonly destinationId?: string | undefined;
  readonly reason?: DeadReason | undefined;
  /** Letters of other accounts are left out; `undefined`: all accounts. */
  readonly accounts?: readonly string[] | undefined;
}
/** `refused`: a replay could count an event twice, the platform would not take it any more, or it cannot be read; `why` says it. */
export type ReplayResult =
  | { readonly kind: 'replayed'; readonly events: number; readonly accountId: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'not_found' };
/** Dead letters; never trimmed by themselves. */
export interface DeadLetterStore {
  get(id: string): Promise<DeadLetter | undefined>;
  list(filter: DeadLetterFilter, limit: number, cursor: string | undefined): Promise<Page<DeadLetter>>;
  replay(id: string, options: { readonly force: boolean }): Promise<ReplayResult>;
  /** `false`: no such letter. Its events stay counted as dead. */
  discard(id: string): Promise<boolean>;
}

// --- health -----------------------------------------------------------------------------------------------------------
/** Events by state: accepted = delivered + dead + held + pending. Refused ones were never accepted. */
export interface LedgerRow {
  readonly platform: PlatformId;
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
  readonly held: number;
  readonly pending: number;
  readonly refused: number;
}
/** What readiness and metrics are read from. */
export interface Health {
  /** Round trip to Redis, ms; throws `storage_unavailable`. */
  ping(): Promise<number>;
  ledger(): Promise<readonly LedgerRow[]>;
  /** Age of the oldest event without a final answer, per platform, seconds. */
  oldestAgeSeconds(): Promise<ReadonlyMap<PlatformId, number>>;
  queueCounts(): Promise<readonly { readonly queue: string; readonly counts: Readonly<Record<string, number>> }[]>;
  /** Accounts cooling down now: seconds left by account id (or `app:<scope hash>`). */
  cooldowns(): Promise<ReadonlyMap<string, number>>;
}

// --- enqueue ----------------------------------------------------------------------------------------------------------
/** How one request is to be stored. */
export interface EnqueueOptions {
  /** Present: the same key with the same body is the same delivery. Scoped by API key. */
  readonly idempotency?: { readonly scope: string; readonly key: string; readonly bodyHash: string } | undefined;
  /**
   * Present: this key is good for one request whatever its body, for as long as `ttlMs`. A second one is `repeated`, but
   * for one that comes after the platform refused the first for certain. Holds besides `idempotency`.
   */
  readonly once?: { readonly scope: string; readonly key: string; readonly ttlMs: number } | undefined;
  /** The caller is going to `waitFor` the delivery. */
  readonly wantsReply: boolean;
}
/** The normal ends of storing a request. */
export type EnqueueResult =
  | { readonly kind: 'accepted'; readonly deliveryId: string }
  /** An earlier request with this Idempotency-Key and body, or with this `once`; nothing was queued. */
  | { readonly kind: 'repeated'; readonly deliveryId: string }
  /** The Idempotency-Key was used with another body. */
  | { readonly kind: 'key_reused' };

// --- locks ------------------------------------------------------------------------------------------------------------
export interface Locks {
  /**
   * Runs one at a time over all processes; the others wait. The lock ends by itself after `ttlMs`, so what runs must end
   * sooner. Throws `RelayError('conflict')` when it cannot be had within `ttlMs`.
   */
  run<T>(name: string, ttlMs: number, work: () => Promise<T>): Promise<T>;
}

// --- access tokens ----------------------------------------------------------------------------------------------------
/**
 * Access tokens that were got by OAuth refresh, shared by all processes: one refreshes, the others wait for its result.
 * A token belongs to one revision of the credentials.
 */
export interface TokenCache {
  get(accountId: string, revision: number): Promise<string | undefined>;
  put(accountId: string, revision: number, accessToken: string, ttlMs: number): Promise<void>;
  /** Drops this very token (the platform refused it); another one that was put meanwhile stays. */
  drop(accountId: string, accessToken: string): Promise<void>;
  /** A lock against two refreshes at once; `undefined`: somebody else has it. Runs out by itself. */
  lock(accountId: string, ttlMs: number): Promise<{ release(): Promise<void> } | undefined>;
}
