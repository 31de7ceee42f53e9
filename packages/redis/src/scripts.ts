import { readFileSync } from 'node:fs';
import type { RedisConnection } from './connect.ts';

/** Our Lua files by command name; how many of the arguments are keys is said in each file's head. */
const SCRIPTS = {
  relayAccept: { file: 'accept.lua', keys: 3 },
  relaySettle: { file: 'settle.lua', keys: 4 },
  relayReplay: { file: 'replay.lua', keys: 4 },
  relayMarkReconnect: { file: 'mark-reconnect.lua', keys: 1 },
  relayNoteStatus: { file: 'note-status.lua', keys: 1 },
  relayWriteAccount: { file: 'write-account.lua', keys: 2 },
  relayMarkSending: { file: 'mark-sending.lua', keys: 1 },
  relayCapture: { file: 'capture.lua', keys: 1 },
  relayImportConversation: { file: 'import-conversation.lua', keys: 1 },
  relayDropEqual: { file: 'drop-equal.lua', keys: 1 },
  relayAnyway: { file: 'anyway.lua', keys: 1 },
} as const;
export type ScriptName = keyof typeof SCRIPTS;
type Arguments = readonly (string | number)[];

/** Makes the scripts known to a connection (ioredis loads each once and calls it by its hash). */
export function defineScripts(connection: RedisConnection): void {
  for (const [name, { file, keys }] of Object.entries(SCRIPTS)) {
    connection.defineCommand(name, {
      numberOfKeys: keys,
      lua: luaText(file),
    });
  }
}

const INCLUDE = /^--- @include "(.+)"$/gm;

/** A file with its parts in the places where it names them, as BullMQ's own scripts do: what they define is local to the one text that Redis gets. */
function luaText(file: string): string {
  return readFileSync(new URL(`./lua/${file}`, import.meta.url), 'utf8').replaceAll(INCLUDE, (_, part: string) => luaText(part));
}

type WithScripts = {
  readonly [Name in ScriptName]: (args: Arguments) => Promise<unknown>;
};

/** Runs a script that answers with a number. Inside a transaction use `runCommand(name, args)` of BullMQ's wrapper. */
export function runScript(connection: RedisConnection, name: Exclude<ScriptName, 'relaySettle' | 'relayImportConversation' | 'relayAnyway'>, args: Arguments): Promise<number> {
  return (connection as unknown as WithScripts)[name](args) as Promise<number>;
}

/** Runs settle.lua on its own: the numbers of events that changed state, op by op. */
export function runSettle(connection: RedisConnection, args: Arguments): Promise<number[]> {
  return (connection as unknown as WithScripts).relaySettle(args) as Promise<number[]>;
}

export function runImportConversation(connection: RedisConnection, args: Arguments): Promise<'created' | 'kept'> {
  return (connection as unknown as WithScripts).relayImportConversation(args) as Promise<'created' | 'kept'>;
}

/** One small write that Redis takes also with its memory full. */
export function writeAnyway(connection: RedisConnection, key: string, command: 'SET' | 'ZADD', ...args: Arguments): Promise<unknown> {
  return (connection as unknown as WithScripts).relayAnyway([key, command, ...args]);
}
