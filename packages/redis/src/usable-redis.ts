import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import type { RedisConnection } from './connect.ts';

/** Oldest Redis that runs our scripts as they are (`flags=allow-oom` in a script's head came with 7.0). */
const MIN_MAJOR = 7;
const FIRST_POLL_MS = 5;
const POLL_MS = 250;
/** A cluster's node that is down is not waited for longer: its slots answer for themselves. */
const NODES_MS = 2_000;

/**
 * Waits until Redis answers, then looks whether it can be trusted with events.
 * @throws Error with the reason and the way to mend it.
 */
export async function requireUsableRedis(connection: RedisConnection): Promise<void> {
  await answering(connection);
  const cluster = connection as unknown;
  const nodes = cluster instanceof Cluster ? cluster.nodes('master') : [connection];
  for (const node of nodes) {
    const info = await node.info();
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      throw new Error(
        `Redis has maxmemory-policy "${policy}": under memory pressure it would throw accepted events away. ` +
          'Set it to noeviction (redis-cli config set maxmemory-policy noeviction, and in redis.conf) and start again.',
      );
    }
    const version = /redis_version:(\d+)\.(\S+)/.exec(info);
    if (version !== null && Number(version[1]) < MIN_MAJOR) {
      throw new Error(`Redis is version ${version[1]}.${version[2]}; the relay needs ${MIN_MAJOR}.0 or newer (or Valkey).`);
    }
  }
}

/** Waits until the connection can be used; until then commands of a producer's fail at once. */
export async function answering(connection: RedisConnection): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await connection.ping();
      await nodesConnected(connection);
      return;
    } catch {
      // Not there yet, or still loading its file; orchestrators start things in any order.
      await sleep(Math.min(FIRST_POLL_MS * 2 ** tries, POLL_MS));
    }
  }
}

async function nodesConnected(connection: unknown): Promise<void> {
  if (!(connection instanceof Cluster)) return;
  const pings = connection.nodes('master').map((node) => node.ping());
  await Promise.race([Promise.allSettled(pings), sleep(NODES_MS, undefined, { ref: false })]);
}
