import { badRequest } from './call.ts';
import { isRecord } from './restli.ts';
import type { RestliValue } from './restli.ts';

export const DAY_MS = 86_400_000;
const DAILY_DAYS = 180;
const MONTHS_KEPT = 24;
const MONTHS_EXACT = 6;

export type Granularity = 'ALL' | 'DAILY' | 'MONTHLY' | 'YEARLY';

/** Days of the epoch (UTC), both inclusive. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

/** One row's span: what it says it covers, and the days that data is kept of. */
export interface Bucket {
  readonly start: number;
  readonly end: number;
  readonly days: DayRange;
}

const invalid = (why: string) => badRequest(`Invalid value for parameter 'dateRange': ${why}`, 'PARAM_INVALID');

function dayOf(value: RestliValue | undefined, name: string): number {
  if (!isRecord(value)) throw invalid(`${name} needs (year:..,month:..,day:..)`);
  const [year = 0, month = 0, day = 0] = ['year', 'month', 'day'].map((part) => {
    const text = value[part];
    return typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  });
  const at = new Date(Date.UTC(year, month - 1, day));
  if (at.getUTCFullYear() !== year || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) throw invalid(`${name} is no date`);
  return at.getTime() / DAY_MS;
}

/** `(start:(year:2026,month:10,day:1),end:(…))`; without an end up to today. */
export function parseDateRange(value: RestliValue, nowMs: number): DayRange {
  if (!isRecord(value) || Object.keys(value).some((name) => name !== 'start' && name !== 'end')) throw invalid('expected (start:(..),end:(..))');
  const first = dayOf(value['start'], 'start');
  const last = value['end'] === undefined ? Math.floor(nowMs / DAY_MS) : dayOf(value['end'], 'end');
  if (last < first) throw invalid('the end is before the start');
  return { first, last };
}

export function dateOf(day: number): { readonly year: number; readonly month: number; readonly day: number } {
  const at = new Date(day * DAY_MS);
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
}

const monthStart = (day: number, shift = 0) => {
  const { year, month } = dateOf(day);
  return Date.UTC(year, month - 1 + shift, 1) / DAY_MS;
};
const yearStart = (day: number, shift = 0) => Date.UTC(dateOf(day).year + shift, 0, 1) / DAY_MS;

/**
 * Cuts a range into rows. Daily data is kept about six months, monthly and yearly data 24 months; `ALL` from before six months ago is
 * rounded to whole months. What is older is missing without a word, or refused.
 */
export function bucketsOf({ first, last }: DayRange, granularity: Granularity, { nowMs, refuseOld }: { readonly nowMs: number; readonly refuseOld: boolean }): readonly Bucket[] {
  const today = Math.floor(nowMs / DAY_MS);
  const oldest = granularity === 'DAILY' ? today - DAILY_DAYS : monthStart(today, -MONTHS_KEPT);
  if (refuseOld && first < oldest) throw invalid(`data for timeGranularity ${granularity} does not reach back that far`);
  const bucket = (start: number, end: number): Bucket => ({ start, end, days: { first: Math.max(start, oldest), last: Math.min(end, today) } });
  if (granularity === 'ALL') {
    const rounded = first < monthStart(today, -MONTHS_EXACT);
    return [rounded ? bucket(monthStart(first), monthStart(last, 1) - 1) : bucket(first, last)];
  }
  const next = { DAILY: (day: number) => day + 1, MONTHLY: (day: number) => monthStart(day, 1), YEARLY: (day: number) => yearStart(day, 1) }[granularity];
  const buckets: Bucket[] = [];
  // Nothing is kept outside; the loop must not run over centuries that somebody asks for.
  for (let start = Math.max(first, oldest); start <= Math.min(last, today); start = next(start)) buckets.push(bucket(start, Math.min(next(start) - 1, last)));
  return buckets;
}
