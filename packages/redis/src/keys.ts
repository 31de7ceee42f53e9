import { hash } from 'node:crypto';
import { PLATFORM_IDS, type PlatformId } from '@relay/contract';

/**
 * Where things are in Redis. All keys of a lane share one hash tag, so that everything that changes together lies in
 * one cluster slot: queue, receipts, ledger, log. With one lane (the default) that tag is `{relay}` for all platforms.
 */
export interface Lane {
  readonly platform: PlatformId;
  /** BullMQ's queue name: `metaads`, or `metaads.3` with several lanes. */
  readonly queue: string;
  /** BullMQ's prefix and the start of all other keys: `{relay}` or `{relay.metaads.3}`. */
  readonly tag: string;
}

/** Account records, keys, cooldowns, tokens: what does not belong to a lane. */
export const GLOBAL_TAG = '{relay}';

/** The lanes of all platforms. */
export interface Lanes {
  /** All lanes of the platform. */
  of(platform: PlatformId): readonly Lane[];
  readonly all: readonly Lane[];
  /**
   * The lane that a destination's events take. Google's go by account, since one request may carry ten of its destinations;
   * WhatsApp's too, since an event is sent once for a conversation, also when the account's dataset has become another.
   */
  forDestination(platform: PlatformId, accountId: string, destinationId: string): Lane;
  /** The lane that a delivery id was made for. */
  ofDelivery(deliveryId: string): string;
}

/** @param count `QUEUE_LANES`, at least 1. */
export function createLanes(count: number): Lanes {
  const byPlatform = new Map<PlatformId, readonly Lane[]>(
    PLATFORM_IDS.map((platform) => [
      platform,
      count === 1
        ? [{ platform, queue: platform, tag: GLOBAL_TAG }]
        : Array.from({ length: count }, (_, n) => ({ platform, queue: `${platform}.${n}`, tag: `{relay.${platform}.${n}}` })),
    ]),
  );
  return {
    of: (platform) => byPlatform.get(platform)!,
    all: [...byPlatform.values()].flat(),
    forDestination(platform, accountId, destinationId) {
      const lanes = byPlatform.get(platform)!;
      if (lanes.length === 1) return lanes[0]!;
      const key = platform === 'googleads' || platform === 'whatsapp' ? accountId : `${accountId}|${destinationId}`;
      return lanes[hash('sha1', key, 'buffer').readUInt32BE(0) % lanes.length]!;
    },
    ofDelivery(deliveryId) {
      const lane = deliveryId.slice(deliveryId.indexOf('_', 4) + 1);
      return deliveryId.indexOf('_', 4) === -1 ? GLOBAL_TAG : `{relay.${lane}}`;
    },
  };
}

