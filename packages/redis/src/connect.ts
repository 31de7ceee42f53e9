import { Cluster, Redis } from 'ioredis';
import { RelayError } from '@relay/contract';
import { writeTogether } from './write-together.ts';

/** A connection of either kind. Their commands are the same, but overloads of a union type do not resolve: hence one type. */
export type RedisConnection = Redis;

/**
 * `producer`: fails fast when Redis is away (the API answers 503). `consumer`: waits for ever (a worker has nothing
 * better to do, and what it has to write down must be written). BullMQ's production guide asks for just this.
 * `subscriber`: a consumer that takes care of its subscriptions by itself (keep-subscribed.ts).
 */
export type ConnectionRole = 'producer' | 'consumer' | 'subscriber';

/** Opens connections to the Redis that `REDIS_URL` names. Who opens one closes it. */
export interface Connector {
  open(role: ConnectionRole): RedisConnection;
  readonly isCluster: boolean;
}

/**
 * A connection on which an answer is due and nothing comes for this long is opened anew: its other end may be gone without a
 * word (a failed-over host, a firewall), and the system would notice only after a quarter of an hour. A consumer's
 * blocking commands take up to 10 s. What a producer waits for fails then, and its caller hears 503; a `commandTimeout`
 * besides would be a timer for every command.
 */
const SILENCE_MS: Readonly<Record<ConnectionRole, number>> = { producer: 8_000, consumer: 30_000, subscriber: 30_000 };
const RECONNECT_MAX_MS = 2_000;

/**
 * `redis://…`, `rediss://…`, `redis+sentinel://[user:password@]host:port,host:port/<master name>[/<db>]`,
 * `redis+cluster://[user:password@]host:port,host:port`.
 * @throws Error naming REDIS_URL when it is none of these.
 */
export function createConnector(redisUrl: string): Connector {
  const target = parseRedisUrl(redisUrl);
  return {
    isCluster: target.kind === 'cluster',
    open(role) {
      const options = roleOptions(role);
      switch (target.kind) {
        case 'single':
          return guard(new Redis(target.url, options));
        case 'sentinel':
          return guard(
            new Redis({ ...options, sentinels: target.hosts, name: target.master, db: target.db, ...target.auth }),
          );
        case 'cluster':
          return guard(
            connectedAtOnce(new Cluster(target.hosts, {
              redisOptions: { ...shared(options), ...target.auth },
              enableOfflineQueue: role !== 'producer',
              // ioredis (6.0) never settles a connect() whose check of the cluster's state fails once, and BullMQ's blocking wait
              // goes through one: a worker would be connected and take no more jobs. Slots that are down answer for themselves.
              enableReadyCheck: false,
              // A write that was on its way when the connection broke may have happened: it is not sent again by itself.
              ...(role === 'producer' && { retryDelayOnFailover: 0 }),
              clusterRetryStrategy: (times) => Math.min(times * 100, RECONNECT_MAX_MS),
            }), role) as unknown as Redis,
          );
      }
    },
  };
}

/**
 * A producer connects to a node as soon as it is known. ioredis would with the first command, and refuse the producer's next ones
 * while that goes on: of several that are given together all but one would fail. Others' commands wait.
 */
function connectedAtOnce(cluster: Cluster, role: ConnectionRole): Cluster {
  if (role === 'producer') cluster.on('+node', (node: Redis) => void node.ping().catch(() => undefined)); // whoever needs the node hears of it
  return cluster;
}

/** What a cluster lets its nodes' connections be told. */
function shared({ maxRetriesPerRequest, connectTimeout, socketTimeout }: ReturnType<typeof roleOptions>) {
  return { maxRetriesPerRequest, connectTimeout, socketTimeout };
}

