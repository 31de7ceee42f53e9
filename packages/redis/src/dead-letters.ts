import type { PlatformId } from '@relay/contract';
import type { DeadLetter, DeadLetterStore, ReplayResult } from '@relay/delivery';
import { SealError, type Sealer } from '@relay/runtime';
import { indicesOf } from './chunks.ts';
import { backlogField } from './commit-group.ts';
import { orUnavailable, type RedisConnection } from './connect.ts';
import { hasPayloadKey, jobBytes, packPayload, payloadContext, unpackPayload, type JobData } from './job-data.ts';
import { priorityOf, readRound } from './fairness.ts';
import { keys, newId, type Lane, type Lanes } from './keys.ts';
import { JOB_OPTIONS, laneQueueOn, type LaneQueue } from './lane-queue.ts';
import { CHANGED, LATER, readLetterData, toDeadLetter, whyNotReplayable, type Circumstances, type LaterLetter, type LetterData } from './letter-data.ts';
import { listLetters } from './letter-list.ts';

/** What the dead letter store works with. */
export interface DeadLettersDeps {
  /** A connection that does nothing else: replays run under WATCH on it. */
  readonly connection: RedisConnection;
  readonly lanes: Lanes;
  readonly sealer: Sealer;
  readonly dedupWindowMs: (platform: PlatformId) => number | undefined;
  readonly retentionDays: number;
  readonly now: () => number;
}

/** Events of a platform request, near enough: what is replayed waits its turn like what is new. */
const EVENTS_PER_ROUND = 1_000;
/** Letter ids carry their lane: `dl_<job>_<first position>_<queue>`. */
const LETTER_ID = /^dl_[0-9a-z]+_\d+_([a-z]+(?:\.\d{1,4})?)$/;

/** The same for the same events of a job, so that a letter written twice is one. */
export function letterId(lane: Lane, jobId: string, firstPosition: number): string {
  return `dl_${jobId}_${firstPosition}_${lane.queue}`;
}

/** Dead letters: jobs of the lanes' `.dead` queues, which no worker takes. */
export function createDeadLetterStore(deps: DeadLettersDeps): DeadLetterStore {
  const { connection, lanes } = deps;
  const queues = new Map(
    lanes.all.map((lane) => [lane.queue, { dead: laneQueueOn(connection, lane, true), live: laneQueueOn(connection, lane, false) }]),
  );
  const placeOf = (id: string) => {
    const queue = LETTER_ID.exec(id)?.[1];
    return queue === undefined ? undefined : queues.get(queue);
  };
  const replayedAt = async (lane: Lane, id: string): Promise<number | undefined> => timeOf(await connection.get(keys.replayed(lane.tag, id)));
  const view = async (lane: Lane, id: string, data: unknown): Promise<DeadLetter | undefined> => {
    const letter = readLetterData(data);
    if (letter === undefined) return undefined;
    const [mark, sentAnew] = await connection.mget(keys.replayed(lane.tag, id), keys.sentAnew(lane.tag, letter.deliveryId));
    return toDeadLetter(id, letter, { ...circumstancesOf(deps, letter, sentAnew ?? undefined), replayedAtMs: timeOf(mark ?? null) });
  };
  // WATCH holds for the whole connection, so replays go one after the other.
  let replaying: Promise<unknown> = Promise.resolve();

  return {
    get: (id) =>
      orUnavailable(async () => {
        const place = placeOf(id);
        if (place === undefined) return undefined;
        const job = await place.dead.queue.getJob(id);
        if (job !== undefined) return view(place.dead.lane, id, job.data);
        return readMark(connection, place.dead.lane, id);
      }),

    list: (filter, limit, cursor) =>
      orUnavailable(() => {
        const wanted = lanes.all.filter((lane) => filter.platform === undefined || lane.platform === filter.platform);
        return listLetters({ queues: wanted.map((lane) => queues.get(lane.queue)!.dead), view }, filter, limit, cursor);
      }),

    replay: (id, { force }) => {
      const run = replaying.then(() =>
        orUnavailable(async () => {
          const place = placeOf(id);
          return place === undefined ? { kind: 'not_found' as const } : replayOne(deps, place, id, force);
        }),
      );
      replaying = run.catch(() => undefined);
      return run;
    },

    discard: (id) =>
      orUnavailable(async () => {
        const place = placeOf(id);
        const job = await place?.dead.queue.getJob(id);
        if (place === undefined || job === undefined) return false;
        const replayed = (await replayedAt(place.dead.lane, id)) !== undefined;
        await job.remove();
        return !replayed; // what was left over of a replayed letter is no letter any more
      }),
  };
}

function circumstancesOf(deps: DeadLettersDeps, letter: LetterData | LaterLetter, sentAnewBy: string | undefined): Circumstances {
  const hasKey = letter.v === 1 && hasPayloadKey(letter.payload, deps.sealer);
  return { nowMs: deps.now(), dedupWindowMs: deps.dedupWindowMs(letter.platform), sentAnewBy, hasKey };
}

function timeOf(mark: string | null): number | undefined {
  return mark === null ? undefined : (JSON.parse(mark) as { at: number }).at;
}

/** A letter that was replayed is gone from the queue; its mark still says so for as long as receipts are kept. */
async function readMark(connection: RedisConnection, lane: Lane, id: string): Promise<DeadLetter | undefined> {
  const mark = await connection.get(keys.replayed(lane.tag, id));
  if (mark === null) return undefined;
  const { letter, at } = JSON.parse(mark) as { letter: Omit<DeadLetter, 'replayedAtMs' | 'replayable' | 'whyNot'>; at: number };
  return { ...letter, replayable: false, whyNot: 'It was replayed already.', replayedAtMs: at };
}

