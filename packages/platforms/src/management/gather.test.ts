import { describe, expect, it } from 'vitest';
import { PlatformCallError, type PlatformCallKind } from './errors.ts';
import { allPages, gather, gatherWays, mapLimited } from './gather.ts';
import { MAX_LIST_ITEMS, MAX_PAGES, MAX_PARENTS } from './limits.ts';
import { compareIds, sortedDestinations } from './management.ts';
import { thrownBy } from './scripted-call.test-kit.ts';

const refusal = (kind: PlatformCallKind, code = 'SOME') => new PlatformCallError({ platform: 'googleads', kind, code, message: 'no' });

describe('mapLimited', () => {
  it('keeps the order and never runs more than asked', async () => {
    let running = 0;
    let most = 0;
    const results = await mapLimited([5, 1, 4, 2, 3], 2, async (number) => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < number; turn += 1) await Promise.resolve();
      running -= 1;
      return number * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('starts nothing new after a failure', async () => {
    const started: number[] = [];
    await thrownBy(() =>
      mapLimited([1, 2, 3, 4], 1, (number) => {
        started.push(number);
        return number === 2 ? Promise.reject(new Error('gone')) : Promise.resolve(number);
      }),
    );
    expect(started).toEqual([1, 2]);
  });

  it('takes nothing', async () => {
    expect(await mapLimited([], 4, () => Promise.resolve(1))).toEqual([]);
  });
});

describe('allPages', () => {
  it('follows cursors to the end', async () => {
    const listing = await allPages('things', (cursor) =>
      Promise.resolve(cursor === undefined ? { items: [1], next: 'b' } : { items: [2], next: cursor === 'b' ? 'c' : undefined }),
    );
    expect(listing).toEqual({ items: [1, 2, 2], warnings: [] });
  });

  it('stops where a cursor comes back', async () => {
    let calls = 0;
    const listing = await allPages('things', () => Promise.resolve({ items: [(calls += 1)], next: 'same' }));
    expect(listing.items).toEqual([1, 2]);
  });

  it('stops at the page limit and says so', async () => {
    let calls = 0;
    const listing = await allPages('things', () => Promise.resolve({ items: ['x'], next: String((calls += 1)) }));
    expect(calls).toBe(MAX_PAGES);
    expect(listing.warnings).toEqual([`Only the first ${MAX_PAGES} things were read; there are more.`]);
  });

  it('stops at the item limit', async () => {
    const page = Array.from({ length: MAX_LIST_ITEMS - 1 }, () => 'x');
    let calls = 0;
    const listing = await allPages('things', () => Promise.resolve({ items: page, next: String((calls += 1)) }));
    expect([calls, listing.items.length, listing.warnings.length]).toEqual([2, MAX_LIST_ITEMS, 1]);
  });
});

describe('gather', () => {
  const source = (name: string, given: readonly string[] | Error) => ({
    name,
    list: () => (given instanceof Error ? Promise.reject(given) : Promise.resolve({ items: given, warnings: [] })),
  });

  it.each(['permission', 'not_found', 'invalid', 'config'] as const)('leaves out what is refused as %s', async (kind) => {
    expect(await gather([source('one', ['a']), source('two', refusal(kind, 'NOPE')), source('three', ['b'])])).toEqual({
      items: ['a', 'b'],
      warnings: ['two was left out: NOPE'],
    });
  });

  it.each(['unauthorised', 'rate_limited', 'unavailable', 'conflict'] as const)('lets %s through', async (kind) => {
    expect(await thrownBy(() => gather([source('one', ['a']), source('two', refusal(kind))]))).toMatchObject({ kind });
  });

  it('lets faults of the network through', async () => {
    expect(await thrownBy(() => gather([source('one', ['a']), source('two', new Error('reset'))]))).toMatchObject({ message: 'reset' });
  });

  it('answers with the first refusal where nothing is left', async () => {
    expect(await thrownBy(() => gather([source('one', refusal('permission', 'FIRST')), source('two', refusal('permission', 'SECOND'))]))).toMatchObject({ code: 'FIRST' });
  });

  it('is empty where one source is and the other is refused, but not if both are ways to the same', async () => {
    const sources = [source('one', []), source('two', refusal('permission', 'NOPE'))];
    expect(await gather(sources)).toEqual({ items: [], warnings: ['two was left out: NOPE'] });
    expect(await thrownBy(() => gatherWays(sources))).toMatchObject({ code: 'NOPE' });
    expect(await gatherWays([...sources, source('three', ['a'])])).toEqual({ items: ['a'], warnings: ['two was left out: NOPE'] });
    expect(await gatherWays([source('one', [])])).toEqual({ items: [], warnings: [] });
  });

  it('is empty for no sources, and bounded for many', async () => {
    expect(await gather([])).toEqual({ items: [], warnings: [] });
    const many = await gather(Array.from({ length: MAX_PARENTS + 3 }, (_, index) => source(`s${index}`, ['x'])));
    expect(many.items).toHaveLength(MAX_PARENTS);
    expect(many.warnings).toEqual([`Only the first ${MAX_PARENTS} of ${MAX_PARENTS + 3} accounts were read.`]);
  });
});

describe('order', () => {
  it('counts digits by value', () => {
    expect(['10', '9', 'customers/2/x/11', 'customers/2/x/2', 'b', 'a'].sort(compareIds)).toEqual(['9', '10', 'a', 'b', 'customers/2/x/2', 'customers/2/x/11']);
  });
  it('is by ad account, then id, without duplicates', () => {
    const one = { id: '10', name: 'n', adAccountId: '9' };
    const two = { id: '9', name: 'n', adAccountId: '10' };
    expect(sortedDestinations([two, one, { ...one }])).toEqual([one, two]);
  });
});