/** A new delivery id; carries its lane, so that a receipt is found by its id alone. Sorts by time. */
export function newDeliveryId(lane: Lane, nowMs: number): string {
  const time = nowMs.toString(36).padStart(9, '0');
  return `dlv_${time}${randomTail()}${lane.tag === GLOBAL_TAG ? '' : `_${lane.queue}`}`;
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
/** 11 characters of base 36: 56 bits from the system's random generator, drawn in bulk. */
function randomTail(): string {
  if (tailAt + 11 > tailPool.length) {
    crypto.getRandomValues(tailPool);
    tailAt = 0;
  }
  let out = '';
  for (let i = 0; i < 11; i += 1) out += ALPHABET[tailPool[tailAt + i]! % 36];
  tailAt += 11;
  return out;
}
const tailPool = new Uint8Array(11 * 256);
let tailAt = tailPool.length;

/** A new id for a job or a record: time, then chance. No ':' (BullMQ refuses it) and never digits only. */
export function newId(prefix: string, nowMs: number): string {
  return `${prefix}${nowMs.toString(36)}${randomTail()}`;
}

/** What callers choose may be long, and say something about a person. */
const hashedKey = (key: string): string => hash('sha256', key, 'hex').slice(0, 32);

// --- keys of a lane (tag first) ---
/** Keys of a lane, tag or lane first. */
export const keys = {
  receipt: (tag: string, deliveryId: string) => `${tag}:dlv:${deliveryId}`,
  /** Receipts of one write, see shared-receipts.ts; the group is what their delivery ids begin with. */
  sharedReceipts: (tag: string, group: string) => `${tag}:dlvs:${group}`,
  failures: (tag: string, deliveryId: string) => `${tag}:dlv:${deliveryId}:f`,
  ledger: (tag: string, platform: PlatformId) => `${tag}:ledger:${platform}`,
  /** Events without a final answer, by destination: fairness reads it. */
  backlog: (tag: string, platform: PlatformId) => `${tag}:backlog:${platform}`,
  /** Jobs without a final answer, by the time they were accepted. */
  open: (tag: string, platform: PlatformId) => `${tag}:open:${platform}`,
  /** Held jobs of one account: job id → events. */
  held: (tag: string, platform: PlatformId, accountId: string) => `${tag}:held:${platform}:${accountId}`,
  /** Held events by account. */
  heldCounts: (tag: string, platform: PlatformId) => `${tag}:heldcounts:${platform}`,
  log: (tag: string, accountId: string) => `${tag}:log:${accountId}`,
  eventIndex: (tag: string, accountId: string, bucket: number) => `${tag}:ev:${accountId}:${bucket}`,
  idempotency: (tag: string, scope: string, key: string) => `${tag}:idem:${scope}:${hashedKey(key)}`,
  replayed: (tag: string, letterId: string) => `${tag}:replayed:${letterId}`,
  /** An event that is good for one send was refused and sent anew: by this delivery. */
  sentAnew: (tag: string, deliveryId: string) => `${tag}:anew:${deliveryId}`,
  job: (lane: Lane, jobId: string) => `${lane.tag}:${lane.queue}:${jobId}`,
  /** BullMQ's lock of a job: the token of who has taken it. */
  lock: (lane: Lane, jobId: string) => `${lane.tag}:${lane.queue}:${jobId}:lock`,
  letter: (lane: Lane, letterId: string) => `${lane.tag}:${lane.queue}.dead:${letterId}`,
  /** BullMQ's list of the lane's dead letters, newest first. */
  deadLetters: (lane: Lane) => `${lane.tag}:${lane.queue}.dead:wait`,
  /** BullMQ's sorted set whose members wake idle workers. */
  marker: (lane: Lane) => `${lane.tag}:${lane.queue}:marker`,
  /** Never there: deleting it tells whether Redis takes writes. */
  probe: (tag: string) => `${tag}:probe`,
} as const;

// --- global keys ---
/** Keys of what belongs to no lane. */
export const globals = {
  account: (id: string) => `${GLOBAL_TAG}:account:${id}`,
  accounts: `${GLOBAL_TAG}:accounts`,
  apiKey: (id: string) => `${GLOBAL_TAG}:apikey:${id}`,
  apiKeys: `${GLOBAL_TAG}:apikeys`,
  apiKeyHash: (sha256: string) => `${GLOBAL_TAG}:apikeyhash:${sha256}`,
  /** Scopes that cool down, by when it ends (unix ms). */
  cooldowns: `${GLOBAL_TAG}:cools`,
  token: (accountId: string) => `${GLOBAL_TAG}:token:${accountId}`,
  tokenLock: (accountId: string) => `${GLOBAL_TAG}:tokenlock:${accountId}`,
  lock: (name: string) => `${GLOBAL_TAG}:lock:${name}`,
  /** The body that an Idempotency-Key came with, whatever lane it went to. Only with several lanes. */
  idempotencyBody: (scope: string, key: string) => `${GLOBAL_TAG}:idembody:${scope}:${hashedKey(key)}`,
  /** The last good lists of an account's conversion actions, by the ad account that was asked for. */
  actions: (accountId: string) => `${GLOBAL_TAG}:actions:${accountId}`,
  /** Account ids have no ':', so that no two accounts share one. */
  conversation: (accountId: string, id: string) => `${GLOBAL_TAG}:wa:conv:${accountId}:${id}`,
  /** Conversations of an account by their last activity. */
  conversations: (accountId: string) => `${GLOBAL_TAG}:wa:convs:${accountId}`,
  /** Keyed hash of a writer → the conversation that their messages go to. */
  writer: (accountId: string, hashed: string) => `${GLOBAL_TAG}:wa:who:${accountId}:${hashed}`,
  /** Keyed hash of a writer → conversations with a click, by when it was captured. */
  clicks: (accountId: string, hashed: string) => `${GLOBAL_TAG}:wa:clicks:${accountId}:${hashed}`,
  /** A message that was captured already. */
  seenMessage: (accountId: string, hashed: string) => `${GLOBAL_TAG}:wa:seen:${accountId}:${hashed}`,
  /** Pub/sub: an account or key changed; caches drop it. */
  changed: `${GLOBAL_TAG}:changed`,
  /** Pub/sub: deliveries of one API process that are complete. */
  replies: (apiId: string) => `${GLOBAL_TAG}:replies:${apiId}`,
} as const;

/** Field for an event id in the event index: as it is while short, else its hash. */
export function eventField(eventId: string): string {
  return eventId.length <= 40 ? eventId : hash('sha256', eventId, 'base64url').slice(0, 22);
}

/** The index of events is kept in buckets of one hour; a bucket expires as a whole. */
export const EVENT_BUCKET_MS = 3_600_000;
