import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeadLetterFilter, Death } from '@relay/delivery';
import { keys, letterDataSchema } from '@relay/redis/testing';
import { createSealer } from '@relay/runtime';
import { replayMany } from '../../../apps/api/src/replay-many.ts';
import { batchOf, DAY_MS, delivered, died, dump, HOUR_MS, isHousekeeping, openRelay, PERSON, send, type Relay } from './a-relay.ts';
import { retry } from './book-moves.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay();
});
afterAll(() => relay[Symbol.asyncDispose]());

const tag = '{relay}';
const jobsOf = async (accountId: string, of = relay) => (await of.jobs()).filter((job) => job.accountId === accountId);
const lettersOf = async (accountId: string, of = relay) => (await of.api.deadLetters.list({ accountId }, 100, undefined)).rows;
const replay = (id: string, force = false, of = relay) => of.api.deadLetters.replay(id, { force });

/** A dead request of an account of its own. */
async function aLetter(accountId: string, events = 2, of = relay) {
  const deliveryId = await send(of.api, { accountId, events });
  const [job] = await jobsOf(accountId, of);
  await of.delivery().settle(died(await batchOf(job!)));
  const [letter] = await lettersOf(accountId, of);
  return { deliveryId, job: job!, letter: letter! };
}

describe('a settlement with dead events', () => {
  test('writes a letter for each request and cause', async () => {
    const front = send(relay.api, { accountId: 'front' });
    const [, first, second] = await Promise.all([
      front,
      send(relay.api, { accountId: 'causes', events: ['a0', 'a1', 'a2', 'a3'], refused: [1], testCode: 'T1', consent: { adUserData: 'GRANTED' } }),
      send(relay.api, { accountId: 'causes', events: ['b0', 'b1'], testCode: 'T1', consent: { adUserData: 'GRANTED' } }),
    ]);
    const [job] = await jobsOf('causes');
    const batch = await batchOf(job!); // a0 a2 a3 | b0 b1
    const death = (picks: number[], code: string): Death => ({ events: picks.map((i) => batch[i]!), reason: 'rejected', code, message: `says ${code}`, traceId: undefined });
    await relay.delivery().settle({ dead: [death([0, 2, 3], '100'), death([1], '200')], requestMs: 7 });

    const letters = await lettersOf('causes');
    expect(letters.map(({ deliveryId, code, eventIds, eventCount }) => ({ deliveryId, code, eventIds, eventCount })).toSorted((a, b) => (a.eventIds[0]! < b.eventIds[0]! ? -1 : 1))).toEqual([
      { deliveryId: first, code: '100', eventIds: ['a0', 'a3'], eventCount: 2 },
      { deliveryId: first, code: '200', eventIds: ['a2'], eventCount: 1 },
      { deliveryId: second, code: '100', eventIds: ['b0'], eventCount: 1 },
    ]);
    const raw = await relay.redis.hget(keys.letter(relay.lane(), letters.find(({ eventIds }) => eventIds[0] === 'a0')!.id), 'data');
    expect(letterDataSchema.parse(JSON.parse(raw!))).toMatchObject({ indices: [0, 1, 3, 1], chunk: 0, testCode: 'T1', consent: 'G-', attempts: 1 });
    expect([...(await dump(relay.redis)).values()].filter((value) => value.includes(PERSON))).toEqual([]);
  });

  test('says how often and when it was tried, and nothing of that when it was never sent', async () => {
    await send(relay.api, { accountId: 'tried' });
    const [tried] = await jobsOf('tried');
    await retry(relay, tried!);
    await relay.delivery().settle(died(await batchOf(tried!)));
    expect(await lettersOf('tried')).toMatchObject([{ attempts: 1, firstAttemptAtMs: expect.any(Number), lastAttemptAtMs: expect.any(Number), replayable: true }]);

    await send(relay.api, { accountId: 'unsent' });
    const [unsent] = await jobsOf('unsent');
    await relay.delivery().settle({ dead: [{ events: await batchOf(unsent!), reason: 'expired', code: 'expired', message: 'Too old.', traceId: undefined }], requestMs: undefined });
    expect(await lettersOf('unsent')).toMatchObject([{ attempts: 0, firstAttemptAtMs: undefined, lastAttemptAtMs: undefined }]);

    await send(relay.api, { accountId: 'tokenless' });
    const [tokenless] = await jobsOf('tokenless');
    await relay.delivery().settle({ dead: [{ events: await batchOf(tokenless!), reason: 'operator', code: 'invalid_client', message: 'No such client.', traceId: undefined }], requestMs: undefined });
    expect(await lettersOf('tokenless')).toMatchObject([{ attempts: 1, lastAttemptAtMs: expect.any(Number), reason: 'operator' }]);

    const refusedAccount = await send(relay.api, { accountId: 'refusing' });
    const [job] = await jobsOf('refusing');
    await relay.delivery().settle({ dead: [{ events: await batchOf(job!), reason: 'account', code: '200', message: 'No permission.', traceId: undefined }], requestMs: 9 });
    expect(await lettersOf('refusing')).toMatchObject([{ attempts: 1, lastAttemptAtMs: expect.any(Number), reason: 'account' }]);
    expect(await relay.api.deliveries.get(refusedAccount)).toMatchObject({ attempts: 1 });
  });

  test('shows the first hundred event ids of a large one', async () => {
    const { letter } = await aLetter('large', 150);
    expect(letter.eventIds).toHaveLength(100);
    expect(letter.eventCount).toBe(150);
  });
});

