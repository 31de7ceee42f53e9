import { expect, it, vi } from 'vitest';
import type { RedisConnection } from './connect.ts';
import { createBacklogReader } from './fairness.ts';

it('a backlog is read once for commits that follow each other, and anew for another destination, later, or after a failure', async () => {
  let nowMs = 0;
  const hmget = vi.fn<(key: string, ...fields: string[]) => Promise<string[]>>((_key, ...fields) => Promise.resolve(fields.map(() => '7')));
  const connection = { hmget, zrange: () => Promise.resolve(['j1', String(3 * 2 ** 32)]) } as unknown as RedisConnection;
  const backlogs = createBacklogReader(connection, { tag: '{relay}', platform: 'metaads', queue: 'metaads' }, () => nowMs);

  const first = await backlogs.read(['a', 'b']);
  expect(first).toEqual({ round: 3, waitingEvents: new Map([['a', 7], ['b', 7]]) });
  first.waitingEvents.set('a', 107); // what a commit puts in counts for the next
  expect((await backlogs.read(['a'])).waitingEvents.get('a')).toBe(107);
  expect(hmget).toHaveBeenCalledTimes(1);
  await backlogs.read(['c']);
  nowMs = 20;
  await backlogs.read(['c']);
  backlogs.forget();
  expect((await backlogs.read(['c'])).waitingEvents.get('c')).toBe(7);
  expect(hmget).toHaveBeenCalledTimes(4);
});
