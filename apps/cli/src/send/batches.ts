import { prepareEvent } from './rebase.ts';
import type { Row } from './read-events.ts';

/** Events of one request. */
export interface Batch {
  /** From 0; part of the idempotency key. */
  readonly index: number;
  /** JSON texts, ready to be joined. */
  readonly events: readonly string[];
  /** Line (or position) of each event in the file. */
  readonly places: readonly number[];
}

export interface LineFault {
  readonly place: number;
  readonly fault: string;
}

export interface BatchOptions {
  readonly maxEvents: number;
  /** Unix seconds for `secondsAgo`. */
  readonly rebaseTo: number | undefined;
  onFault(fault: LineFault): void;
}

/** Leaves room under the relay's default body limit (32 MiB), also for events in scripts that take three bytes a character. */
const MAX_BATCH_CHARS = 8 * 1024 * 1024;

/** Groups rows into requests; what is no event is reported and left out. Holds one batch in memory. */
export async function* toBatches(rows: AsyncIterable<Row>, options: BatchOptions): AsyncGenerator<Batch> {
  let events: string[] = [];
  let places: number[] = [];
  let chars = 0;
  let index = 0;
  for await (const row of rows) {
    const prepared = 'fault' in row ? row : prepareEvent(row.value, options.rebaseTo);
    if ('fault' in prepared) {
      options.onFault({ place: row.place, fault: prepared.fault });
      continue;
    }
    const text = JSON.stringify(prepared.event);
    if (events.length > 0 && (events.length >= options.maxEvents || chars + text.length > MAX_BATCH_CHARS)) {
      yield { index, events, places };
      index += 1;
      events = [];
      places = [];
      chars = 0;
    }
    events.push(text);
    places.push(row.place);
    chars += text.length;
  }
  if (events.length > 0) yield { index, events, places };
}
