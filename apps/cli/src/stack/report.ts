import { LOG_COLUMNS } from '../commands/log.ts';
import { asRecord, numberIn, type Json } from '../json.ts';
import { count, field, formatTable, type Column } from '../output.ts';
import type { Counts } from './check.ts';
import { SANDBOX_NAMES } from './manifest.ts';
import { totalsOf, type Outcome } from './outcome.ts';
import type { Paint } from './paint.ts';
import { sumOf } from './prometheus.ts';

export interface ReportInput {
  readonly outcomes: readonly Outcome[];
  readonly counts: Counts;
  /** The sandbox's summary when only the files had been sent. */
  readonly sandboxBeforeSingles: Counts['sandbox'];
  /** The newest rows of `GET /v1/ads/conversions`, by account. */
  readonly logs: Readonly<Record<string, readonly Json[]>>;
  /** What was scripted to go wrong. */
  readonly faultWords: readonly string[];
}

const EVENT_COUNTS: readonly Column[] = [
  field('platform'), count('sent', 'submitted'), count('refused'), count('accepted'), count('delivered'), count('dead'), count('held'), count('pending'),
];
const REQUEST_COUNTS: readonly Column[] = [
  field('platform'), count('requests'), field('answered'), field('events each (min/mean/max)', 'sizes'), count('events taken', 'accepted'), count('distinct', 'unique'), count('twice', 'duplicates'),
];
const RETRIES: readonly Column[] = [
  field('delivery', 'deliveryId'), field('platform'), field('status'), count('events', 'eventsSubmitted'), count('attempts'), count('ms', 'durationMs'), field('trace id', 'traceId'),
];
const SHOWN_RETRIES = 6;
const REASONS: readonly Column[] = [count('events'), field('by'), field('code'), field('example'), field('words', 'message')];

/** The demo's report: what was sent, what the platforms saw, what failed and why, what the log and the books say. */
export function formatReport(input: ReportInput, paint: Paint): string {
  const { outcomes, counts, logs } = input;
  const totals = totalsOf(outcomes);
  const section = (title: string, ...body: readonly string[]) => `${paint.heading(title)}\n${indent(body.join(''))}`;
  return [
    section('Events, as the API answered', formatTable(EVENT_COUNTS, totals.map((row) => ({ ...row })))),
    section('Requests, as the platforms saw them', formatTable(REQUEST_COUNTS, totals.map(({ platform }) => requestRow(platform, counts.sandbox[SANDBOX_NAMES[platform]] ?? {}))), coalescing(input)),
    section('What went wrong on purpose', ...input.faultWords.map((words) => `${words}\n`), attempts(input), retried(outcomes)),
    section('Refused, and why', formatTable(REASONS, reasonRows(outcomes))),
    ...Object.entries(logs).map(([account, rows]) => section(`Delivery log of ${account}, newest first`, formatTable(LOG_COLUMNS, rows))),
    section('The books', ...totals.map((row) => bookLine(row, counts))),
  ].join('\n');
}

function requestRow(platform: string, taken: Json): Json {
  const sizes = asRecord(taken['sizes']);
  const { '0': unanswered, ...statuses } = asRecord(taken['answered']);
  const answered = Object.entries(statuses).map(([status, times]) => `${status} x ${String(times)}`);
  if (typeof unanswered === 'number') answered.push(`no answer x ${unanswered}`);
  return { ...taken, platform, answered: answered.join(', '), sizes: `${numberIn(sizes, 'min')} / ${Math.round(numberIn(sizes, 'mean'))} / ${numberIn(sizes, 'max')}` };
}

/** Single events that arrived together went out together. */
function coalescing({ outcomes, counts, sandboxBeforeSingles }: ReportInput): string {
  const singles = outcomes.filter(({ plan }) => 'idSuffix' in plan);
  const requests = (summary: Counts['sandbox']) => Object.values(SANDBOX_NAMES).reduce((sum, name) => sum + numberIn(summary[name] ?? {}, 'requests'), 0);
  const sent = singles.reduce((sum, outcome) => sum + outcome.requests, 0);
  return `${sent} requests of one event each, sent at once, became ${requests(counts.sandbox) - requests(sandboxBeforeSingles)} platform requests.\n`;
}

function attempts({ counts, outcomes }: ReportInput): string {
  return totalsOf(outcomes)
    .map(({ platform }) => {
      const samples = counts.samples.filter(({ name, labels }) => name === 'relay_platform_requests_total' && labels['platform'] === platform);
      return `${platform}: ${samples.map(({ labels, value }) => `${value} ${labels['outcome']}`).join(', ')}\n`;
    })
    .join('');
}

/** Rate limits spend no attempt, and a salvaged chunk is sent in parts: what broke shows here. */
function retried(outcomes: readonly Outcome[]): string {
  const rows = outcomes.flatMap((outcome) => outcome.retried);
  if (rows.length === 0) return '';
  return `Deliveries that took more than one attempt${rows.length > SHOWN_RETRIES ? ` (${SHOWN_RETRIES} of ${rows.length})` : ''}:\n${formatTable(RETRIES, rows.slice(0, SHOWN_RETRIES))}`;
}

function reasonRows(outcomes: readonly Outcome[]): Json[] {
  return outcomes.flatMap(({ reasons, plan }) =>
    reasons.map(({ kind, code, events, eventId, message }) => ({ events, by: kind === 'dead' ? plan.platform : 'the relay', code, example: eventId, message })),
  );
}

function bookLine({ platform, accepted, delivered, dead, held, pending }: ReturnType<typeof totalsOf>[number], { samples, sandbox }: Counts): string {
  const imbalance = sumOf(samples, 'relay_ledger_imbalance', { platform });
  const unique = numberIn(sandbox[SANDBOX_NAMES[platform]] ?? {}, 'unique');
  return `${platform}: ${accepted} accepted = ${delivered} delivered + ${dead} dead + ${held} held + ${pending} pending; relay_ledger_imbalance ${imbalance ?? 'missing'}; the platform holds ${unique} distinct events\n`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
