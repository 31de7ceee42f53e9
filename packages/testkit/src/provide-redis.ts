import type { ProvidedRedis } from './redis-args.ts';
import { startRedisContainer } from './redis-docker.ts';
import { canInstallRedis, installRedis } from './redis-install.ts';
import { answersPing } from './redis-ping.ts';
import { DataDirInUse, startRedisServer } from './redis-server.ts';
import { requireRecentServer } from './redis-version.ts';
import { findCommand } from './run-command.ts';

const DATABASES = 64;
const URL_ANSWER_MS = 5_000;

export type ProvideRedisOptions = {
  /** What `REDIS_URL` says. Used as it is; undefined or empty: the next way. */
  readonly url?: string | undefined;
  /** A folder whose data stays after stop. Undefined: a temporary one, removed at stop. */
  readonly dataDir?: string | undefined;
  /** Default: `RELAY_REDIS_IMAGE`, else one that is on this machine, else `redis:7`. */
  readonly image?: string | undefined;
  /** Number of logical databases of a Redis of ours; default 64. */
  readonly databases?: number | undefined;
  /** Default true; whether a container, and for `install` a system package, may be the answer. */
  readonly docker?: boolean | undefined;
  readonly install?: boolean | undefined;
  /** Where progress is said; default standard error. */
  readonly say?: ((line: string) => void) | undefined;
};

/**
 * Redis for the demo, for `npm start` and for tests, found in this order: the given URL; a redis-server or valkey-server on
 * the PATH, unless api and worker would refuse it as too old; a Docker engine; the Debian package; otherwise an error that
 * lists the ways.
 */
export async function provideRedis(options: ProvideRedisOptions = {}): Promise<ProvidedRedis> {
  if (options.url !== undefined && options.url !== '') return useGiven(options.url);
  const failed: string[] = [];
  for (const way of [onPath('redis-server'), onPath('valkey-server'), inDocker, installed]) {
    try {
      const redis = await way(options);
      if (redis !== undefined) return redis;
    } catch (error) {
      if (error instanceof DataDirInUse) throw error;
      failed.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(noRedis(failed));
}

/** The error's text when every way is closed: what went wrong, then what can be done. */
export function noRedis(failed: readonly string[]): string {
  return [
    'No Redis found and none could be started.',
    ...failed.map((reason) => `  tried: ${reason}`),
    'Any one of these helps:',
    '  - set REDIS_URL, for example REDIS_URL=redis://127.0.0.1:6379',
    '  - put redis-server (7.0 or newer) or valkey-server on the PATH: apt-get install redis-server, brew install redis',
    '  - start a Docker engine that has or can pull redis:7 (another image: RELAY_REDIS_IMAGE)',
    '  - on Debian or Ubuntu run this as root: the redis-server package is then installed for you',
  ].join('\n');
}

async function useGiven(url: string): Promise<ProvidedRedis> {
  const parsed = URL.parse(url);
  // Sentinel, cluster and TLS addresses are left to the client, whose errors say more than a look from here could.
  if (parsed?.protocol === 'redis:') {
    const port = parsed.port === '' ? 6379 : Number(parsed.port);
    if (!(await answersPing(parsed.hostname.replaceAll(/[[\]]/g, ''), port, URL_ANSWER_MS))) {
      throw new Error(`REDIS_URL names ${parsed.hostname}:${port}, but no Redis answers there`);
    }
  }
  return {
    url,
    source: 'url',
    persisted: () => Promise.reject(new Error('the files of a Redis that was given as a URL cannot be read')),
    stop: () => Promise.resolve(),
  };
}

function onPath(name: string): (options: ProvideRedisOptions) => Promise<ProvidedRedis | undefined> {
  return async (options) => {
    const binary = findCommand([name]);
    if (binary === undefined) return undefined;
    await requireRecentServer(binary);
    return { source: 'server', ...(await startRedisServer({ binary, ...common(options) })) };
  };
}

async function inDocker(options: ProvideRedisOptions): Promise<ProvidedRedis | undefined> {
  if (options.docker === false) return undefined;
  const image = options.image ?? process.env['RELAY_REDIS_IMAGE'];
  const redis = await startRedisContainer({ ...(image ? { image } : {}), pull: true, ...common(options) });
  return redis && { source: 'docker', ...redis };
}

async function installed(options: ProvideRedisOptions): Promise<ProvidedRedis | undefined> {
  if (options.install === false || !canInstallRedis()) return undefined;
  const say = options.say ?? ((line: string) => process.stderr.write(`${line}\n`));
  const binary = await installRedis(say);
  await requireRecentServer(binary);
  return { source: 'installed', ...(await startRedisServer({ binary, ...common(options) })) };
}

function common(options: ProvideRedisOptions): { readonly databases: number; readonly dataDir?: string } {
  const databases = options.databases ?? DATABASES;
  return options.dataDir === undefined ? { databases } : { databases, dataDir: options.dataDir };
}
