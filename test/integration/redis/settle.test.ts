import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '@relay/redis/testing';
import { batchOf, delivered, died, dump, isHousekeeping, openRelay, send, type Relay } from './a-relay.ts';
import { hold, heldIn, retry } from './book-moves.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay();
});
afterAll(() => relay[Symbol.asyncDispose]());

const tag = '{relay}';
let destinations = 0;
/** One job with these requests of one account, sent at once, and their deliveries in order. */
async function aJob(...events: number[]) {
  destinations += 1;
  const destinationId = `d${destinations}`;
  const accountId = `a${destinations}`;
  // The first of a group goes alone, so that one of another destination is put in front.
  const [, ...ids] = await Promise.all([send(relay.api, { destinationId: 'front' }), ...events.map((n) => send(relay.api, { accountId, destinationId, events: n }))]);
  const jobs = (await relay.jobs()).filter((job) => job.destinationId === destinationId);
  expect(jobs).toHaveLength(1);
  return { ids, job: jobs[0]!, accountId };
}
const receipt = async (id: string | undefined) => (await relay.api.deliveries.get(id!))!;
const everything = async () => [...(await dump(relay.redis))].filter(([key]) => !isHousekeeping(key));

describe('settling', () => {
  test('a job in full makes its delivery final, with an end to its receipt', async () => {
    const { ids, job } = await aJob(3);
    await relay.delivery().settle(delivered(await batchOf(job), 'trace-1'));
    const row = await receipt(ids[0]);
    expect(row).toMatchObject({ status: 'delivered', eventsReceived: 3, eventsPending: 0, traceId: 'trace-1', attempts: 1, failures: [] });
    expect(row.chunks).toMatchObject([{ status: 'delivered', attempts: 1, durationMs: 12, traceId: 'trace-1' }]);
    expect(await relay.redis.ttl(keys.receipt(tag, ids[0]!))).toBeGreaterThan(29 * 86_400);
    expect(await relay.redis.zscore(keys.open(tag, 'metaads'), job.jobId)).toBeNull();
  });

  test('in parts counts each part, and the receipt ends only with the last', async () => {
    const { ids, job } = await aJob(4);
    const lane = relay.delivery();
    await lane.settle(delivered(await batchOf(job, [0, 2])));
    expect(await receipt(ids[0])).toMatchObject({ status: 'retrying', eventsReceived: 2, eventsPending: 2, chunks: [{ status: 'retrying' }] });
    expect(await relay.redis.ttl(keys.receipt(tag, ids[0]!))).toBe(-1);
    expect((await job.load()).map(({ position }) => position)).toEqual([1, 3]);
    await lane.settle(delivered(await batchOf(job)));
    expect(await receipt(ids[0])).toMatchObject({ status: 'delivered', eventsReceived: 4 });
    expect(await job.load()).toEqual([]);
  });

  test('what is taken whole reads as what is taken in parts, in every field', async () => {
    const [whole, parts] = [await aJob(2, 1, 2), await aJob(2, 1, 2)];
    const lane = relay.delivery();
    await lane.settle(delivered(await batchOf(whole.job), 'trace-1'));
    for (const positions of [[0, 3], [1, 2, 4]]) await lane.settle(delivered(await batchOf(parts.job, positions), 'trace-1'));
    const told = async ({ ids }: { ids: string[] }) => {
      const rows = await Promise.all(ids.map((id) => relay.redis.hgetall(keys.receipt(tag, id))));
      const own = ['a', 'd', 'ei'];
      const shared = (row: Record<string, string>) => Object.entries(row).filter(([field]) => !own.includes(field));
      return rows.map((row) => Object.fromEntries(shared(row).map(([field, value]) => [field, value.replaceAll(/\d{13}/g, 'then')])));
    };
    expect(await told(whole)).toEqual(await told(parts));
    expect(await told(whole)).toMatchObject([2, 1, 2].map((n) => ({ ok: `${n}`, dd: '0', c0: `d|${n}|${n}|0|1|then|12|trace-1|`, tr: 'trace-1', tc: '1', dn: 'then' })));
  });

  test('dead events are failures with the submitted index, and their list ends with the receipt', async () => {
    const { ids, job } = await aJob(3);
    const lane = relay.delivery();
    await lane.settle(delivered(await batchOf(job, [0])));
    await lane.settle(died(await batchOf(job), '2804019', 'em is not hashed'));
    const row = await receipt(ids[0]);
    expect(row).toMatchObject({ status: 'partial', eventsReceived: 1, eventsFailed: 2, chunks: [{ status: 'partial', code: '2804019', message: 'em is not hashed' }] });
    expect(row.failures.map(({ eventIndex, code, message }) => [eventIndex, code, message])).toEqual([
      [1, 2804019, 'em is not hashed'],
      [2, 2804019, 'em is not hashed'],
    ]);
    expect(await relay.redis.ttl(keys.failures(tag, ids[0]!))).toBeGreaterThan(29 * 86_400);
  });

  test('a second time changes nothing, whatever it says', async () => {
    const { job } = await aJob(2, 2);
    const lane = relay.delivery();
    const all = await batchOf(job);
    await lane.settle(delivered(all.slice(0, 3)));
    await lane.settle(died(all.slice(3)));
    const before = await everything();
    await lane.settle(delivered(all.slice(0, 3)));
    await lane.settle(died(all.slice(3)));
    await lane.settle(delivered(all));
    await lane.settle(died(all));
    expect(await everything()).toEqual(before);
  });

  test('after the job is gone changes nothing, and makes no letter', async () => {
    const { job } = await aJob(2);
    const all = await batchOf(job);
    await relay.redis.del(keys.job(relay.lane(), job.jobId));
    const before = await everything();
    const lane = relay.delivery();
    await lane.settle(delivered(all));
    await lane.settle(died(all));
    await retry(relay, job);
    await hold(relay, job);
    expect(await everything()).toEqual(before);
  });

  test('events of one request that were answered twice at once die only once', async () => {
    const { ids, job } = await aJob(3);
    const lane = relay.delivery();
    const all = await batchOf(job);
    await lane.settle(delivered(all.slice(0, 1)));
    await lane.settle(died(all)); // a worker that lost its lock says the opposite of the other
    expect(await receipt(ids[0])).toMatchObject({ eventsReceived: 1, eventsFailed: 2 });
    expect((await receipt(ids[0])).failures.map(({ eventIndex }) => eventIndex)).toEqual([1, 2]);
    const { rows } = await relay.api.deadLetters.list({ accountId: job.accountId }, 10, undefined);
    expect(rows.map(({ eventCount }) => eventCount)).toEqual([2]);
  });
});

