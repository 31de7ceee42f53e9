import type { BatchEvent, Death, Settlement } from '@relay/delivery';
import type { Sealer } from '@relay/runtime';
import { pushIndex } from './chunks.ts';
import { isMemoryFull, type RedisConnection } from './connect.ts';
import { letterId } from './dead-letters.ts';
import { packPayload, payloadContext } from './job-data.ts';
import { keys, type Lane } from './keys.ts';
import { JOB_OPTIONS, type LaneQueue } from './lane-queue.ts';
import { MAX_LETTER_EVENT_IDS, type LetterData } from './letter-data.ts';
import { settle, settleArguments, type SettleOp } from './settle.ts';
import { noSayYet, statusJob } from './status-poll.ts';
import { queueJob, submittedIndices, type QueueJob } from './taken-job.ts';

export interface SettlementDeps {
  readonly lane: Lane;
  readonly live: LaneQueue;
  readonly dead: LaneQueue;
  readonly connection: RedisConnection;
  readonly sealer: Sealer;
  readonly retentionDays: number;
  readonly now: () => number;
}

interface Letter {
  readonly id: string;
  readonly data: LetterData;
}

/**
 * Writes what a platform's answer settled: receipts, books, dead letters and the later look at the status in one
 * transaction. Doing it twice changes nothing (see settle.lua).
 */
export async function writeSettlement(deps: SettlementDeps, settlement: Settlement): Promise<void> {
  const { lane, connection, live, dead } = deps;
  const context = { lane, nowMs: deps.now(), retentionDays: deps.retentionDays };
  const delivered = settlement.delivered;
  const taken: readonly SettleOp[] =
    delivered === undefined ? [] : [...byJob(delivered.events)].map(([job, events]) => ({ ...opOf(job, events), outcome: 'ok', traceId: delivered.traceId, requestMs: settlement.requestMs }));
  const { letters, ops: buried } = await buryAll(deps, settlement, context.nowMs);
  const ops = [...taken, ...buried];
  const poll = delivered?.poll;
  if (letters.length === 0 && poll === undefined) {
    await settle(connection, context, ops);
    return;
  }

  const transaction = await dead.transaction();
  // A plain write: with Redis out of memory it makes EXEC refuse the whole transaction, which scripts alone would not.
  transaction.hincrby(keys.ledger(lane.tag, lane.platform), 'dead', 0);
  const jobs: string[] = [];
  for (const { id, data } of letters) {
    jobs.push(keys.letter(lane, id));
    dead.add(transaction, 'dead', JSON.stringify(data), { jobId: id, stackTraceLimit: 0, timestamp: context.nowMs });
  }
  if (poll !== undefined) {
    const { data, options } = statusJob(poll, delivered!.events, context.nowMs);
    jobs.push(keys.job(lane, options.jobId));
    live.add(transaction, 'status', JSON.stringify(data), { ...JOB_OPTIONS, ...options });
  }
  transaction.runCommand('relaySettle', settleArguments({ ...context, jobs, later: poll && noSayYet(poll) }, ops));
  try {
    await dead.commit(transaction);
  } catch (error) {
    // Letters and looks are new jobs, which a full Redis refuses. What was delivered is written at any rate, or it would be sent
    // again; what died comes back with its job and is refused once more. The later look at the status is let go.
    await settle(connection, context, taken);
    if (letters.length > 0 || !isMemoryFull(error)) throw error;
  }
}

/** The dead events' letters, and what their deaths change in receipts and books. */
async function buryAll(deps: SettlementDeps, settlement: Settlement, nowMs: number): Promise<{ readonly letters: readonly Letter[]; readonly ops: readonly SettleOp[] }> {
  const letters: Letter[] = [];
  const ops: SettleOp[] = [];
  for (const death of settlement.dead ?? []) {
    // Of the last two events die without a request too, when no access token can be had.
    const attempted = settlement.requestMs !== undefined || death.reason === 'attempts_exhausted' || death.reason === 'operator';
    for (const [job, all] of byJob(death.events)) {
      const history = await historyOf(deps, job);
      const events = all.filter(({ position }) => history.isOpen(position));
      if (events.length === 0) continue;
      const indices = submittedIndices(job.data);
      letters.push(...lettersOf(deps, job, events, indices, death, { ...history, attempted, nowMs }));
      ops.push({
        ...opOf(job, events),
        attempts: attempted ? job.attemptsMade + 1 : undefined,
        outcome: 'dead',
        traceId: death.traceId,
        code: death.code,
        message: death.message,
        requestMs: settlement.requestMs,
        failures: events.map((event) => [
          job.data.p[event.part]!.d,
          indices[event.position]!,
          JSON.stringify({ id: event.eventId, code: codeOf(death.code), message: death.message }),
        ]),
      });
    }
  }
  return { letters, ops };
}

