import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toGoogle, toLinkedin, toMeta, type SendBody } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';
import type { SandboxPlatform } from './sandbox-control.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { MAX_ATTEMPTS: '3' } });
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

const fail = (platform: SandboxPlatform, fault: Record<string, unknown>, times?: number) =>
  relay.sandbox.fault({ platform, match: { path: { meta: '/events', google: 'events:ingest', linkedin: 'conversionEvents' }[platform] }, fault, ...(times === undefined ? {} : { times }) });
const statuses = async (platform: SandboxPlatform) => (await relay.sandbox.requests(platform)).filter(({ route }) => !/oauth/i.test(route)).map(({ status }) => status);
const taken = async (body: SendBody) => (await relay.sandbox.accepted({ eventId: body.events[0]!.eventId })).total;
const aLead = (to: (events: ReturnType<typeof anEvent>[]) => SendBody = toMeta) => to([anEvent(freshIds('retry', 1)[0]!)]);

describe('tried again until the platform takes it', () => {
  test.each([
    ['Meta', 'meta', toMeta, 200],
    ['Google', 'google', toGoogle, 200],
    ['LinkedIn', 'linkedin', toLinkedin, 200],
  ] as const)('%s: 503 twice', async (_name, platform, to, ok) => {
    await fail(platform, { kind: 'status', status: 503 }, 2);
    const body = aLead(to);
    const answer = await relay.send(body);
    expect(answer.body).toMatchObject({ eventsReceived: 1, eventsFailed: 0, status: 'delivered' });
    expect(await statuses(platform)).toEqual([503, 503, ok]);
    expect(await relay.delivery(answer.body.deliveryId)).toMatchObject({ attempts: 3, chunks: [{ status: 'delivered', attempts: 3 }] });
    expect(await taken(body)).toBe(1);
  });

  test.each([
    ['a connection reset before anything was taken', { kind: 'reset', when: 'before' }, [0, 200], 1],
    ['a connection reset after the events were taken', { kind: 'reset', when: 'after' }, [200, 200], 2],
    ['an HTML page of a proxy', { kind: 'html' }, [502, 200], 1],
    ['half of a JSON answer', { kind: 'truncate' }, [200, 200], 2],
    ["the platform's own outage", { kind: 'unavailable', variant: '2' }, [500, 200], 1],
    ['an empty 200', { kind: 'status', status: 200, body: '' }, [200, 200], 1],
  ] as const)('%s', async (_name, fault, expected, times) => {
    await fail('meta', fault, 1);
    const body = aLead();
    const answer = await relay.send(body);
    expect(answer.body).toMatchObject({ eventsReceived: 1, status: 'delivered' });
    expect(await statuses('meta')).toEqual(expected);
    expect(await taken(body)).toBe(times);
  });

  test.each([
    ['no answer at all', { kind: 'hang' }],
    ['an answer that does not end in time', { kind: 'trickle', msPerByte: 200 }],
  ] as const)('%s: given up after PLATFORM_TIMEOUT_MS', async (_name, fault) => {
    await fail('meta', fault, 1);
    const startedAt = performance.now();
    const answer = await relay.send(aLead());
    const tookMs = performance.now() - startedAt;
    expect(answer.body).toMatchObject({ eventsReceived: 1, status: 'delivered' });
    expect(tookMs).toBeGreaterThan(1950);
    expect(tookMs).toBeLessThan(12_000);
    expect((await statuses('meta')).length).toBe(2);
  });

  test('Retry-After wins over the computed backoff', async () => {
    await fail('meta', { kind: 'status', status: 503, headers: { 'retry-after': '1' } }, 1);
    expect((await relay.send(aLead())).body.status).toBe('delivered');
    const [first, second] = await relay.sandbox.requests('meta');
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(995);
    expect(second!.atMs - first!.atMs).toBeLessThan(5400);
  });

  test('while it waits, the receipt says what the platform said', async () => {
    await fail('meta', { kind: 'status', status: 503, headers: { 'retry-after': '1' } }, 1);
    const deliveryId = await relay.queue(aLead());
    const waiting = await waitFor(async () => {
      const state = await relay.delivery(deliveryId);
      return state.status === 'retrying' && state;
    });
    expect(waiting).toMatchObject({ eventsPending: 1, chunks: [{ status: 'retrying', attempts: 1, code: 'http_503', message: expect.stringContaining('503') }] });
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered' });
  });

  test('a 200 that acknowledges fewer events is no success', async () => {
    await fail('meta', { kind: 'partial' }, 1);
    const ids = freshIds('partial', 10);
    const answer = await relay.send(toMeta(ids.map((id) => anEvent(id))));
    expect(answer.body).toMatchObject({ eventsReceived: 10, eventsFailed: 0, status: 'delivered' });
    // All ten went again, with the same ids: what was taken the first time is the platform's to recognise.
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 15, unique: 10 });
  });

  test('of LinkedIn, only the elements that failed for now go again', async () => {
    await fail('linkedin', { kind: 'partial' }, 1);
    const ids = freshIds('elements', 10);
    const answer = await relay.send(toLinkedin(ids.map((id) => anEvent(id))));
    expect(answer.body).toMatchObject({ eventsReceived: 10, eventsFailed: 0, status: 'delivered' });
    expect((await relay.sandbox.requests('linkedin')).length).toBe(2);
    expect(await relay.sandbox.accepted({ platform: 'linkedin', limit: 0 })).toMatchObject({ total: 10, duplicates: 0 });
  });

  test('a 200 of LinkedIn with a list that ends early is no success', async () => {
    await relay.sandbox.switches({ 'linkedin.partialShape': 'short' });
    await fail('linkedin', { kind: 'partial' }, 1);
    const ids = freshIds('short', 10);
    const answer = await relay.send(toLinkedin(ids.map((id) => anEvent(id))));
    expect(answer.body).toMatchObject({ eventsReceived: 10, eventsFailed: 0, status: 'delivered' });
    expect(await relay.sandbox.accepted({ platform: 'linkedin', limit: 0 })).toMatchObject({ unique: 10 });
  });
});

