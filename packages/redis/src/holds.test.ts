import type { Queue } from 'bullmq';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RedisConnection } from './connect.ts';
import { createRelease } from './holds.ts';
import { createLanes } from './keys.ts';

test('a release has few jobs in memory at a time, however many are held', async () => {
  const jobIds = Array.from({ length: 100 }, (_, i) => `j${i}`);
  let held = 0;
  let most = 0;
  const read: string[] = [];
  const queue = {
    async getJob(jobId: string) {
      read.push(jobId);
      held += 1;
      most = Math.max(most, held);
      await turn();
      return undefined;
    },
  } as unknown as Queue;
  const connection = {
    hkeys: () => Promise.resolve(jobIds),
    hget: () => Promise.resolve(null),
    relaySettle(args: readonly string[]) {
      const { ops } = JSON.parse(args.at(-1)!) as { ops: readonly unknown[] };
      held -= ops.length;
      return Promise.resolve(ops.map(() => 2));
    },
  } as unknown as RedisConnection;
  const release = createRelease({ connection, lanes: createLanes(1), queueOf: () => queue, retentionDays: 30, now: () => 0 });
  expect(await release('metaads', 'acc')).toBe(200);
  expect(read).toEqual(jobIds);
  expect(most).toBeLessThanOrEqual(20);
});
