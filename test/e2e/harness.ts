import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SEED } from '@relay/sandbox';
import { freePort, freshDatabase, spawnProcess, waitFor, type SpawnedProcess } from '@relay/testkit';
import { Zernio } from '@zernio/node';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import type { SendBody } from './events.ts';
import { tapWire } from './wire-tap.ts';
import { createSandbox, SECOND_META_TOKEN, type Sandbox, type Switches } from './sandbox-control.ts';

const ENTRIES = {
  api: join(import.meta.dirname, '../../apps/api/src/main.ts'),
  worker: join(import.meta.dirname, '../../apps/worker/src/main.ts'),
  sandbox: join(import.meta.dirname, '../../apps/sandbox/src/main.ts'),
} as const;
type Role = keyof typeof ENTRIES;

export const KEYS = {
  /** Everything, on all accounts. */
  full: `rk_test_${randomBytes(24).toString('base64url')}`,
  /** Sends and reads, on `acc_meta` alone. */
  bound: `rk_test_${randomBytes(24).toString('base64url')}`,
  /** Reads, on all accounts. */
  reader: `rk_test_${randomBytes(24).toString('base64url')}`,
} as const;
export const OPS = { user: 'operator', password: randomBytes(12).toString('base64url') } as const;
/** Fast enough for tests, slow enough to be seen. */
const FAST: Readonly<Record<string, string>> = {
  BACKOFF_BASE_MS: '50',
  BACKOFF_MAX_MS: '400',
  PLATFORM_TIMEOUT_MS: '2000',
  SHUTDOWN_GRACE_MS: '20000',
};
const PLATFORMS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const;
export type Platform = (typeof PLATFORMS)[number];
const STOP_MS = 25_000;

export interface RelayOptions {
  /** For api and workers, over the defaults above. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 1. */
  readonly workers?: number;
  /** Of the sandbox; set again after each `sandbox.reset()`. */
  readonly sandbox?: Switches;
  /** Keep every request to a platform, with headers and body, in `wire()`. */
  readonly tap?: boolean;
  /** A Redis of the test's own. Default: a fresh database of the run's. */
  readonly redisUrl?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** `undefined`: not JSON. */
  readonly body: Json;
  readonly text: string;
}
/** Answers are looked into freely; what they must hold is what the tests assert. */
// eslint-disable-next-line typescript/no-explicit-any
export type Json = any;

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the key that may do everything; null: none. */
  readonly key?: string | null;
}

export interface LedgerRow {
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
  readonly held: number;
  readonly pending: number;
  readonly refused: number;
  /** accepted - delivered - dead - held - pending. */
  readonly imbalance: number;
}
export interface Books {
  /** Platforms whose ledger does not add up. */
  readonly off: readonly unknown[];
  readonly pending: number;
  readonly held: number;
}
/** Nothing lost, nothing open. */
export const BALANCED: Books = { off: [], pending: 0, held: 0 };
export interface LogLine {
  readonly role: string;
  readonly text: string;
}
export interface RunningWorker {
  readonly name: string;
  readonly url: string;
  readonly process: SpawnedProcess;
}

export type Relay = Awaited<ReturnType<typeof startRelay>>;

