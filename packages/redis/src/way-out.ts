import type { RedisConnection } from './connect.ts';

/**
 * BullMQ's scripts that take jobs out of a queue or give them back. Taking one (RPOPLPUSH, a lock) is a write that Redis
 * refuses once its memory is full; without them a full queue could never become empty again by itself.
 */
const WAY_OUT = new Set(['moveToActive', 'moveToFinished', 'moveToDelayed', 'moveJobFromActiveToWait', 'retryJob', 'extendLocks', 'moveStalledJobsToWait']);
/** The same as in the head of settle.lua. https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags (read 2026-11-20) */
const ALLOW_OOM = '#!lua flags=allow-oom\n';

/** From now on the connection defines these scripts so that they run with memory full too. Before BullMQ gets the connection. */
export function keepWayOutOpen(connection: RedisConnection): RedisConnection {
  const define = connection.defineCommand.bind(connection);
  connection.defineCommand = (name, definition) => {
    // BullMQ's command names end in its version: moveToActive:6.7.0
    const open = WAY_OUT.has(name.split(':')[0]!);
    define(name, open ? { ...definition, lua: ALLOW_OOM + definition.lua } : definition);
  };
  return connection;
}
