import { asList, asObject, type JsonObject } from '../../http/json.ts';
import { LocalRuleError } from '../errors.ts';
import { GRANULARITIES, type DestinationMetrics, type DestinationRef, type Granularity, type MetricsQuery } from '../management.ts';
import { elementsOf, linkedinJson, type LinkedinContext } from './call.ts';
import { urnId } from './restli.ts';
import { accountIdOf, accountUrn, findRule, ruleIdOf } from './rules.ts';

const METRICS = [
  'externalWebsiteConversions',
  'externalWebsitePostClickConversions',
  'externalWebsitePostViewConversions',
  'conversionValueInLocalCurrency',
  'qualifiedLeads',
  'costInLocalCurrency',
] as const;

/**
 * Months that LinkedIn keeps: days about 6, months and years 24. `ALL` has no end, but beyond 6 months it counts whole months.
 * https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/ads-reporting (read 2026-11)
 */
const KEPT_MONTHS: Readonly<Record<Granularity, number | undefined>> = { ALL: undefined, DAILY: 6, MONTHLY: 24, YEARLY: 24 };

/**
 * Attribution of one rule. LinkedIn has no filter for a rule, so the account's are read and the others dropped; nothing to
 * report and no permission to read look the same to LinkedIn: no rows.
 */
export async function getMetrics(ctx: LinkedinContext, ref: DestinationRef, query: MetricsQuery): Promise<DestinationMetrics> {
  const ruleId = ruleIdOf(ref.destinationId);
  const granularity = granularityOf(query.granularity);
  const range = rangeOf(query, granularity, ctx.now());
  const given = ref.adAccountId?.trim();
  const adAccountId = given ? accountIdOf(given) : (await findRule(ctx, ref)).adAccountId;
  const body = await linkedinJson(ctx, {
    method: 'GET',
    path: 'adAnalytics',
    query: {
      q: 'analytics',
      pivot: 'CONVERSION',
      timeGranularity: granularity,
      dateRange: { start: dateParts(range.start), end: dateParts(range.end) },
      accounts: [accountUrn(adAccountId)],
    },
    rawQuery: `fields=dateRange,pivotValues,${METRICS.join(',')}`,
  });
  const rows = elementsOf(body)
    .filter((element) => asList(element['pivotValues']).some((urn) => urnId(urn) === ruleId))
    .map((element) => readRow(element, range));
  return { granularity, rows: rows.sort((one, other) => compareText(one.start, other.start) || compareText(one.end, other.end)) };
}

function granularityOf(given: string | undefined): Granularity {
  const found = GRANULARITIES.find((granularity) => granularity === (given ?? 'ALL'));
  if (found === undefined) throw new LocalRuleError('granularity', `granularity has to be one of ${GRANULARITIES.join(', ')}.`);
  return found;
}

interface DateRange {
  readonly start: string;
  readonly end: string;
}

/** LinkedIn answers a range that it does not keep with nothing, or with a refusal that names no date. */
function rangeOf({ startDate, endDate }: MetricsQuery, granularity: Granularity, nowMs: number): DateRange {
  const today = isoDate(new Date(nowMs));
  const start = dateOf('startDate', startDate);
  const end = endDate === undefined || endDate.trim() === '' ? today : dateOf('endDate', endDate);
  // A day's grace: somewhere it is tomorrow already.
  if (start > isoDate(new Date(nowMs + DAY_MS))) throw new LocalRuleError('startDate', 'startDate lies in the future.');
  if (end < start) throw new LocalRuleError('endDate', 'endDate must not be before startDate; both days count.');
  const months = KEPT_MONTHS[granularity];
  if (months !== undefined && start < monthsBefore(nowMs, months)) {
    const advice = granularity === 'DAILY' ? 'Choose a later startDate, or granularity MONTHLY.' : 'Choose a later startDate, or granularity ALL.';
    throw new LocalRuleError('startDate', `LinkedIn keeps ${granularity} metrics for ${months} months only. ${advice}`);
  }
  return { start, end };
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The same day some months before, or the last day of that month; and a day's grace. */
function monthsBefore(nowMs: number, months: number): string {
  const now = new Date(nowMs);
  const lastDay = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months + 1, 0)).getUTCDate();
  return isoDate(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, Math.min(now.getUTCDate(), lastDay) - 1)));
}

function dateOf(param: 'startDate' | 'endDate', given: string | undefined): string {
  const text = given?.trim() ?? '';
  if (text === '') throw new LocalRuleError(param, `${param} is needed, as YYYY-MM-DD.`);
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  // 31 February reads as 3 March, so what comes out has to be what went in.
  if (date === undefined || Number.isNaN(date.getTime()) || isoDate(date) !== text) {
    throw new LocalRuleError(param, `${param} has to be a day of the calendar as YYYY-MM-DD, such as 2026-10-31.`);
  }
  return text;
}

function isoDate(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function dateParts(date: string): { readonly year: number; readonly month: number; readonly day: number } {
  return { year: Number(date.slice(0, 4)), month: Number(date.slice(5, 7)), day: Number(date.slice(8, 10)) };
}

function readRow(element: JsonObject, asked: DateRange): DestinationMetrics['rows'][number] {
  const range = asObject(element['dateRange']);
  const metrics: Record<string, number> = {};
  for (const name of METRICS) {
    const value = numberOf(element[name]);
    // What LinkedIn leaves out is not known to be nothing.
    if (value !== undefined) metrics[name] = value;
  }
  return { start: dateIn(range?.['start']) ?? asked.start, end: dateIn(range?.['end']) ?? asked.end, metrics };
}

/** `{"year": 2026, "month": 10, "day": 1}` */
function dateIn(value: unknown): string | undefined {
  const date = asObject(value);
  const parts = [date?.['year'], date?.['month'], date?.['day']];
  if (!parts.every((part) => typeof part === 'number' && Number.isInteger(part) && part > 0)) return undefined;
  const [year, month, day] = parts as [number, number, number];
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** Money comes as decimal text. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
