import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys, sharedPlace } from '@relay/redis/testing';
import { aRequest, batchOf, delivered, died, idempotent, idOf, openRelay, send, type Relay } from './a-relay.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay({ lanes: 3 });
});
afterAll(() => relay[Symbol.asyncDispose]());

const lanes = () => relay.worker.lanes.of('metaads');
const spread = (accountId: string, count: number) => Promise.all(Array.from({ length: count }, (_, i) => send(relay.api, { accountId, destinationId: `d${i}`, events: 2 })));
const jobs = async () => (await Promise.all(lanes().map((lane) => relay.jobs(lane)))).flat();

test('each destination has its lane, and a delivery id says which', async () => {
  const ids = await spread('ids', 30);
  const perLane = await Promise.all(lanes().map((lane) => relay.jobs(lane)));
  for (const [n, lane] of lanes().entries()) {
    expect(perLane[n]!.length).toBeGreaterThan(0);
    for (const job of perLane[n]!) {
      expect(relay.worker.lanes.forDestination('metaads', job.accountId, job.destinationId)).toBe(lane);
      for (const { d } of job.data.p) {
        expect(d).toMatch(new RegExp(`_metaads\\.${n}$`));
        const tag = `{relay.metaads.${n}}`;
        const shared = sharedPlace(tag, d);
        const places = [relay.redis.exists(keys.receipt(tag, d)), shared === undefined ? Promise.resolve(0) : relay.redis.hexists(shared.key, shared.entry)];
        expect((await Promise.all(places)).filter((there) => there === 1)).toHaveLength(1);
      }
    }
  }
  for (const id of ids) expect(await relay.api.deliveries.get(id)).toMatchObject({ deliveryId: id, status: 'queued', eventsPending: 2 });
});

test.each(['googleads', 'whatsapp'] as const)('%s goes by account', (platform) => {
  const of = (account: string, destination: string) => relay.worker.lanes.forDestination(platform, account, destination).queue;
  for (const account of ['a', 'b', 'c', 'd']) expect(new Set(['x', 'y', 'z', 'v'].map((destination) => of(account, destination))).size).toBe(1);
});

test('an Idempotency-Key stands for one body, whatever lane that goes to', async () => {
  const other = await relay.anotherApi();
  const sendTo = (n: number, key: string, api = relay.api) => api.enqueue(aRequest({ accountId: 'idem', destinationId: `d${n}` }), idempotent(key, `to d${n}`));
  const lanesOf = (ns: readonly number[]) => new Set(ns.map((n) => relay.worker.lanes.forDestination('metaads', 'idem', `d${n}`).queue));
  const many = Array.from({ length: 20 }, (_, n) => n);
  expect(lanesOf(many).size).toBe(3);
  const first = await sendTo(0, 'serial');
  expect(first.kind).toBe('accepted');
  for (const n of many.slice(1)) expect(await sendTo(n, 'serial')).toEqual({ kind: 'key_reused' });
  expect(await sendTo(0, 'serial')).toEqual({ kind: 'repeated', deliveryId: idOf(first) });
  expect(await relay.api.enqueue(aRequest({ platform: 'googleads', accountId: 'idem' }), idempotent('serial', 'google'))).toEqual({ kind: 'key_reused' });

  const raced = await Promise.all(many.flatMap((n) => [sendTo(n, 'race'), sendTo(n, 'race', other)]));
  expect(raced.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
  expect(raced.filter(({ kind }) => kind === 'repeated')).toHaveLength(1);
  expect(raced.filter(({ kind }) => kind === 'key_reused')).toHaveLength(38);
  expect((await relay.jobs(relay.lane('googleads'))).length).toBe(0);
});

test('a key that another body had in a group of many keeps none of the others back', async () => {
  const results = await Promise.all([
    relay.api.enqueue(aRequest({ accountId: 'group' }), idempotent('g', 'one')),
    relay.api.enqueue(aRequest({ accountId: 'group' }), idempotent('g', 'two')),
    relay.api.enqueue(aRequest({ accountId: 'group' }), { wantsReply: false }),
  ]);
  expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'key_reused', 'accepted']);
});

