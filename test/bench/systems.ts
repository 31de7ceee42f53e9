import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, spawnProcess, waitFor, type SpawnedProcess } from '@relay/testkit';
import { ENTRIES, NODE_ARGS } from '../../apps/cli/src/stack/paths.ts';
import { ACCOUNTS, type BenchPlatform } from './accounts.ts';
import { entry, READY_MS, type Ground } from './ground.ts';

export const SYSTEMS = ['floor', 'floor+hash', 'relay'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** One of the things that are compared: an api and a worker, each a process of its own. */
export interface System extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
  readonly api: SpawnedProcess;
  /** Throws while it is not started. */
  readonly worker: SpawnedProcess;
  startWorker(): Promise<void>;
}

type Role = 'api' | 'worker';
interface Program {
  readonly entryOf: (role: Role) => string;
  readonly nodeArgs?: Readonly<Record<Role, readonly string[]>>;
  readonly isReady: (role: Role, line: string) => boolean;
  readonly env: Record<string, string>;
  readonly apiKey: string;
}

export interface SystemOptions {
  /** `false`: what is sent waits until `startWorker`. Default: it is started. */
  readonly worker?: boolean;
  /** Whose account the relay has, and whose queue its worker drains; default Meta's. */
  readonly platform?: BenchPlatform;
}

/** On an empty Redis. */
export async function openSystem(name: SystemName, ground: Ground, { worker = true, platform = 'metaads' }: SystemOptions = {}): Promise<System> {
  await using stack = new AsyncDisposableStack();
  await ground.flush();
  const port = await freePort();
  const program = name === 'relay' ? await relay(ground, port, platform, stack) : floor(ground, port, name === 'floor+hash');
  // The smoke run starts many processes and is in a hurry; a run that measures leaves it unset.
  const env = { ...program.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };
  const start = (role: Role) => spawnProcess(program.entryOf(role), env, { readyWhen: (line) => program.isReady(role, line), timeoutMs: READY_MS, discardOnceReady: true, nodeArgs: program.nodeArgs?.[role] ?? [] });
  const processes: Partial<Record<Role, SpawnedProcess>> = {};
  // Whatever is started later ends before what was started first.
  stack.defer(async () => void (await processes.api?.stop()));
  stack.defer(async () => void (await processes.worker?.stop()));
  const startWorker = async () => void (processes.worker = await start('worker'));
  const startApi = async () => (processes.api = await start('api'));
  const [api] = await Promise.all([startApi(), worker ? startWorker() : undefined]);
  const url = `http://127.0.0.1:${port}`;
  if (name === 'relay') await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: READY_MS, what: 'the api to be ready' });
  const owned = stack.move();
  return {
    url,
    apiKey: program.apiKey,
    api,
    get worker() {
      if (processes.worker === undefined) throw new Error('the worker was not started');
      return processes.worker;
    },
    startWorker,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function floor(ground: Ground, port: number, hashing: boolean): Program {
  return {
    entryOf: (role) => entry(`./floor-${role}.ts`),
    isReady: (role, line) => line.includes(role === 'api' ? 'floor.listening' : 'floor.consuming'),
    env: { REDIS_URL: ground.redisUrl, SINK_URL: ground.sinkUrl, PORT: String(port), FLOOR_HASH: hashing ? '1' : '0' },
    apiKey: 'none',
  };
}

/** The real api and worker with their defaults; `BENCH_NODE_OPTIONS` goes to both, for a profiler. */
async function relay(ground: Ground, port: number, platform: BenchPlatform, stack: AsyncDisposableStack): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const apiKey = `rk_bench_${randomBytes(18).toString('hex')}`;
  const bootstrap = join(folder, 'bootstrap.json');
  const { id, credentials } = ACCOUNTS[platform];
  await writeFile(
    bootstrap,
    JSON.stringify({
      apiKeys: [{ name: 'bench', key: apiKey, scopes: ['send', 'read', 'manage', 'admin'], accounts: ['*'] }],
      accounts: [{ id, platform, credentials }],
    }),
    { mode: 0o600 },
  );
  const profiling = process.env['BENCH_NODE_OPTIONS'];
  const env = {
    REDIS_URL: ground.redisUrl,
    RELAY_SECRET_KEY: randomBytes(32).toString('base64'),
    RELAY_BOOTSTRAP: bootstrap,
    META_GRAPH_URL: ground.sinkUrl,
    GOOGLE_DATA_MANAGER_URL: `${ground.sinkUrl}/google`,
    GOOGLE_OAUTH_URL: `${ground.sinkUrl}/token`,
    LINKEDIN_API_URL: `${ground.sinkUrl}/linkedin`,
    PORT: String(port),
    WORKER_PORT: String(await freePort()),
    HOST: '127.0.0.1',
    WORKER_PLATFORMS: platform,
    ...(profiling !== undefined && { NODE_OPTIONS: profiling }),
  };
  return {
    entryOf: (role) => ENTRIES[role],
    nodeArgs: NODE_ARGS,
    isReady: (role, line) => line.includes(`"${role}.ready"`),
    env,
    apiKey,
  };
}
