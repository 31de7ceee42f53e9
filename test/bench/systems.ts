import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { freePort, provideRedis, spawnProcess, waitFor } from '@relay/testkit';

export type SystemName = 'floor' | 'floor+hash' | 'relay';

/** One of the things that are compared: its API's address, and how to end it. */
export interface System extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
}
/** Redis and sink, shared by what is measured one after the other. */
export interface Ground extends AsyncDisposable {
  readonly redisUrl: string;
  readonly sinkUrl: string;
  resetSink(latencyMs?: number): Promise<void>;
  sunk(): Promise<{ requests: number; events: number }>;
  flush(): Promise<void>;
}

const entry = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const READY_MS = 30_000;

export async function openGround(): Promise<Ground> {
  const stack = new AsyncDisposableStack();
  const redis = await provideRedis({ docker: false });
  stack.defer(() => redis.stop());
  const port = await freePort();
  const sink = await spawnProcess(entry('./sink.ts'), { SINK_PORT: String(port) }, { readyWhen: (line) => line.includes('sink.listening'), timeoutMs: READY_MS });
  stack.defer(async () => void (await sink.stop()));
  const sinkUrl = `http://127.0.0.1:${port}`;
  const control = new Redis(redis.url);
  stack.defer(() => control.disconnect());
  return {
    redisUrl: redis.url,
    sinkUrl,
    resetSink: async (latencyMs = 0) => void (await fetch(`${sinkUrl}/reset?ms=${latencyMs}`, { method: 'POST', signal: AbortSignal.timeout(5000) })),
    sunk: async () => (await (await fetch(`${sinkUrl}/count`, { signal: AbortSignal.timeout(5000) })).json()) as { requests: number; events: number },
    flush: async () => void (await control.flushall()),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export function openSystem(name: SystemName, ground: Ground): Promise<System> {
  return name === 'relay' ? openRelay(ground) : openFloor(ground, name === 'floor+hash');
}

async function openFloor(ground: Ground, hashing: boolean): Promise<System> {
  const stack = new AsyncDisposableStack();
  const port = await freePort();
  const env = { REDIS_URL: ground.redisUrl, SINK_URL: ground.sinkUrl, PORT: String(port), FLOOR_HASH: hashing ? '1' : '0' };
  const worker = await spawnProcess(entry('./floor-worker.ts'), env, { readyWhen: (line) => line.includes('floor.consuming'), timeoutMs: READY_MS });
  stack.defer(async () => void (await worker.stop()));
  const api = await spawnProcess(entry('./floor-api.ts'), env, { readyWhen: (line) => line.includes('floor.listening'), timeoutMs: READY_MS });
  stack.defer(async () => void (await api.stop()));
  return { url: `http://127.0.0.1:${port}`, apiKey: 'none', [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function openRelay(ground: Ground): Promise<System> {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'relay-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [port, workerPort] = [await freePort(), await freePort()];
  const apiKey = `rk_bench_${randomBytes(18).toString('hex')}`;
  const bootstrap = join(folder, 'bootstrap.json');
  await writeFile(
    bootstrap,
    JSON.stringify({
      apiKeys: [{ name: 'bench', key: apiKey, scopes: ['send', 'read', 'manage', 'admin'], accounts: ['*'] }],
      accounts: [{ id: 'acc_meta', platform: 'metaads', credentials: { accessToken: 'bench-token' } }],
    }),
    { mode: 0o600 },
  );
  const env = {
    REDIS_URL: ground.redisUrl,
    RELAY_SECRET_KEY: randomBytes(32).toString('base64'),
    RELAY_BOOTSTRAP: bootstrap,
    META_GRAPH_URL: ground.sinkUrl,
    PORT: String(port),
    WORKER_PORT: String(workerPort),
    HOST: '127.0.0.1',
    WORKER_PLATFORMS: 'metaads',
  };
  for (const role of ['api', 'worker']) {
    const process = await spawnProcess(entry(`../../apps/${role}/src/main.ts`), env, { readyWhen: (line) => line.includes(`"${role}.ready"`), timeoutMs: READY_MS });
    stack.defer(async () => void (await process.stop()));
  }
  await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, { timeoutMs: READY_MS, what: 'the api to be ready' });
  return { url: `http://127.0.0.1:${port}`, apiKey, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
