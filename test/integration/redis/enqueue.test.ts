import { randomBytes } from 'node:crypto';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packRequest } from '@relay/redis/pack';
import { globals, jobDataSchema, keys, payloadContext, unpackPayload } from '@relay/redis/testing';
import { aRequest, batchOf, delivered, dump, idempotent, idOf, openRelay, PERSON, send, type Relay, type RequestShape } from './a-relay.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay();
});
afterAll(() => relay[Symbol.asyncDispose]());

const tag = '{relay}';
/** Jobs of this destination that wait. */
const jobsOf = async (destinationId: string) => (await relay.jobs()).filter((job) => job.destinationId === destinationId);

test('a job tells whether a caller waits for some of its events', async () => {
  const [alone, both, packed] = [aRequest({ destinationId: 'wait-1' }), aRequest({ destinationId: 'wait-2' }), aRequest({ destinationId: 'wait-3' })];
  // The first of a group goes alone, so one of another destination is put in front.
  await Promise.all([
    send(relay.api, { destinationId: 'front' }),
    relay.api.enqueue(alone, { wantsReply: false }),
    relay.api.enqueue(both, { wantsReply: false }),
    relay.api.enqueue(both, { wantsReply: true }),
    relay.api.enqueue(packRequest(packed, relay.api.newDeliveryId('metaads', packed.accountId, 'wait-3'), { sealer: relay.sealer, isIndexed: true }), { wantsReply: true }),
  ]);
  const awaited = async (destinationId: string) => (await jobsOf(destinationId)).map((job) => job.awaited);
  expect([await awaited('wait-1'), await awaited('wait-2'), await awaited('wait-3')]).toEqual([[false], [true], [true]]);
});

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

describe('one request', () => {
  test('stores receipt, job, log row, event index and books together', async () => {
    const before = await relay.ledger();
    const request = aRequest({ accountId: 'acc_one', destinationId: 'one', events: ['order-1', 'order-2', 'order-3'], refused: [1], testCode: 'TEST1', consent: { adUserData: 'GRANTED' } });
    const result = await relay.api.enqueue(request, { wantsReply: true });
    const deliveryId = idOf(result)!;
    expect(result.kind).toBe('accepted');

    const [job, ...others] = await jobsOf('one');
    expect(others).toEqual([]);
    expect(job).toMatchObject({ accountId: 'acc_one', events: 2, testCode: 'TEST1', consent: { adUserData: 'GRANTED' }, attemptsMade: 0, acceptedAtMs: request.acceptedAtMs });
    expect(job!.data.p).toEqual([{ d: deliveryId, k: 0, r: [0, 1, 2, 1] }]);
    expect((await job!.load()).map(({ eventId, wire, position, part }) => [eventId, Buffer.from(wire).toString(), position, part])).toEqual([
      ['order-1', request.events[0]!.wire, 0, 0],
      ['order-3', request.events[1]!.wire, 1, 0],
    ]);

    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({
      status: 'queued',
      eventsSubmitted: 3,
      eventsReceived: 0,
      eventsFailed: 1,
      eventsPending: 2,
      eventIds: ['order-1', 'order-2', 'order-3'],
      eventNames: ['Purchase'],
      failures: [{ eventIndex: 1, eventId: 'order-2', code: 'too_old', message: 'The event is too old.' }],
      chunks: [{ chunk: 0, events: 2, status: 'queued', attempts: 0 }],
    });
    const recent = await relay.api.deliveries.recent({ accountId: 'acc_one', platform: 'metaads', limit: 10, cursor: undefined, status: undefined });
    expect(recent.rows.map((row) => row.deliveryId)).toEqual([deliveryId]);
    expect(await relay.api.deliveries.event('acc_one', 'metaads', 'order-3')).toMatchObject([{ deliveryId, eventIndex: 2, status: 'queued' }]);
    expect(await relay.api.deliveries.event('acc_one', 'metaads', 'order-2')).toMatchObject([{ deliveryId, eventIndex: 1, status: 'refused', code: 'too_old' }]);

    const after = await relay.ledger();
    expect([after.accepted - before.accepted, after.pending - before.pending, after.refused - before.refused]).toEqual([2, 2, 1]);
    expect(await relay.redis.hget(keys.backlog(tag, 'metaads'), 'acc_one|one')).toBe('2');
    expect(await relay.redis.zscore(keys.open(tag, 'metaads'), job!.jobId)).toBe(String(request.acceptedAtMs));
    expect(await relay.redis.ttl(keys.receipt(tag, deliveryId))).toBe(-1);
  });

  test('whose events were all refused is final at once and goes by itself', async () => {
    const deliveryId = await send(relay.api, { destinationId: 'refused', events: 0, refused: [0, 1] });
    expect(await jobsOf('refused')).toEqual([]);
    expect(await relay.api.deliveries.get(deliveryId)).toMatchObject({ status: 'failed', eventsPending: 0, eventsFailed: 2, finishedAtMs: expect.any(Number) });
    for (const key of [keys.receipt(tag, deliveryId), keys.failures(tag, deliveryId)]) {
      expect(await relay.redis.ttl(key)).toBeGreaterThan(29 * 86_400);
    }
  });

  test('larger than the cap becomes several chunks of one delivery', async () => {
    const deliveryId = await send(relay.api, { destinationId: 'large', events: 2500 });
    const jobs = await jobsOf('large');
    expect(jobs.map((job) => job.data.p)).toEqual([
      [{ d: deliveryId, k: 0, r: [0, 1000] }],
      [{ d: deliveryId, k: 1, r: [1000, 1000] }],
      [{ d: deliveryId, k: 2, r: [2000, 500] }],
    ]);
    expect((await relay.api.deliveries.get(deliveryId))?.chunks.map(({ events }) => events)).toEqual([1000, 1000, 500]);
  });
});

