import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { PlatformId } from '@relay/contract';
import type { RedisConnection } from './connect.ts';
import { keys, type Lane, type Lanes } from './keys.ts';
import { settle } from './settle.ts';
import { jobDataSchema } from './job-data.ts';
import { jobRef } from './settle.ts';

/** What a release works with. */
export interface HoldsDeps {
  readonly connection: RedisConnection;
  readonly lanes: Lanes;
  readonly queueOf: (lane: Lane) => Queue;
  readonly retentionDays: number;
  readonly now: () => number;
}

/** Jobs taken out of the hold in one go: each is read with its payload, which may be megabytes. */
const RELEASE_BATCH = 16;
/** A job that is held by the books is in the delayed set moments later: it is asked for so often, and that far apart. */
const TRIES = 6;
const BETWEEN_TRIES_MS = 100;

/**
 * A held job waits in BullMQ's delayed set until its first event expires; the hold is what remembers whose it is.
 * Releasing makes it due now. One that is just being put there is waited for; one that is not there even then, and one that a
 * worker took and held again before the books say that it is released, stay in the hold: the sweep of the workers comes back
 * for both.
 */
export function createRelease(deps: HoldsDeps) {
  return async function release(platform: PlatformId, accountId: string): Promise<number> {
    let events = 0;
    for (const lane of deps.lanes.of(platform)) {
      let jobIds: readonly string[] = await deps.connection.hkeys(keys.held(lane.tag, platform, accountId));
      for (let tries = 0; tries < TRIES && jobIds.length > 0; tries += 1) {
        if (tries > 0) await sleep(BETWEEN_TRIES_MS);
        const released = await releaseAll(deps, lane, accountId, jobIds);
        events += released.events;
        jobIds = released.notThere;
      }
    }
    return events;
  };
}

interface Released {
  readonly events: number;
  /** Jobs that are not in the delayed set. */
  readonly notThere: readonly string[];
}

async function releaseAll(deps: HoldsDeps, lane: Lane, accountId: string, jobIds: readonly string[]): Promise<Released> {
  let events = 0;
  const notThere: string[] = [];
  for (let at = 0; at < jobIds.length; at += RELEASE_BATCH) {
    const batch = await releaseBatch(deps, lane, accountId, jobIds.slice(at, at + RELEASE_BATCH));
    events += batch.events;
    notThere.push(...batch.notThere);
  }
  return { events, notThere };
}

async function releaseBatch(deps: HoldsDeps, lane: Lane, accountId: string, jobIds: readonly string[]): Promise<Released> {
  const queue = deps.queueOf(lane);
  // Read before anything is made due: settle.lua releases only what nobody has held again since.
  const [jobs, holds] = await Promise.all([
    Promise.all(jobIds.map((jobId) => queue.getJob(jobId))),
    Promise.all(jobIds.map((jobId) => deps.connection.hget(keys.job(lane, jobId), 'hc'))),
  ]);
  const notThere: string[] = [];
  const ops = await Promise.all(
    jobs.map(async (job, i) => {
      const jobId = jobIds[i]!;
      if (job === undefined) {
        // Gone, so all its events are settled; what is left of the hold goes too.
        return { job: { jobId, accountId, destinationId: '', events: 0, parts: [] }, outcome: 'release' as const };
      }
      // Of a later version, as after a step back: it is left to the one that can read it.
      const data = jobDataSchema.safeParse(job.data).data;
      if (data === undefined) return undefined;
      try {
        await job.promote();
      } catch {
        // Not in the delayed set: it is being moved there right now, or it is already being delivered.
        notThere.push(jobId);
        return undefined;
      }
      return { job: jobRef(jobId, data), outcome: 'release' as const, holds: Number(holds[i] ?? 0) };
    }),
  );
  const context = { lane, nowMs: deps.now(), retentionDays: deps.retentionDays };
  const released = await settle(deps.connection, context, ops.filter((op) => op !== undefined));
  return { events: released.reduce((sum, count) => sum + count, 0), notThere };
}

/** Accounts with held events, by lane. */
export async function heldAccounts(connection: RedisConnection, lane: Lane): Promise<ReadonlyMap<string, number>> {
  const counts = await connection.hgetall(keys.heldCounts(lane.tag, lane.platform));
  return new Map(Object.entries(counts).map(([account, count]) => [account, Number(count)]));
}
