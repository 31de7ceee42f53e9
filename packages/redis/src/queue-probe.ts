import { orUnavailable, type Connector } from './connect.ts';
import { keys, type Lane } from './keys.ts';

/**
 * Looks at a lane from beside: on a connection that fails fast and that nothing else uses, so that it tells what is true
 * also when the connections that work is done on hang.
 */
export interface QueueProbe extends AsyncDisposable {
  /**
   * Jobs that could be taken now: those that wait, and those whose delay has been over for a while. Taking one is a write, so
   * a Redis that only lets itself be read (too few replicas, a replica, disk full) counts as away.
   * @throws RelayError `storage_unavailable`.
   */
  waiting(lane: Lane): Promise<number>;
  /** Round trip to Redis, ms. @throws RelayError `storage_unavailable`. */
  ping(): Promise<number>;
}

/** A job whose delay ended is moved when the next worker asks; idle ones ask every 5 s. */
const OVERDUE_MS = 10_000;
/** BullMQ keeps the time of a delayed job in the upper bits of its score. */
const SCORE_PER_MS = 0x1000;

export function openQueueProbe(connector: Connector, now: () => number): QueueProbe {
  const connection = connector.open('producer');
  return {
    waiting: ({ tag, queue }) =>
      orUnavailable(async () => {
        const [wait, prioritized, overdue] = await Promise.all([
          connection.llen(`${tag}:${queue}:wait`),
          connection.zcard(`${tag}:${queue}:prioritized`),
          connection.zcount(`${tag}:${queue}:delayed`, '-inf', (now() - OVERDUE_MS) * SCORE_PER_MS),
          // A write that changes nothing, and that a full memory permits as it does the taking of jobs.
          connection.unlink(keys.probe(tag)),
        ]);
        return wait + prioritized + overdue;
      }),
    ping: () =>
      orUnavailable(async () => {
        const startedAt = performance.now();
        await connection.ping();
        return performance.now() - startedAt;
      }),
    [Symbol.asyncDispose]() {
      connection.disconnect();
      return Promise.resolve();
    },
  };
}