describe('the list', () => {
  test('is newest first and pages through all, whatever is added or taken meanwhile', async () => {
    await using other = await openRelay();
    const ids: string[] = [];
    for (let i = 0; i < 130; i += 1) await send(other.api, { accountId: `l${i}` });
    for (const job of await other.jobs()) {
      await other.delivery().settle(died(await batchOf(job)));
      ids.unshift((await other.api.deadLetters.list({}, 1, undefined)).rows[0]!.id);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await other.api.deadLetters.list({}, 20, cursor);
      // As a replay by filter does it: every letter of the page goes before the next page is asked for.
      for (const { id } of page.rows) expect(await replay(id, false, other)).toMatchObject({ kind: 'replayed' });
      await aLetter(`new${seen.length}`, 1, other);
      seen.push(...page.rows.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);
  });

  test.each([1, 3])('is newest first over all platforms and their %i lanes', async (lanes) => {
    await using other = await openRelay({ lanes });
    const ids: string[] = [];
    const bury = async (n: number) => {
      const platform = (['whatsapp', 'metaads', 'googleads', 'metaads'] as const)[n % 4]!;
      const request = { platform, accountId: `m${n}`, destinationId: `d${n}` };
      await send(other.api, request);
      const lane = other.worker.lanes.forDestination(platform, request.accountId, request.destinationId);
      const job = (await other.jobs(lane)).find(({ accountId }) => accountId === request.accountId)!;
      other.advance(1);
      await other.delivery(lane).settle(died(await batchOf(job)));
      return (await other.api.deadLetters.list({ accountId: request.accountId }, 1, undefined)).rows[0]!.id;
    };
    // A long run of one platform, then by turns.
    for (let n = 0; n < 60; n += 1) ids.unshift(await bury(2000 + 4 * n + 1));
    for (let n = 0; n < 40; n += 1) ids.unshift(await bury(n));
    for (const limit of [1, 7, 200]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await other.api.deadLetters.list({}, limit, cursor);
        seen.push(...page.rows.map(({ id }) => id));
        cursor = page.nextCursor;
        // What comes in meanwhile, in whatever lane, changes nothing for the pages to come.
        if (limit === 7) await bury(1000 + seen.length);
      } while (cursor !== undefined);
      expect(limit === 200 ? seen.slice(-100) : seen).toEqual(ids);
    }
  });

  test('filters by platform, account, destination, reason and what the caller may see', async () => {
    await using other = await openRelay();
    for (const [accountId, destinationId, reason] of [
      ['a', 'x', 'rejected'],
      ['a', 'y', 'expired'],
      ['b', 'x', 'rejected'],
    ] as const) {
      await send(other.api, { accountId, destinationId });
      const job = (await other.jobs()).find((one) => one.accountId === accountId && one.destinationId === destinationId)!;
      await other.delivery().settle({ dead: [{ events: await batchOf(job), reason, code: 'c', message: 'm', traceId: undefined }], requestMs: 1 });
    }
    const found = async (filter: DeadLetterFilter) => (await other.api.deadLetters.list(filter, 10, undefined)).rows.map((row) => row.accountId + row.destinationId);
    expect(await found({})).toEqual(['bx', 'ay', 'ax']);
    expect(await found({ accountId: 'a' })).toEqual(['ay', 'ax']);
    expect(await found({ destinationId: 'x' })).toEqual(['bx', 'ax']);
    expect(await found({ reason: 'expired' })).toEqual(['ay']);
    expect(await found({ platform: 'googleads' })).toEqual([]);
    expect(await found({ platform: 'metaads', accounts: ['b'] })).toEqual(['bx']);
    expect(await found({ accounts: [] })).toEqual([]);
  });

  test.each(['', 'x', '1', '0.x', '-1.0', '0.1.2', '...', '0.0.0.0', '1.1.1.1.1', '1.1.1._', '1.1.1.1234567890'])('says that "%s" is no cursor', async (cursor) => {
    await expect(relay.api.deadLetters.list({}, 10, cursor)).rejects.toMatchObject({ code: 'invalid_cursor' });
  });
});

