import { listIn, numberIn, textIn, type Json } from '../json.ts';
import { sumOf } from './prometheus.ts';
import { WHATSAPP_PLAN, whatsappTotals, type Sent, type WhatsappOutcome } from './whatsapp-loop.ts';

/** What is not as planned, one sentence each; empty when every click and every conversion is accounted for. */
export function findWhatsappProblems(outcome: WhatsappOutcome): string[] {
  const { people, times } = WHATSAPP_PLAN;
  const expectedEnds: Readonly<Record<Sent['how'], readonly [count: number, end: string]>> = {
    'by phone': [WHATSAPP_PLAN.byPhone, 'delivered'],
    'by conversation': [people - WHATSAPP_PLAN.byPhone, 'delivered'],
    'an invented click': [1, 'failed 100/2804087'],
    'no answer of Meta': [1, 'failed outcome_unknown'],
  };
  const ends = Object.entries(expectedEnds).flatMap(([how, [count, end]]) =>
    differs(`conversions sent (${how}) that ended as ${end}`, count, outcome.sent.filter((sent) => sent.how === how && endOf(sent.answer) === end).length),
  );
  return [
    ...differs('webhooks acknowledged', times, outcome.webhooks.filter((status) => status === 200).length),
    ...differs('forged webhooks refused', 1, outcome.forged.filter((status) => status === 401).length),
    ...differs('conversations captured', people, outcome.captured),
    ...differs('callers who created the dataset', 1, outcome.datasets.filter(({ created }) => created === true).length),
    ...differs('datasets', 1, new Set(outcome.datasets.map((dataset) => textIn(dataset, 'datasetId'))).size),
    ...ends,
    ...differs('repeated event ids recognised', 1, listIn(outcome.repeat, 'warnings').filter(({ code }) => code === 'event_already_sent').length),
    ...differs('rows listed', people + 2, outcome.rows.length),
    ...differs('dead letters with an unknown end', 1, outcome.letters.filter(({ reason }) => reason === 'unknown').length),
    ...differs('dead letters that Meta refused', 1, outcome.letters.filter(({ reason }) => reason === 'rejected').length),
    // What Meta took without an answer is there, and once.
    ...differs('distinct events that the dataset took', people + 1, numberIn(outcome.taken, 'unique')),
    ...differs('events that the dataset took twice', 0, numberIn(outcome.taken, 'duplicates')),
    ...checkBooks(outcome),
    ...outcome.faults.filter((fault) => numberIn(fault, 'hits') === 0).map((fault) => `the scripted fault ${JSON.stringify(fault['fault'])} was never met`),
  ];
}

function checkBooks(outcome: WhatsappOutcome): string[] {
  const { accepted, delivered, dead } = whatsappTotals(outcome);
  const booked = (name: string) => sumOf(outcome.samples, name, { platform: 'whatsapp' }) ?? 0;
  const imbalance = sumOf(outcome.samples, 'relay_ledger_imbalance', { platform: 'whatsapp' });
  return [
    ...differs('accepted by its counter', accepted, booked('relay_events_accepted_total')),
    ...differs('delivered by its counter', delivered, booked('relay_events_delivered_total')),
    ...differs('dead by its counter', dead, booked('relay_events_dead_lettered_total')),
    ...(imbalance === 0 ? [] : [`whatsapp: relay_ledger_imbalance is ${imbalance ?? 'missing'}, not 0`]),
  ];
}

/** `delivered`, or `failed` with its code. */
function endOf(answer: Json): string {
  return [textIn(answer, 'status'), ...listIn(answer, 'failures').map((failure) => textIn(failure, 'code'))].join(' ');
}

function differs(what: string, expected: number, actual: number): string[] {
  return expected === actual ? [] : [`whatsapp: ${actual} ${what}, expected ${expected}`];
}
