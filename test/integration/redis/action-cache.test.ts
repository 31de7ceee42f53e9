import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LAST_GOOD_MS, type ApiStore } from '@relay/redis';
import { globals } from '@relay/redis/testing';
import { openRelay, type Relay } from './a-relay.ts';

let relay: Relay;
let other: ApiStore;
beforeAll(async () => {
  relay = await openRelay();
  other = await relay.anotherApi();
});
afterAll(() => relay[Symbol.asyncDispose]());
beforeEach(() => relay.redis.del(globals.actions('acc')));

const cache = () => relay.api.actionCache;
const answer = (value: unknown = { customerId: '1', actions: [] }) => ({ value, readAtMs: relay.now() });

describe('the cache of conversion actions', () => {
  test('is shared by all processes, by account, credentials and name', async () => {
    const given = answer();
    await cache().put('acc', '1.1', '123', given);
    expect(await other.actionCache.get('acc', '1.1', '123')).toEqual({ ...given, isOutdated: false });
    expect(await other.actionCache.get('acc', '1.2', '123')).toBeUndefined();
    expect(await other.actionCache.get('acc', '1.1', '')).toBeUndefined();
    expect(await other.actionCache.get('acc2', '1.1', '123')).toBeUndefined();
  });

  test('ends by itself after seven days', async () => {
    await cache().put('acc', '1.1', 'old', answer());
    const ttlMs = await relay.redis.pttl(globals.actions('acc'));
    expect(ttlMs).toBeGreaterThan(LAST_GOOD_MS - 10_000);
    expect(ttlMs).toBeLessThanOrEqual(LAST_GOOD_MS);
    // Another name keeps the hash alive, but not what is in it.
    relay.advance(LAST_GOOD_MS);
    await cache().put('acc', '1.1', 'new', answer());
    expect(await cache().get('acc', '1.1', 'old')).toBeUndefined();
    expect(await cache().get('acc', '1.1', 'new')).toBeDefined();
  });

  test('outdates everything of an account, also what is being read at that moment, and forgets nothing', async () => {
    const before = answer();
    await cache().put('acc', '1.1', 'a', before);
    const late = answer('read before, written after');
    relay.advance(1);
    await other.actionCache.outdate('acc');
    expect(await cache().get('acc', '1.1', 'a')).toEqual({ ...before, isOutdated: true });
    await cache().put('acc', '1.1', 'a', late);
    expect(await cache().get('acc', '1.1', 'a')).toEqual({ ...late, isOutdated: true });
    relay.advance(1);
    const fresh = answer('read after');
    await cache().put('acc', '1.1', 'a', fresh);
    expect(await cache().get('acc', '1.1', 'a')).toEqual({ ...fresh, isOutdated: false });
  });

  test('keeps nothing that is too large, and not too many names', async () => {
    const noise = Array.from({ length: 800_000 }, () => Math.random().toString(36));
    await cache().put('acc', '1.1', 'large', answer(noise));
    expect((await cache().get('acc', '1.1', 'large')) === undefined).toBe(true);
    for (let name = 0; name < 220; name += 1) await cache().put('acc', '1.1', String(name), answer(name));
    expect(await relay.redis.hlen(globals.actions('acc'))).toBeLessThanOrEqual(202);
    expect(await cache().get('acc', '1.1', '219')).toMatchObject({ value: 219 });
  });
});