describe('replay', () => {
  test('brings the same events back to pending, once', async () => {
    const deliveryId = await send(relay.api, { accountId: 'again', events: ['p', 'q', 'r', 's'], testCode: 'T' });
    const [job] = await jobsOf('again');
    const before = await relay.ledger();
    const batch = await batchOf(job!);
    await relay.delivery().settle(delivered([batch[2]!]));
    await relay.delivery().settle(died([batch[0]!, batch[1]!, batch[3]!]));
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'partial', eventsFailed: 3 });
    const [letter] = await lettersOf('again');

    expect(await replay(letter!.id)).toEqual({ kind: 'replayed', events: 3, accountId: 'again' });
    expect(await relay.ledger()).toMatchObject({ accepted: before.accepted, dead: before.dead, pending: before.pending - 1, delivered: before.delivered + 1 });
    const again = (await jobsOf('again')).find(({ data }) => data.rl === letter!.id)!;
    expect(again).toMatchObject({ testCode: 'T', events: 3, attemptsMade: 0, begunBefore: true, expiresAtMs: batch[0]!.expiresAtMs, acceptedAtMs: job!.acceptedAtMs });
    expect(again.data.p).toEqual([{ d: deliveryId, k: 0, r: [0, 2, 3, 1] }]);
    expect((await again.load()).map(({ eventId, wire }) => ({ eventId, wire }))).toEqual([batch[0]!, batch[1]!, batch[3]!].map(({ eventId, wire }) => ({ eventId, wire })));
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'queued', eventsPending: 3, eventsReceived: 1, failures: [], replays: 1, finishedAtMs: undefined });
    expect(await relay.redis.ttl(keys.receipt(tag, deliveryId))).toBe(-1);

    expect(await lettersOf('again')).toEqual([]);
    expect(await relay.api.deadLetters.get(letter!.id)).toMatchObject({ id: letter!.id, replayable: false, replayedAtMs: expect.any(Number), whyNot: expect.stringContaining('replayed already') });
    expect(await replay(letter!.id)).toMatchObject({ kind: 'refused' });
    expect(await relay.api.deadLetters.discard(letter!.id)).toBe(false);

    await relay.delivery().settle(delivered(await batchOf(again)));
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'delivered', eventsReceived: 4, chunks: [{ status: 'delivered' }] });
  });

  test('that dies again leaves a letter that names the one before', async () => {
    const { letter } = await aLetter('twice');
    await replay(letter.id);
    const job = (await jobsOf('twice')).find(({ data }) => data.rl === letter.id)!;
    await relay.delivery().settle(died(await batchOf(job), '300'));
    const [next] = await lettersOf('twice');
    expect(next).toMatchObject({ code: '300', eventIds: letter.eventIds, deliveryId: letter.deliveryId });
    const raw = await relay.redis.hget(keys.letter(relay.lane(), next!.id), 'data');
    expect(letterDataSchema.parse(JSON.parse(raw!)).replayOf).toBe(letter.id);
  });

  test('of the same letter by two processes at once happens once', async () => {
    const other = await relay.anotherApi();
    for (let round = 0; round < 10; round += 1) {
      const { letter, deliveryId } = await aLetter(`race${round}`);
      const results = await Promise.all([relay.api, other, relay.api, other].map((api) => api.deadLetters.replay(letter.id, { force: false })));
      expect(results.map(({ kind }) => kind).toSorted()).toEqual(['refused', 'refused', 'refused', 'replayed']);
      expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ eventsPending: 2, replays: 1 });
    }
  });

  test('is refused for what the platform would no longer take, forced or not', async () => {
    await using old = await openRelay();
    const { letter } = await aLetter('expired', 1, old);
    old.advance(8 * DAY_MS);
    expect(await old.api.deadLetters.get(letter.id)).toMatchObject({ replayable: false, whyNot: expect.stringContaining('older than') });
    expect(await replay(letter.id, true, old)).toMatchObject({ kind: 'refused', why: expect.stringContaining('older than') });
    expect(await old.ledger()).toMatchObject({ dead: 1, pending: 0 });
  });

  test('past the dedup window is refused unless forced, if the platform may have taken the events', async () => {
    await using old = await openRelay();
    await send(old.api, { accountId: 'maybe' });
    const [job] = await jobsOf('maybe', old);
    await old.delivery().noteRetry([{ job: job!, code: 'timeout', message: 'no answer', traceId: undefined, requestMs: 30_000, ambiguous: true }]);
    await old.delivery().settle({ dead: [{ events: await batchOf(job!), reason: 'attempts_exhausted', code: 'timeout', message: 'no answer', traceId: undefined }], requestMs: undefined });
    const [letter] = await lettersOf('maybe', old);
    expect(letter).toMatchObject({ replayable: true, attempts: 1 });
    old.advance(49 * HOUR_MS);
    expect(await replay(letter!.id, false, old)).toMatchObject({ kind: 'refused', why: expect.stringContaining('48 h') });
    expect(await replay(letter!.id, true, old)).toMatchObject({ kind: 'replayed' });
  });

  test('waits its turn: many letters of one destination do not stand in the way of another', async () => {
    await using busy = await openRelay();
    for (let i = 0; i < 5; i += 1) await send(busy.api, { accountId: 'loud', events: 1000 });
    for (const job of await jobsOf('loud', busy)) await busy.delivery().settle(died(await batchOf(job)));
    for (const { id } of await lettersOf('loud', busy)) expect(await replay(id, false, busy)).toMatchObject({ kind: 'replayed' });
    await send(busy.api, { accountId: 'quiet' });
    const order = await busy.redis.zrange(`${tag}:metaads:prioritized`, 0, '-1');
    const quiet = (await jobsOf('quiet', busy))[0]!.jobId;
    const replayed = new Set((await jobsOf('loud', busy)).filter(({ data }) => data.rl !== undefined).map(({ jobId }) => jobId));
    const ahead = order.slice(0, order.indexOf(quiet)).filter((id) => replayed.has(id));
    expect(ahead.length).toBeLessThanOrEqual(1);
  });

  test('that broke off before the letter was removed leaves one that is not listed and cannot go out again', async () => {
    const { letter } = await aLetter('crash');
    const queue = relay.api.queues.find(({ name }) => name === 'metaads.dead')!;
    const left = await queue.getJob(letter.id);
    await replay(letter.id);
    // Back as a crash between the transaction and the removal would have left it.
    await queue.add('dead', left!.data, { jobId: letter.id });
    expect(await replay(letter.id, true)).toMatchObject({ kind: 'refused', why: expect.stringContaining('replayed already') });
    await queue.add('dead', left!.data, { jobId: letter.id });
    expect(await lettersOf('crash')).toEqual([]);
    await expect.poll(() => queue.getJob(letter.id)).toBeUndefined();
  });

  describe('of what cannot be read is refused, forced or not, and the letter stays as it is', () => {
    const letterKey = (of: Relay, id: string) => keys.letter(of.lane(), id);
    const dataOf = async (of: Relay, id: string) => JSON.parse((await of.redis.hget(letterKey(of, id), 'data'))!) as Record<string, unknown>;
    const rewrite = (of: Relay, id: string, data: object) => of.redis.hset(letterKey(of, id), 'data', JSON.stringify(data));
    async function expectRefused(of: Relay, id: string, why: RegExp) {
      const before = await dump(of.redis);
      for (const force of [false, true]) expect(await replay(id, force, of)).toEqual({ kind: 'refused', why: expect.stringMatching(why) });
      expect(await dump(of.redis)).toEqual(before);
    }

    test('its key is no more in RELAY_SECRET_KEY, until it is back', async () => {
      const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
      await using before = await openRelay({ sealer: createSealer([oldKey]) });
      const { letter } = await aLetter('sealed', 2, before);
      await using after = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey]) });
      const { letter: readable } = await aLetter('readable', 1, after);
      const seen = [await after.api.deadLetters.get(letter.id), ...(await lettersOf('sealed', after))];
      expect(seen).toEqual([0, 1].map(() => expect.objectContaining({ id: letter.id, eventIds: letter.eventIds, replayable: false, whyNot: expect.stringMatching(/RELAY_SECRET_KEY\. Put the key back/) })));
      await expectRefused(after, letter.id, /RELAY_SECRET_KEY\. Put the key back/);
      const all = await replayMany({ deadLetters: after.api.deadLetters, now: after.now }, { id: 'k', name: 'k', scopes: ['manage'], accounts: ['*'], createdAtMs: 0, lastUsedAtMs: undefined }, { force: true });
      expect(all).toMatchObject({ replayed: 1, refused: 1, events: 1, more: false });
      expect(all.results).toEqual(expect.arrayContaining([{ id: readable.id, result: 'replayed', events: 1 }, { id: letter.id, result: 'refused', why: expect.stringContaining('RELAY_SECRET_KEY') }]));
      await using both = await openRelay({ redisUrl: before.url, sealer: createSealer([newKey, oldKey]) });
      expect(await both.api.deadLetters.get(letter.id)).toMatchObject({ replayable: true, whyNot: undefined });
      expect(await replay(letter.id, false, both)).toMatchObject({ kind: 'replayed', events: 2 });
      // From here on it needs the new key alone.
      const again = (await jobsOf('sealed', after)).find(({ data }) => data.rl === letter.id)!;
      expect((await again.load()).map(({ eventId }) => eventId)).toEqual(letter.eventIds);
    });

    test('a later version wrote it, which keeps its name and what it is of', async () => {
      await using later = await openRelay();
      const { letter } = await aLetter('later', 2, later);
      const data = await dataOf(later, letter.id);
      const { payload, indices: _indices, expiresAt: _expiresAt, ...kept } = data;
      await rewrite(later, letter.id, { ...kept, v: 2, body: payload });
      const shown = { ...letter, replayable: false, whyNot: expect.stringMatching(/later version.*Upgrade/) };
      expect(await later.api.deadLetters.get(letter.id)).toEqual(shown);
      expect(await lettersOf('later', later)).toEqual([shown]);
      await expectRefused(later, letter.id, /later version.*Upgrade/);
      await rewrite(later, letter.id, data);
      expect(await replay(letter.id, false, later)).toMatchObject({ kind: 'replayed' });
    });

    test('it does not even say whose it is: not found, for nobody may be told of it', async () => {
      await using strange = await openRelay();
      const { letter } = await aLetter('strange', 1, strange);
      await rewrite(strange, letter.id, { v: 2, whatever: true });
      expect(await strange.api.deadLetters.get(letter.id)).toBeUndefined();
      expect(await replay(letter.id, true, strange)).toEqual({ kind: 'not_found' });
    });

    test('what is sealed was changed', async () => {
      await using changed = await openRelay();
      const { letter } = await aLetter('changed', 1, changed);
      const data = await dataOf(changed, letter.id);
      const sealed = Buffer.from(String(data['payload']), 'base64');
      sealed[sealed.length - 1]! ^= 1;
      await rewrite(changed, letter.id, { ...data, payload: sealed.toString('base64') });
      await expectRefused(changed, letter.id, /changed since/);
      expect(await changed.ledger()).toMatchObject({ dead: 1, pending: 0 });
    });
  });

  test('of what is no letter is not found', async () => {
    for (const id of ['', 'dl_', 'dl_j1_0_metaads', 'dl_j1_0_nothing', 'x']) {
      expect(await replay(id)).toEqual({ kind: 'not_found' });
      expect(await relay.api.deadLetters.get(id)).toBeUndefined();
      expect(await relay.api.deadLetters.discard(id)).toBe(false);
    }
  });
});

test('a discarded letter stays counted as dead', async () => {
  const { letter, deliveryId } = await aLetter('discard', 3);
  const before = await relay.ledger();
  const books = async () => [...(await dump(relay.redis))].filter(([key]) => !key.includes('.dead:') && !isHousekeeping(key));
  const kept = await books();
  expect(await relay.api.deadLetters.discard(letter.id)).toBe(true);
  expect(await relay.api.deadLetters.discard(letter.id)).toBe(false);
  expect(await relay.ledger()).toEqual(before);
  expect(await books()).toEqual(kept);
  expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'failed', eventsFailed: 3 });
  expect(await replay(letter.id)).toEqual({ kind: 'not_found' });
});
