import type { SharedStore } from '@relay/redis';
import type { Logger, WorkerConfig } from '@relay/runtime';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sweepHeld } from './release-held.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('while a sweep waits for Redis none is begun behind it; one that failed does not keep the next from coming', async () => {
  const looks: ReturnType<typeof Promise.withResolvers<Record<string, string>>>[] = [];
  const errors: unknown[] = [];
  const store = {
    lanes: { all: [{ platform: 'metaads', queue: 'metaads', tag: '{relay}' }] },
    connection: {
      hgetall() {
        const look = Promise.withResolvers<Record<string, string>>();
        looks.push(look);
        return look.promise;
      },
    },
  } as unknown as SharedStore;
  const logger = { error: (fields: unknown) => errors.push(fields) } as unknown as Logger;
  const sweeping = sweepHeld(store, { platforms: ['metaads'] } as unknown as WorkerConfig, logger);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(looks).toHaveLength(1);
  looks[0]!.resolve({});
  await vi.advanceTimersByTimeAsync(0);
  // Not the 719 that would have been due meanwhile.
  expect(looks).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looks).toHaveLength(2);
  looks[1]!.reject(new Error('Redis is away'));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(errors).toHaveLength(1);
  expect(looks).toHaveLength(3);
  looks[2]!.resolve({});
  await sweeping[Symbol.asyncDispose]();
});
