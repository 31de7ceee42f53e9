import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Capture, Conversation, CtwaMetadata } from '@relay/delivery';
import type { ApiStore } from '@relay/redis';
import { createSealer } from '@relay/runtime';
import { DAY_MS, dump, openRelay, type Relay } from './a-relay.ts';

let relay: Relay;
let other: ApiStore;
beforeAll(async () => {
  relay = await openRelay();
  other = await relay.anotherApi();
});
afterAll(() => relay[Symbol.asyncDispose]());

let accounts = 0;
/** Each test has an account of its own. */
const anAccount = () => `wa_${(accounts += 1)}`;
let messages = 0;
const aWamid = () => `wamid.${(messages += 1)}`;
const iso = (ms: number) => new Date(ms).toISOString();

const PLANTED = { phone: '4915112345678', headline: 'Planted headline – Möbel', clid: 'Aff-planted-click-id-0123456789', url: 'https://fb.me/planted-url', userId: 'DE.99887766554433' } as const;

/** `clid` undefined: an ad that leaves no click id. */
const aClick = (clid: string | undefined, atMs = relay.now()): CtwaMetadata => ({
  ...(clid !== undefined && { ctwa_clid: clid }),
  ctwa_captured_at: iso(atMs),
  ctwa_source_id: `ad-of-${clid ?? 'status'}`,
  ctwa_source_url: PLANTED.url,
  ctwa_headline: PLANTED.headline,
  ctwa_source_type: 'ad',
});

function aMessage(accountId: string, over: Partial<Capture> = {}): Capture {
  const phoneE164 = 'phoneE164' in over ? over.phoneE164 : PLANTED.phone;
  return { accountId, messageId: aWamid(), identities: phoneE164 === undefined ? [PLANTED.userId] : [phoneE164], phoneE164, ctwa: undefined, ...over };
}

