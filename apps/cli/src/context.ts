import type { Command } from 'commander';
import { UsageError } from './faults.ts';
import { createClient, type RelayClient } from './http.ts';

/** What the CLI touches of the process, so that tests can stand in for it. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and errors. */
  readonly err: (text: string) => void;
  /** Whether standard error is a terminal, so that a progress bar can be drawn. */
  readonly isTty: boolean;
}

export interface Context extends CliIo {
  /** Made on first use, so that `--help` needs no key. */
  client(): RelayClient;
  /** For the health routes, which ask for no key. */
  openClient(): RelayClient;
  /** What the process ends with if nothing throws. */
  exitCode: number;
}

export const DEFAULT_URL = 'http://127.0.0.1:8080';

export function createContext(io: CliIo): Context {
  const baseUrl = () => io.env['RELAY_URL'] || DEFAULT_URL;
  let client: RelayClient | undefined;
  return {
    ...io,
    client: () => (client ??= createClient({ baseUrl: baseUrl(), apiKey: readKey(io.env) })),
    openClient: () => createClient({ baseUrl: baseUrl(), apiKey: undefined }),
    exitCode: 0,
  };
}

function readKey(env: CliIo['env']): string {
  const key = env['RELAY_API_KEY']?.trim();
  if (key) return key;
  throw new UsageError('RELAY_API_KEY is not set: export RELAY_API_KEY=<a key of this relay> (npm start prints one)');
}

/** `--json` stands on the program and is understood after every command. */
export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals()['json'] === true;
}
