import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { onExit } from './on-exit.ts';
import { once } from './redis-args.ts';

/** Enough to read what went wrong, up to twice as many; a chatty process must not fill the test runner's memory. */
const KEPT_LINES = 20_000;
const SHOWN_LINES = 40;
const STOP_MS = 30_000;

export type SpawnOptions = {
  /** Asked for every line of standard output and standard error. Undefined: ready as soon as it runs. */
  readonly readyWhen?: (line: string) => boolean;
  /** How long to wait until it is ready; default 30 000. */
  readonly timeoutMs?: number;
  readonly args?: readonly string[];
  /** Node's own, before the file. */
  readonly nodeArgs?: readonly string[];
  readonly cwd?: string;
  /** Once it is ready, throws away what comes, unsplit: lines take time that a measurement has no part of to give. Default: false. */
  readonly discardOnceReady?: boolean;
  /** Called with every line as it comes. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
};

export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type SpawnedProcess = AsyncDisposable & {
  readonly pid: number;
  /** Resolves when the process has ended and its output is read to the end. Never rejects. */
  readonly exited: Promise<ProcessEnd>;
  /** Lines of both streams so far, in the order they came. */
  lines(): readonly string[];
  kill(signal?: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it has not ended after `graceMs` (default 30 000). Idempotent. */
  stop(graceMs?: number): Promise<ProcessEnd>;
};

/**
 * Starts a TypeScript file as a process of its own under this Node. It sees PATH, HOME, TMPDIR and `env`, nothing else, so
 * that what a test run has in its environment does not decide what is tested.
 */
export async function spawnProcess(
  entry: string,
  env: Readonly<Record<string, string | undefined>> = {},
  options: SpawnOptions = {},
): Promise<SpawnedProcess> {
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), entry, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'], ...env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const guard = onExit(() => child.kill('SIGKILL'));
  const ready = Promise.withResolvers<'ready'>();
  const exit = Promise.withResolvers<ProcessEnd>();
  const { lines, discard } = keepLines(child, (line, stream) => {
    options.onLine?.(line, stream);
    if (options.readyWhen?.(line) === true) ready.resolve('ready');
  });
  if (options.readyWhen === undefined) child.once('spawn', () => ready.resolve('ready'));
  const end = (code: number | null, signal: NodeJS.Signals | null) => {
    guard.forget();
    exit.resolve({ code, signal });
  };
  child.once('close', end);
  child.once('error', (cause) => {
    lines.push(cause.message);
    end(null, null);
  });

  const stop = (graceMs: number) => async () => {
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), graceMs);
    const ended = await exit.promise;
    clearTimeout(hard);
    return ended;
  };
  let stopping: (() => Promise<ProcessEnd>) | undefined;
  const stopOnce = (graceMs = STOP_MS) => (stopping ??= once(stop(graceMs)))();

  const timeoutMs = options.timeoutMs ?? 30_000;
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), timeoutMs);
  const first = await Promise.race([ready.promise, late.promise, exit.promise]);
  clearTimeout(timer);
  if (first !== 'ready') {
    if (first === 'late') child.kill('SIGKILL');
    const ended = await exit.promise;
    const how = first === 'late' ? `was not ready after ${timeoutMs} ms` : `ended (${ended.signal ?? ended.code}) before it was ready`;
    throw new Error(`${entry} ${how}; its last lines:\n${lines.slice(-SHOWN_LINES).join('\n')}`);
  }
  if (options.discardOnceReady === true) discard();
  return {
    pid: child.pid ?? -1,
    exited: exit.promise,
    lines: () => lines,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    stop: stopOnce,
    [Symbol.asyncDispose]: async () => void (await stopOnce()),
  };
}

/** Keeps the last lines of both streams, until what comes is to be thrown away. */
function keepLines(child: ChildProcessByStdio<null, Readable, Readable>, onLine: NonNullable<SpawnOptions['onLine']>) {
  const lines: string[] = [];
  const readers = (['stdout', 'stderr'] as const).map((stream) =>
    createInterface({ input: child[stream], crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line);
      // Not one by one: of an array that long, taking off the first moves all others.
      if (lines.length >= 2 * KEPT_LINES) lines.splice(0, KEPT_LINES);
      onLine(line, stream);
    }),
  );
  const discard = () => {
    for (const reader of readers) reader.close();
    for (const stream of [child.stdout, child.stderr]) stream.resume();
  };
  return { lines, discard };
}
