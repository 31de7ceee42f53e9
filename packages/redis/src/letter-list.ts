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
  /** Dead letter queues, always in the same order. */
  readonly queues: readonly LaneQueue[];
  /** `undefined`: of a format that this version does not know. */
  readonly view: (lane: Lane, id: string, data: unknown) => Promise<DeadLetter | undefined>;
}

/**
 * Newest first over all queues, by when a letter was written. The cursor says of each queue how many letters are left:
 * counted from the oldest, so that letters that come in meanwhile, or are replayed or discarded on the way through the
 * pages, let none be passed over.
 */
export async function listLetters(source: LetterSource, filter: DeadLetterFilter, limit: number, cursor: string | undefined): Promise<Page<DeadLetter>> {
  const lefts = readCursor(cursor, source.queues.length);
  const tails = await Promise.all(source.queues.map((queue, i) => openTail(queue, lefts?.[i] ?? Infinity)));
  // With many queues few of each are wanted, and more of those that turn out to be the newer ones.
  await Promise.all(tails.map((tail) => readAhead(tail, Math.ceil(SCAN_BATCH / tails.length))));
  const rows: DeadLetter[] = [];
  for (let scanned = 0; ; ) {
    const entries = await takeNewest(tails, SCAN_BATCH);
    if (entries.length === 0) return { rows, nextCursor: undefined };
    const letters = await Promise.all(entries.map(({ tail, id }) => readLetter(source, tail.queue, id)));
    for (const [i, letter] of letters.entries()) {
      entries[i]!.tail.left = Math.max(entries[i]!.tail.left - 1, 0);
      scanned += 1;
      if (letter !== undefined && matches(letter, filter)) rows.push(letter);
      if (rows.length < limit && scanned < MAX_SCANNED) continue;
      return { rows, nextCursor: tails.every(({ left }) => left === 0) ? undefined : toCursor(tails) };
    }
  }
}

/** What is left of a queue: its oldest letters. */
interface Tail {
  readonly queue: LaneQueue;
  /** Not listed yet. */
  left: number;
  /** Of those the ones whose ids were not read yet. */
  unread: number;
  /** Read and waiting for their turn, newest first. */
  readonly ids: { readonly id: string; readonly writtenAtMs: number }[];
}
interface Entry {
  readonly tail: Tail;
  readonly id: string;
}

/** Letters are never taken by a worker, so all of a queue's wait in its list, newest first. */
async function openTail(queue: LaneQueue, atMost: number): Promise<Tail> {
  const left = Math.min(atMost, await queue.connection.llen(keys.deadLetters(queue.lane)));
  return { queue, left, unread: left, ids: [] };
}

async function readAhead(tail: Tail, count: number): Promise<void> {
  const { connection, lane } = tail.queue;
  const list = keys.deadLetters(lane);
  // Some may have been taken out since they were counted.
  const there = Math.min(tail.unread, await connection.llen(list));
  tail.left -= tail.unread - there;
  tail.unread = Math.max(there - count, 0);
  if (there === 0) return;
  const ids = await connection.lrange(list, -there, Math.min(count - 1 - there, -1));
  const written = await Promise.all(ids.map((id) => connection.hget(keys.letter(lane, id), 'timestamp')));
  // One that has just been taken out has no time any more: its turn is now.
  tail.ids.push(...ids.map((id, i) => ({ id, writtenAtMs: written[i] === null ? Infinity : Number(written[i]) })));
}

async function takeNewest(tails: readonly Tail[], count: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  while (entries.length < count) {
    const tail = newestOf(tails);
    if (tail === undefined) break;
    entries.push({ tail, id: tail.ids.shift()!.id });
    if (tail.ids.length === 0 && tail.unread > 0) await readAhead(tail, SCAN_BATCH);
  }
  return entries;
}

function newestOf(tails: readonly Tail[]): Tail | undefined {
  let newest: Tail | undefined;
  for (const tail of tails) {
    if (tail.ids.length > 0 && (newest === undefined || tail.ids[0]!.writtenAtMs > newest.ids[0]!.writtenAtMs)) newest = tail;
  }
  return newest;
}

const CURSOR = /^[0-9a-z]{0,9}(?:\.[0-9a-z]{0,9})*$/;

/** How many letters are left of each queue, in base 36; nothing for none. */
function toCursor(tails: readonly Tail[]): string {
  return tails.map(({ left }) => (left === 0 ? '' : left.toString(36))).join('.');
}

function readCursor(cursor: string | undefined, queues: number): readonly number[] | undefined {
  if (cursor === undefined) return undefined;
  const lefts = CURSOR.test(cursor) ? cursor.split('.').map((left) => (left === '' ? 0 : parseInt(left, 36))) : [];
  if (lefts.length === queues && lefts.some((left) => left > 0)) return lefts;
  throw new RelayError('invalid_cursor', 'cursor is not one that this listing gave, or not for this platform; start again without it.', { param: 'cursor' });
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
