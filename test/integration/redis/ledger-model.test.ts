import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueueJob } from '@relay/redis';
import { globals, keys, MIN_SHARED, sharedPlace } from '@relay/redis/testing';
import { batchOf, delivered, died, openRelay, send, type Relay } from './a-relay.ts';
import { heldIn, hold, retry } from './book-moves.ts';

let relay: Relay;
beforeAll(async () => {
  relay = await openRelay();
});
afterAll(() => relay[Symbol.asyncDispose]());

type EventModel = { state: 'pending' | 'held' | 'delivered' | 'dead'; readonly delivery: string };
interface JobModel {
  readonly job: QueueJob;
  readonly events: EventModel[];
}

const aMove = fc.record({
  kind: fc.constantFrom('deliver', 'bury', 'hold', 'release', 'retry', 'replay', 'again' as const),
  job: fc.nat(),
  /** Which of the job's events, by position. */
  picks: fc.oneof(fc.array(fc.nat(11), { maxLength: 12 }), fc.constant(Array.from({ length: 40 }, (_, position) => position))),
});
const few = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
/** So many at once that their receipts share a hash; the first of them may go alone. */
const many = fc.array(fc.integer({ min: 1, max: 2 }), { minLength: MIN_SHARED + 1, maxLength: MIN_SHARED + 6 });
const groups = fc.array(fc.oneof(few, many), { minLength: 1, maxLength: 3 });

let runs = 0;

test('whatever happens in whatever order: accepted = delivered + dead + held + pending, and receipts agree', async () => {
  const heard: string[] = [];
  const listener = relay.redis.duplicate();
  await listener.psubscribe(globals.replies('*'));
  listener.on('pmessage', (_pattern: string, _channel: string, text: string) => heard.push(...(JSON.parse(text) as [string][]).map(([id]) => id)));

  await fc.assert(
    fc.asyncProperty(groups, fc.array(aMove, { maxLength: 25 }), async (requests, moves) => {
      runs += 1;
      const accountId = `run${runs}`;
      const before = await relay.ledger();
      heard.length = 0;
      const jobs: JobModel[] = [];
      const ids: string[] = [];
      for (const [g, group] of requests.entries()) {
        const destinationId = `g${g}`;
        const deliveries = await Promise.all(group.map((events) => send(relay.api, { accountId, destinationId, events }, true)));
        ids.push(...deliveries);
        await adopt(jobs, accountId);
      }
      const lane = relay.delivery();
      const finals = new Map<string, number>();
      /** Counts the deliveries that become final by a move, for the messages that must have been published. */
      const watched = async (work: () => Promise<unknown>) => {
        const open = ids.filter((id) => isOpen(jobs, id));
        await work();
        for (const id of open) if (!isOpen(jobs, id)) finals.set(id, (finals.get(id) ?? 0) + 1);
      };

      let last: () => Promise<unknown> = () => Promise.resolve();
      for (const move of moves) {
        const model = jobs[move.job % jobs.length]!;
        const picked = [...new Set(move.picks)].filter((position) => isUnsettled(model.events[position]));
        switch (move.kind) {
          case 'deliver':
          case 'bury': {
            const batch = await batchOf(model.job, picked);
            const write = () => lane.settle(move.kind === 'deliver' ? delivered(batch) : died(batch));
            last = write;
            await watched(async () => {
              await write();
              if (picked.length === 0) return;
              // A settlement ends the hold of the whole job, as the worker has it in hand.
              for (const event of model.events) if (event.state === 'held') event.state = 'pending';
              for (const position of picked) model.events[position]!.state = move.kind === 'deliver' ? 'delivered' : 'dead';
            });
            break;
          }
          case 'hold':
            await hold(relay, model.job);
            for (const event of model.events) if (event.state === 'pending') event.state = 'held';
            break;
          case 'release':
            await hold(relay, model.job, 'release');
            for (const event of model.events) if (event.state === 'held') event.state = 'pending';
            break;
          case 'retry':
            await retry(relay, model.job);
            break;
          case 'again':
            await last();
            last = () => Promise.resolve();
            break;
          case 'replay': {
            const [letter] = (await relay.api.deadLetters.list({ accountId }, 1, undefined)).rows;
            if (letter === undefined) break;
            const result = await relay.api.deadLetters.replay(letter.id, { force: false });
            if (result.kind !== 'replayed' || result.events !== letter.eventCount) throw new Error(`the replay answered ${JSON.stringify(result)}`);
            await adoptReplay(jobs, accountId, letter.id);
            // The settlements before it are of another life of these events.
            last = () => Promise.resolve();
            break;
          }
        }
        await check(jobs, ids, accountId, before);
      }

      await watched(async () => {
        for (const model of jobs) {
          await lane.settle(delivered(await batchOf(model.job)));
          for (const event of model.events) if (isUnsettled(event)) event.state = 'delivered';
        }
      });
      await check(jobs, ids, accountId, before);
      await listener.ping();
      expect(Map.groupBy(heard, (id) => id).size).toBe(finals.size);
      for (const [id, times] of finals) expect(heard.filter((one) => one === id)).toHaveLength(times);

      const backlog = await relay.redis.hgetall(keys.backlog('{relay}', 'metaads'));
      expect(Object.keys(backlog).filter((field) => field.startsWith(`${accountId}|`))).toEqual([]);
      for (const { job } of jobs) expect(await relay.redis.zscore(keys.open('{relay}', 'metaads'), job.jobId)).toBeNull();
      for (const id of ids) expect(await relay.redis.ttl((await receiptKey(id)).key)).toBeGreaterThan(0);
    }),
    { numRuns: 60, seed: 4711, endOnFailure: true },
  );
  listener.disconnect();
}, 60_000);