/** api, workers and sandbox as processes of their own, against a real Redis. */
export async function startRelay(options: RelayOptions = {}) {
  const parts = new AsyncDisposableStack();
  const logs: LogLine[] = [];
  const run = (role: Role, name: string, env: Readonly<Record<string, string>>, ready: string): Promise<SpawnedProcess> =>
    spawnProcess(ENTRIES[role], env, {
      readyWhen: (line) => line.includes(`"${ready}"`),
      onLine: (text) => logs.push({ role: name, text }),
    });
  try {
    const redisUrl = options.redisUrl ?? (await freshDatabase(inject('redisUrl')));
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: 3 });
    redis.on('error', () => undefined); // A test that takes Redis away says so itself.
    parts.defer(() => redis.disconnect());
    const folder = await mkdtemp(join(tmpdir(), 'relay-e2e-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    const bootstrapPath = join(folder, 'bootstrap.json');
    await writeFile(bootstrapPath, JSON.stringify(BOOTSTRAP), { mode: 0o600 });
    const [sandboxPort, apiPort] = [await freePort(), await freePort()];
    const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
    const apiUrl = `http://127.0.0.1:${apiPort}`;
    const tap = options.tap === true ? parts.use(await tapWire(sandboxUrl)) : undefined;
    const env = { ...FAST, ...environment(redisUrl, tap?.url ?? sandboxUrl, bootstrapPath), ...options.env };
    const sandboxControl = createSandbox(sandboxUrl, options.sandbox ?? {});

    const workers: RunningWorker[] = [];
    let started = 0;
    const startWorker = async (more: Readonly<Record<string, string>> = {}): Promise<RunningWorker> => {
      started += 1;
      const name = `worker${started}`;
      const port = await freePort();
      const process = await run('worker', name, { ...env, WORKER_PORT: String(port), ...more }, 'worker.ready');
      const worker = { name, url: `http://127.0.0.1:${port}`, process };
      workers.push(worker);
      return worker;
    };
    // Whatever of it came up is stopped, also when another part did not.
    parts.defer(async () => void (await Promise.all(workers.map((worker) => worker.process.stop(STOP_MS)))));
    const start = async (role: 'api' | 'sandbox', more: Record<string, string>, ready: string): Promise<SpawnedProcess> => {
      const process = await run(role, role, { ...env, ...more }, ready);
      parts.defer(async () => void (await process.stop(STOP_MS)));
      return process;
    };
    const starting = start('api', { PORT: String(apiPort) }, 'api.ready');
    await allOf([
      starting,
      start('sandbox', { SANDBOX_PORT: String(sandboxPort), LOG_LEVEL: 'warn' }, 'sandbox.listening'),
      ...Array.from({ length: options.workers ?? 1 }, () => startWorker()),
    ]);
    const api = await starting;
    await sandboxControl.baseline();

    return {
      url: apiUrl,
      redis,
      redisUrl,
      sandbox: sandboxControl satisfies Sandbox,
      /** Requests to the platforms so far, with `tap`. */
      wire: () => tap?.seen ?? [],
      workers,
      startWorker,
      ...createCalls(apiUrl),
      client: (key: string = KEYS.full, headers: Record<string, string> = {}) => new Zernio({ apiKey: key, baseURL: apiUrl, defaultHeaders: headers }),
      /** Every line that api and workers have written so far. */
      logs: (): readonly LogLine[] => logs.filter(({ role }) => role !== 'sandbox'),
      /** Log lines of one kind, parsed: `logged('delivery.attempted')`. */
      logged: (msg: string): readonly Json[] => logs.filter(({ text }) => text.includes(`"${msg}"`)).map(({ role, text }) => ({ role, ...(JSON.parse(text) as object) })),
      /** Ends a worker and forgets it. */
      async killWorker(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL', worker: RunningWorker = workers[0]!) {
        workers.splice(workers.indexOf(worker), 1);
        worker.process.kill(signal);
        return worker.process.exited;
      },
      stopApi: () => api.stop(STOP_MS),
      async killApi() {
        api.kill('SIGKILL');
        return api.exited;
      },
      ledger: (platform: Platform) => readLedger(redis, platform),
      /** All platforms together; compare with `BALANCED`. */
      async books(): Promise<Books> {
        const rows = await Promise.all(PLATFORMS.map(async (platform) => ({ platform, ...(await readLedger(redis, platform)) })));
        const sum = (name: 'pending' | 'held') => rows.reduce((total, row) => total + row[name], 0);
        return { off: rows.filter(({ imbalance }) => imbalance !== 0), pending: sum('pending'), held: sum('held') };
      },
      stop: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

/** All of them to their end, so that nothing starts behind our back after a failure. */
async function allOf(starts: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(starts);
  await Promise.all(starts);
}

/** Plain HTTP, for what the client does not show: status, headers, malformed bodies. */
function createCalls(apiUrl: string) {
  const call = async (method: string, path: string, { body, headers, key }: CallOptions = {}): Promise<Answer> => {
    const isText = typeof body === 'string';
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key ?? KEYS.full}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text), text };
  };
  const delivery = async (deliveryId: string): Promise<Json> => {
    const { status, body } = await call('GET', `/v1/deliveries/${deliveryId}`);
    if (status !== 200) throw new Error(`the delivery answered ${status}`);
    return body;
  };
  return {
    call,
    send: (body: SendBody, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => call('POST', '/v1/ads/conversions', { body, headers }),
    /** Queued, not waited for. */
    async queue(body: SendBody, headers: Readonly<Record<string, string>> = {}): Promise<string> {
      const answer = await call('POST', '/v1/ads/conversions', { body, headers: { prefer: 'respond-async', ...headers } });
      if (answer.status !== 202) throw new Error(`not queued: ${answer.status} ${answer.text}`);
      return answer.body.deliveryId as string;
    },
    delivery,
    /** The delivery once every event has a final answer. */
    settled: (deliveryId: string, timeoutMs = 15_000): Promise<Json> =>
      waitFor(
        async () => {
          const state = await delivery(deliveryId);
          return state.eventsPending === 0 ? state : false;
        },
        { timeoutMs, what: `delivery ${deliveryId} to have its final answer` },
      ),
    deadLetters: async (query: string): Promise<Json[]> => (await call('GET', `/v1/dead-letters?${query}`)).body.deadLetters,
    metrics: async (): Promise<string> => (await call('GET', '/metrics', { key: null })).text,
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readLedger(redis: Redis, platform: Platform): Promise<LedgerRow> {
  // One hash a lane; with one lane it is {relay}:ledger:<platform>.
  const keys = await redis.keys(`{relay*}:ledger:${platform}`);
  const hashes = await Promise.all(keys.map((key) => redis.hgetall(key)));
  const of = (name: string) => hashes.reduce((sum, hash) => sum + Number(hash[name] ?? 0), 0);
  const row = { accepted: of('accepted'), delivered: of('delivered'), dead: of('dead'), held: of('held'), pending: of('pending'), refused: of('refused') };
  return { ...row, imbalance: row.accepted - row.delivered - row.dead - row.held - row.pending };
}

function environment(redisUrl: string, sandboxUrl: string, bootstrapPath: string): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    LOG_LEVEL: 'debug',
    REDIS_URL: redisUrl,
    RELAY_SECRET_KEY: SECRET_KEY,
    RELAY_BOOTSTRAP: bootstrapPath,
    OPS_USER: OPS.user,
    OPS_PASSWORD: OPS.password,
    META_GRAPH_URL: `${sandboxUrl}/meta`,
    META_APP_SECRET: SEED.meta.whatsapp.appSecret,
    META_VERIFY_TOKEN: SEED.meta.whatsapp.verifyToken,
    GOOGLE_DATA_MANAGER_URL: `${sandboxUrl}/google/datamanager`,
    GOOGLE_ADS_URL: `${sandboxUrl}/google/ads`,
    GOOGLE_OAUTH_URL: `${sandboxUrl}/google/oauth/token`,
    LINKEDIN_API_URL: `${sandboxUrl}/linkedin`,
    LINKEDIN_OAUTH_URL: `${sandboxUrl}/linkedin/oauth/accessToken`,
  };
}

export const SECRET_KEY = randomBytes(32).toString('base64');
const { google, linkedin, meta } = SEED;
export const GOOGLE_CREDENTIALS = {
  clientId: google.clientId,
  clientSecret: google.clientSecret,
  refreshToken: google.refreshToken,
  developerToken: google.developerToken,
  loginCustomerId: google.loginCustomerId,
} as const;
const BOOTSTRAP = {
  apiKeys: [
    { name: 'full', key: KEYS.full, scopes: ['send', 'read', 'manage', 'admin'], accounts: ['*'] },
    { name: 'bound', key: KEYS.bound, scopes: ['send', 'read'], accounts: ['acc_meta'] },
    { name: 'reader', key: KEYS.reader, scopes: ['read'], accounts: ['*'] },
  ],
  accounts: [
    { id: 'acc_meta', platform: 'metaads', credentials: { accessToken: meta.accessToken } },
    { id: 'acc_meta_2', platform: 'metaads', credentials: { accessToken: SECOND_META_TOKEN } },
    { id: 'acc_google', platform: 'googleads', credentials: GOOGLE_CREDENTIALS },
    { id: 'acc_linkedin', platform: 'linkedinads', credentials: { accessToken: linkedin.accessToken, scopes: ['rw_conversions', 'r_ads'] } },
    { id: 'acc_wa', platform: 'whatsapp', credentials: { accessToken: meta.whatsapp.accessToken }, metadata: { wabaId: meta.whatsapp.wabaId, phoneNumberId: meta.whatsapp.phoneNumberId } },
    { id: 'acc_linkedin_narrow', platform: 'linkedinads', credentials: { accessToken: linkedin.accessTokenWithoutScope, scopes: ['r_ads'] } },
  ],
};