const all = (accountId: string) => relay.api.conversations.list(accountId, 200, 0);
async function only(accountId: string): Promise<Conversation> {
  const rows = await all(accountId);
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

describe('a click', () => {
  test('is captured with all that the referral says', async () => {
    const accountId = anAccount();
    const ctwa = aClick(PLANTED.clid);
    await relay.api.conversations.capture([aMessage(accountId, { ctwa })]);
    expect(await only(accountId)).toEqual({ id: expect.stringMatching(/^wac_/), accountId, phoneE164: PLANTED.phone, ctwa, createdAtMs: expect.any(Number), updatedAtMs: expect.any(Number) });
    expect(await relay.api.conversations.findByPhone(accountId, PLANTED.phone)).toMatchObject({ ctwa });
  });

  test('is the first one that arrives, whole, whoever delivers what at the same time', async () => {
    const writers = fc.integer({ min: 0, max: 2 });
    const deliveries = fc.array(fc.record({ writer: writers, clid: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }), hasReferral: fc.boolean(), store: fc.boolean(), repeats: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(deliveries, async (given) => {
        const accountId = anAccount();
        const captures = given.map(({ writer, clid, hasReferral, store, repeats }, n) => {
          const ctwa = hasReferral ? aClick(clid === undefined ? undefined : `clid-${clid}-${n}`) : undefined;
          return { store, repeats, capture: aMessage(accountId, { phoneE164: `4915100000${writer}`, identities: [`4915100000${writer}`], ctwa }) };
        });
        await Promise.all(captures.flatMap(({ store, repeats, capture }) => Array.from({ length: repeats }, () => (store ? relay.api : other).conversations.capture([capture]))));
        const after = await all(accountId);
        const wrote = new Set(given.map(({ writer }) => `4915100000${writer}`));
        expect(new Set(after.map(({ phoneE164 }) => phoneE164))).toEqual(wrote);
        expect(after).toHaveLength(wrote.size);
        for (const conversation of after) {
          const own = captures.flatMap(({ capture }) => (capture.phoneE164 === conversation.phoneE164 && capture.ctwa !== undefined ? [capture.ctwa] : []));
          const withClid = own.filter(({ ctwa_clid }) => ctwa_clid !== undefined);
          // One of them, as it came: never a mixture, and one with a click id if there was any.
          const possible = withClid.length > 0 ? withClid : own.length > 0 ? own : [undefined];
          expect(possible).toContainEqual(conversation.ctwa);
          const byPhone = await relay.api.conversations.findByPhone(accountId, conversation.phoneE164!);
          expect(byPhone?.id).toBe(withClid.length > 0 ? conversation.id : undefined);
        }
        // Everything once more, in another order: nothing changes, not even the time.
        await Promise.all(captures.toReversed().map(({ capture }) => other.conversations.capture([capture])));
        expect(await all(accountId)).toEqual(after);
      }),
      { numRuns: 60 },
    );
  });

  test('is never overwritten, whatever comes later and however old it says it is', async () => {
    const accountId = anAccount();
    const first = aClick('first');
    await relay.api.conversations.capture([aMessage(accountId, { ctwa: first })]);
    for (const later of [aClick('older', relay.now() - DAY_MS), aClick('newer', relay.now() + 1000), aClick(undefined), undefined]) {
      await relay.api.conversations.capture([aMessage(accountId, { ctwa: later })]);
    }
    expect((await only(accountId)).ctwa).toEqual(first);
  });

  test('without a click id gives way to the first that has one', async () => {
    const accountId = anAccount();
    await relay.api.conversations.capture([aMessage(accountId, { ctwa: aClick(undefined) })]);
    expect((await only(accountId)).ctwa).toMatchObject({ ctwa_source_id: 'ad-of-status' });
    expect(await relay.api.conversations.findByPhone(accountId, PLANTED.phone)).toBeUndefined();
    expect(await relay.api.conversations.knowsPhone(accountId, PLANTED.phone)).toBe(true);
    const click = aClick('real');
    await relay.api.conversations.capture([aMessage(accountId, { ctwa: aClick(undefined) }), aMessage(accountId, { ctwa: click }), aMessage(accountId, { ctwa: aClick('late') })]);
    expect((await only(accountId)).ctwa).toEqual(click);
    expect((await relay.api.conversations.findByPhone(accountId, PLANTED.phone))?.ctwa).toEqual(click);
  });
});

describe('a message', () => {
  test('that comes again changes nothing, not even when it comes much later', async () => {
    const accountId = anAccount();
    const message = aMessage(accountId, { ctwa: aClick('once') });
    await relay.api.conversations.capture([message, message]);
    const before = await only(accountId);
    relay.advance(60_000);
    await Promise.all([relay.api, other].map((api) => api.conversations.capture([message, message, message])));
    expect(await only(accountId)).toEqual(before);
    await relay.api.conversations.capture([aMessage(accountId)]);
    expect((await only(accountId)).updatedAtMs).toBeGreaterThanOrEqual(before.updatedAtMs + 60_000);
  });

  test('of the same writer to two accounts makes two conversations, also with the same id', async () => {
    const [one, two] = [anAccount(), anAccount()];
    const message = aMessage(one, { ctwa: aClick('of-one') });
    await relay.api.conversations.capture([message, { ...message, accountId: two, ctwa: aClick('of-two') }]);
    expect((await only(one)).ctwa?.ctwa_clid).toBe('of-one');
    expect((await only(two)).ctwa?.ctwa_clid).toBe('of-two');
    expect((await only(one)).id).not.toBe((await only(two)).id);
  });

  test('finds its conversation by either number where Meta spells them differently', async () => {
    const accountId = anAccount();
    const [from, waId] = ['5511987654321', '551187654321'];
    await relay.api.conversations.capture([aMessage(accountId, { phoneE164: from, identities: [from, waId], ctwa: aClick('br') })]);
    await relay.api.conversations.capture([aMessage(accountId, { phoneE164: waId, identities: [waId] })]);
    const { id, phoneE164 } = await only(accountId);
    expect(phoneE164).toBe(from);
    for (const phone of [from, waId]) expect((await relay.api.conversations.findByPhone(accountId, phone))?.id).toBe(id);
  });

  test('of somebody without a number is found by the user id, and gets the number once Meta shows it', async () => {
    const accountId = anAccount();
    await relay.api.conversations.capture([aMessage(accountId, { phoneE164: undefined })]);
    expect(await only(accountId)).toMatchObject({ phoneE164: undefined, ctwa: undefined });
    await relay.api.conversations.capture([aMessage(accountId, { identities: [PLANTED.phone, PLANTED.userId] })]);
    expect(await only(accountId)).toMatchObject({ phoneE164: PLANTED.phone });
    // The ad comes last, and without the number: it is found by the number all the same.
    await relay.api.conversations.capture([aMessage(accountId, { phoneE164: undefined, ctwa: aClick('late') })]);
    const { id, phoneE164 } = await only(accountId);
    expect(phoneE164).toBe(PLANTED.phone);
    expect((await relay.api.conversations.findByPhone(accountId, PLANTED.phone))?.id).toBe(id);
  });
});

describe('an import', () => {
  const put = (accountId: string, id: string, over: { phoneE164?: string; ctwa?: CtwaMetadata } = {}) =>
    relay.api.conversations.put(id, { accountId, phoneE164: over.phoneE164, ctwa: over.ctwa });

  test('sets a click once, and has nothing to do with the same id of another account', async () => {
    const [accountId, foreign] = [anAccount(), anAccount()];
    const id = `crm:${accountId}`;
    expect(await put(accountId, id, { phoneE164: PLANTED.phone })).toMatchObject({ created: true, conversation: { id, ctwa: undefined } });
    const ctwa = aClick('imported');
    expect(await put(accountId, id, { ctwa })).toMatchObject({ created: false, conversation: { phoneE164: PLANTED.phone, ctwa } });
    expect(await put(accountId, id, { ctwa: aClick('another') })).toMatchObject({ created: false, conversation: { ctwa } });
    expect(await relay.api.conversations.get(foreign, id)).toBeUndefined();
    const own = aClick('another');
    expect(await put(foreign, id, { ctwa: own })).toMatchObject({ created: true, conversation: { accountId: foreign, phoneE164: undefined, ctwa: own } });
    expect(await relay.api.conversations.get(accountId, id)).toMatchObject({ accountId, phoneE164: PLANTED.phone, ctwa });
    expect((await all(foreign)).map((conversation) => conversation.ctwa)).toEqual([own]);
    expect((await relay.api.conversations.findByPhone(accountId, PLANTED.phone))?.id).toBe(id);
  });

  test('of many at once is one conversation with one of the clicks', async () => {
    const accountId = anAccount();
    const id = `crm:${accountId}`;
    const results = await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? relay.api : other).conversations.put(id, { accountId, phoneE164: PLANTED.phone, ctwa: aClick(`c${n}`) })));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ conversation }) => conversation.ctwa?.ctwa_clid)).size).toBe(1);
  });

  test('with another number keeps the first, and is not found by the other', async () => {
    const accountId = anAccount();
    const id = `crm:${accountId}`;
    await put(accountId, id, { phoneE164: '4915100000001', ctwa: aClick('kept') });
    expect(await put(accountId, id, { phoneE164: '4915100000002' })).toMatchObject({ conversation: { phoneE164: '4915100000001' } });
    expect(await relay.api.conversations.findByPhone(accountId, '4915100000002')).toBeUndefined();
    expect(await relay.api.conversations.knowsPhone(accountId, '4915100000002')).toBe(false);
  });

  test('does not take the messages of a number that has a conversation, and takes them where it has none', async () => {
    const accountId = anAccount();
    await relay.api.conversations.capture([aMessage(accountId)]);
    const captured = await only(accountId);
    await put(accountId, `beside:${accountId}`, { phoneE164: PLANTED.phone });
    relay.advance(1000);
    await relay.api.conversations.capture([aMessage(accountId)]);
    expect((await all(accountId))[0]!.id).toBe(captured.id);

    const fresh = anAccount();
    await put(fresh, `first:${fresh}`, { phoneE164: PLANTED.phone });
    await relay.api.conversations.capture([aMessage(fresh, { ctwa: aClick('on-it') })]);
    expect(await only(fresh)).toMatchObject({ id: `first:${fresh}`, ctwa: { ctwa_clid: 'on-it' } });
  });
});