describe('when the attempts are used up', () => {
  test('the events are a dead letter, which a replay delivers; both sides say so, once', async () => {
    await fail('meta', { kind: 'status', status: 503 });
    const ids = freshIds('dead', 3);
    const answer = await relay.send(toMeta(ids.map((id) => anEvent(id))));
    expect(answer.body).toMatchObject({ eventsReceived: 0, eventsFailed: 3, status: 'failed' });
    expect(answer.body.failures.map(({ eventIndex, eventId, code }: Json) => [eventIndex, eventId, code])).toEqual(ids.map((id, index) => [index, id, 'http_503']));
    expect(await statuses('meta')).toEqual([503, 503, 503]);

    const { deliveryId } = answer.body;
    const [letter] = (await relay.deadLetters('reason=attempts_exhausted')).filter((one) => one.deliveryId === deliveryId);
    expect(letter).toMatchObject({
      platform: 'metaads',
      accountId: 'acc_meta',
      reason: 'attempts_exhausted',
      code: 'http_503',
      eventIds: ids,
      eventCount: 3,
      attempts: 3,
      replayable: true,
      replayedAt: null,
    });
    expect(Date.parse(letter.firstAttemptAt)).toBeLessThanOrEqual(Date.parse(letter.lastAttemptAt));
    const before = await relay.ledger('metaads');

    await relay.sandbox.clearFaults();
    const replay = await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`);
    expect([replay.status, replay.body]).toEqual([200, { id: letter.id, replayed: true, events: 3, accountId: 'acc_meta' }]);
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered', eventsReceived: 3, eventsFailed: 0, failures: [], replays: 1 });
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 3, duplicates: 0 });
    const kept = await relay.call('GET', `/v1/dead-letters/${letter.id}`);
    expect(kept.body).toMatchObject({ id: letter.id, replayable: false, replayedAt: expect.stringMatching(/^20/) });
    expect((await relay.deadLetters('accountId=acc_meta')).map(({ id }) => id)).not.toContain(letter.id);
    const after = await relay.ledger('metaads');
    expect(after).toMatchObject({ accepted: before.accepted, dead: before.dead - 3, delivered: before.delivered + 3, imbalance: 0 });

    const again = await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`);
    expect([again.status, again.body.code]).toEqual([422, 'not_replayable']);
    expect(again.body.error).toMatch(/replayed already/);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 3 });
  });

  test('many replays of one letter at once send it once', async () => {
    await fail('meta', { kind: 'status', status: 503 });
    const answer = await relay.send(aLead());
    const [letter] = (await relay.deadLetters('accountId=acc_meta')).filter((one) => one.deliveryId === answer.body.deliveryId);
    await relay.sandbox.clearFaults();
    const replays = await Promise.all(Array.from({ length: 10 }, () => relay.call('POST', `/v1/dead-letters/${letter.id}/replay`)));
    expect(replays.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 9 }, () => 422)]);
    await relay.settled(answer.body.deliveryId);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 1 });
  });

  test('a replay that fails as well is a new letter with attempts of its own', async () => {
    await fail('meta', { kind: 'status', status: 503 });
    const { deliveryId } = (await relay.send(aLead())).body;
    const letterOf = async () => (await relay.deadLetters('accountId=acc_meta')).filter((one) => one.deliveryId === deliveryId);
    const [first] = await letterOf();
    const many = await relay.call('POST', '/v1/dead-letters/replay', { body: { ids: [first.id] } });
    expect(many.body).toMatchObject({ replayed: 1, refused: 0, events: 1 });
    const second = await waitFor(async () => (await letterOf())[0], { what: 'the second letter' });
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ reason: 'attempts_exhausted', attempts: 3 });
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'failed', replays: 1, failures: [{ eventIndex: 0, code: 'http_503' }] });
    const discarded = await relay.call('DELETE', `/v1/dead-letters/${second.id}`);
    expect(discarded.status).toBe(204);
    expect(await letterOf()).toEqual([]);
  });
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
