import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountScope, applyBootstrap, appScope, createTokenCache, type ApiStore } from '@relay/redis';
import { globals, keys } from '@relay/redis/testing';
import { createSealer } from '@relay/runtime';
import { waitFor } from '@relay/testkit';
import { batchOf, delivered, dump, openRelay, send, type Relay } from './a-relay.ts';
import { hold } from './book-moves.ts';

let relay: Relay;
let other: ApiStore;
beforeAll(async () => {
  relay = await openRelay();
  other = await relay.anotherApi();
});
afterAll(() => relay[Symbol.asyncDispose]());

const SECRET = 'EAAB-planted-access-token';
const create = (id: string, metadata: Record<string, unknown> = {}) => relay.api.accounts.create({ id, platform: 'metaads', credentials: { accessToken: SECRET, refreshToken: `${SECRET}-r` }, metadata });

describe('accounts', () => {
  test('are created once, however many try at once, and their credentials are not readable in Redis', async () => {
    const tries = await Promise.all([relay.api, other, relay.worker, relay.api, other].map(({ accounts }) => accounts.create({ id: 'once', platform: 'metaads', credentials: { accessToken: SECRET }, metadata: {} })));
    expect(tries.filter((account) => account !== undefined)).toHaveLength(1);
    expect(await relay.api.accounts.get('once')).toMatchObject({ id: 'once', credentials: { accessToken: SECRET }, status: 'active', revision: 1, statusReason: undefined });
    const showing = [...(await dump(relay.redis))].filter(([, value]) => value.includes(SECRET) || value.includes(Buffer.from(SECRET).toString('base64').slice(2, 24)));
    expect(showing).toEqual([]);
  });

  test('PATCH replaces credentials and counts the revision up, merges metadata, and null takes a key away', async () => {
    await create('patch', { a: 1, b: { c: 2 } });
    const renewed = await relay.api.accounts.patch('patch', { credentials: { accessToken: 'new' }, metadata: { b: 3, d: 4 } });
    expect(renewed?.account).toMatchObject({ credentials: { accessToken: 'new' }, metadata: { a: 1, b: 3, d: 4 }, revision: 2 });
    expect(Object.keys(renewed!.account.credentials)).toEqual(['accessToken']);
    const without = await relay.api.accounts.patch('patch', { metadata: { a: null } });
    expect(without?.account).toMatchObject({ metadata: { b: 3, d: 4 }, revision: 2 });
    expect(await relay.api.accounts.patch('nobody', { metadata: { a: 1 } })).toBeUndefined();
    expect(await relay.redis.exists(globals.account('nobody'))).toBe(0);
  });

  test('changes of several at once are all there in the end', async () => {
    await create('crowd');
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? relay.api : other).accounts.patch('crowd', { metadata: { [`k${i}`]: i } })));
    expect(Object.keys((await relay.worker.accounts.get('crowd'))!.metadata)).toHaveLength(20);
  });

  test('a rotated refresh token is stored in its own revision only, and never over new credentials', async () => {
    await create('rotate');
    await relay.worker.accounts.storeRefreshToken('rotate', 1, 'rotated');
    expect(await relay.api.accounts.get('rotate')).toMatchObject({ credentials: { accessToken: SECRET, refreshToken: 'rotated' }, revision: 1 });
    for (let round = 0; round < 20; round += 1) {
      const { revision } = (await relay.worker.accounts.get('rotate'))!;
      await Promise.all([relay.worker.accounts.storeRefreshToken('rotate', revision, 'late'), relay.api.accounts.patch('rotate', { credentials: { accessToken: `new${round}` } })]);
      expect((await relay.api.accounts.patch('rotate', {}))!.account.credentials).toEqual({ accessToken: `new${round}` });
    }
  });

  test('need a reconnect only when the credentials that failed are still theirs', async () => {
    await create('reconnect');
    await relay.api.accounts.patch('reconnect', { credentials: { accessToken: 'second' } });
    expect(await relay.worker.accounts.markNeedsReconnect('reconnect', 1, '190: token died')).toBe(false);
    expect(await relay.api.accounts.get('reconnect')).toMatchObject({ status: 'active' });
    expect(await relay.worker.accounts.markNeedsReconnect('reconnect', 2, '190: token died')).toBe(true);
    expect(await relay.worker.accounts.markNeedsReconnect('reconnect', 2, 'again')).toBe(true);
    await waitFor(async () => (await other.accounts.get('reconnect'))?.status === 'needs_reconnect', { timeoutMs: 2_000 });
    expect(await other.accounts.get('reconnect')).toMatchObject({ statusReason: '190: token died' });
    const active = await relay.api.accounts.patch('reconnect', { status: 'active' });
    expect(active?.account).toMatchObject({ status: 'active', statusReason: undefined, revision: 2 });
    expect(await relay.worker.accounts.markNeedsReconnect('nobody', 1, 'x')).toBe(true);
  });

  test('new credentials release what was held', async () => {
    await create('held');
    await send(relay.api, { accountId: 'held', events: 3 });
    const job = (await relay.jobs()).find(({ accountId }) => accountId === 'held')!;
    // As a worker does it: the books, then the delayed set.
    await hold(relay, job);
    await relay.redis.zrem('{relay}:metaads:prioritized', job.jobId);
    await relay.redis.zadd('{relay}:metaads:delayed', (Date.now() + 3_600_000) * 0x1000, job.jobId);
    expect(await relay.api.accounts.heldEvents('held')).toBe(3);
    expect(await relay.api.accounts.patch('held', { metadata: { x: 1 }, status: 'disabled' })).toMatchObject({ releasedEvents: 0 });
    expect(await relay.api.accounts.patch('held', { credentials: { accessToken: 'new' } })).toMatchObject({ releasedEvents: 3, account: { status: 'active' } });
    expect(await relay.api.accounts.heldEvents('held')).toBe(0);
    expect(await relay.redis.zscore('{relay}:metaads:prioritized', job.jobId)).not.toBeNull();
  });

  test('are changed although a later version holds an event of theirs in a format of its own', async () => {
    await create('later');
    await send(relay.api, { accountId: 'later' });
    const job = (await relay.jobs()).find(({ accountId }) => accountId === 'later')!;
    await hold(relay, job);
    await relay.redis.zrem('{relay}:metaads:prioritized', job.jobId);
    await relay.redis.zadd('{relay}:metaads:delayed', (Date.now() + 3_600_000) * 0x1000, job.jobId);
    const key = keys.job(relay.lane(), job.jobId);
    const data = (await relay.redis.hget(key, 'data'))!;
    await relay.redis.hset(key, 'data', JSON.stringify({ ...(JSON.parse(data) as object), v: 2 }));
    expect(await relay.api.accounts.patch('later', { credentials: { accessToken: 'new' } })).toMatchObject({ releasedEvents: 0, account: { status: 'active' } });
    expect(await relay.api.accounts.heldEvents('later')).toBe(1);
    await relay.redis.hset(key, 'data', data);
    expect(await relay.worker.release('metaads', 'later')).toBe(1);
  });

  test('with events that wait are not removed; without, they go with all that was theirs', async () => {
    await create('leave');
    await send(relay.api, { accountId: 'leave' });
    expect(await relay.api.accounts.remove('leave')).toBe('busy');
    const job = (await relay.jobs()).find(({ accountId }) => accountId === 'leave')!;
    await relay.delivery().settle(delivered(await batchOf(job)));
    expect(await relay.api.accounts.remove('leave')).toBe(true);
    expect(await relay.api.accounts.remove('leave')).toBe(false);
    expect(await relay.api.accounts.get('leave')).toBeUndefined();
    expect((await relay.api.accounts.list()).map(({ id }) => id)).not.toContain('leave');
    expect(await create('leave')).toMatchObject({ revision: 1 });
  });

  test('a change is seen by the caches of other processes at once', async () => {
    await create('cache', { n: 0 });
    for (let n = 1; n <= 5; n += 1) {
      expect((await other.accounts.get('cache'))?.metadata).toEqual({ n: n - 1 });
      await relay.api.accounts.patch('cache', { metadata: { n } });
      expect((await relay.api.accounts.get('cache'))?.metadata).toEqual({ n });
      // Long before the cached answer ends by itself (5 s).
      await waitFor(async () => (await other.accounts.get('cache'))?.metadata['n'] === n, { timeoutMs: 2_000, everyMs: 5, what: 'the change to be seen' });
    }
  });

  test('are read from the cache meanwhile', async () => {
    await create('witness');
    await create('cached');
    // Announcements come in order: when this one was heard, that of the creation no longer empties the cache below.
    await relay.api.accounts.get('witness');
    await other.accounts.patch('witness', { metadata: { seen: true } });
    await waitFor(async () => (await relay.api.accounts.get('witness'))?.metadata['seen'] === true, { timeoutMs: 2_000, everyMs: 5, what: 'the announcement to be heard' });
    await relay.api.accounts.get('cached');
    await relay.redis.hset(globals.account('cached'), 'status', 'disabled'); // behind the store's back
    expect(await relay.api.accounts.get('cached')).toMatchObject({ status: 'active' });
    relay.advance(5_001);
    expect(await relay.api.accounts.get('cached')).toMatchObject({ status: 'disabled' });
  });
});

