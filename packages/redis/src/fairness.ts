import type { RedisConnection } from './connect.ts';
import { keys, type Lane } from './keys.ts';
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

/** What decides priorities: the current round, and the events that wait for each destination (`account|destination`). */
export interface Backlog {
  readonly round: number;
  readonly waitingEvents: Map<string, number>;
}

/** One commit follows the other within milliseconds, and what others put in or take out meanwhile moves nobody's turn by much. */
const BACKLOG_MS = 20;

/**
 * Reads the backlog of a lane. A commit adds to it what it puts in, and forgets it when it failed. Right behind its
 * transaction it reads anew what is half as old as it may be, so that the next commit finds it and waits for no answer of its own.
 */
export function createBacklogReader(connection: RedisConnection, lane: Lane, now: () => number) {
  let known: Backlog | undefined;
  let readAtMs = 0;
  const look = async (destinations: readonly string[]): Promise<Backlog> => {
    const [round, waiting] = await Promise.all([readRound(connection, lane), connection.hmget(keys.backlog(lane.tag, lane.platform), ...destinations)]);
    readAtMs = now();
    known = { round, waitingEvents: new Map(destinations.map((field, i) => [field, Number(waiting[i] ?? 0)])) };
    return known;
  };
  return {
    async read(destinations: readonly string[]): Promise<Backlog> {
      const isKnown = known !== undefined && now() < readAtMs + BACKLOG_MS && destinations.every((field) => known!.waitingEvents.has(field));
      return isKnown ? known! : look(destinations);
    },
    readAhead(destinations: readonly string[]): void {
      // What it fails of, the next commit meets too.
      if (now() >= readAtMs + BACKLOG_MS / 2) look(destinations).catch(() => {});
    },
    forget(): void {
      known = undefined;
    },
  };
}
export type BacklogReader = ReturnType<typeof createBacklogReader>;
