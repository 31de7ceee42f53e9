import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OUTCOME_UNKNOWN, type EnqueueOptions } from '@relay/delivery';
import { keys } from '@relay/redis/testing';
import { aRequest, batchOf, delivered, died, idempotent, idOf, openRelay, type Relay } from './a-relay.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay();
});
afterAll(() => relay[Symbol.asyncDispose]());

const lane = () => relay.lane('whatsapp');
const once = (key: string): EnqueueOptions => ({ once: { scope: 'wa.acc', key, ttlMs: 86_400_000 }, wantsReply: false });
const aConversion = (eventId: string) => aRequest({ platform: 'whatsapp', destinationId: 'dataset', events: [eventId], maxChunkEvents: 1, conversationId: 'conv' });
const jobOf = async (eventId: string) => {
  for (const job of await relay.jobs(lane())) if ((await job.load())[0]?.eventId === eventId) return job;
  throw new Error(`no job of ${eventId}`);
};
/** The event's last job ends like this. */
async function end(eventId: string, how: 'delivered' | 'refused' | 'unknown'): Promise<void> {
  const job = await jobOf(eventId);
  const events = await batchOf(job);
  const unknown = { dead: [{ events, reason: 'unknown' as const, code: OUTCOME_UNKNOWN, message: 'No answer.', traceId: undefined }], requestMs: 3 };
  await relay.delivery(lane()).settle(how === 'delivered' ? delivered(events) : how === 'refused' ? died(events, '100/2804087', 'Bad click') : unknown);
  await relay.redis.zrem(`${lane().tag}:${lane().queue}:prioritized`, job.jobId);
  await relay.redis.del(keys.job(lane(), job.jobId));
}
const letterOf = async (deliveryId: string) => {
  const { rows } = await relay.api.deadLetters.list({ platform: 'whatsapp' }, 200, undefined);
  return rows.find((letter) => letter.deliveryId === deliveryId)!;
};