describe('rotating RELAY_SECRET_KEY', () => {
  const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];

  test('what the old key sealed opens with [new, old]; what is written then needs the new one only', async () => {
    await using before = await openRelay({ sealer: createSealer([oldKey]) });
    await before.api.accounts.create({ id: 'acc', platform: 'metaads', credentials: { accessToken: 'one' }, metadata: {} });
    await before.api.accounts.create({ id: 'unchanged', platform: 'metaads', credentials: { accessToken: 'three' }, metadata: {} });
    await send(before.api, { events: ['kept'] });
    await using both = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey, oldKey]) });
    expect(await both.api.accounts.get('acc')).toMatchObject({ credentials: { accessToken: 'one' } });
    expect((await (await both.jobs())[0]!.load()).map(({ eventId }) => eventId)).toEqual(['kept']);
    await both.api.accounts.patch('acc', { credentials: { accessToken: 'two' } });
    // Any change seals the credentials anew, without knowing them; it is no new revision, so a token that was refreshed stays good.
    await createTokenCache(both.worker.connection, both.sealer).put('unchanged', 1, 'token', 60_000);
    expect((await both.api.accounts.patch('unchanged', { metadata: {} }))?.account).toMatchObject({ credentials: { accessToken: 'three' }, revision: 1 });
    await using after = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey]) });
    expect(await after.api.accounts.get('acc')).toMatchObject({ credentials: { accessToken: 'two' }, status: 'active' });
    expect(await after.api.accounts.get('unchanged')).toMatchObject({ credentials: { accessToken: 'three' }, status: 'active' });
    expect(await createTokenCache(after.worker.connection, after.sealer).get('unchanged', 1)).toBe('token');
  });

  test('an account whose key is gone holds its events, and can be mended', async () => {
    await using before = await openRelay({ sealer: createSealer([oldKey]) });
    await before.api.accounts.create({ id: 'acc', platform: 'metaads', credentials: { accessToken: 'one' }, metadata: {} });
    await createTokenCache(before.worker.connection, createSealer([oldKey])).put('acc', 1, 'token', 60_000);
    await using after = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey]) });
    expect(await after.api.accounts.list()).toMatchObject([{ id: 'acc', credentials: {}, status: 'needs_reconnect', statusReason: expect.stringContaining('RELAY_SECRET_KEY') }]);
    await after.worker.accounts.storeRefreshToken('acc', 1, 'rotated');
    await after.api.accounts.patch('acc', { metadata: { note: 'changed while its key is away' } });
    expect(await createTokenCache(after.worker.connection, after.sealer).get('acc', 1)).toBeUndefined();
    expect((await before.api.accounts.patch('acc', {}))?.account).toMatchObject({ credentials: { accessToken: 'one' }, status: 'active' });
    expect((await after.api.accounts.patch('acc', { credentials: { accessToken: 'two' } }))?.account).toMatchObject({ status: 'active', revision: 2, statusReason: undefined });
  });
});