describe('looking up', () => {
  test('a number finds the click that was captured last, not the one that was stored last', async () => {
    const accountId = anAccount();
    const now = relay.now();
    for (const [id, hoursAgo] of [['a', 3], ['b', 1], ['c', 2]] as const) {
      await relay.api.conversations.put(`${id}:${accountId}`, { accountId, phoneE164: PLANTED.phone, ctwa: aClick(id, now - hoursAgo * 3_600_000) });
    }
    await relay.api.conversations.put(`d:${accountId}`, { accountId, phoneE164: PLANTED.phone, ctwa: aClick(undefined, now) });
    expect((await relay.api.conversations.findByPhone(accountId, PLANTED.phone))?.id).toBe(`b:${accountId}`);
    expect(await relay.api.conversations.findByPhone(anAccount(), PLANTED.phone)).toBeUndefined();
  });

  test('a number passes over a conversation that is no longer kept', async () => {
    const accountId = anAccount();
    await relay.api.conversations.put(`old:${accountId}`, { accountId, phoneE164: PLANTED.phone, ctwa: aClick('older', relay.now() - 3_600_000) });
    await relay.api.conversations.put(`gone:${accountId}`, { accountId, phoneE164: PLANTED.phone, ctwa: aClick('newer') });
    await relay.redis.del(`{relay}:wa:conv:${accountId}:gone:${accountId}`);
    expect((await relay.api.conversations.findByPhone(accountId, PLANTED.phone))?.id).toBe(`old:${accountId}`);
    expect((await all(accountId)).map(({ id }) => id)).toEqual([`old:${accountId}`]);
  });

  test('lists by last activity, in pages', async () => {
    const accountId = anAccount();
    for (let n = 0; n < 5; n += 1) {
      relay.advance(10);
      await relay.api.conversations.capture([aMessage(accountId, { phoneE164: `491510000${n}`, identities: [`491510000${n}`] })]);
    }
    relay.advance(10);
    await relay.api.conversations.capture([aMessage(accountId, { phoneE164: '4915100001', identities: ['4915100001'] })]);
    const phones = async (limit: number, offset: number) => (await relay.api.conversations.list(accountId, limit, offset)).map(({ phoneE164 }) => phoneE164?.at(-1));
    expect(await phones(200, 0)).toEqual(['1', '4', '3', '2', '0']);
    expect(await phones(2, 2)).toEqual(['3', '2']);
    expect(await phones(2, 4)).toEqual(['0']);
  });

  test('forgets a conversation a while after its last message', async () => {
    await using short = await openRelay({ logRetentionDays: 1 });
    const accountId = anAccount();
    await short.api.conversations.capture([aMessage(accountId, { phoneE164: '49151000000', identities: ['49151000000'] })]);
    short.advance(DAY_MS + 1000);
    await short.api.conversations.capture([aMessage(accountId)]);
    // Redis' own clock does not move with ours: what it would have expired is still there, but not listed.
    expect((await short.api.conversations.list(accountId, 10, 0)).map(({ phoneE164 }) => phoneE164)).toEqual([PLANTED.phone]);
  });
});

