import type { RedisConnection } from './connect.ts';
import type { Lane } from './keys.ts';
import { PRIORITY_LIMIT } from './limits.ts';

/**
 * Start-time fair queueing with BullMQ's priorities. A job's priority is the round in which it would be served if every
 * destination got one platform request a round: the current round, plus the requests already waiting for the same
 * destination. A destination with a million waiting events spreads over a thousand rounds; another one's single event
 * joins the current round and is next.
 *
 * The current round is the lowest priority that waits, read from BullMQ's own set; an empty queue starts over at 1.
 * Nothing else is stored, so nothing can drift. At BullMQ's limit (2 million rounds) order falls back to first come.
 */
export function priorityOf(currentRound: number, waitingEvents: number, eventsPerRequest: number): number {
  const round = Math.max(currentRound, 1) + Math.floor(waitingEvents / eventsPerRequest);
  return Math.min(round, PRIORITY_LIMIT);
}

/** BullMQ keeps a job's priority in the upper bits of its score. */
export function roundOfScore(score: string | undefined): number {
  return score === undefined ? 1 : Math.floor(Number(score) / 2 ** 32);
}

/** The lowest priority that waits now. */
export async function readRound(connection: RedisConnection, lane: Lane): Promise<number> {
  const [, score] = await connection.zrange(`${lane.tag}:${lane.queue}:prioritized`, 0, '0', 'WITHSCORES');
  return roundOfScore(score);
}