describe('group commit', () => {
  /** Whether two requests, a few turns of the event loop apart, came into one job right after a write of so many. */
  async function share(destinationId: string, before: number): Promise<boolean> {
    await Promise.all(Array.from({ length: before }, (_, i) => send(relay.api, { destinationId: `${destinationId}-before`, events: [`${destinationId}-${i}`] })));
    const first = send(relay.api, { destinationId, events: ['first'] });
    for (let i = 0; i < 3; i += 1) await turn();
    await Promise.all([first, send(relay.api, { destinationId, events: ['second'] })]);
    return (await jobsOf(destinationId)).length === 1;
  }

  test('gives every request of a write its own receipt, whatever the one before it had', async () => {
    const of = (events: readonly string[], rest: RequestShape = {}) => send(relay.api, { destinationId: 'own', events, ...rest });
    const ids = await Promise.all([
      of(['own-1'], { conversationId: 'wac_1' }),
      of(['own-2']),
      of(['own-3', 'own-4', 'own-5', 'own-6']), // too many for their ids to be in the row
      of(['own-7'], { accountId: 'acc_other' }),
      of(['own-8', 'own-9'], { refused: [1] }),
    ]);
    const receipts = await Promise.all(ids.map((id) => relay.api.deliveries.get(id)));
    expect(receipts.map((receipt) => [receipt?.accountId, receipt?.conversationId, receipt?.eventsSubmitted, receipt?.eventsFailed, receipt?.eventIds])).toEqual([
      ['acc', 'wac_1', 1, 0, ['own-1']],
      ['acc', undefined, 1, 0, ['own-2']],
      ['acc', undefined, 4, 0, undefined],
      ['acc_other', undefined, 1, 0, ['own-7']],
      ['acc', undefined, 2, 1, ['own-8', 'own-9']],
    ]);
    expect(new Set((await jobsOf('own')).flatMap(({ data }) => data.p.map(({ d }) => d)))).toEqual(new Set(ids));
    expect(await jobsOf('own')).toHaveLength(2); // one for each account: they did share a write
  });

  test('waits a moment for more in a crowd, and never for one that comes alone', async () => {
    const [crowd, alone]: [boolean[], boolean[]] = [[], []];
    // On a busy machine the moment may be over by the time that the write before it is.
    for (let round = 0; round < 30 && !crowd.includes(true); round += 1) {
      crowd.push(await share(`crowd-${round}`, 20));
      alone.push(await share(`alone-${round}`, 1));
    }
    expect(crowd).toContain(true);
    expect(alone).not.toContain(true);
  });

  /** Callers that send again some 1 to 5 ms after they were answered, the first one at once. Resolves with the events of each job, in order. */
  async function inStep(destinationId: string, callers: number, steps: number): Promise<number[]> {
    const caller = async (n: number): Promise<void> => {
      for (let step = 0; step < steps; step += 1) {
        if (n + step > 0) await sleep(1 + (n % 5));
        await send(relay.api, { destinationId, events: [`${destinationId}-${n}-${step}`] });
      }
    };
    await Promise.all(Array.from({ length: callers }, (_, n) => caller(n)));
    return (await jobsOf(destinationId)).map(({ events }) => events);
  }

  test('callers that go in step share their writes', async () => {
    const jobs = await inStep('step', 40, 30);
    expect(sum(jobs)).toBe(1200);
    expect(jobs.length).toBeLessThan(50); // not those that came early, the others, those that came early, …
  });

  test('a large crowd goes in halves, so that one is read while the other is written', async () => {
    const jobs = await inStep('halves', 200, 20);
    expect(sum(jobs)).toBe(4000);
    const median = jobs.toSorted((a, b) => a - b)[jobs.length >> 1];
    expect(median).toBeGreaterThan(60);
    expect(median).toBeLessThan(150);
  });

  test('merges single events of one destination that come at once into few jobs, each event once', async () => {
    const ids = await Promise.all(Array.from({ length: 300 }, (_, i) => send(relay.api, { destinationId: 'group', events: [`group-${i}`] })));
    expect(new Set(ids).size).toBe(300);
    const jobs = await jobsOf('group');
    expect(jobs.length).toBeLessThanOrEqual(3); // the first goes alone, the others wait for it
    const byDelivery = new Map<string, string>();
    for (const job of jobs) {
      for (const event of await job.load()) {
        const part = job.data.p[event.part]!;
        expect(part).toMatchObject({ k: 0, r: [0, 1] });
        byDelivery.set(part.d, event.eventId);
      }
    }
    expect(ids.map((id) => byDelivery.get(id))).toEqual(ids.map((_, i) => `group-${i}`));
  });

  test('never puts different destinations, accounts, test codes or consents into one job', async () => {
    const shapes: RequestShape[] = [
      { destinationId: 'apart' },
      { destinationId: 'apart2' },
      { destinationId: 'apart', accountId: 'acc_apart' },
      { destinationId: 'apart', testCode: 'T' },
      { destinationId: 'apart', consent: { adUserData: 'DENIED' } },
      { destinationId: 'apart', consent: { adUserData: 'DENIED', adPersonalization: 'GRANTED' } },
    ];
    const requests = Array.from({ length: 10 }, () => shapes).flat();
    await Promise.all(requests.map((shape) => relay.api.enqueue(aRequest(shape), { wantsReply: false })));
    const jobs = (await relay.jobs()).filter((job) => job.destinationId.startsWith('apart'));
    const kinds = Map.groupBy(jobs, ({ accountId, destinationId, testCode, consent }) => JSON.stringify([accountId, destinationId, testCode, consent]));
    expect([...kinds.values()].map((same) => sum(same.map(({ events }) => events)))).toEqual(shapes.map(() => 10));
  });
});

