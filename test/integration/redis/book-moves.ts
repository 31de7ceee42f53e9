import { heldAccounts, type QueueJob } from '@relay/redis';
import { settle } from '@relay/redis/testing';
import type { Relay } from './a-relay.ts';

/** The books' side of a hold or release; the worker moves the job in the queue besides. Resolves with how many events. */
export async function hold(relay: Relay, job: QueueJob, outcome: 'held' | 'release' = 'held'): Promise<number> {
  const context = { lane: relay.lane(), nowMs: relay.now(), retentionDays: 30 };
  const [events] = await settle(relay.worker.connection, context, [{ job: job.ref, outcome }]);
  return events ?? 0;
}

export const retry = (relay: Relay, job: QueueJob, said = { code: 'timeout', message: 'no answer' }) =>
  relay.delivery().noteRetry([{ job, ...said, traceId: undefined, requestMs: 5, ambiguous: false }]);

export const heldIn = async (relay: Relay, accountId: string): Promise<number> => (await heldAccounts(relay.worker.connection, relay.lane())).get(accountId) ?? 0;
