import type { PlatformId } from '@relay/contract';
import { backlogField } from './commit-group.ts';
import { countOf } from './chunks.ts';
import type { RedisConnection } from './connect.ts';
import type { JobData, JobPart } from './job-data.ts';
import { GLOBAL_TAG, keys, type Lane } from './keys.ts';
import { runSettle } from './scripts.ts';

/** A delivery job as far as its books go. */
export interface JobRef {
  readonly jobId: string;
  readonly accountId: string;
  readonly destinationId: string;
  readonly events: number;
  readonly parts: readonly JobPart[];
}

export function jobRef(jobId: string, data: JobData): JobRef {
  return { jobId, accountId: data.a, destinationId: data.d, events: data.n, parts: data.p };
}

/** One change of state of a job's events; settle.lua says what each does. */
export interface SettleOp {
  readonly job: JobRef;
  readonly outcome: 'ok' | 'dead' | 'retry' | 'held' | 'release';
  /** Positions in the job as start, count, …; `undefined`: all. */
  readonly positions?: readonly number[] | undefined;
  readonly attempts?: number | undefined;
  /** Duration of the platform request. */
  readonly requestMs?: number | undefined;
  readonly traceId?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** The platform may have taken the events although no answer said so. */
  readonly ambiguous?: boolean | undefined;
  /** For dead events: delivery, submitted index and what the receipt says about it. */
  readonly failures?: readonly (readonly [deliveryId: string, index: number, json: string])[] | undefined;
  /** For a release: how often the job had been held before it was made due. If it was held again since, it stays held. */
  readonly holds?: number | undefined;
}

export interface SettleContext {
  readonly lane: Lane;
  readonly nowMs: number;
  readonly retentionDays: number;
  /** Keys of jobs that the same transaction adds: without them nothing is settled. */
  readonly jobs?: readonly string[] | undefined;
  /** Field and value for the receipts of what was taken, where the platform says more later. */
  readonly later?: readonly [field: string, value: string] | undefined;
}

/** Arguments of settle.lua, for a call of its own or inside a transaction. */
export function settleArguments(context: SettleContext, ops: readonly SettleOp[]): (string | number)[] {
  const { lane } = context;
  return [
    ...bookKeys(lane),
    JSON.stringify({
      tag: lane.tag,
      platform: lane.platform,
      now: context.nowMs,
      ttl: context.retentionDays * 86_400,
      replies: `${GLOBAL_TAG}:replies:`,
      jobs: context.jobs,
      later: context.later,
      ops: ops.map((op) => ({
        job: keys.job(lane, op.job.jobId),
        id: op.job.jobId,
        acct: op.job.accountId,
        dest: backlogField(op.job),
        n: op.job.events,
        o: op.outcome,
        pos: op.positions,
        parts: op.job.parts.map((part) => [part.d, part.k, countOf(part)]),
        at: op.attempts,
        ms: op.requestMs?.toString(),
        // '|' parts the fields of a chunk's state.
        tr: op.traceId?.replaceAll('|', '/'),
        code: op.code?.slice(0, 80),
        msg: op.message,
        amb: op.ambiguous === true ? 1 : undefined,
        fails: op.failures,
        holds: op.holds,
      })),
    }),
  ];
}

export function bookKeys(lane: Lane, platform: PlatformId = lane.platform): string[] {
  return [keys.ledger(lane.tag, platform), keys.backlog(lane.tag, platform), keys.open(lane.tag, platform), keys.heldCounts(lane.tag, platform)];
}

/** Resolves with how many events changed state, op by op. */
export function settle(connection: RedisConnection, context: SettleContext, ops: readonly SettleOp[]): Promise<number[]> {
  return ops.length === 0 ? Promise.resolve([]) : runSettle(connection, settleArguments(context, ops));
}
