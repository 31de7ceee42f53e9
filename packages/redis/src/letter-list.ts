import type { Job } from 'bullmq';
import { RelayError } from '@relay/contract';
import type { DeadLetter, DeadLetterFilter, Page } from '@relay/delivery';
import { keys, type Lane } from './keys.ts';
import type { LaneQueue } from './lane-queue.ts';

/** Letters read from Redis at a time, and most that one page looks at for a filter. A letter can be a megabyte. */
const SCAN_BATCH = 50;
const MAX_SCANNED = 5_000;

/** What the listing reads from. */
export interface LetterSource {
  /** Dead letter queues in the order of the listing. */
  readonly queues: readonly LaneQueue[];
  /** `undefined`: of a format that this version does not know. */
  readonly view: (lane: Lane, id: string, data: unknown) => Promise<DeadLetter | undefined>;
}

/**
 * Newest first, queue by queue. The cursor is `<queue number>.<letters that are left>`: counted from the oldest, so that
 * letters that come in meanwhile, or are replayed or discarded on the way through the pages, let none be passed over.
 */
export async function listLetters(source: LetterSource, filter: DeadLetterFilter, limit: number, cursor: string | undefined): Promise<Page<DeadLetter>> {
  const start = readCursor(cursor);
  const rows: DeadLetter[] = [];
  let scanned = 0;
  for (let number = start.queue; number < source.queues.length; number += 1) {
    const queue = source.queues[number]!;
    let left = number === start.queue ? start.left : Infinity;
    for (;;) {
      const ids = await nextIds(queue, left);
      left = ids.left;
      if (ids.batch.length === 0) break;
      for (const letter of await Promise.all(ids.batch.map((id) => readLetter(source, queue, id)))) {
        left -= 1;
        scanned += 1;
        if (letter !== undefined && matches(letter, filter)) rows.push(letter);
        if (rows.length < limit && scanned < MAX_SCANNED) continue;
        const end = left === 0 && number === source.queues.length - 1;
        return { rows, nextCursor: end ? undefined : `${number}.${left}` };
      }
    }
  }
  return { rows, nextCursor: undefined };
}

function readCursor(cursor: string | undefined): { queue: number; left: number } {
  if (cursor === undefined) return { queue: 0, left: Infinity };
  if (!/^\d{1,5}\.\d{1,12}$/.test(cursor)) {
    throw new RelayError('invalid_cursor', 'cursor is not one that this listing gave; start again without it.', { param: 'cursor' });
  }
  const [queue, left] = cursor.split('.').map(Number) as [number, number];
  return { queue, left };
}

/** The next ids among the `left` oldest. Letters are never taken by a worker, so all of a queue's wait in its list, newest first. */
async function nextIds({ connection, lane }: LaneQueue, left: number): Promise<{ batch: string[]; left: number }> {
  const list = keys.deadLetters(lane);
  const there = Math.min(left, await connection.llen(list));
  if (there === 0) return { batch: [], left: 0 };
  return { batch: await connection.lrange(list, -there, Math.min(SCAN_BATCH - 1 - there, -1)), left: there };
}

async function readLetter({ view }: LetterSource, { queue, lane }: LaneQueue, id: string): Promise<DeadLetter | undefined> {
  const job: Job<unknown> | undefined = await queue.getJob(id);
  const letter = job === undefined ? undefined : await view(lane, id, job.data);
  if (letter?.replayedAtMs === undefined) return letter;
  // Left over from a crash in the middle of a replay; another try that fails is no harm.
  void job?.remove().catch(() => undefined);
  return undefined;
}

function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  if (filter.accountId !== undefined && letter.accountId !== filter.accountId) return false;
  if (filter.destinationId !== undefined && letter.destinationId !== filter.destinationId) return false;
  if (filter.reason !== undefined && letter.reason !== filter.reason) return false;
  return filter.accounts === undefined || filter.accounts.includes(letter.accountId);
}
