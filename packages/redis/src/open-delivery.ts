import type { Note, Settlement, TakenJob } from '@relay/delivery';
import type { GroupStatus } from '@relay/contract';
import type { Sealer } from '@relay/runtime';
import { startDeliveryWorker, type DeliveryWorker, type DeliveryWorkerOptions } from './delivery-worker.ts';
import type { Lane } from './keys.ts';
import { laneQueueOn } from './lane-queue.ts';
import type { SharedStore } from './open-store.ts';
import { settle, type SettleOp } from './settle.ts';
import { writeSettlement } from './settlement.ts';
import { noteStatus, type StatusData } from './status-poll.ts';
import { clearSending, markSending, type QueueJob } from './taken-job.ts';
import { untilWritable } from './until-writable.ts';

/** One lane as a worker sees it. */
export interface DeliveryLane {
  readonly lane: Lane;
  settle(settlement: Settlement): Promise<void>;
  noteRetry(notes: readonly Note[]): Promise<void>;
  markSending(jobs: readonly TakenJob[]): Promise<void>;
  clearSending(jobs: readonly TakenJob[]): Promise<void>;
  noteStatus(data: StatusData, groups: readonly GroupStatus[]): Promise<void>;
  /** Starts taking jobs. */
  start(options: Pick<DeliveryWorkerOptions, 'concurrency' | 'deliver' | 'pollStatus' | 'onError' | 'lockMs' | 'stalledCheckMs'>): DeliveryWorker;
}

export function openDelivery(
  store: SharedStore,
  lane: Lane,
  options: { readonly sealer: Sealer; readonly retentionDays: number; readonly now: () => number },
): DeliveryLane {
  const { connection, connector } = store;
  const { sealer, retentionDays, now } = options;
  const live = laneQueueOn(connection, lane, false);
  const dead = laneQueueOn(connection, lane, true);
  const deps = { lane, live, dead, connection, sealer, retentionDays, now };
  return {
    lane,
    settle: (settlement) => untilWritable(() => writeSettlement(deps, settlement)),
    async noteRetry(notes) {
      const ops: readonly SettleOp[] = notes.map((note) => ({
        job: (note.job as QueueJob).ref,
        outcome: 'retry',
        attempts: note.job.attemptsMade + 1,
        requestMs: note.requestMs,
        traceId: note.traceId,
        code: note.code,
        message: note.message,
        ambiguous: note.ambiguous,
      }));
      await untilWritable(() => settle(connection, { lane, nowMs: now(), retentionDays }, ops));
    },
    markSending: (jobs) => markSending(connection, lane, jobs, now()),
    clearSending: (jobs) => untilWritable(() => clearSending(connection, lane, jobs)),
    noteStatus: (data, groups) => noteStatus(connection, lane, data, groups),
    start: (worker) => startDeliveryWorker({ connector, connection, lane, sealer, retentionDays, now, ...worker }),
  };
}
