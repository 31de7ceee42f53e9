import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnProcess, waitFor, type ProcessEnd, type SpawnedProcess } from '@relay/testkit';
import { ENTRIES, NODE_ARGS, type Role } from './paths.ts';

const READY_MS = 60_000;
const ANSWER_MS = 2_000;
const SHOWN_LINES = 15;
/** From a signal to the line that tells of it. */
const HEARD_WITHIN_MS = 150;

/** A process of the stack ended by itself. */
export class RoleEnded extends Error {
  override readonly name = 'RoleEnded';
  constructor(role: Role, end: ProcessEnd, lines: readonly string[]) {
    const how = end.signal === null ? `with code ${end.code}` : `by ${end.signal}`;
    const last = lines.slice(-SHOWN_LINES).map((line) => `  ${line}`);
    super([`the ${role} ended ${how}; its last lines:`, ...last].join('\n'));
  }
}

export interface RoleOptions {
  readonly role: Role;
  readonly env: Readonly<Record<string, string>>;
  /** Answers 2xx once the role can be used. */
  readonly readyUrl: string;
  readonly logFolder: string;
  /** Owns the process from the moment it runs. */
  readonly parts: AsyncDisposableStack;
  readonly stopGraceMs: number;
  /** Its log goes on where the last one ended, instead of anew; default: false. */
  readonly keepLog?: boolean;
}

/** Starts one role, waits until it is ready, and keeps its log in a file. */
export async function startRole({ role, env, readyUrl, logFolder, parts, stopGraceMs, keepLog = false }: RoleOptions): Promise<SpawnedProcess> {
  const log = createWriteStream(join(logFolder, `${role}.log`), { mode: 0o600, flags: keepLog ? 'a' : 'w' });
  const child = await spawnProcess(ENTRIES[role], env, { nodeArgs: NODE_ARGS[role], onLine: (line) => void log.write(`${line}\n`) });
  parts.defer(async () => {
    await stopOnce(child, stopGraceMs);
    log.end();
  });
  const ended = child.exited.then((end) => {
    throw new RoleEnded(role, end, child.lines());
  });
  ended.catch(() => undefined); // Ends one day, ready or not; only a race that is still on may hear of it.
  await Promise.race([ended, waitFor(() => answersOk(readyUrl), { timeoutMs: READY_MS, everyMs: 50, what: `the ${role} to be ready at ${readyUrl}` })]);
  return child;
}

/**
 * Ctrl-C in a terminal goes to the whole process group, and a second signal would cut a role's own shutdown short: one that
 * is stopping already is only waited for.
 */
async function stopOnce(child: SpawnedProcess, graceMs: number): Promise<void> {
  await Promise.race([child.exited, delay(HEARD_WITHIN_MS, undefined, { ref: false })]);
  if (child.lines().some((line) => line.includes('"process.stopping"'))) await Promise.race([child.exited, delay(graceMs, undefined, { ref: false })]);
  await child.stop(graceMs);
}

async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  await response.body?.cancel();
  return response.ok;
}

/** A role that dies more often than this within a minute is not restarted any more. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW_MS = 60_000;
const RESTART_AFTER_MS = 1_000;

/** What an orchestrator does: starts the role again when it ends by itself. Resolves once it is ready for the first time. */
export async function superviseRole(options: RoleOptions, say: (line: string) => void): Promise<{ readonly broken: Promise<never> }> {
  let stopping = false;
  const start = async (keepLog: boolean): Promise<SpawnedProcess> => {
    const child = await startRole({ ...options, keepLog });
    // Closed before the role itself, so that its end is not taken for a crash.
    options.parts.defer(() => {
      stopping = true;
    });
    return child;
  };
  let child = await start(false);
  const watch = async (): Promise<never> => {
    const endedAt: number[] = [];
    for (;;) {
      const end = await child.exited;
      if (stopping) return new Promise<never>(() => undefined);
      const fault = new RoleEnded(options.role, end, child.lines());
      endedAt.push(Date.now());
      if (endedAt.filter((at) => at > Date.now() - RESTART_WINDOW_MS).length > MAX_RESTARTS) throw fault;
      say(`${fault.message.split(';')[0]}; starting it again`);
      await delay(RESTART_AFTER_MS);
      if (stopping) return new Promise<never>(() => undefined);
      child = await start(true); // what the last one wrote says why it died
    }
  };
  const broken = watch();
  broken.catch(() => undefined); // Heard by whoever waits for the stack.
  return { broken };
}