function roleOptions(role: ConnectionRole): {
  retryStrategy: (times: number) => number;
  maxRetriesPerRequest: number | null;
  connectTimeout: number;
  socketTimeout: number;
  reconnectOnError: (error: Error) => boolean;
  enableOfflineQueue?: boolean;
  autoResubscribe?: boolean;
} {
  const retryStrategy = (times: number) => Math.min(times * 50, RECONNECT_MAX_MS);
  // A master that became a replica: the new one is behind the same address by now, or Sentinel names it.
  const reconnectOnError = ({ message }: Error) => message.startsWith('READONLY');
  const socketTimeout = SILENCE_MS[role];
  return role === 'producer'
    ? {
        retryStrategy,
        enableOfflineQueue: false,
        // With 0, what was on its way when the connection broke fails at once. ioredis would otherwise send it again, a
        // whole transaction too, although it may have happened, and without the WATCH that guarded it.
        maxRetriesPerRequest: 0,
        connectTimeout: 5_000,
        socketTimeout,
        reconnectOnError,
      }
    : { retryStrategy, reconnectOnError, maxRetriesPerRequest: null, connectTimeout: 5_000, socketTimeout, autoResubscribe: role !== 'subscriber' };
}

/** Connection errors surface where a command fails; without a listener Node would end the process. */
function guard<T extends RedisConnection>(connection: T): T {
  connection.on('error', () => {});
  return writeTogether(connection);
}

type Target =
  | { kind: 'single'; url: string }
  | { kind: 'sentinel'; hosts: Host[]; master: string; db: number; auth: Auth }
  | { kind: 'cluster'; hosts: Host[]; auth: Auth };
type Host = { host: string; port: number };
type Auth = { username?: string; password?: string };

/** @throws Error naming REDIS_URL. */
export function parseRedisUrl(redisUrl: string): Target {
  if (/^rediss?:\/\//.test(redisUrl)) return { kind: 'single', url: redisUrl };
  const many = /^redis\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/?]+)(\/[^?]*)?$/.exec(redisUrl);
  if (many === null) {
    throw new Error('REDIS_URL must start with redis://, rediss://, redis+sentinel:// or redis+cluster://');
  }
  const [, kind, login, hostList, path] = many;
  const auth = parseAuth(login);
  const hosts = hostList!.split(',').map((part) => parseHost(part, kind === 'sentinel' ? 26379 : 6379));
  if (kind === 'cluster') return { kind: 'cluster', hosts, auth };
  const [master, db] = (path ?? '').split('/').filter(Boolean);
  if (master === undefined) throw new Error('REDIS_URL: redis+sentinel:// needs the master name as its path');
  return { kind: 'sentinel', hosts, master: decodeURIComponent(master), db: Number(db ?? 0), auth };
}

function parseHost(part: string, defaultPort: number): Host {
  const match = /^(\[[^\]]+\]|[^:@]+)(?::(\d+))?$/.exec(part.trim());
  // Not quoted: with an "@" or "/" in a password, part of it stands here.
  if (match === null) throw new Error('REDIS_URL: hosts are written host:port, with commas between them; @, / and % of a password as %40, %2F and %25');
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: match[2] === undefined ? defaultPort : Number(match[2]) };
}

function parseAuth(login: string | undefined): Auth {
  if (login === undefined || login === '') return {};
  const at = login.indexOf(':');
  const username = decodeURIComponent(at === -1 ? login : login.slice(0, at));
  const password = at === -1 ? '' : decodeURIComponent(login.slice(at + 1));
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

/** Seconds a caller is asked to wait when Redis cannot take its request. */
export const STORAGE_RETRY_AFTER_SECONDS = 5;

/** Runs a Redis operation of the API's; whatever goes wrong with Redis becomes a 503. */
export async function orUnavailable<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    throw unavailable(cause);
  }
}

/** The 503 for what went wrong with Redis: `queue_full` when its memory is full, else `storage_unavailable`. */
export function unavailable(cause: unknown): RelayError {
  const full = isMemoryFull(cause);
  return new RelayError(
    full ? 'queue_full' : 'storage_unavailable',
    full
      ? 'The queue is full. Nothing was stored; send the same request again later.'
      : 'The queue cannot be reached. Send the same request again later.',
    { retryAfterSeconds: STORAGE_RETRY_AFTER_SECONDS, cause },
  );
}

/** Whether Redis refused a write because its memory is full. */
export function isMemoryFull(cause: unknown): boolean {
  return messagesOf(cause).some((message) => /OOM command not allowed/.test(message));
}

/** The error's text, and for a discarded transaction the texts of what made Redis discard it (ioredis: `previousErrors`). */
export function messagesOf(cause: unknown): string[] {
  if (!(cause instanceof Error)) return [];
  const { previousErrors = [] } = cause as Error & { previousErrors?: readonly Error[] };
  return [cause.message, ...previousErrors.map((error) => error.message)];
}
