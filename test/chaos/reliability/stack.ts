import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnector, type RedisConnection } from '@relay/redis';
import { SEED } from '@relay/sandbox';
import { spawnProcess, waitFor, type ProcessEnd, type SpawnedProcess } from '@relay/testkit';
import { GOOGLE_CREDENTIALS, KEYS, SECRET_KEY, type Json } from '../../e2e/harness.ts';
import { createSandbox, SECOND_META_TOKEN, type Sandbox, type Switches } from '../../e2e/sandbox-control.ts';
import { rowOf, sampleBooks, sumOf, type LedgerRow, type Platform, type Sampled } from './ledgers.ts';
import { stablePort } from './stable-port.ts';
import { openTap, type Tap } from './tap.ts';

const APPS = join(import.meta.dirname, '../../../apps');
const STOP_MS = 10_000;
/** Fast enough for tests, slow enough to be seen. Attempts without end: an outage must not use them up. */
const FAST: Readonly<Record<string, string>> = {
  BACKOFF_BASE_MS: '50',
  BACKOFF_MAX_MS: '400',
  MAX_ATTEMPTS: '1000',
  PLATFORM_TIMEOUT_MS: '5000',
  SHUTDOWN_GRACE_MS: '15000',
  LOG_LEVEL: 'info',
};

export interface StackOptions {
  readonly redisUrl: string;
  readonly apis?: number;
  readonly workers?: number;
  readonly lanes?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly sandboxEnv?: Readonly<Record<string, string>>;
  readonly switches?: Switches;
}

/** A process that is started again after its end, at the same address, as an orchestrator does. */
export interface Member {
  readonly name: string;
  readonly url: string;
  readonly process: SpawnedProcess;
  /** How often it ended by itself and was started again. */
  readonly restarts: number;
  /** Ends it and waits until it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<ProcessEnd>;
  start(env?: Readonly<Record<string, string>>): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Json;
}

export interface Stack {
  readonly redis: RedisConnection;
  readonly sandbox: Sandbox;
  readonly tap: Tap;
  readonly apis: readonly Member[];
  readonly workers: readonly Member[];
  /** A further worker; the first is worker1. */
  addWorker(env?: Readonly<Record<string, string>>): Promise<Member>;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>, api?: Member): Promise<Answer>;
  ledger(platform: Platform): Promise<LedgerRow>;
  readonly sampled: Sampled;
  /** Log lines of one kind, of all processes so far. */
  logged(msg: string): readonly Json[];
}

