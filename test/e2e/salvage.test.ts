import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { actionOf, anEvent, freshIds, PIXEL, toGoogle, toLinkedin, toMeta, toSecondMeta } from './events.ts';
import { BALANCED, startRelay, type Json, type Relay } from './harness.ts';
import type { SandboxPlatform } from './sandbox-control.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay();
});
afterAll(() => relay?.stop());
beforeEach(() => relay.sandbox.reset());

/** A reset of the sandbox ends Google's access tokens, so a first request may be a 401. */
const sent = async (platform: SandboxPlatform) => (await relay.sandbox.requests(platform)).filter(({ route, status }) => !/oauth/i.test(route) && status !== 401);
const lettersOf = async (deliveryId: string) => (await relay.deadLetters('limit=200')).filter((letter) => letter.deliveryId === deliveryId);
const pick = (ids: readonly string[], indices: readonly number[]) => indices.map((index) => ids[index]!);

/** Exactly the poisoned ones are dead, with the platform's words; the others were taken once. */
async function expectOnlyTheseDead(answer: Json, platform: SandboxPlatform, ids: readonly string[], bad: readonly number[]): Promise<void> {
  expect(answer).toMatchObject({ eventsReceived: ids.length - bad.length, eventsFailed: bad.length, status: 'partial' });
  expect(answer.failures.map(({ eventIndex, eventId }: Json) => [eventIndex, eventId])).toEqual(bad.map((index) => [index, ids[index]]));
  const letters = await lettersOf(answer.deliveryId);
  expect(new Set(letters.flatMap(({ eventIds }) => eventIds as string[]))).toEqual(new Set(pick(ids, bad)));
  expect(letters.reduce((sum, { eventCount }) => sum + (eventCount as number), 0)).toBe(bad.length);
  for (const letter of letters) {
    expect(letter).toMatchObject({ reason: 'rejected', replayable: true });
    expect(letter.message).toMatch(/\S/);
    expect(letter.code).toMatch(/\S/);
  }
  const times = await relay.sandbox.timesTaken(platform, ids);
  expect(times.size).toBe(ids.length - bad.length);
  expect(new Set(times.values())).toEqual(new Set([1]));
  for (const id of pick(ids, bad)) expect(times.has(id)).toBe(false);
}

