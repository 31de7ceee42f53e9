import type { ProvidedRedis } from './redis-args.ts';
import { provideRedis, type ProvideRedisOptions } from './provide-redis.ts';
import { startRedisContainer } from './redis-docker.ts';

/** Test files that run side by side must not be given the same database again while another still uses it. */
const DATABASES = 512;

/**
 * Redis for integration tests: the given URL; a container where a Docker engine answers and has the image
 * (`RELAY_REDIS_IMAGE`, else relay-redis:local or redis:7); else as provideRedis. An image is pulled only
 * with `RELAY_REDIS_PULL=1`, or as the last way but one, when no server is on the PATH either.
 */
export async function provideTestRedis(options: ProvideRedisOptions = {}): Promise<ProvidedRedis> {
  const given = { databases: DATABASES, ...options };
  if (given.url === undefined || given.url === '') {
    const image = given.image ?? process.env['RELAY_REDIS_IMAGE'];
    const pull = process.env['RELAY_REDIS_PULL'] === '1';
    try {
      const redis = await startRedisContainer({ ...(image ? { image } : {}), pull, databases: given.databases ?? DATABASES });
      if (redis !== undefined) return { source: 'docker', ...redis };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      (given.say ?? ((line: string) => process.stderr.write(`${line}\n`)))(`${why}; looking for another Redis`);
    }
  }
  return provideRedis(given);
}
