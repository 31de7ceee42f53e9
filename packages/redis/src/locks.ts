import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RelayError } from '@relay/contract';
import type { Locks } from '@relay/delivery';
import { orUnavailable, type RedisConnection } from './connect.ts';
import { globals } from './keys.ts';
import { runScript } from './scripts.ts';

const POLL_MS = 100;

export function createLocks(connection: RedisConnection, now: () => number): Locks {
  return {
    async run(name, ttlMs, work) {
      const key = globals.lock(name);
      const owner = randomUUID();
      const deadline = now() + ttlMs;
      while ((await orUnavailable(() => connection.set(key, owner, 'PX', ttlMs, 'NX'))) === null) {
        if (now() > deadline) throw new RelayError('conflict', 'The same thing is being done by another request. Try again later.');
        await sleep(POLL_MS);
      }
      try {
        return await work();
      } finally {
        // A lock that ran out meanwhile may be another's by now. One that cannot be given back runs out by itself.
        await runScript(connection, 'relayDropEqual', [key, owner]).catch(() => 0);
      }
    },
  };
}
