import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { createPromiseCache } from './promise-cache.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function aCache<T = string>(maxEntries = 3) {
  const clock = { ms: 1_000 };
  const cache = createPromiseCache<T | 'fetched'>({ lifetimeMs: 100, maxEntries, now: () => clock.ms });
  /** What is there under the key, or `fetched` where it had to be looked up. */
  const at = (key: string) => cache.get(key, async () => 'fetched');
  return { cache, clock, at };
}

describe('a promise cache', () => {
  it('looks up once for callers that come together, and again after the lifetime, counted from the beginning', async () => {
    const { cache, clock } = aCache();
    const answer = Promise.withResolvers<string>();
    const load = vi.fn<() => Promise<string>>(() => answer.promise);
    const together = [cache.get('a', load), cache.get('a', load)];
    clock.ms += 60;
    answer.resolve('one');
    expect(await Promise.all([...together, cache.get('a', load)])).toEqual(['one', 'one', 'one']);
    expect(load).toHaveBeenCalledTimes(1);
    clock.ms += 40;
    await cache.get('a', load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('keeps that there is nothing, too', async () => {
    const load = vi.fn<() => Promise<undefined>>(async () => undefined);
    const cache = createPromiseCache<undefined>({ lifetimeMs: 100, maxEntries: 3, now: () => 0 });
    await cache.get('a', load);
    await cache.get('a', load);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('keeps no more than the bound: the oldest goes, and one that was looked up anew is the youngest', async () => {
    const { cache, clock, at } = aCache();
    for (const key of ['a', 'b', 'c']) {
      await cache.get(key, async () => key);
      clock.ms += 40;
    }
    await cache.get('a', async () => 'a again'); // it had expired
    await cache.get('d', async () => 'd');
    expect(await Promise.all(['c', 'a', 'd'].map(at))).toEqual(['c', 'a again', 'd']);
    expect(await at('b')).toBe('fetched');
  });

  it('lets go of what has expired, though there is room', async () => {
    const { cache, clock } = aCache<object>(10_000);
    const old = await (async () => new WeakRef((await cache.get('old', async () => ({ an: 'answer' }))) as object))();
    clock.ms += 100;
    await cache.get('new', async () => ({}));
    await turnOfTheLoop();
    collectGarbage();
    expect(old.deref()).toBeUndefined();
  });

  it('does not keep a failed look-up', async () => {
    const { cache, at } = aCache();
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await at('a')).toBe('fetched');
  });

  it('lets nobody see an answer from before a change, though it comes after it', async () => {
    const { cache, at } = aCache();
    const before = Promise.withResolvers<string>();
    const early = cache.get('a', () => before.promise);
    cache.delete('a'); // the change is announced while the look-up is on its way
    const late = cache.get('a', async () => 'after');
    before.resolve('before');
    expect(await Promise.all([early, late, at('a')])).toEqual(['before', 'after', 'after']);
    cache.clear();
    expect(await at('a')).toBe('fetched');
  });

  it('keeps an answer when an earlier look-up under its key fails', async () => {
    const { cache, at } = aCache();
    const before = Promise.withResolvers<string>();
    const early = cache.get('a', () => before.promise);
    cache.delete('a');
    await cache.get('a', async () => 'after');
    before.reject(new Error('away'));
    await expect(early).rejects.toThrow('away');
    expect(await at('a')).toBe('after');
  });
});
