import { randomUUID } from 'node:crypto';
import type { Job } from 'bullmq';
import type { BatchEvent, LoadedEvent, TakenJob } from '@relay/delivery';
import { freeMemory, type Sealer } from '@relay/runtime';
import { countOf } from './chunks.ts';
import type { RedisConnection } from './connect.ts';
import { AWAITED, decodeConsent, payloadContext, unpackPayload, type JobData } from './job-data.ts';
import { keys, type Lane } from './keys.ts';
import { runScript } from './scripts.ts';
import { jobRef, type JobRef } from './settle.ts';

/** A taken job and what this package needs of it besides. */
export interface QueueJob extends TakenJob {
  readonly ref: JobRef;
  readonly data: JobData;
  /** To be called when its turn is over: the memory of its events goes back, and there is nothing in them any more. */
  letGo(): void;
}

/** The jobs of a batch came from here, so they are ours. */
export function queueJob(event: BatchEvent): QueueJob {
  return event.job as QueueJob;
}

/** @param lockMs how long the lock lasts unless it is renewed, which it is every half of it; absent: for ever. */
export function takeJob(job: Job<unknown>, data: JobData, lane: Lane, connection: RedisConnection, sealer: Sealer, lockMs = Infinity): QueueJob {
  // From before Redis gave the job out, so that a process that froze right after it counts that time too.
  const sureUntilMs = (job.processedOn ?? 0) + lockMs / 2;
  const ref = jobRef(job.id!, data);
  // Only a job that was taken before can have settled events: the first time saves the look.
  let fresh = job.attemptsStarted <= 1;
  let loaded: readonly LoadedEvent[] = [];
  return {
    ref,
    data,
    jobId: job.id!,
    accountId: data.a,
    destinationId: data.d,
    testCode: data.t,
    consent: decodeConsent(data.c),
    events: data.n,
    bytes: data.b,
    acceptedAtMs: data.at,
    expiresAtMs: data.x,
    attemptsMade: job.attemptsMade,
    deliveryId: (part) => data.p[part]!.d,
    begunBefore: job.attemptsStarted > 1 || data.rl !== undefined,
    awaited: job.name === AWAITED,
    async load() {
      const [settled, sending] = fresh ? [null, null] : await connection.hmget(keys.job(lane, job.id!), 'sv', 'snd');
      fresh = false;
      if (settled === '*') return [];
      loaded = openEvents(data, settled ?? null, sealer);
      return sending == null ? loaded : loaded.map((event) => ({ ...event, maybeSent: true }));
    },
    letGo() {
      // All of them are views of what was unpacked.
      if (loaded.length > 0) freeMemory(loaded[0]!.wire);
      loaded = [];
    },
    async isOurs() {
      return Date.now() < sureUntilMs || (await connection.get(keys.lock(lane, job.id!))) === job.token;
    },
  };
}

function openEvents(data: JobData, settled: string | null, sealer: Sealer): LoadedEvent[] {
  const payload = unpackPayload(data.z, sealer, payloadContext(data.a, data.d), data.b);
  const events: LoadedEvent[] = [];
  let position = 0;
  for (const [part, entry] of data.p.entries()) {
    for (const end = position + countOf(entry); position < end; position += 1) {
      if (settled !== null && settled[position] === '1') continue;
      events.push({
        position,
        eventId: payload.eventIds[position]!,
        wire: payload.wires[position]!,
        expiresAtMs: payload.expiresAtMs[position]!,
        part,
      });
    }
  }
  return events;
}

/** Submitted index of each position of a job. */
export function submittedIndices(data: JobData): number[] {
  const indices: number[] = [];
  for (const part of data.p) {
    for (let i = 0; i < part.r.length; i += 2) {
      for (let n = 0; n < part.r[i + 1]!; n += 1) indices.push(part.r[i]! + n);
    }
  }
  return indices;
}

/**
 * Notes on the jobs that a request with them goes out.
 * @throws Error when one of them is another worker's by now: nothing may be sent then.
 */
export async function markSending(connection: RedisConnection, lane: Lane, jobs: readonly TakenJob[], nowMs: number): Promise<void> {
  const note = `${nowMs} ${randomUUID()}`;
  const marked = await Promise.all(jobs.map(({ jobId }) => runScript(connection, 'relayMarkSending', [keys.job(lane, jobId), note])));
  const lost = jobs.filter((_, i) => marked[i] !== 1).map(({ jobId }) => jobId);
  if (lost.length > 0) throw new Error(`another worker has taken ${lost.join(', ')} meanwhile`);
}

/** The request took nothing for certain: the events may go out again. */
export async function clearSending(connection: RedisConnection, lane: Lane, jobs: readonly TakenJob[]): Promise<void> {
  await Promise.all(jobs.map((job) => connection.hdel(keys.job(lane, job.jobId), 'snd')));
}
