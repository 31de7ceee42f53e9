import { hash } from 'node:crypto';
import { z } from 'zod';
import type { GroupStatus } from '@relay/contract';
import type { BatchEvent, Poll } from '@relay/delivery';
import type { RedisConnection } from './connect.ts';
import { keys, type Lane } from './keys.ts';
import { runScript } from './scripts.ts';
import { queueJob } from './taken-job.ts';

/** A later look at what the platform did with a request; a delayed job in the platform's own queue. */
export const statusDataSchema = z.object({
  v: z.literal(1),
  accountId: z.string(),
  statusId: z.string(),
  /** When the platform accepted the request, unix ms. */
  sentAt: z.number(),
  /** Delivery ids of each destination of the request, in the order sent. */
  groups: z.array(z.array(z.string())),
});
export type StatusData = z.infer<typeof statusDataSchema>;

export function statusJob(poll: Poll, events: readonly BatchEvent[], nowMs: number): { data: StatusData; options: { jobId: string; delay: number; timestamp: number } } {
  const byDestination = Map.groupBy(events, (event) => event.job.destinationId);
  const groups = [...byDestination.values()].map((own) => [...new Set(own.map((event) => queueJob(event).data.p[event.part]!.d))]);
  return {
    data: { v: 1, accountId: events[0]!.job.accountId, statusId: poll.statusId, sentAt: nowMs, groups },
    options: { jobId: `s${hash('sha256', poll.statusId, 'hex').slice(0, 24)}`, delay: poll.afterMs, timestamp: nowMs },
  };
}

const statusField = (statusId: string): string => `ps:${statusId}`;

/** What a receipt says of a request that will be asked about: written as it is settled, so that other requests' answers are not the last word. */
export function noSayYet({ statusId }: Poll): readonly [field: string, value: string] {
  const status: Omit<GroupStatus, 'recordCount'> = { status: 'processing', errors: [], warnings: [] };
  return [statusField(statusId), JSON.stringify(status)];
}

/** Writes each destination's status to the receipts of its deliveries. */
export async function noteStatus(connection: RedisConnection, lane: Lane, data: StatusData, groups: readonly GroupStatus[]): Promise<void> {
  const writes: Promise<number>[] = [];
  for (const [i, deliveryIds] of data.groups.entries()) {
    const status = groups[i];
    if (status === undefined) continue;
    for (const deliveryId of deliveryIds) {
      writes.push(runScript(connection, 'relayNoteStatus', [keys.receipt(lane.tag, deliveryId), statusField(data.statusId), JSON.stringify(status)]));
    }
  }
  await Promise.all(writes);
}

const BACKOFF_FACTOR = 1.5;

/** When to look again: the time since sending grows by half with every look, up to `giveUpMs`; `undefined`: no more. */
export function nextPollAt(sentAtMs: number, nowMs: number, firstPollMs: number, giveUpMs: number): number | undefined {
  const waitedMs = Math.max(nowMs - sentAtMs, firstPollMs);
  if (waitedMs >= giveUpMs) return undefined;
  return sentAtMs + Math.min(waitedMs * BACKOFF_FACTOR, giveUpMs);
}