describe('rotating keys', () => {
  const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];

  test('what was captured under the old key is found under the new one, and by the new one alone once its writer wrote again', async () => {
    await using before = await openRelay({ sealer: createSealer([oldKey]) });
    await using during = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey, oldKey]) });
    await using after = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey]) });
    const accountId = anAccount();
    const [silent, active] = ['4915100000001', '4915100000002'];
    const of = (phone: string, over: Partial<Capture> = {}) => aMessage(accountId, { phoneE164: phone, identities: [phone], ...over });
    const repeated = of(active, { ctwa: aClick('active') });
    await before.api.conversations.capture([of(silent, { ctwa: aClick('silent') }), repeated]);
    const ids = new Map((await before.api.conversations.list(accountId, 10, 0)).map(({ id, phoneE164 }) => [phoneE164, id]));

    for (const phone of [silent, active]) {
      expect(await during.api.conversations.findByPhone(accountId, phone)).toMatchObject({ id: ids.get(phone), phoneE164: phone });
      expect(await during.api.conversations.knowsPhone(accountId, phone)).toBe(true);
    }
    await during.api.conversations.capture([of(active)]);
    expect(await during.api.conversations.list(accountId, 10, 0)).toHaveLength(2);

    // Without the old key: the number was sealed anew, the click was not and is as good as none; nothing breaks.
    expect(await after.api.conversations.get(accountId, ids.get(active)!)).toMatchObject({ phoneE164: active, ctwa: undefined });
    expect(await after.api.conversations.get(accountId, ids.get(silent)!)).toMatchObject({ phoneE164: undefined, ctwa: undefined });
    expect(await after.api.conversations.list(accountId, 10, 0)).toHaveLength(2);
    expect(await after.api.conversations.findByPhone(accountId, active)).toBeUndefined();
    await after.api.conversations.capture([of(active)]);
    expect(await after.api.conversations.list(accountId, 10, 0)).toHaveLength(2);
  });
});