test('a WhatsApp event is not sent again after its account has another dataset', async () => {
  const toDataset = (destinationId: string) => aRequest({ platform: 'whatsapp', accountId: 'wa', destinationId, events: ['lead-1'], maxChunkEvents: 1, conversationId: 'conv' });
  const options = { once: { scope: 'wa.wa', key: 'conv lead-1', ttlMs: 86_400_000 }, wantsReply: false };
  const first = await relay.api.enqueue(toDataset('1'), options);
  for (const dataset of ['2', '3', '4', '5', '6']) expect(await relay.api.enqueue(toDataset(dataset), options)).toEqual({ kind: 'repeated', deliveryId: idOf(first) });
});

test('the log of an account is merged over its lanes, newest first, each row once', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 100; i += 1) ids.push(await send(relay.api, { accountId: 'merged', destinationId: `x${i}` }));
  // Entries of several lanes with the same stream id: what a burst makes of the clock's milliseconds.
  for (const [n, lane] of lanes().entries()) {
    for (let i = 0; i < 5; i += 1) {
      const id = await send(relay.api, { accountId: 'source', destinationId: `s${n}${i}` });
      await relay.redis.xadd(keys.log(lane.tag, 'merged'), `9999999999999-${i}`, 'd', id);
      ids.push(id);
    }
  }
  for (const limit of [1, 7, 500]) {
    const seen: string[] = [];
    const times: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await relay.api.deliveries.recent({ accountId: 'merged', platform: 'metaads', limit, cursor, status: undefined });
      seen.push(...page.rows.map(({ deliveryId }) => deliveryId));
      times.push(...page.rows.map(({ acceptedAtMs }) => acceptedAtMs));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(ids.length);
    expect(new Set(seen)).toEqual(new Set(ids));
    // Of those written in the same millisecond the lane decides, so that two neighbours may have come a moment apart.
    const own = times.slice(15);
    expect(own.filter((ms, i) => ms > (own[i - 1] ?? ms) + 5)).toEqual([]);
  }
});

test('events, books, letters and replays find their lane', async () => {
  await spread('all', 12);
  const before = await relay.ledger();
  const open = (await jobs()).filter(({ accountId }) => accountId === 'all');
  for (const job of open) {
    const lane = relay.delivery(relay.worker.lanes.forDestination('metaads', 'all', job.destinationId));
    await lane.settle(delivered(await batchOf(job, [0])));
    await lane.settle(died(await batchOf(job)));
  }
  expect(await relay.ledger()).toMatchObject({ delivered: before.delivered + 12, dead: before.dead + 12, pending: before.pending - 24 });

  const letters: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await relay.api.deadLetters.list({ accountId: 'all' }, 5, cursor);
    letters.push(...page.rows.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(letters).toHaveLength(12);
  expect(new Set(letters.map((id) => id.slice(id.lastIndexOf('_') + 1)))).toEqual(new Set(lanes().map(({ queue }) => queue)));
  for (const id of letters) {
    const letter = await relay.api.deadLetters.get(id);
    expect(await relay.api.deadLetters.replay(id, { force: false })).toMatchObject({ kind: 'replayed', events: 1 });
    expect(await relay.api.deliveries.event('all', 'metaads', letter!.eventIds[0]!)).toMatchObject([{ deliveryId: letter!.deliveryId, status: 'queued' }]);
  }
  expect(await relay.ledger()).toMatchObject({ dead: before.dead, pending: before.pending - 12 });
});

test('an account with events in any lane is not removed', async () => {
  await relay.api.accounts.create({ id: 'busy', platform: 'metaads', credentials: { accessToken: 't' }, metadata: {} });
  await spread('busy', 3);
  expect(await relay.api.accounts.remove('busy')).toBe('busy');
});