describe('events that the platform refuses', () => {
  test('without naming them are found among a thousand, in few requests', async () => {
    const ids = freshIds('unnamed', 1000);
    const bad = [0, 512, 731];
    await relay.sandbox.poison('meta', pick(ids, bad), '2804036');
    const answer = (await relay.send(toMeta(ids.map((id) => anEvent(id))), { prefer: 'wait=20' })).body;
    await expectOnlyTheseDead(answer, 'meta', ids, bad);
    for (const { code } of answer.failures) expect(code).toBe('100/2804036');
    expect((await sent('meta')).length).toBeLessThanOrEqual(2 * bad.length * Math.log2(1000) + 2);
  });

  test('by name are taken out at once, at LinkedIn', async () => {
    const ids = freshIds('named', 300);
    const bad = [1, 150, 299];
    await relay.sandbox.poison('linkedin', pick(ids, bad));
    const answer = (await relay.send(toLinkedin(ids.map((id) => anEvent(id))))).body;
    await expectOnlyTheseDead(answer, 'linkedin', ids, bad);
    expect((await sent('linkedin')).length).toBeLessThanOrEqual(bad.length + 1);
  });

  test('by name are taken out at once, at Google', async () => {
    const ids = freshIds('named', 300);
    const bad = [0, 7, 298];
    await relay.sandbox.poison('google', pick(ids, bad), 'INVALID_GCLID');
    const answer = (await relay.send(toGoogle(ids.map((id) => anEvent(id))))).body;
    await expectOnlyTheseDead(answer, 'google', ids, bad);
    expect((await sent('google')).length).toBeLessThanOrEqual(2);
    for (const { code } of answer.failures) expect(code).toContain('INVALID_GCLID');
  });

  test('without naming them, at LinkedIn and Google', async () => {
    await relay.sandbox.switches({ 'linkedin.poisonNamesIndex': false, 'google.poisonNamesIndex': false });
    const leads = freshIds('leads', 100);
    const sales = freshIds('sales', 100);
    const bad = [42, 43];
    await relay.sandbox.poison('linkedin', pick(leads, bad));
    await relay.sandbox.poison('google', pick(sales, bad));
    const [linkedin, google] = await Promise.all([relay.send(toLinkedin(leads.map((id) => anEvent(id)))), relay.send(toGoogle(sales.map((id) => anEvent(id))))]);
    await expectOnlyTheseDead(linkedin.body, 'linkedin', leads, bad);
    await expectOnlyTheseDead(google.body, 'google', sales, bad);
    for (const platform of ['linkedin', 'google'] as const) expect((await sent(platform)).length).toBeLessThanOrEqual(2 * bad.length * Math.log2(100) + 2);
  });

  test('element by element, where LinkedIn takes the good ones', async () => {
    await relay.sandbox.switches({ 'linkedin.mixedResults': true });
    const ids = freshIds('elements', 50);
    await relay.sandbox.poison('linkedin', pick(ids, [10, 20]));
    const answer = (await relay.send(toLinkedin(ids.map((id) => anEvent(id))))).body;
    await expectOnlyTheseDead(answer, 'linkedin', ids, [10, 20]);
    expect((await sent('linkedin')).length).toBe(1);
  });

  test('are the fault of their own request only, when many share one', async () => {
    await relay.sandbox.fault({ platform: 'meta', times: 2, fault: { kind: 'latency', ms: 300 } });
    // Two slow requests occupy the destination, so that the rest waits and goes out together.
    const first = await Promise.all(freshIds('busy', 2).map((id) => relay.queue(toMeta([anEvent(id)]))));
    const requests = Array.from({ length: 40 }, () => freshIds('shared', 5));
    await relay.sandbox.poison('meta', [requests[17]![3]!]);
    const deliveries = await Promise.all(requests.map((ids) => relay.queue(toMeta(ids.map((id) => anEvent(id))))));
    for (const [n, deliveryId] of deliveries.entries()) {
      const state = await relay.settled(deliveryId);
      expect(state).toMatchObject(n === 17 ? { status: 'partial', eventsReceived: 4, failures: [{ eventIndex: 3, eventId: requests[17]![3] }] } : { status: 'delivered', eventsReceived: 5 });
    }
    for (const deliveryId of first) await relay.settled(deliveryId);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 201, duplicates: 0 });
  });

  test('all of them: all are dead, each once', async () => {
    const ids = freshIds('all', 8);
    await relay.sandbox.poison('meta', ids);
    const answer = (await relay.send(toMeta(ids.map((id) => anEvent(id))))).body;
    expect(answer).toMatchObject({ eventsReceived: 0, eventsFailed: 8, status: 'failed' });
    expect(answer.failures.map(({ eventId }: Json) => eventId)).toEqual(ids);
  });

  test('are replayed by filter once they are mended', async () => {
    const ids = freshIds('mended', 20);
    await relay.sandbox.poison('meta', pick(ids, [4, 9]));
    const { deliveryId } = (await relay.send(toSecondMeta(ids.map((id) => anEvent(id))))).body;
    await relay.call('GET', '/v1/dead-letters');
    await fetch(`${relay.sandbox.url}/_control/poison`, { method: 'DELETE' });
    const replay = await relay.call('POST', '/v1/dead-letters/replay', { body: { accountId: 'acc_meta_2', reason: 'rejected' } });
    expect(replay.body).toMatchObject({ refused: 0, events: 2, more: false });
    expect(await relay.settled(deliveryId)).toMatchObject({ status: 'delivered', eventsReceived: 20, failures: [] });
    expect(await lettersOf(deliveryId)).toEqual([]);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 20, duplicates: 0 });
  });
});

describe('a rejection that is about the destination is never split', () => {
  test.each([
    ['an unknown pixel of Meta', 'meta', (ids: readonly string[]) => toMeta(ids.map((id) => anEvent(id)), '9999999999999999')],
    ['an action of Google that takes no events', 'google', (ids: readonly string[]) => toGoogle(ids.map((id) => anEvent(id)), actionOf('301'))],
    ['a rule of LinkedIn with another method', 'linkedin', (ids: readonly string[]) => toLinkedin(ids.map((id) => anEvent(id)), '50009')],
  ] as const)('%s', async (_name, platform, bodyOf) => {
    const ids = freshIds('destination', 100);
    const answer = (await relay.send(bodyOf(ids))).body;
    expect(answer).toMatchObject({ eventsReceived: 0, eventsFailed: 100, status: 'failed' });
    expect((await sent(platform)).length).toBe(1);
    const letters = await lettersOf(answer.deliveryId);
    expect(letters).toMatchObject([{ reason: 'destination', eventCount: 100 }]);
    expect(letters[0].message).toMatch(/\S/);
  });
});

describe('SALVAGE=off', () => {
  test('gives the whole chunk up with the platform\'s words', async () => {
    const plain = await startRelay({ env: { SALVAGE: 'off' } });
    try {
      const ids = freshIds('whole', 50);
      await plain.sandbox.poison('meta', [ids[7]!]);
      const answer = (await plain.send(toMeta(ids.map((id) => anEvent(id)), PIXEL))).body;
      expect(answer).toMatchObject({ eventsReceived: 0, eventsFailed: 50, status: 'failed' });
      expect(await plain.sandbox.requests('meta')).toHaveLength(1);
      expect(await plain.deadLetters('')).toMatchObject([{ reason: 'rejected', eventCount: 50, eventIds: ids }]);
      expect(await plain.books()).toEqual(BALANCED);
    } finally {
      await plain.stop();
    }
  });
});

test('the ledger adds up in the end', async () => {
  await expect.poll(() => relay.books()).toEqual(BALANCED);
});