describe('what Redis holds', () => {
  test('is nobody in the clear, and nothing without an end', async () => {
    await using clean = await openRelay();
    const accountId = anAccount();
    await clean.api.conversations.capture([
      aMessage(accountId, { messageId: 'wamid.planted', identities: [PLANTED.phone, PLANTED.userId], ctwa: aClick(PLANTED.clid) }),
      aMessage(accountId, { phoneE164: undefined }),
    ]);
    await clean.api.conversations.put('planted-import', { accountId, phoneE164: PLANTED.phone, ctwa: aClick(PLANTED.clid) });
    const held = [...(await dump(clean.redis))].filter(([key]) => key.includes(':wa:'));
    expect(held.length).toBeGreaterThan(6);
    const secret = [...Object.values(PLANTED), 'wamid.planted', `ad-of-${PLANTED.clid}`];
    const forms = secret.flatMap((text) => [text, Buffer.from(text).toString('base64').slice(2, -4), Buffer.from(text).toString('hex'), encodeURIComponent(text)]);
    const showing = held.filter(([key, value]) => forms.some((form) => `${key} ${value}`.includes(form)));
    expect(showing).toEqual([]);
    const kept = await Promise.all(held.map(async ([key]) => ({ key, seconds: await clean.redis.ttl(key), least: (key.includes(':wa:seen:') ? 8 : 30) * 86_400 - 60 })));
    expect(kept.filter(({ seconds, least }) => seconds < least || seconds > least + 60)).toEqual([]);
  });
});

describe('locks', () => {
  test('what races runs one after the other, whatever becomes of it', async () => {
    let running = 0;
    let most = 0;
    let ended = 0;
    const work = async (n: number) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      ended += 1;
      if (n % 3 === 0) throw new Error(`work ${n} failed`);
      return n;
    };
    const runs = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? relay.api : other).locks.run('dataset:race', 30_000, () => work(n))));
    expect([most, ended]).toEqual([1, 8]);
    expect(runs.map((run) => (run.status === 'fulfilled' ? run.value : 'failed'))).toEqual(['failed', 1, 2, 'failed', 4, 5, 'failed', 7]);
    expect(await relay.redis.exists('{relay}:lock:dataset:race')).toBe(0);
  });

  test('of another name do not wait', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const first = relay.api.locks.run('dataset:a', 30_000, () => held);
    expect(await other.locks.run('dataset:b', 30_000, async () => 'not kept waiting')).toBe('not kept waiting');
    release();
    await first;
  });

  test('end by themselves where who held them is gone, and are not given back by who lost them', async () => {
    await relay.redis.set('{relay}:lock:dataset:dead', 'somebody', 'PX', 300);
    expect(await relay.api.locks.run('dataset:dead', 30_000, async () => 'mine')).toBe('mine');
    await relay.api.locks.run('dataset:slow', 30_000, async () => void (await relay.redis.set('{relay}:lock:dataset:slow', 'another', 'PX', 30_000)));
    expect(await relay.redis.get('{relay}:lock:dataset:slow')).toBe('another');
  });
});