describe('API keys', () => {
  const aKey = { name: 'shop', scopes: ['send', 'read'] as const, accounts: ['*'] };

  test('are kept as hashes, and open only with the secret', async () => {
    const { apiKey, secret } = await relay.api.apiKeys.create(aKey);
    expect(await other.apiKeys.authenticate(secret)).toMatchObject({ id: apiKey.id, name: 'shop', scopes: ['send', 'read'], accounts: ['*'] });
    for (const wrong of [`${secret}x`, secret.slice(0, -1), '', createHash('sha256').update(secret).digest('hex')]) {
      expect(await other.apiKeys.authenticate(wrong)).toBeUndefined();
    }
    const values = await dump(relay.redis);
    expect([...values].filter(([key, value]) => `${key}${value}`.includes(secret))).toEqual([]);
  });

  test('changes and removal are seen by other processes at once', async () => {
    const { apiKey, secret } = await relay.api.apiKeys.create(aKey);
    expect(await other.apiKeys.authenticate(secret)).toBeDefined();
    await relay.api.apiKeys.patch(apiKey.id, { scopes: ['admin'], name: 'ops' });
    await waitFor(async () => (await other.apiKeys.authenticate(secret))?.scopes[0] === 'admin', { timeoutMs: 2_000, everyMs: 5 });
    expect(await other.apiKeys.authenticate(secret)).toMatchObject({ name: 'ops', accounts: ['*'] });
    expect(await relay.api.apiKeys.remove(apiKey.id)).toBe(true);
    expect(await relay.api.apiKeys.authenticate(secret)).toBeUndefined();
    await waitFor(async () => (await other.apiKeys.authenticate(secret)) === undefined, { timeoutMs: 2_000, everyMs: 5 });
    expect(await relay.api.apiKeys.remove(apiKey.id)).toBe(false);
    expect(await relay.api.apiKeys.patch(apiKey.id, { name: 'x' })).toBeUndefined();
    expect((await relay.api.apiKeys.list()).map(({ id }) => id)).not.toContain(apiKey.id);
  });

  test('one that was unknown a moment ago works once it is created', async () => {
    const secret = 'rk_chosen_by_the_operator';
    expect(await other.apiKeys.authenticate(secret)).toBeUndefined();
    await relay.api.apiKeys.ensure(secret, aKey);
    await waitFor(async () => (await other.apiKeys.authenticate(secret)) !== undefined, { timeoutMs: 2_000, everyMs: 5 });
  });

  test('say when they were last used, to the minute', async () => {
    const { apiKey, secret } = await relay.api.apiKeys.create(aKey);
    expect(apiKey.lastUsedAtMs).toBeUndefined();
    await relay.api.apiKeys.authenticate(secret);
    const used = await waitFor(async () => (await relay.api.apiKeys.get(apiKey.id))?.lastUsedAtMs);
    await relay.api.apiKeys.authenticate(secret);
    expect((await relay.api.apiKeys.get(apiKey.id))?.lastUsedAtMs).toBe(used);
  });
});

