import { describe, expect, it } from 'vitest';
import { createPaint } from './paint.ts';
import { findWhatsappProblems } from './whatsapp-check.ts';
import { WHATSAPP_PLAN, type Sent, type WhatsappOutcome } from './whatsapp-loop.ts';
import { formatWhatsapp } from './whatsapp-report.ts';

const { people, times, byPhone } = WHATSAPP_PLAN;
const taken = { eventsReceived: 1, eventsFailed: 0, failures: [], status: 'delivered' };
const died = (code: string) => ({ eventsReceived: 0, eventsFailed: 1, failures: [{ code, message: 'words' }], status: 'failed' });

/** A loop that went as planned. */
function anOutcome(over: Partial<WhatsappOutcome> = {}): WhatsappOutcome {
  const sample = (name: string, value: number) => ({ name, labels: { platform: 'whatsapp' }, value });
  const sent = Array.from({ length: people }, (_, n): Sent => ({ how: n < byPhone ? 'by phone' : 'by conversation', answer: taken }));
  return {
    webhooks: Array.from({ length: times }, () => 200),
    forged: [401],
    captured: people,
    datasets: [{ datasetId: '5', created: false }, { datasetId: '5', created: true }],
    sent: [...sent, { how: 'an invented click', answer: died('100/2804087') }, { how: 'no answer of Meta', answer: died('outcome_unknown') }],
    repeat: { ...taken, warnings: [{ code: 'event_already_sent' }] },
    rows: Array.from({ length: people + 2 }, () => ({ eventName: 'Purchase' })),
    letters: [{ reason: 'unknown' }, { reason: 'rejected' }],
    taken: { total: people + 1, unique: people + 1, duplicates: 0 },
    faults: [{ fault: { kind: 'reset' }, hits: 1 }],
    samples: [
      sample('relay_events_accepted_total', people + 2),
      sample('relay_events_delivered_total', people),
      sample('relay_events_dead_lettered_total', 2),
      sample('relay_ledger_imbalance', 0),
    ],
    ...over,
  };
}

describe('findWhatsappProblems', () => {
  it('has nothing to say when the loop went as planned', () => {
    expect(findWhatsappProblems(anOutcome())).toEqual([]);
  });

  it.each<[string, Partial<WhatsappOutcome>, RegExp]>([
    ['an event that was sent twice', { taken: { unique: people + 1, duplicates: 1 } }, /1 events that the dataset took twice, expected 0/],
    ['a forged webhook that was taken', { forged: [200] }, /0 forged webhooks refused, expected 1/],
    ['a conversation that was captured twice', { captured: people + 1 }, /conversations captured/],
    ['a dataset that both created', { datasets: [{ datasetId: '5', created: true }, { datasetId: '5', created: true }] }, /2 callers who created the dataset, expected 1/],
    ['a repeat that went out', { repeat: taken }, /0 repeated event ids recognised/],
    ['a fault that was never met', { faults: [{ fault: { kind: 'reset' }, hits: 0 }] }, /never met/],
    ['books that do not balance', { samples: [] }, /relay_ledger_imbalance is missing/],
  ])('reports %s', (_name, over, words) => {
    expect(findWhatsappProblems(anOutcome(over))).toEqual(expect.arrayContaining([expect.stringMatching(words)]));
  });

  it('reports an unknown end that became another', () => {
    const { sent } = anOutcome();
    const problems = findWhatsappProblems(anOutcome({ sent: [...sent.slice(0, -1), { how: 'no answer of Meta', answer: taken }] }));
    expect(problems.join('\n')).toMatch(/\(no answer of Meta\) that ended as failed outcome_unknown, expected 1/);
  });
});

describe('formatWhatsapp', () => {
  it('tells the story, the ends and the books', () => {
    const report = formatWhatsapp(anOutcome(), createPaint(false));
    expect(report).toContain(`${people} people tapped an ad and wrote; Meta's webhook came ${times} times (answers 200, 200), and once with a forged signature (401)`);
    expect(report).toContain('dataset 5: 2 asked for it at once, 1 created it');
    expect(report).toMatch(/an invented click +1 +0 +1 +100\/2804087/);
    expect(report).toContain(`whatsapp: ${people + 2} accepted = ${people} delivered + 2 dead + 0 open; relay_ledger_imbalance 0; the dataset holds ${people + 1} distinct events, 0 twice`);
  });
});
