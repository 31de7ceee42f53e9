import { readFileSync } from 'node:fs';
import type { RedisConnection } from './connect.ts';

/** Our Lua files by command name; how many of the arguments are keys is said in each file's head. */
const SCRIPTS = {
  relayAccept: { file: 'accept.lua', keys: 3 },
  relaySettle: { file: 'settle.lua', keys: 4 },
  relayReplay: { file: 'replay.lua', keys: 4 },
  relayMarkReconnect: { file: 'mark-reconnect.lua', keys: 1 },
  relayNoteStatus: { file: 'note-status.lua', keys: 1 },
} as const;
export type ScriptName = keyof typeof SCRIPTS;

/** Makes the scripts known to a connection (ioredis loads each once and calls it by its hash). */
export function defineScripts(connection: RedisConnection): void {
  for (const [name, { file, keys }] of Object.entries(SCRIPTS)) {
    connection.defineCommand(name, {
      numberOfKeys: keys,
      lua: readFileSync(new URL(`./lua/${file}`, import.meta.url), 'utf8'),
    });
  }
}

interface WithScripts {
  relaySettle(args: readonly (string | number)[]): Promise<number[]>;
  relayMarkReconnect(args: readonly (string | number)[]): Promise<number>;
  relayNoteStatus(args: readonly (string | number)[]): Promise<number>;
}

/** Runs a script on its own. Inside a transaction use `runCommand(name, args)` of BullMQ's wrapper. */
export function runSettle(connection: RedisConnection, args: readonly (string | number)[]): Promise<number[]> {
  return (connection as unknown as WithScripts).relaySettle(args);
}

export function runMarkReconnect(connection: RedisConnection, args: readonly (string | number)[]): Promise<number> {
  return (connection as unknown as WithScripts).relayMarkReconnect(args);
}

export function runNoteStatus(connection: RedisConnection, args: readonly (string | number)[]): Promise<number> {
  return (connection as unknown as WithScripts).relayNoteStatus(args);
}
