import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, provideRedis, provideTestRedis } from '@relay/testkit';
import { Redis } from 'ioredis';
import { describe, expect, inject, test } from 'vitest';

async function withClient<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

const dataDirOf = (redis: Redis) => redis.call('CONFIG', 'GET', 'dir').then((reply) => String((reply as string[])[1]));

/** A server started without a container, whatever this machine also has. */
const aServer = (dataDir?: string) => provideRedis({ docker: false, ...(dataDir === undefined ? {} : { dataDir }) });

describe('a server started on a free port', () => {
  test('takes writes to disk, and stop ends it and removes its temporary data', async () => {
    const server = await aServer();
    const dir = await withClient(server.url, async (redis) => {
      await redis.set('planted', 'a-value-to-find');
      return dataDirOf(redis);
    });
    expect(existsSync(dir)).toBe(true);
    expect((await server.persisted()).includes('a-value-to-find')).toBe(true);

    await server.stop();
    await server.stop();

    expect(existsSync(dir)).toBe(false);
    expect(() => process.kill(server.pid ?? 0, 0)).toThrow(/ESRCH/);
  });

  test('never drops a key to save memory, and appends every write to a file', async () => {
    const server = await aServer();
    try {
      await withClient(server.url, async (redis) => {
        const setting = async (name: string) => ((await redis.call('CONFIG', 'GET', name)) as string[])[1];
        expect(await setting('maxmemory-policy')).toBe('noeviction');
        expect(await setting('appendonly')).toBe('yes');
        expect(await setting('appendfsync')).toBe('everysec');
        expect(await setting('save')).toBe('');
        expect(await setting('databases')).toBe('64');
      });
    } finally {
      await server.stop();
    }
  });

  test('keeps a given data folder over a restart, and refuses a second server on it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'relay-kept-'));
    try {
      const first = await aServer(dataDir);
      await withClient(first.url, (redis) => redis.set('order', '4711'));
      await expect(aServer(dataDir)).rejects.toThrow(/belongs to a running Redis/);
      await first.stop();
      expect(await readdir(dataDir)).not.toEqual([]);

      const second = await aServer(dataDir);
      try {
        expect(await withClient(second.url, (redis) => redis.get('order'))).toBe('4711');
      } finally {
        await second.stop();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

test('the Redis for tests answers, shows what it has on disk, and is gone after stop', async () => {
  const provided = await provideTestRedis();
  await withClient(provided.url, (redis) => redis.set('planted', 'a-value-to-find'));
  expect((await provided.persisted()).includes('a-value-to-find')).toBe(true);
  await provided.stop();
  await expect(provideRedis({ url: provided.url })).rejects.toThrow(/no Redis answers there/);
});

test('a given URL is used as it is and left running', async () => {
  const url = inject('redisUrl');
  const given = await provideRedis({ url });
  expect(given).toMatchObject({ url, source: 'url' });
  await given.stop();
  expect(await withClient(url, (redis) => redis.ping())).toBe('PONG');
});

describe('a fresh database', () => {
  test('is empty and nobody else\'s', async () => {
    const base = inject('redisUrl');
    const urls = await Promise.all(Array.from({ length: 8 }, () => freshDatabase(base)));
    expect(new Set(urls).size).toBe(8);
    for (const url of urls) expect(await withClient(url, (redis) => redis.dbsize())).toBe(0);
  });

  test('is never one that holds somebody else\'s keys', async () => {
    const server = await provideRedis({ docker: false, databases: 4 });
    try {
      await withClient(`${server.url}/2`, (redis) => redis.set('mine', 'stays'));
      const taken = [await freshDatabase(server.url), await freshDatabase(server.url), await freshDatabase(server.url)];
      expect(taken.map((url) => new URL(url).pathname)).toEqual(['/1', '/3', '/1']);
      expect(await withClient(`${server.url}/2`, (redis) => redis.get('mine'))).toBe('stays');
    } finally {
      await server.stop();
    }
  });
});