/** Numeric platform codes stay numbers in `failures[].code`, as the client's type allows both. */
function codeOf(code: string): string | number {
  return /^\d{1,9}$/.test(code) ? Number(code) : code;
}

function byJob(events: readonly BatchEvent[]): Map<QueueJob, BatchEvent[]> {
  return Map.groupBy(events, queueJob);
}

function opOf(job: QueueJob, events: readonly BatchEvent[]): Pick<SettleOp, 'job' | 'positions' | 'attempts'> {
  return {
    job: job.ref,
    positions: events.length === job.events ? undefined : positionRanges(events),
    attempts: job.attemptsMade + 1,
  };
}

function positionRanges(events: readonly BatchEvent[]): number[] {
  const ranges: number[] = [];
  for (const { position } of [...events].sort((a, b) => a.position - b.position)) pushIndex(ranges, position);
  return ranges;
}

interface History {
  readonly firstAttemptMs: number | undefined;
  readonly maybeTakenMs: number | undefined;
  /** Whether the event at this position is still to be settled: another worker may have been faster (a lost lock). */
  isOpen(position: number): boolean;
}

async function historyOf({ connection, lane }: SettlementDeps, job: QueueJob): Promise<History> {
  const [first, maybe, settled, name] = await connection.hmget(keys.job(lane, job.jobId), 'fa', 'amb', 'sv', 'name');
  return {
    firstAttemptMs: first == null ? undefined : Number(first),
    maybeTakenMs: maybe == null ? undefined : Number(maybe),
    isOpen: (position) => name != null && settled !== '*' && settled?.[position] !== '1',
  };
}

/** One letter for each client request among the dead events of a job. */
function lettersOf(
  { lane, sealer }: SettlementDeps,
  job: QueueJob,
  events: readonly BatchEvent[],
  submitted: readonly number[],
  death: Death,
  { attempted, nowMs, ...history }: History & { readonly attempted: boolean; readonly nowMs: number },
): Letter[] {
  return [...Map.groupBy(events, (event) => event.part)].map(([partNumber, own]) => {
    const part = job.data.p[partNumber]!;
    const indices: number[] = [];
    for (const event of own) pushIndex(indices, submitted[event.position]!);
    const packed = packPayload(
      {
        eventIds: own.map((event) => event.eventId),
        expiresAtMs: own.map((event) => event.expiresAtMs),
        wires: own.map((event) => event.wire),
      },
      sealer,
      payloadContext(job.accountId, job.destinationId),
    );
    const data: LetterData = {
      v: 1,
      platform: lane.platform,
      accountId: job.accountId,
      destinationId: job.destinationId,
      deliveryId: part.d,
      chunk: part.k,
      indices,
      reason: death.reason,
      code: death.code,
      message: death.message,
      eventIds: own.slice(0, MAX_LETTER_EVENT_IDS).map((event) => event.eventId),
      eventCount: own.length,
      attempts: job.attemptsMade + (attempted ? 1 : 0),
      ...((history.firstAttemptMs !== undefined || attempted) && { firstAttemptAt: history.firstAttemptMs ?? nowMs }),
      ...((history.firstAttemptMs !== undefined || attempted) && { lastAttemptAt: nowMs }),
      ...(history.maybeTakenMs !== undefined && { maybeTakenAt: history.maybeTakenMs }),
      acceptedAt: job.acceptedAtMs,
      expiresAt: own.reduce((latest, event) => Math.max(latest, event.expiresAtMs), 0),
      ...(job.data.j !== undefined && { kind: job.data.j }),
      ...(job.data.t !== undefined && { testCode: job.data.t }),
      ...(job.data.c !== undefined && { consent: job.data.c }),
      bytes: packed.bytes,
      payload: packed.sealed,
      ...(job.data.rl !== undefined && { replayOf: job.data.rl }),
    };
    return { id: letterId(lane, job.jobId, own[0]!.position), data };
  });
}
