import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { PlatformId } from '@relay/contract';
import type { ConversationStore, DeadLetterStore, DeliveryStore, Enqueue, Health, Locks, TokenCache } from '@relay/delivery';
import type { Sealer } from '@relay/runtime';
import { createActionCache, type ActionCache } from './action-cache.ts';
import { createAccountStore, type WorkerAccountStore } from './accounts.ts';
import { createApiKeyStore, type BootstrapApiKeys } from './api-keys.ts';
import { createChangeFeed } from './change-feed.ts';
import { createConnector, type Connector, type ConnectionRole, type RedisConnection } from './connect.ts';
import { createCooldowns, type Cooldowns } from './cooldowns.ts';
import { createDeadLetterStore } from './dead-letters.ts';
import { createDeliveryStore } from './deliveries.ts';
import { createEnqueue } from './enqueue.ts';
import { createHealth } from './health.ts';
import { createRelease } from './holds.ts';
import { createLanes, newDeliveryId, type Lane, type Lanes } from './keys.ts';
import { laneQueueOn } from './lane-queue.ts';
import { createLocks } from './locks.ts';
import { createReplies } from './replies.ts';
import { defineScripts } from './scripts.ts';
import { createTokenCache } from './tokens.ts';
import { answering, requireUsableRedis } from './usable-redis.ts';
import { createConversationStore } from './whatsapp/conversations.ts';

export interface StoreOptions {
  readonly redisUrl: string;
  readonly lanes: number;
  readonly sealer: Sealer;
  readonly logRetentionDays: number;
  readonly logMaxEntries: number;
  readonly eventIndexHours: number;
  /** How often a waiting request looks at its receipt by itself; default 1 s. */
  readonly replyPollMs?: number | undefined;
  readonly dedupWindowMs: (platform: PlatformId) => number | undefined;
  readonly now: () => number;
}

/** What api and worker both need. */
export interface SharedStore {
  readonly connection: RedisConnection;
  readonly connector: Connector;
  readonly lanes: Lanes;
  readonly accounts: WorkerAccountStore;
  readonly apiKeys: BootstrapApiKeys;
  readonly cooldowns: Cooldowns;
  readonly health: Health;
  /** Gives held events of an account back to the queue; resolves with how many. */
  readonly release: (platform: PlatformId, accountId: string) => Promise<number>;
}

export interface ApiStore extends SharedStore {
  readonly enqueue: Enqueue;
  /** A new id for a delivery to this destination: what `packRequest` needs. */
  readonly newDeliveryId: (platform: PlatformId, accountId: string, destinationId: string) => string;
  readonly deliveries: DeliveryStore;
  readonly deadLetters: DeadLetterStore;
  readonly conversations: ConversationStore;
  readonly locks: Locks;
  readonly actionCache: ActionCache;
  readonly tokens: TokenCache;
  /** Delivery queues and dead letters, for looking at. */
  readonly queues: readonly Queue[];
}

/**
 * Opens what the API works with. Waits until Redis answers, however long that takes: a relay that starts before its Redis
 * is no fault.
 * @throws Error when Redis would lose accepted events (eviction) or is too old.
 */
export async function openApiStore(stack: AsyncDisposableStack, options: StoreOptions): Promise<ApiStore> {
  const shared = await openShared(stack, options, 'producer');
  const { connector, lanes, connection } = shared;
  const apiId = randomUUID();
  const replies = createReplies(connector.open('subscriber'), apiId);
  stack.defer(() => replies.close());
  const { enqueue, ready, close } = createEnqueue({
    connector,
    lanes,
    sealer: options.sealer,
    config: {
      apiId,
      logRetentionDays: options.logRetentionDays,
      logMaxEntries: options.logMaxEntries,
      eventIndexHours: options.eventIndexHours,
      now: options.now,
    },
  });
  stack.defer(close);
  const lettersConnection = connector.open('producer');
  stack.defer(() => lettersConnection.disconnect());
  // The first request must not meet a connection that is still being made.
  await Promise.all([ready(), answering(lettersConnection)]);
  return {
    ...shared,
    enqueue,
    newDeliveryId: (platform, accountId, destinationId) => newDeliveryId(lanes.forDestination(platform, accountId, destinationId), options.now()),
    conversations: createConversationStore({ connection, sealer: options.sealer, retentionDays: options.logRetentionDays, now: options.now }),
    locks: createLocks(connection, options.now),
    actionCache: createActionCache(connection, options.now),
    tokens: createTokenCache(connection, options.sealer),
    deliveries: createDeliveryStore({
      connection,
      lanes,
      replies,
      eventIndexHours: options.eventIndexHours,
      logMaxEntries: options.logMaxEntries,
      replyPollMs: options.replyPollMs,
      now: options.now,
    }),
    deadLetters: createDeadLetterStore({
      connection: lettersConnection,
      lanes,
      sealer: options.sealer,
      dedupWindowMs: options.dedupWindowMs,
      retentionDays: options.logRetentionDays,
      now: options.now,
    }),
    queues: shared.queues,
  };
}

/** Opens what a worker works with; its connections wait for Redis instead of failing. */
export function openWorkerStore(stack: AsyncDisposableStack, options: StoreOptions): Promise<SharedStore> {
  return openShared(stack, options, 'consumer');
}

async function openShared(
  stack: AsyncDisposableStack,
  options: StoreOptions,
  role: ConnectionRole,
): Promise<SharedStore & { queues: readonly Queue[] }> {
  const connector = createConnector(options.redisUrl);
  const lanes = createLanes(options.lanes);
  const connection = connector.open(role);
  stack.defer(() => connection.disconnect());
  await requireUsableRedis(connection);
  defineScripts(connection);
  const subscriber = connector.open('subscriber');
  stack.defer(() => subscriber.disconnect());
  const changes = createChangeFeed(connection, subscriber);
  const cooldowns = createCooldowns(connection, changes, options.now);
  const live = new Map(lanes.all.map((lane) => [lane.queue, laneQueueOn(connection, lane, false).queue]));
  const dead = lanes.all.map((lane) => laneQueueOn(connection, lane, true).queue);
  const release = createRelease({
    connection,
    lanes,
    queueOf: (lane: Lane) => live.get(lane.queue)!,
    retentionDays: options.logRetentionDays,
    now: options.now,
  });
  const queues = [...live.values(), ...dead];
  return {
    connection,
    connector,
    lanes,
    accounts: createAccountStore({ connection, sealer: options.sealer, changes, lanes, release, now: options.now }),
    apiKeys: createApiKeyStore({ connection, changes, now: options.now }),
    cooldowns,
    release,
    queues,
    health: createHealth({ connection, lanes, cooldowns, queues, now: options.now }),
  };
}
