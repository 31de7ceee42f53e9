import { provideTestRedis, type ProvidedRedis } from '@relay/testkit';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Database 0 of the run's Redis. Test files take one of their own: `await freshDatabase(inject('redisUrl'))`. */
    redisUrl: string;
  }
}

type Shared = { users: number; readonly redis: Promise<ProvidedRedis> };

/** Each project loads this file anew; they share one Redis, which the last to leave stops. */
const slot = globalThis as { relayTestRedis?: Shared | undefined };

export async function setup(project: TestProject): Promise<void> {
  const shared = (slot.relayTestRedis ??= { users: 0, redis: start() });
  shared.users += 1;
  project.provide('redisUrl', (await shared.redis).url);
}

export async function teardown(): Promise<void> {
  const shared = slot.relayTestRedis;
  if (shared === undefined) return;
  shared.users -= 1;
  if (shared.users > 0) return;
  slot.relayTestRedis = undefined;
  await (await shared.redis).stop();
}

async function start(): Promise<ProvidedRedis> {
  const redis = await provideTestRedis({ url: process.env['REDIS_URL'] });
  const address = new URL(redis.url);
  console.log(`Redis for the tests: ${WAYS[redis.source]}, at ${address.hostname}:${address.port || '6379'}`);
  return redis;
}

const WAYS = {
  url: 'the one REDIS_URL names',
  server: 'a redis-server started for this run',
  docker: 'a container (testcontainers)',
  installed: 'the redis-server package, installed and started for this run',
} as const;