/** Several apis and workers and the sandbox as processes of their own, on a Redis that the scenario brings. */
export async function startStack(parts: AsyncDisposableStack, options: StackOptions): Promise<Stack> {
  const lanes = options.lanes ?? 1;
  const lines: { readonly role: string; readonly text: string }[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'relay-chaos-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const bootstrapPath = join(folder, 'bootstrap.json');
  await writeFile(bootstrapPath, JSON.stringify(BOOTSTRAP), { mode: 0o600 });
  const redis = createConnector(options.redisUrl).open('consumer');
  parts.defer(() => redis.disconnect());

  const member = async (role: 'api' | 'worker' | 'sandbox', name: string, port: number, env: Readonly<Record<string, string>>, ready: string): Promise<Member> => {
    let running: SpawnedProcess | undefined;
    let isWanted = true;
    let restarts = 0;
    const one = {
      name,
      url: `http://127.0.0.1:${port}`,
      get process() {
        return running!;
      },
      get restarts() {
        return restarts;
      },
      async end(signal: 'SIGKILL' | 'SIGTERM') {
        isWanted = false;
        running!.kill(signal);
        return running!.exited;
      },
      async start(more: Readonly<Record<string, string>> = {}) {
        isWanted = true;
        const started = await spawnAgain(join(APPS, role, 'src/main.ts'), { ...env, ...more }, {
          readyWhen: (line) => line.includes(`"${ready}"`),
          onLine: (text) => lines.push({ role: name, text }),
          timeoutMs: 60_000,
        });
        running = started;
        void started.exited.then(async () => {
          if (!isWanted || running !== started) return;
          restarts += 1;
          // Who waits for it sees that it is not there, and this line says why.
          await one.start(more).catch((error: unknown) => lines.push({ role: name, text: JSON.stringify({ msg: 'chaos.restart_failed', error: String(error) }) }));
        });
      },
    };
    // A member that failed to start is nobody to stop; one that was frozen has to be woken to end.
    parts.defer(async () => {
      isWanted = false;
      running?.kill('SIGCONT');
      await running?.stop(STOP_MS);
    });
    await one.start();
    return one;
  };

  const sandboxPort = await stablePort();
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const tap = parts.use(await openTap(sandboxUrl));
  await member('sandbox', 'sandbox', sandboxPort, { HOST: '127.0.0.1', SANDBOX_PORT: String(sandboxPort), LOG_LEVEL: 'warn', ...options.sandboxEnv }, 'sandbox.listening');
  const sandbox = createSandbox(sandboxUrl, options.switches ?? {});
  await sandbox.baseline();
  await sandbox.token('meta', SEED.meta.whatsapp.accessToken, 'valid');

  const envOf = (name: string) => ({ ...FAST, ...environment(options.redisUrl, tap.urlFor(name), bootstrapPath, lanes), ...options.env });
  const startApi = async (n: number) => {
    const port = await stablePort();
    return member('api', `api${n}`, port, { ...envOf(`api${n}`), PORT: String(port) }, 'api.ready');
  };
  const startWorker = async (n: number, more: Readonly<Record<string, string>> = {}) => {
    const port = await stablePort();
    return member('worker', `worker${n}`, port, { ...envOf(`worker${n}`), WORKER_PORT: String(port), ...more }, 'worker.ready');
  };
  const apis = await Promise.all(Array.from({ length: options.apis ?? 2 }, (_, n) => startApi(n + 1)));
  const workers = await Promise.all(Array.from({ length: options.workers ?? 2 }, (_, n) => startWorker(n + 1)));
  const tags = (platform: Platform) => (lanes === 1 ? ['{relay}'] : Array.from({ length: lanes }, (_, n) => `{relay.${platform}.${n}}`));
  const rows = (platform: Platform): Promise<LedgerRow[]> => Promise.all(tags(platform).map(async (tag) => rowOf(await redis.hgetall(`${tag}:ledger:${platform}`))));
  const sampled = sampleBooks(parts, rows);

  return {
    redis,
    sandbox,
    sampled,
    tap,
    apis,
    workers,
    async addWorker(more) {
      const added = await startWorker(workers.length + 1, more);
      workers.push(added);
      return added;
    },
    async call(method, path, body, headers = {}, api = apis[0]!) {
      const response = await fetch(`${api.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${KEYS.full}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      return { status: response.status, retryAfter: response.headers.get('retry-after'), body: parsed(text) };
    },
    ledger: async (platform) => sumOf(await rows(platform)),
    logged: (msg) => lines.filter(({ text }) => text.includes(`"${msg}"`)).map(({ role, text }) => ({ role, ...(parsed(text) as object) })),
  };
}

/** Starts a process, and once more while its port is still taken. */
async function spawnAgain(...given: Parameters<typeof spawnProcess>): Promise<SpawnedProcess> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await spawnProcess(...given);
    } catch (error) {
      if (tries === 5 || !String(error).includes('EADDRINUSE')) throw error;
      await sleep(500);
    }
  }
}

/** Status of a worker's or api's `/readyz`; 0 while nobody answers. */
export async function readiness(member: Member): Promise<number> {
  try {
    const response = await fetch(`${member.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Waits until all of them say that they are ready; resolves with how long that took, ms. */
export async function allReady(members: readonly Member[], timeoutMs = 40_000): Promise<number> {
  const startedAt = performance.now();
  const look = async (one: Member): Promise<true> => {
    const response = await fetch(`${one.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(text);
    return true;
  };
  await Promise.all(members.map((one) => waitFor(() => look(one), { timeoutMs, everyMs: 25, what: `${one.name} to be ready` })));
  return performance.now() - startedAt;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function environment(redisUrl: string, platformUrl: string, bootstrapPath: string, lanes: number): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    REDIS_URL: redisUrl,
    QUEUE_LANES: String(lanes),
    RELAY_SECRET_KEY: SECRET_KEY,
    RELAY_BOOTSTRAP: bootstrapPath,
    META_GRAPH_URL: `${platformUrl}/meta`,
    GOOGLE_DATA_MANAGER_URL: `${platformUrl}/google/datamanager`,
    GOOGLE_ADS_URL: `${platformUrl}/google/ads`,
    GOOGLE_OAUTH_URL: `${platformUrl}/google/oauth/token`,
    LINKEDIN_API_URL: `${platformUrl}/linkedin`,
    LINKEDIN_OAUTH_URL: `${platformUrl}/linkedin/oauth/accessToken`,
  };
}

const { whatsapp } = SEED.meta;
const BOOTSTRAP = {
  apiKeys: [{ name: 'full', key: KEYS.full, scopes: ['send', 'read', 'manage', 'admin'], accounts: ['*'] }],
  accounts: [
    { id: 'acc_meta', platform: 'metaads', credentials: { accessToken: SEED.meta.accessToken } },
    { id: 'acc_meta_2', platform: 'metaads', credentials: { accessToken: SECOND_META_TOKEN } },
    { id: 'acc_google', platform: 'googleads', credentials: GOOGLE_CREDENTIALS },
    { id: 'acc_linkedin', platform: 'linkedinads', credentials: { accessToken: SEED.linkedin.accessToken, scopes: ['rw_conversions', 'r_ads'] } },
    {
      id: 'acc_wa',
      platform: 'whatsapp',
      credentials: { accessToken: whatsapp.accessToken },
      metadata: { wabaId: whatsapp.wabaId, phoneNumberId: whatsapp.phoneNumberId, connectedFacebookPageId: whatsapp.pageId },
    },
  ],
};
