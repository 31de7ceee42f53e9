import { setImmediate } from 'node:timers/promises';
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

it('a backlog that is read ahead spares the next commit its own look', async () => {
  let nowMs = 100;
  let waiting = '7';
  const hmget = vi.fn<() => Promise<string[]>>(() => Promise.resolve([waiting]));
  const connection = { hmget, zrange: () => Promise.resolve([]) } as unknown as RedisConnection;
  const backlogs = createBacklogReader(connection, { tag: '{relay}', platform: 'metaads', queue: 'metaads' }, () => nowMs);

  await backlogs.read(['a']);
  backlogs.readAhead(['a']); // it is young
  expect(hmget).toHaveBeenCalledTimes(1);
  nowMs += 10;
  waiting = '9';
  backlogs.readAhead(['a']);
  await setImmediate();
  nowMs += 19;
  expect((await backlogs.read(['a'])).waitingEvents.get('a')).toBe(9);
  expect(hmget).toHaveBeenCalledTimes(2);
  // A look that fails is nobody's fault but the next commit's to find out.
  hmget.mockRejectedValueOnce(new Error('away'));
  backlogs.readAhead(['a']);
  await setImmediate();
  expect((await backlogs.read(['a'])).waitingEvents.get('a')).toBe(9);
});
