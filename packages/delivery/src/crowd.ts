import type { Line, Waiting } from './line.ts';

/** So many events in one request are a crowd's: the next one to the same target begins `REST_MS` after it did. */
const CROWD_EVENTS = 32;
export const REST_MS = 50;
/** So much is worth a request of its own, crowd or not. */
const FULL_BYTES = 256 * 1024;

export function isCrowd(batch: readonly Waiting[]): boolean {
  let events = 0;
  for (const { job } of batch) events += job.events;
  return events >= CROWD_EVENTS;
}

/** Whether what waits can go on waiting until the rest is over: no caller waits for it, and it is not much. */
export function canRest(lines: ReadonlyMap<string, Line>): boolean {
  let bytes = 0;
  for (const line of lines.values()) {
    if (line.awaited > 0) return false;
    bytes += line.bytes;
  }
  return bytes < FULL_BYTES;
}