async function replayOne(
  deps: DeadLettersDeps,
  place: { dead: LaneQueue; live: LaneQueue },
  id: string,
  force: boolean,
): Promise<ReplayResult> {
  const { connection } = deps;
  const { lane } = place.dead;
  const mark = keys.replayed(lane.tag, id);
  // The mark decides: whoever sets it first has replayed the letter, and the other's transaction fails.
  await connection.watch(mark);
  const refuse = async (result: ReplayResult): Promise<ReplayResult> => {
    await connection.unwatch();
    return result;
  };
  const job = await place.dead.queue.getJob(id);
  if (job === undefined) return refuse((await connection.exists(mark)) === 1 ? ALREADY : { kind: 'not_found' });
  if ((await connection.exists(mark)) === 1) {
    await job.remove().catch(() => undefined); // left over from a crash between the transaction and the removal
    return refuse(ALREADY);
  }
  const letter = readLetterData(job.data);
  if (letter === undefined) return refuse({ kind: 'not_found' });
  if (letter.v === 'later') return refuse({ kind: 'refused', why: LATER });
  const anew = keys.sentAnew(lane.tag, letter.deliveryId);
  await connection.watch(anew);
  const circumstances = circumstancesOf(deps, letter, (await connection.get(anew)) ?? undefined);
  const { nowMs } = circumstances;
  const obstacle = whyNotReplayable(letter, circumstances);
  if (obstacle !== undefined && !(force && obstacle.forcible)) return refuse({ kind: 'refused', why: obstacle.why });
  const payload = sealedAnew(letter, deps.sealer);
  if (payload === undefined) return refuse({ kind: 'refused', why: CHANGED });

  const backlog = backlogField(letter);
  const [round, waiting] = await Promise.all([readRound(connection, lane), connection.hget(keys.backlog(lane.tag, lane.platform), backlog)]);
  const priority = priorityOf(round, Number(waiting ?? 0), EVENTS_PER_ROUND);
  const jobId = newId('r', nowMs);
  const part = { d: letter.deliveryId, k: letter.chunk, r: letter.indices };
  const transaction = await place.live.transaction();
  place.live.add(transaction, 'deliver', jobBytes(toJob(letter, id, part, payload)), { ...JOB_OPTIONS, priority, jobId, timestamp: nowMs });
  const ledger = keys.ledger(lane.tag, lane.platform);
  // A plain write: with Redis out of memory it makes EXEC refuse the whole transaction, which scripts alone would not.
  transaction.hincrby(ledger, 'replayed', 0);
  transaction.runCommand('relayReplay', [
    ledger,
    keys.backlog(lane.tag, lane.platform),
    keys.open(lane.tag, lane.platform),
    mark,
    JSON.stringify({
      tag: lane.tag,
      now: nowMs,
      ttl: deps.retentionDays * 86_400,
      letter: publicPart(id, letter),
      job: jobId,
      jobKey: keys.job(lane, jobId),
      dest: backlog,
      n: letter.eventCount,
      at: nowMs,
      delivery: letter.deliveryId,
      chunk: letter.chunk,
      indices: [...indicesOf(part)].map(String),
    }),
  ]);
  // Replayed, or sent anew, in the very moment: the second look says which.
  if (!(await place.live.commit(transaction))) return replayOne(deps, place, id, force);
  // The mark has decided. A letter that stays is not listed, and goes the next time somebody comes upon it.
  await job.remove().catch(() => undefined);
  return { kind: 'replayed', events: letter.eventCount, accountId: letter.accountId };
}

const ALREADY: ReplayResult = { kind: 'refused', why: 'It was replayed already.' };

/** What a replayed job takes over: sealed under the first key, which the letter may not be. `undefined`: it does not open. */
function sealedAnew(letter: LetterData, sealer: Sealer): Pick<JobData, 'z' | 'b' | 'x'> | undefined {
  const context = payloadContext(letter.accountId, letter.destinationId);
  try {
    const payload = unpackPayload(letter.payload, sealer, context);
    const { sealed, bytes } = packPayload(payload, sealer, context);
    return { z: sealed, b: bytes, x: payload.expiresAtMs.reduce((least, ms) => Math.min(least, ms), Infinity) };
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}

function toJob(letter: LetterData, id: string, part: JobData['p'][number], payload: Pick<JobData, 'z' | 'b' | 'x'>): JobData {
  return {
    v: 1,
    a: letter.accountId,
    d: letter.destinationId,
    ...(letter.kind !== undefined && { j: letter.kind }),
    ...(letter.testCode !== undefined && { t: letter.testCode }),
    ...(letter.consent !== undefined && { c: letter.consent }),
    n: letter.eventCount,
    at: letter.acceptedAt,
    p: [part],
    ...payload,
    rl: id,
  };
}

function publicPart(id: string, letter: LetterData): Omit<DeadLetter, 'replayedAtMs' | 'replayable' | 'whyNot'> {
  const { replayedAtMs: _at, replayable: _can, whyNot: _why, ...rest } = toDeadLetter(id, letter, { nowMs: 0, dedupWindowMs: undefined, replayedAtMs: undefined, sentAnewBy: undefined, hasKey: true });
  return rest;
}
