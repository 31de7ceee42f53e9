import type { Line, Waiting } from './line.ts';

/** What one request may carry. */
export interface BatchLimits {
  readonly maxEvents: number;
  /** Destinations of one account that may share a request: 1, Google 10. */
  readonly maxDestinations: number;
  readonly maxRequestBytes: number;
  /** Jobs, however small. */
  readonly maxJobs: number;
}

/**
 * Takes one request's worth of jobs off the lines of an account's destination (Google: of all its destinations).
 *
 * The line whose turn it is decides test code and consent. Up to `maxDestinations` lines that agree with it give a job
 * each in turn until nothing fits, so that a destination with much waiting does not push the others out. A line whose
 * next job does not fit gives no more: order of arrival is kept, and a job is never split. A job that alone is larger
 * than a request may be goes alone. Lines that gave then stand behind the others.
 *
 * @param lines in order of their turns; must not hold empty ones.
 */
export function takeBatch(lines: Map<string, Line>, limits: BatchLimits): { readonly batch: Waiting[]; readonly from: readonly Line[] } {
  const from = linesFor(lines, limits.maxDestinations);
  const batch: Waiting[] = [];
  let events = 0;
  let bytes = 0;
  let giving = from;
  while (giving.length > 0 && events < limits.maxEvents && batch.length < limits.maxJobs) {
    const stillGiving: Line[] = [];
    for (const line of giving) {
      const next = line.first;
      if (next === undefined || batch.length >= limits.maxJobs) continue;
      const fits = events + next.job.events <= limits.maxEvents && bytes + next.job.bytes <= limits.maxRequestBytes;
      if (!fits && batch.length > 0) continue;
      batch.push(line.shift()!);
      events += next.job.events;
      bytes += next.job.bytes;
      stillGiving.push(line);
    }
    giving = stillGiving;
  }
  for (const line of from) {
    lines.delete(line.key);
    lines.set(line.key, line);
  }
  return { batch, from };
}

function linesFor(lines: ReadonlyMap<string, Line>, maxDestinations: number): Line[] {
  const from: Line[] = [];
  for (const line of lines.values()) {
    // A line has one test code and consent, so lines that agree in them have a destination each.
    if (from.length === 0 || line.mix === from[0]!.mix) from.push(line);
    if (from.length === maxDestinations) break;
  }
  return from;
}
