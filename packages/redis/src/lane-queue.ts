import { Job, Queue, type JobsOptions, type RedisQueueBackend } from 'bullmq';
import type { Connector, ConnectionRole, RedisConnection } from './connect.ts';
import { keys, type Lane } from './keys.ts';
import { scriptsKnown } from './known-scripts.ts';
import { defineScripts } from './scripts.ts';
import { leanTransaction, type Transaction } from './transaction.ts';

/**
 * Attempts are the worker's to count (it also knows expiries and what spends no attempt), so BullMQ never gives a job up:
 * what leaves the queue has been settled first.
 */
const UNLIMITED_ATTEMPTS = 2 ** 31;

/** Options of every job that a worker takes. */
export const JOB_OPTIONS: JobsOptions = {
  attempts: UNLIMITED_ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  stackTraceLimit: 0,
};

/** One BullMQ queue, open for transactions that span the queue's keys and ours. */
export interface LaneQueue {
  readonly lane: Lane;
  readonly connection: RedisConnection;
  readonly queue: Queue;
  transaction(): Promise<Transaction>;
  /**
   * Executes it. `false`: a watched key had changed and nothing happened.
   * @throws the error of the first command in it that failed.
   */
  commit(transaction: Transaction): Promise<boolean>;
  /** Queues one insert on the transaction. `data` is the job's data as JSON: whoever has a large one writes it best. */
  add(transaction: Transaction, name: string, data: string | Buffer, options: JobsOptions & { jobId: string }): void;
  close(): Promise<void>;
}

/** @param dead open the lane's dead letters (`metaads.dead`) instead of its queue. */
export function openLaneQueue(connector: Connector, lane: Lane, role: ConnectionRole, dead = false): LaneQueue {
  return laneQueueOn(connector.open(role), lane, dead, { owned: true, lean: role === 'producer' && !connector.isCluster });
}

/** The same on a connection that others use too, and that somebody else closes. */
export function laneQueueOn(connection: RedisConnection, lane: Lane, dead: boolean, { owned = false, lean = false } = {}): LaneQueue {
  defineScripts(connection);
  const queue = new Queue(dead ? `${lane.queue}.dead` : lane.queue, {
    connection,
    prefix: lane.tag,
    skipMetasUpdate: true,
    // Ours is looked at when the store opens. BullMQ's look would fail for good if Redis went away during it.
    skipVersionCheck: true,
  });
  // Connection errors surface where an operation fails; without a listener Node would end the process.
  queue.on('error', () => {});
  // Public on BullMQ's backend for just this: "so that flow producers can batch inserts onto a shared transaction".
  const backend: RedisQueueBackend = queue.backend;
  return {
    lane,
    connection,
    queue,
    async transaction() {
      const client = await backend.client;
      await scriptsKnown(connection, keys.ledger(lane.tag, lane.platform));
      return lean ? leanTransaction(connection) : (client.multi() as unknown as Transaction);
    },
    async commit(transaction) {
      const results = await transaction.exec();
      if (results === null) return false;
      const failed = results.find(([error]) => error !== null)?.[0];
      if (failed == null) return true;
      // Redis forgot its scripts (SCRIPT FLUSH). Alone, ioredis would notice and send them again; within a transaction it
      // does not, and every later one would fail too. On a new connection it sends them anew.
      if (failed.message.startsWith('NOSCRIPT')) connection.disconnect(true);
      throw failed;
    },
    add(transaction, name, data, options) {
      const job = new Job(queue, name, {}, options, options.jobId);
      void backend.addJobToTransaction(transaction as never, { ...job.asJSON(), data: data as string }, options.jobId); // BullMQ hands it on as it is, and ioredis takes either
    },
    async close() {
      await queue.close();
      if (owned) connection.disconnect();
    },
  };
}
