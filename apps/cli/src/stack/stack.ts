import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, provideRedis, type SpawnedProcess } from '@relay/testkit';
import { bootstrapOf } from './bootstrap.ts';
import { relayEnvironment } from './environment.ts';
import { KEPT, type Role } from './paths.ts';
import { anyPorts, usualPorts } from './ports.ts';
import { keptSecrets, newSecrets, writePrivate, type StackSecrets } from './secrets.ts';
import { RoleEnded, startRole, superviseRole } from './start-role.ts';

export interface StackOptions {
  /** `demo`: free ports, nothing left behind. `start`: the usual ports; data and secrets stay in `.relay/`. */
  readonly mode: 'demo' | 'start';
  /** What `REDIS_URL` says; undefined or empty: one is found or started. */
  readonly redisUrl: string | undefined;
  readonly say: (line: string) => void;
}

export interface Stack {
  readonly apiUrl: string;
  readonly workerUrl: string;
  readonly sandboxUrl: string;
  readonly redisUrl: string;
  readonly secrets: StackSecrets;
  readonly logFolder: string;
  /** Rejects when a process of the stack ends by itself (`start`: and cannot be kept running). */
  readonly broken: Promise<never>;
}

const STOP_GRACE_MS = { demo: 5_000, start: 25_000 } as const;

/** Opens the whole stack onto `parts`, which closes it in reverse: worker, api, sandbox, Redis, files. */
export async function startStack(parts: AsyncDisposableStack, options: StackOptions): Promise<Stack> {
  const { mode } = options;
  const folder = mode === 'start' ? KEPT : await temporaryFolder(parts);
  const logFolder = join(folder, 'logs');
  await mkdir(logFolder, { recursive: true, mode: 0o700 });
  const secrets = mode === 'start' ? await keptSecrets(folder) : newSecrets();
  const bootstrapPath = join(folder, 'bootstrap.json');
  await writePrivate(bootstrapPath, JSON.stringify(bootstrapOf(secrets.apiKey), null, 2));
  const ports = mode === 'start' ? await usualPorts(options.say) : await anyPorts();
  const redisUrl = await openRedis(parts, options, folder);

  const at = (port: number) => `http://127.0.0.1:${port}`;
  const sandboxUrl = at(ports.sandbox);
  const stopGraceMs = STOP_GRACE_MS[mode];
  const shared = relayEnvironment({ redisUrl, sandboxUrl, bootstrapPath, shutdownGraceMs: stopGraceMs }, secrets);
  const common = { logFolder, parts, stopGraceMs: stopGraceMs + 5_000 };
  const ops = { OPS_USER: secrets.opsUser, OPS_PASSWORD: secrets.opsPassword };
  // The sandbox first, so that it is the last to go: what is in flight can still be answered.
  const sandbox = await startRole({ ...common, role: 'sandbox', env: { HOST: '127.0.0.1', SANDBOX_PORT: String(ports.sandbox) }, readyUrl: `${sandboxUrl}/_control/healthz` });
  const api = { ...common, role: 'api' as const, env: { ...shared, ...ops, PORT: String(ports.api) }, readyUrl: `${at(ports.api)}/readyz` };
  const worker = { ...common, role: 'worker' as const, env: { ...shared, WORKER_PORT: String(ports.worker) }, readyUrl: `${at(ports.worker)}/readyz` };
  const stack = { apiUrl: at(ports.api), workerUrl: at(ports.worker), sandboxUrl, redisUrl, secrets, logFolder };
  if (mode === 'start') {
    // Stays up: a role that dies is started again, as an orchestrator would. The demo counts, and must not hide a crash.
    const [first, second] = await both(superviseRole(api, options.say), superviseRole(worker, options.say));
    return { ...stack, broken: Promise.race([first.broken, second.broken, firstEnd({ sandbox })]) };
  }
  const [apiChild, workerChild] = await both(startRole(api), startRole(worker));
  return { ...stack, broken: firstEnd({ sandbox, api: apiChild, worker: workerChild }) };
}

async function temporaryFolder(parts: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-demo-')); // 0700 by itself.
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A Redis that was given may hold a relay already: the demo, which counts everything, takes an empty database of it. */
async function openRedis(parts: AsyncDisposableStack, { mode, redisUrl, say }: StackOptions, folder: string): Promise<string> {
  const redis = await provideRedis({ url: redisUrl, ...(mode === 'start' ? { dataDir: join(folder, 'redis') } : {}), say });
  parts.defer(() => redis.stop());
  const isPlain = /^rediss?:\/\//.test(redis.url);
  return mode === 'demo' && redis.source === 'url' && isPlain ? freshDatabase(redis.url) : redis.url;
}

/** Waits for both also when one fails, so that nothing is being started while the rest is being stopped. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

function firstEnd(children: Readonly<Partial<Record<Role, SpawnedProcess>>>): Promise<never> {
  const ends = Object.entries(children).map(async ([role, child]): Promise<never> => {
    throw new RoleEnded(role as Role, await child.exited, child.lines());
  });
  const broken = Promise.race(ends);
  broken.catch(() => undefined); // At a normal stop all of them end, and nobody listens any more.
  for (const end of ends) end.catch(() => undefined);
  return broken;
}
