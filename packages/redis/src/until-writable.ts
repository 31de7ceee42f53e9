import { setTimeout as sleep } from 'node:timers/promises';
import { messagesOf } from './connect.ts';

/**
 * Redis answers, and takes no writes for now: too few replicas are there, a failover is under way, its file is being loaded
 * or its disk is full, a script runs too long.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors; the prefixes are those of Redis 7's `server.c`
 */
const NOT_NOW = /^(NOREPLICAS|READONLY|MASTERDOWN|LOADING|MISCONF|BUSY|CLUSTERDOWN|TRYAGAIN)\b/;
/** A cluster of which a node is away: ioredis' own words, since these errors carry no code. */
const NO_NODE = /^(Too many Cluster redirections|Failed to refresh slots cache|None of startup nodes is available)/;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 1_000;

/**
 * Does a write that is safe to repeat, and does it again until Redis takes it. What a platform has answered must be written
 * down: giving up would send the events once more. As with a Redis that is away, the wait has no end of its own.
 */
export async function untilWritable<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (!messagesOf(error).some((message) => NOT_NOW.test(message) || NO_NODE.test(message))) throw error;
      await sleep(Math.min(FIRST_WAIT_MS * 2 ** tries, MAX_WAIT_MS));
    }
  }
}
