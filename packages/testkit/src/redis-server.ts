import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { onExit } from './on-exit.ts';
import { once, redisArgs, type ProvidedRedis } from './redis-args.ts';
import { answersPing } from './redis-ping.ts';
import { waitFor } from './wait-for.ts';

const START_MS = 20_000;
/** Loading a large append-only file takes its time; only a folder that was given can hold one. */
const START_WITH_DATA_MS = 120_000;
const STOP_MS = 10_000;
const PORT_TRIES = 5;

type ServerOptions = { readonly binary: string; readonly dataDir?: string; readonly databases: number };

/** Thrown when the given data folder belongs to a running server: trying the next way would not help. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
}

/** Starts `binary` on a free port of 127.0.0.1 with a data folder of its own, which is removed at stop when temporary. */
export async function startRedisServer(options: ServerOptions): Promise<Omit<ProvidedRedis, 'source'>> {
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'relay-redis-')));
  if (options.dataDir !== undefined) {
    await mkdir(dir, { recursive: true });
    refuseWhenInUse(dir);
  }
  const removeData = () => (options.dataDir === undefined ? rm(dir, { recursive: true, force: true }) : undefined);
  try {
    const { child, port } = await startOnFreePort(options, dir);
    const exited = new Promise<void>((resolve) => {
      if (hasExited(child)) resolve();
      else child.once('exit', () => resolve());
    });
    const guard = onExit(() => {
      child.kill('SIGKILL');
      if (options.dataDir === undefined) rmSync(dir, { recursive: true, force: true });
    });
    return {
      url: `redis://127.0.0.1:${port}`,
      ...(child.pid === undefined ? {} : { pid: child.pid }),
      persisted: () => readFolder(dir),
      stop: once(async () => {
        child.kill('SIGTERM');
        const hard = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
        await exited;
        clearTimeout(hard);
        await removeData();
        guard.forget();
      }),
    };
  } catch (error) {
    await removeData();
    throw error;
  }
}

async function startOnFreePort(options: ServerOptions, dir: string): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const { child, output } = spawnServer(options, dir, port);
    try {
      await waitFor(
        async () => {
          if (hasExited(child)) return 'ended' as const;
          return (await answersPing('127.0.0.1', port)) ? ('ready' as const) : false;
        },
        { timeoutMs: options.dataDir === undefined ? START_MS : START_WITH_DATA_MS, what: `${options.binary} to answer` },
      );
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    if (!hasExited(child)) return { child, port };
    // Taken between the look and the bind: Redis says so and ends. Anything else will not be better on another port.
    if (attempt >= PORT_TRIES || !/in use|EADDRINUSE/i.test(output())) {
      throw new Error(`${options.binary} ended at once:\n${output().trim()}`);
    }
  }
}

function spawnServer(options: ServerOptions, dir: string, port: number): { child: ChildProcess; output: () => string } {
  const args = [
    '--bind', '127.0.0.1',
    '--port', String(port),
    '--dir', dir,
    '--pidfile', join(dir, 'redis.pid'),
    '--daemonize', 'no',
    ...redisArgs(options.databases),
  ];
  // A group of its own: Ctrl-C in the terminal reaches api and worker, which still need Redis while they drain.
  const child = spawn(options.binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: dir });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4_096);
    });
  }
  child.on('error', (cause) => {
    text += cause.message;
  });
  return { child, output: () => text };
}

function hasExited(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Redis does not lock its folder, and two servers on one append-only file destroy it. */
function refuseWhenInUse(dir: string): void {
  let pid: number;
  try {
    pid = Number.parseInt(readFileSync(join(dir, 'redis.pid'), 'utf8'), 10);
    process.kill(pid, 0);
  } catch {
    return; // No file, no number or no such process: nobody is using it.
  }
  if (!isRedis(pid)) return;
  throw new DataDirInUse(`the data folder ${dir} belongs to a running Redis (process ${pid}): end it first, kill ${pid}`);
}

function isRedis(pid: number): boolean {
  try {
    return /redis|valkey/.test(readFileSync(`/proc/${pid}/comm`, 'utf8'));
  } catch {
    return true; // No /proc here (macOS): rather refuse once too often than lose data.
  }
}

async function readFolder(dir: string): Promise<Buffer> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}
