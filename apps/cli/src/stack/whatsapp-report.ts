import { listIn, numberIn, textIn, type Json } from '../json.ts';
import { count, field, formatTable, type Column } from '../output.ts';
import type { Paint } from './paint.ts';
import { sumOf } from './prometheus.ts';
import { WA_FAULT, WHATSAPP_PLAN, whatsappTotals, type WhatsappOutcome } from './whatsapp-loop.ts';

const ENDS: readonly Column[] = [field('conversions', 'how'), count('sent'), count('delivered'), count('dead'), field('code'), field('words', 'message')];
const ROWS: readonly Column[] = [
  field('time', 'timestamp'), field('event', 'eventName'), field('conversation', 'conversationId'), count('received', 'eventsReceived'), count('failed', 'eventsFailed'), count('ms', 'durationMs'), field('trace id', 'traceId'),
];
const SHOWN_ROWS = 5;

/** The WhatsApp part of the demo's report: clicks, dataset, conversions, listing, books. */
export function formatWhatsapp(outcome: WhatsappOutcome, paint: Paint): string {
  const { webhooks, forged, captured, datasets, repeat, rows, taken } = outcome;
  const creators = datasets.filter(({ created }) => created === true).length;
  const { accepted, delivered, dead } = whatsappTotals(outcome);
  const imbalance = sumOf(outcome.samples, 'relay_ledger_imbalance', { platform: 'whatsapp' });
  const story = [
    `${WHATSAPP_PLAN.people} people tapped an ad and wrote; Meta's webhook came ${webhooks.length} times (answers ${webhooks.join(', ')}), and once with a forged signature (${forged.join(', ')})`,
    `${captured} conversations captured, each once`,
    `dataset ${textIn(datasets[0] ?? {}, 'datasetId')}: ${datasets.length} asked for it at once, ${creators} created it`,
    WA_FAULT,
    `an event id sent a second time: ${listIn(repeat, 'warnings').map((warning) => textIn(warning, 'code')).join(', ') || 'not noticed'}, and not sent again`,
  ];
  const books = `whatsapp: ${accepted} accepted = ${delivered} delivered + ${dead} dead + ${accepted - delivered - dead} open; relay_ledger_imbalance ${imbalance ?? 'missing'}; the dataset holds ${numberIn(taken, 'unique')} distinct events, ${numberIn(taken, 'duplicates')} twice`;
  return [
    section(paint, 'WhatsApp: from the tap on an ad to the conversion', ...story.map((line) => `${line}\n`), formatTable(ENDS, endRows(outcome))),
    section(paint, `Conversions listed (${Math.min(SHOWN_ROWS, rows.length)} of ${rows.length}), newest first`, formatTable(ROWS, rows.slice(0, SHOWN_ROWS))),
    section(paint, 'The books of WhatsApp', `${books}\n`),
  ].join('\n');
}

function endRows({ sent }: WhatsappOutcome): Json[] {
  return [...Map.groupBy(sent, ({ how }) => how)].map(([how, own]) => {
    const failure = own.flatMap(({ answer }) => listIn(answer, 'failures'))[0] ?? {};
    return { how, sent: own.length, ...whatsappTotals({ sent: own }), code: textIn(failure, 'code'), message: textIn(failure, 'message') };
  });
}

function section(paint: Paint, title: string, ...body: readonly string[]): string {
  return `${paint.heading(title)}\n${body.join('').replaceAll(/^(?=.)/gm, '  ')}`;
}
