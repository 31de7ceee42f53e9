import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCommand, provideRedis, waitFor } from '@relay/testkit';
import { Redis } from 'ioredis';
import { stablePort } from './stable-port.ts';

const START_MS = 30_000;

/** A redis-server of the scenario's own, with a folder and a port that stay while it is killed and started again. */
export interface RedisNode {
  readonly port: number;
  readonly url: string;
  /** A look from beside; reconnects by itself. */
  readonly client: Redis;
  start(): Promise<void>;
  /** Ends it and waits until it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** Starts one, with an append-only file like in production unless `args` say otherwise. */
export async function startRedisNode(parts: AsyncDisposableStack, args: readonly string[] = [], program: 'redis-server' | 'redis-sentinel' = 'redis-server'): Promise<RedisNode> {
  const isSentinel = program === 'redis-sentinel';
  const binary = await findServer();
  const port = await stablePort();
  const dir = await mkdtemp(join(tmpdir(), 'relay-chaos-redis-'));
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1, lazyConnect: true, retryStrategy: (times) => Math.min(times * 50, 250) });
  client.on('error', () => undefined); // A test that takes Redis away says so itself.
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    child?.kill('SIGCONT');
    child?.kill(signal);
    await exited;
    child = undefined;
  };
  const guard = () => void child?.kill('SIGKILL');
  process.on('exit', guard);
  parts.defer(async () => {
    client.disconnect();
    await end('SIGKILL');
    process.off('exit', guard);
  });
  const node: RedisNode = {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    async start() {
      // A sentinel writes into its own configuration file, and knows nothing of data.
      const config = join(dir, 'sentinel.conf');
      if (isSentinel && !existsSync(config)) writeFileSync(config, `bind 127.0.0.1\nport ${port}\ndir ${dir}\n`);
      const all = isSentinel ? [config, '--sentinel'] : ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--daemonize', 'no', '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction', ...args];
      const started = spawn(binary, all, { stdio: 'ignore', cwd: dir });
      child = started;
      exited = once(started, 'exit');
      // Answers only when its file is loaded.
      await waitFor(async () => (await client.ping()) === 'PONG', { timeoutMs: START_MS, everyMs: 20, what: `redis-server on ${port}` });
    },
    end,
    signal: (signal) => void child?.kill(signal),
  };
  await node.start();
  return node;
}

/** The scenarios kill the server and start it again, which a container would stand in the way of. */
async function findServer(): Promise<string> {
  const names = ['redis-server', 'valkey-server'];
  const found = findCommand(names);
  if (found !== undefined) return found;
  const installed = await provideRedis({ docker: false });
  await installed.stop();
  const now = findCommand(names);
  if (now === undefined) throw new Error('redis-server is needed on the PATH: these scenarios kill it and start it again');
  return now;
}