describe('an event that is good for one send', () => {
  test('is one delivery, also when fifty arrive at once over two processes', async () => {
    const other = await relay.anotherApi();
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? relay.api : other).enqueue(aConversion('race'), once('race'))));
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'repeated')).toHaveLength(49);
    expect(new Set(results.map(idOf)).size).toBe(1);
    expect(await relay.ledger('whatsapp')).toMatchObject({ accepted: 1, pending: 1 });
  });

  test('is not sent again while it is open, nor once it was delivered, nor when its end is not known', async () => {
    const first = idOf(await relay.api.enqueue(aConversion('e1'), once('e1')));
    expect(await relay.api.enqueue(aConversion('e1'), once('e1'))).toEqual({ kind: 'repeated', deliveryId: first });
    await end('e1', 'delivered');
    expect(await relay.api.enqueue(aConversion('e1'), once('e1'))).toEqual({ kind: 'repeated', deliveryId: first });
    const second = idOf(await relay.api.enqueue(aConversion('e2'), once('e2')));
    await end('e2', 'unknown');
    expect(await relay.api.enqueue(aConversion('e2'), once('e2'))).toEqual({ kind: 'repeated', deliveryId: second });
  });

  test('may be sent again once the platform has refused it, by one of those who try', async () => {
    const other = await relay.anotherApi();
    const ids: (string | undefined)[] = [];
    for (let round = 0; round < 3; round += 1) {
      const results = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? relay.api : other).enqueue(aConversion('e3'), once('e3'))));
      expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
      expect(new Set(results.map(idOf)).size).toBe(1);
      ids.push(idOf(results[0]!));
      await end('e3', round < 2 ? 'refused' : 'delivered');
    }
    expect(new Set(ids).size).toBe(3);
    expect((await relay.api.enqueue(aConversion('e3'), once('e3'))).kind).toBe('repeated');
  });

  test('holds beside an Idempotency-Key', async () => {
    const both = (key: string) => ({ ...idempotent(key, 'body'), ...once('e4') });
    const first = idOf(await relay.api.enqueue(aConversion('e4'), both('ik1')));
    await end('e4', 'refused');
    // The same key answers with the first delivery; a new one is a new try.
    expect(await relay.api.enqueue(aConversion('e4'), both('ik1'))).toEqual({ kind: 'repeated', deliveryId: first });
    const second = await relay.api.enqueue(aConversion('e4'), both('ik2'));
    expect(second.kind).toBe('accepted');
    expect(await relay.api.enqueue(aConversion('e4'), both('ik3'))).toEqual({ kind: 'repeated', deliveryId: idOf(second) });
  });

  test('that was sent anew is not replayed from its dead letter as well', async () => {
    const first = idOf(await relay.api.enqueue(aConversion('e5'), once('e5')))!;
    await end('e5', 'refused');
    const letter = await letterOf(first);
    expect(letter).toMatchObject({ replayable: true });
    const anew = idOf(await relay.api.enqueue(aConversion('e5'), once('e5')));
    expect(await letterOf(first)).toMatchObject({ replayable: false, whyNot: expect.stringContaining(anew!) });
    expect(await relay.api.deadLetters.replay(letter.id, { force: false })).toMatchObject({ kind: 'refused', why: expect.stringContaining(anew!) });
    expect(await relay.api.deadLetters.replay(letter.id, { force: true })).toMatchObject({ kind: 'replayed' });
  });

  test('that is replayed is not sent anew as well', async () => {
    const first = idOf(await relay.api.enqueue(aConversion('e6'), once('e6')))!;
    await end('e6', 'refused');
    await relay.api.deadLetters.replay((await letterOf(first)).id, { force: false });
    expect(await relay.api.enqueue(aConversion('e6'), once('e6'))).toEqual({ kind: 'repeated', deliveryId: first });
    await end('e6', 'delivered');
    expect(await relay.api.enqueue(aConversion('e6'), once('e6'))).toEqual({ kind: 'repeated', deliveryId: first });
  });

  test('replayed and sent anew in the same moment goes out once', async () => {
    for (let n = 0; n < 10; n += 1) {
      const eventId = `both-${n}`;
      const first = idOf(await relay.api.enqueue(aConversion(eventId), once(eventId)))!;
      await end(eventId, 'refused');
      const { id } = await letterOf(first);
      const before = (await relay.ledger('whatsapp')).pending;
      const [replay, anew] = await Promise.all([relay.api.deadLetters.replay(id, { force: false }), relay.api.enqueue(aConversion(eventId), once(eventId))]);
      expect([replay.kind, anew.kind]).toSatisfy(([a, b]: string[]) => (a === 'replayed') !== (b === 'accepted'));
      expect((await relay.ledger('whatsapp')).pending - before).toBe(1);
    }
  });
});

describe('the note that a request is under way', () => {
  test('is taken by one worker, makes its events doubtful for the next, and goes with the answer', async () => {
    await relay.api.enqueue(aConversion('note'), once('note'));
    const [here, there] = [relay.delivery(lane()), relay.delivery(lane())];
    const job = await jobOf('note');
    await here.markSending([job]);
    await expect(there.markSending([job])).rejects.toThrow(/another worker/);
    // `jobs` reads it as one that was never taken, the second look as one that was.
    await job.load();
    expect(await job.load()).toMatchObject([{ eventId: 'note', maybeSent: true }]);
    await here.clearSending([job]);
    expect((await job.load())[0]).not.toHaveProperty('maybeSent');
    await there.markSending([job]);
    await here.clearSending([job]);
  });

  test('is not left behind on a job that is done', async () => {
    await relay.api.enqueue(aConversion('done'), once('done'));
    const job = await jobOf('done');
    await end('done', 'delivered');
    await expect(relay.delivery(lane()).markSending([job])).rejects.toThrow(/another worker/);
    expect(await relay.redis.exists(keys.job(lane(), job.jobId))).toBe(0);
  });
});