describe('several deliveries in one job', () => {
  test('get each its own counts; what is final is left alone by what happens to the others', async () => {
    const { ids, job, accountId } = await aJob(2, 3, 1);
    const lane = relay.delivery();
    await lane.settle(delivered(await batchOf(job, [0, 1, 3])));
    expect(await receipt(ids[0])).toMatchObject({ status: 'delivered', eventsReceived: 2 });
    expect(await receipt(ids[1])).toMatchObject({ status: 'retrying', eventsReceived: 1, eventsPending: 2 });
    expect(await receipt(ids[2])).toMatchObject({ status: 'queued', eventsPending: 1 });
    const final = await relay.redis.hgetall(keys.receipt(tag, ids[0]!));

    await retry(relay, job, { code: '190', message: 'token died' });
    await hold(relay, job);
    expect(await relay.redis.hgetall(keys.receipt(tag, ids[0]!))).toEqual(final);
    expect(await receipt(ids[1])).toMatchObject({ status: 'held', eventsHeld: 2, chunks: [{ status: 'held', code: '190', message: 'token died', attempts: 1 }] });
    expect(await receipt(ids[2])).toMatchObject({ status: 'held', eventsHeld: 1 });
    expect(await heldIn(relay, accountId)).toBe(3);

    await lane.settle(died(await batchOf(job)));
    expect(await receipt(ids[1])).toMatchObject({ status: 'partial', eventsReceived: 1, eventsFailed: 2, eventsHeld: 0 });
    expect(await receipt(ids[2])).toMatchObject({ status: 'failed' });
    expect(await heldIn(relay, accountId)).toBe(0);
  });
});

describe('holding', () => {
  test('twice counts once; a release makes pending, and it can be held again', async () => {
    const { ids, job, accountId } = await aJob(3);
    const before = await relay.ledger();
    expect(await hold(relay, job)).toBe(3);
    expect(await hold(relay, job)).toBe(0);
    expect(await relay.ledger()).toMatchObject({ held: before.held + 3, pending: before.pending - 3 });
    expect(await receipt(ids[0])).toMatchObject({ status: 'held', eventsHeld: 3 });
    expect(await hold(relay, job, 'release')).toBe(3);
    expect(await hold(relay, job, 'release')).toBe(0);
    expect(await receipt(ids[0])).toMatchObject({ status: 'queued', eventsHeld: 0 });
    expect(await hold(relay, job)).toBe(3);
    await relay.delivery().settle(delivered(await batchOf(job)));
    expect(await relay.ledger()).toMatchObject({ held: before.held, pending: before.pending - 3 });
    expect(await heldIn(relay, accountId)).toBe(0);
  });

  test('of a job that is gone ends with a release', async () => {
    const { job, accountId } = await aJob(2);
    await hold(relay, job);
    await relay.redis.del(keys.job(relay.lane(), job.jobId));
    expect(await relay.worker.release('metaads', accountId)).toBe(2);
    expect(await heldIn(relay, accountId)).toBe(0);
  });
});