describe('Idempotency-Key', () => {
  test('fifty at once over two processes make one delivery', async () => {
    const other = await relay.anotherApi();
    const before = await relay.ledger();
    const request = aRequest({ destinationId: 'idem', events: ['idem-1'] });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? relay.api : other).enqueue(request, idempotent('k1', 'body'))));
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'repeated')).toHaveLength(49);
    expect(new Set(results.map(idOf)).size).toBe(1);
    expect((await jobsOf('idem')).map((job) => job.events)).toEqual([1]);
    expect((await relay.ledger()).accepted - before.accepted).toBe(1);
  });

  test('with another body is refused, of another API key it is another key', async () => {
    const request = aRequest({ destinationId: 'idem2' });
    const first = await relay.api.enqueue(request, idempotent('k2', 'body'));
    expect(await relay.api.enqueue(request, idempotent('k2', 'other body'))).toEqual({ kind: 'key_reused' });
    expect(await relay.api.enqueue(request, idempotent('k2', 'body'))).toEqual({ kind: 'repeated', deliveryId: idOf(first) });
    expect((await relay.api.enqueue(request, idempotent('k2', 'body', 'key_2'))).kind).toBe('accepted');
  });

  test('in one group: the first of a key is stored, other keys of the group too', async () => {
    const requests = ['a', 'a', 'b', 'a', 'c'].map((key, i) => relay.api.enqueue(aRequest({ destinationId: 'idem3' }), idempotent(`k3${key}`, i === 3 ? 'other' : 'body')));
    expect((await Promise.all(requests)).map(({ kind }) => kind)).toEqual(['accepted', 'repeated', 'accepted', 'key_reused', 'accepted']);
  });
});