const isUnsettled = (event: EventModel | undefined) => event?.state === 'pending' || event?.state === 'held';
const isOpen = (jobs: readonly JobModel[], id: string) => jobs.some(({ events }) => events.some((event) => event.delivery === id && isUnsettled(event)));

/** Takes the account's jobs that are new into the model. */
async function adopt(jobs: JobModel[], accountId: string): Promise<void> {
  for (const job of await relay.jobs()) {
    if (job.accountId !== accountId || jobs.some((known) => known.job.jobId === job.jobId)) continue;
    const events = (await job.load()).map(({ part }): EventModel => ({ state: 'pending', delivery: job.data.p[part]!.d }));
    jobs.push({ job, events });
  }
}

/** A replayed letter's events live on in a job of their own; where they were they are no more. */
async function adoptReplay(jobs: JobModel[], accountId: string, letterId: string): Promise<void> {
  const known = jobs.length;
  await adopt(jobs, accountId);
  expect(jobs).toHaveLength(known + 1);
  const { job } = jobs[known]!;
  expect(job.data.rl).toBe(letterId);
  const [, from, first] = /^dl_([^_]+)_(\d+)_/.exec(letterId)!;
  const old = jobs.find((model) => model.job.jobId === from)!;
  const delivery = job.data.p[0]!.d;
  let left = job.events;
  for (let position = Number(first); left > 0; position += 1) {
    const event = old.events[position]!;
    if (event.state !== 'dead' || event.delivery !== delivery || !(await isOfLetter(job, old.job, position))) continue;
    old.events[position] = { state: 'delivered', delivery: 'moved on' };
    left -= 1;
  }
}

/** Event ids are unique in these runs. */
async function isOfLetter(replayed: QueueJob, old: QueueJob, position: number): Promise<boolean> {
  const index = old.data.p.flatMap(({ d, r }) => Array.from({ length: r[1]! }, (_, n) => `${d} ${r[0]! + n}`));
  const own = replayed.data.p.flatMap(({ d, r }) => {
    const all: string[] = [];
    for (let i = 0; i < r.length; i += 2) for (let n = 0; n < r[i + 1]!; n += 1) all.push(`${d} ${r[i]! + n}`);
    return all;
  });
  const wanted = index[position];
  return wanted === undefined ? false : own.includes(wanted);
}

async function check(jobs: readonly JobModel[], ids: readonly string[], accountId: string, before: { accepted: number; delivered: number; dead: number; held: number; pending: number }): Promise<void> {
  const events = jobs.flatMap((model) => model.events).filter(({ delivery }) => delivery !== 'moved on');
  const count = (state: EventModel['state'], id?: string) => events.filter((event) => event.state === state && (id === undefined || event.delivery === id)).length;
  const ledger = await relay.ledger();
  expect(ledger.accepted).toBe(ledger.delivered + ledger.dead + ledger.held + ledger.pending);
  expect({
    delivered: ledger.delivered - before.delivered,
    dead: ledger.dead - before.dead,
    held: ledger.held - before.held,
    pending: ledger.pending - before.pending,
  }).toEqual({ delivered: count('delivered'), dead: count('dead'), held: count('held'), pending: count('pending') });
  expect(await heldIn(relay, accountId)).toBe(count('held'));
  const hashes: Record<string, { isShared: boolean; open: boolean[] }> = {};
  for (const id of ids) {
    const receipt = await relay.api.deliveries.get(id);
    expect(receipt).toMatchObject({ eventsReceived: count('delivered', id), eventsFailed: count('dead', id), eventsPending: count('pending', id) + count('held', id) });
    expect(receipt!.failures).toHaveLength(count('dead', id));
    const final = receipt!.eventsPending === 0;
    const { key, isShared } = await receiptKey(id);
    (hashes[key] ??= { isShared, open: [] }).open.push(!final);
    expect(receipt!.finishedAtMs !== undefined).toBe(final);
  }
  // A shared hash ends with the last of those that are still in it.
  for (const [key, { isShared, open }] of Object.entries(hashes)) {
    expect((await relay.redis.ttl(key)) > 0).toBe(!open.includes(true));
    expect(await relay.redis.hget(key, 'open')).toBe(isShared ? String(open.filter(Boolean).length) : null);
  }
}

/** Where the receipt is: a hash of its own or the one that it shares, never both. */
async function receiptKey(id: string): Promise<{ key: string; isShared: boolean }> {
  const place = sharedPlace('{relay}', id);
  const isShared = place !== undefined && (await relay.redis.hexists(place.key, place.entry)) === 1;
  const own = keys.receipt('{relay}', id);
  expect(await relay.redis.exists(own)).toBe(isShared ? 0 : 1);
  return { key: isShared ? place.key : own, isShared };
}