describe('the bootstrap file', () => {
  const file = {
    apiKeys: [{ name: 'shop', key: 'rk_test_0123456789', scopes: ['send'], accounts: ['boot'] }],
    accounts: [{ id: 'boot', platform: 'linkedinads', credentials: { accessToken: 'a', scopes: ['r_ads'] }, metadata: { k: 1 } }],
  };

  test('is applied as often as one likes, by several processes at once', async () => {
    await using fresh = await openRelay();
    const api = await fresh.anotherApi();
    await Promise.all([fresh.api, api, fresh.worker].map((store) => applyBootstrap(file, store, {})));
    const first = [...(await dump(fresh.redis))];
    await applyBootstrap(file, fresh.api, {});
    expect([...(await dump(fresh.redis))]).toEqual(first);
    expect(await api.apiKeys.authenticate('rk_test_0123456789')).toMatchObject({ name: 'shop' });
    expect(await api.apiKeys.list()).toHaveLength(1);
  });

  test('leaves a status and a rotated token alone, and brings its own changes', async () => {
    await using fresh = await openRelay();
    const renewable = { ...file, accounts: [{ ...file.accounts[0]!, credentials: { clientId: 'c', refreshToken: 'r1' } }] };
    await applyBootstrap(renewable, fresh.api, {});
    await fresh.worker.accounts.storeRefreshToken('boot', 1, 'r2');
    await fresh.worker.accounts.markNeedsReconnect('boot', 1, 'died');
    await applyBootstrap(renewable, fresh.worker, {});
    expect(await fresh.worker.accounts.get('boot')).toMatchObject({ status: 'needs_reconnect', credentials: { refreshToken: 'r2' }, revision: 1 });
    await applyBootstrap({ ...renewable, accounts: [{ ...renewable.accounts[0]!, credentials: { clientId: 'd', refreshToken: 'r3' }, metadata: { l: 2 } }] }, fresh.api, {});
    expect((await fresh.api.accounts.list())[0]).toMatchObject({ status: 'active', credentials: { clientId: 'd', refreshToken: 'r3' }, metadata: { k: 1, l: 2 }, revision: 2 });
    await applyBootstrap({ apiKeys: [{ ...file.apiKeys[0]!, scopes: ['read'] }] }, fresh.api, {});
    expect(await fresh.api.apiKeys.authenticate('rk_test_0123456789')).toMatchObject({ scopes: ['read'] });
  });

  test('with faults is refused, and nothing of it applied', async () => {
    await using fresh = await openRelay();
    await expect(applyBootstrap({ apiKeys: file.apiKeys, accounts: [{ id: '', platform: 'nothing', credentials: {} }] }, fresh.api, {})).rejects.toThrow(/RELAY_BOOTSTRAP/);
    expect(await fresh.api.apiKeys.list()).toEqual([]);
    await applyBootstrap(file, fresh.api, {});
    await expect(applyBootstrap({ accounts: [{ ...file.accounts[0]!, platform: 'metaads' }] }, fresh.api, {})).rejects.toThrow(/exists for another platform/);
  });
});

