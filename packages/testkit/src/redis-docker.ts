import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerRuntimeClient, ImageName, StartedTestContainer } from 'testcontainers';
import { onExit } from './on-exit.ts';
import { once, redisArgs, type ProvidedRedis } from './redis-args.ts';
import { answersPing } from './redis-ping.ts';
import { waitFor } from './wait-for.ts';

const ENGINE_MS = 15_000;
const START_MS = 20_000;
const PULL_MS = 240_000;
const STOP_MS = 20_000;
/** Tried in this order when no image is named: the one `infra/redis-image.sh` builds, then the public one. */
const IMAGES = ['relay-redis:local', 'redis:7'] as const;

export type DockerOptions = {
  /** Undefined: one of IMAGES that is on this machine, else the last of them. */
  readonly image?: string;
  /** Whether an image that is not on this machine may be pulled. */
  readonly pull: boolean;
  readonly dataDir?: string;
  readonly databases: number;
};

/** Undefined when no Docker engine answers or, without `pull`, when the image is not on this machine. */
export async function startRedisContainer(options: DockerOptions): Promise<Omit<ProvidedRedis, 'source'> | undefined> {
  // Must be set before the import. Ryuk is an image of its own that would have to be pulled; we clean up ourselves.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const testcontainers = await import('testcontainers');
  const engine = await withDeadline(testcontainers.getContainerRuntimeClient(), ENGINE_MS, 'the Docker engine').catch(
    () => undefined, // No engine, or one that does not answer: the same to us.
  );
  if (engine === undefined) return undefined;

  const wanted = options.image === undefined ? IMAGES : [options.image];
  const found = await firstPresent(engine, wanted, testcontainers.ImageName);
  const image = found ?? (options.pull ? wanted.at(-1) : undefined);
  if (image === undefined) return undefined;

  // testcontainers publishes on every interface of the machine, so this one gets a password.
  const password = randomBytes(18).toString('base64url');
  let definition = new testcontainers.GenericContainer(image)
    .withCommand(['redis-server', '--requirepass', password, '--dir', '/data', ...redisArgs(options.databases)])
    .withExposedPorts(6379)
    .withStartupTimeout(START_MS)
    // Not the listening-ports wait: it looks from inside with a shell, which a small image does not have.
    .withWaitStrategy(testcontainers.Wait.forLogMessage('Ready to accept connections'));
  if (found !== undefined) definition = definition.withPullPolicy(testcontainers.PullPolicy.neverPull());
  if (options.dataDir !== undefined) {
    await mkdir(options.dataDir, { recursive: true });
    definition = definition.withBindMounts([{ source: resolve(options.dataDir), target: '/data', mode: 'rw' }]);
  }
  const deadlineMs = found === undefined ? PULL_MS : START_MS * 2;
  let container: StartedTestContainer;
  try {
    container = await withDeadline(definition.start(), deadlineMs, `a container of ${image}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = found === undefined ? `the image ${image} is not on this machine and could not be pulled` : `a container of ${image} did not start`;
    throw new Error(`${text}: ${why}`, { cause });
  }
  return handle(container, password);
}

async function handle(container: StartedTestContainer, password: string): Promise<Omit<ProvidedRedis, 'source'>> {
  const guard = onExit(() => {
    spawnSync('docker', ['rm', '--force', '--volumes', container.getId()], { stdio: 'ignore', timeout: STOP_MS });
  });
  const stop = once(async () => {
    await withDeadline(container.stop({ remove: true, removeVolumes: true, timeout: 5_000 }), STOP_MS, 'the container to stop');
    guard.forget();
  });
  const host = container.getHost();
  const port = container.getMappedPort(6379);
  try {
    await waitFor(() => answersPing(host, port), { timeoutMs: START_MS, what: 'Redis in the container to answer' });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis://:${password}@${host}:${port}`,
    // A tar stream: files lie in it one after the other, uncompressed, which is all a search needs.
    persisted: async () => Buffer.concat(await Array.fromAsync(await container.copyArchiveFromContainer('/data'), (chunk) => Buffer.from(chunk))),
    stop,
  };
}

async function firstPresent(
  engine: ContainerRuntimeClient,
  images: readonly string[],
  imageName: typeof ImageName,
): Promise<string | undefined> {
  for (const image of images) {
    if (await engine.image.exists(imageName.fromString(image))) return image;
  }
  return undefined;
}

async function withDeadline<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const stop = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms for ${what}`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => undefined); // Aborted on purpose when the work was faster.
    stop.abort();
  }
}