test('of a packed request the memory is free once it is stored, and only then', async () => {
  const pack = () => {
    // Ids that do not compress: what is packed must be larger than Node's pool.
    const request = aRequest({ destinationId: 'packed', events: Array.from({ length: 1000 }, () => randomBytes(100).toString('hex')) });
    return packRequest(request, relay.api.newDeliveryId('metaads', 'acc', 'packed'), { sealer: relay.sealer, isIndexed: true });
  };
  const [first, again] = [pack(), pack()];
  const kinds = [await relay.api.enqueue(first, idempotent('packed', 'body')), await relay.api.enqueue(again, idempotent('packed', 'body'))].map(({ kind }) => kind);
  expect(kinds).toEqual(['accepted', 'repeated']);
  expect([first, again].map(({ chunks }) => chunks.map(({ data }) => data.length > 0))).toEqual([[false], [true]]);
  expect((await (await jobsOf('packed'))[0]!.load()).length).toBe(1000);
});

describe('what Redis holds', () => {
  test('is never a person, and the payload opens only for its account and destination', async () => {
    await send(relay.api, { destinationId: 'sealed', accountId: 'acc_sealed', events: ['sealed-1'] });
    const clear = [PERSON, Buffer.from(PERSON).toString('base64').slice(4, 28)];
    const showing = [...(await dump(relay.redis))].filter(([, value]) => clear.some((text) => value.includes(text)));
    expect(showing.map(([key]) => key)).toEqual([]);
    const [job] = await jobsOf('sealed');
    const raw = await relay.redis.hget(keys.job(relay.lane(), job!.jobId), 'data');
    const data = jobDataSchema.parse(JSON.parse(raw!));
    expect(unpackPayload(data.z, relay.sealer, payloadContext('acc_sealed', 'sealed')).eventIds).toEqual(['sealed-1']);
    expect(() => unpackPayload(data.z, relay.sealer, payloadContext('acc_sealed', 'other'))).toThrow(/sealed/);
  });
});

test('a delivery is answered to the process that waits for it, by its id alone', async () => {
  const heard: string[] = [];
  const listener = relay.redis.duplicate();
  await listener.psubscribe(globals.replies('*'));
  listener.on('pmessage', (_pattern: string, _channel: string, text: string) => heard.push(...(JSON.parse(text) as [string][]).map(([id]) => id)));
  const asked = await send(relay.api, { destinationId: 'reply', events: 2 }, true);
  await send(relay.api, { destinationId: 'reply', events: 1 });
  const lane = relay.delivery();
  for (const job of await jobsOf('reply')) {
    for (const event of await batchOf(job)) await lane.settle(delivered([event]));
    await lane.settle(delivered(await batchOf(job)));
  }
  await listener.ping();
  expect(heard).toEqual([asked]);
  listener.disconnect();
});