describe('cool-downs', () => {
  test('hold for all scopes asked for, for all processes, and are never shortened', async () => {
    const app = appScope('metaads', 'client-id');
    expect(app).not.toContain('client-id');
    const until = relay.now() + 60_000;
    await relay.worker.cooldowns.start(accountScope('cool'), until);
    await relay.worker.cooldowns.start(app, until + 10_000);
    await Promise.all([until - 30_000, until + 5_000, until - 1].map((ms) => other.cooldowns.start(accountScope('cool'), ms)));
    expect(await other.cooldowns.until(['cool'])).toBe(until + 5_000);
    expect(await other.cooldowns.until(['cool', app])).toBe(until + 10_000);
    expect(await other.cooldowns.until(['nobody'])).toBe(0);
    // Also where "does not cool down" was the answer a moment ago.
    // The clock goes back, so that only the announcement can end what is kept for a second.
    relay.advance(-10_000);
    await relay.worker.cooldowns.start(accountScope('nobody'), until);
    await expect.poll(() => other.cooldowns.until(['nobody']), { timeout: 5_000, interval: 5 }).toBe(until);
    relay.advance(10_000);
    const list = await relay.api.health.cooldowns();
    expect(list.get('cool')).toBeGreaterThan(60);
    expect(list.get(app)).toBeGreaterThan(65);
    relay.advance(70_001);
    expect(await other.cooldowns.until(['cool', app])).toBe(0);
    expect([...(await relay.api.health.cooldowns()).keys()]).toEqual([]);
  });
});

describe('the token cache', () => {
  const cache = () => createTokenCache(relay.worker.connection, relay.sealer);

  test('keeps a token sealed, for one revision of the credentials, until it ends or is dropped', async () => {
    const tokens = cache();
    await tokens.put('tok', 2, SECRET, 60_000);
    expect(await tokens.get('tok', 2)).toBe(SECRET);
    expect(await tokens.get('tok', 1)).toBeUndefined();
    expect(await relay.redis.get(globals.token('tok'))).not.toContain(SECRET);
    expect(await relay.redis.pttl(globals.token('tok'))).toBeLessThanOrEqual(60_000);
    await tokens.drop('tok', 'another');
    expect(await tokens.get('tok', 2)).toBe(SECRET);
    await tokens.drop('tok', SECRET);
    expect(await tokens.get('tok', 2)).toBeUndefined();
  });

  test('goes with new credentials', async () => {
    await create('renew');
    await cache().put('renew', 1, SECRET, 60_000);
    await relay.api.accounts.patch('renew', { credentials: { accessToken: 'x' } });
    expect(await relay.redis.exists(globals.token('renew'))).toBe(0);
  });

  test('has one lock; one that ran out is not given back by who had it', async () => {
    const [mine, theirs] = [cache(), cache()];
    const locks = await Promise.all([mine.lock('one', 10_000), theirs.lock('one', 10_000), mine.lock('one', 10_000)]);
    const [lock, ...more] = locks.filter((got) => got !== undefined);
    expect(more).toEqual([]);
    await lock!.release();
    const short = await mine.lock('one', 20);
    const next = await waitFor(() => theirs.lock('one', 10_000), { timeoutMs: 2_000, everyMs: 5 });
    await short!.release();
    expect(await mine.lock('one', 10_000)).toBeUndefined();
    await next.release();
    expect(await mine.lock('one', 10_000)).toBeDefined();
  });
});

test('nothing stays open once the stores are closed', async () => {
  const url = new URL(relay.url);
  const clients = async () => String(await relay.redis.client('LIST')).split('\n').filter((line) => line.includes(`db=${url.pathname.slice(1)} `)).length;
  const before = await clients();
  {
    await using again = await openRelay({ redisUrl: relay.url });
    await send(again.api, { accountId: 'short' });
    expect(await clients()).toBeGreaterThan(before);
  }
  await waitFor(async () => (await clients()) <= before, { what: 'the connections to be gone' });
});
