import { describe, expect, it } from 'vitest';
import { findProblems, type Counts } from './check.ts';
import { outcomesOf, totalsOf, type Answers } from './outcome.ts';
import { createPaint } from './paint.ts';
import { formatReport } from './report.ts';

/** A small demo that went well: one file with one refusal and one dead event, two single events. */
function anAnswer(): Answers {
  const meta = { platform: 'metaads', accountId: 'acc_meta' } as const;
  return {
    manifest: {
      files: [{ ...meta, file: 'a.ndjson', destinationId: '1', batch: 2, events: 4, delivered: 2, refused: { event_too_old: 1 }, dead: { '100/2804003': 1 }, poison: {} }],
      singles: [{ ...meta, file: 'a.ndjson', destinationIds: ['2', '3'], idSuffix: '-single', events: 2 }],
    },
    requests: [
      { deliveryId: 'd1', of: 'files', index: 0 },
      { deliveryId: 'd2', of: 'files', index: 0 },
      { deliveryId: 'd3', of: 'singles', index: 0 },
      { deliveryId: 'd4', of: 'singles', index: 0 },
    ],
    deliveries: [
      { deliveryId: 'd1', eventsSubmitted: 2, eventsReceived: 1, eventsFailed: 1, failures: [{ eventIndex: 1, eventId: 'e2', code: 'event_too_old', message: 'Too old.' }] },
      { deliveryId: 'd2', eventsSubmitted: 2, eventsReceived: 1, eventsFailed: 1, failures: [{ eventIndex: 0, eventId: 'e3', code: '100/2804003', message: 'Invalid parameter' }] },
      { deliveryId: 'd3', eventsSubmitted: 1, eventsReceived: 1 },
      { deliveryId: 'd4', eventsSubmitted: 1, eventsReceived: 1 },
    ],
    letters: [{ id: 'dl_1', eventIds: ['e3'], eventCount: 1 }],
  };
}

function theCounts(given: { unique?: number; hits?: number; imbalance?: number; delivered?: number } = {}): Counts {
  const sample = (name: string, value: number, labels = {}) => ({ name, labels: { platform: 'metaads', ...labels }, value });
  const byDestination = { '1': { unique: 2 }, '2': { unique: 1 }, '3': { unique: 1 } };
  return {
    sandbox: { meta: { requests: 9, answered: { '200': 5, '400': 3, '0': 1 }, accepted: 5, unique: given.unique ?? 4, duplicates: 1, sizes: { min: 1, max: 2, mean: 1.4 }, byDestination } },
    faults: [{ fault: { kind: 'reset' }, hits: given.hits ?? 1 }],
    samples: [
      sample('relay_events_accepted_total', 5),
      sample('relay_events_delivered_total', given.delivered ?? 4),
      sample('relay_events_dead_lettered_total', 1, { reason: 'rejected' }),
      sample('relay_ledger_imbalance', given.imbalance ?? 0),
      sample('relay_platform_requests_total', 5, { outcome: 'delivered' }),
    ],
  };
}

describe('findProblems', () => {
  it('has nothing to say when every event is accounted for', () => {
    expect(findProblems(outcomesOf(anAnswer()), theCounts())).toEqual([]);
  });

  it.each<[string, Parameters<typeof theCounts>[0], RegExp]>([
    ['an event that never reached the platform', { unique: 3 }, /3 distinct events taken, expected 4/],
    ['a counter that disagrees', { delivered: 5 }, /5 delivered by its counter, expected 4/],
    ['books that do not balance', { imbalance: 1 }, /relay_ledger_imbalance is 1/],
    ['a scripted fault that was never met', { hits: 0 }, /"reset".* was never met/],
  ])('reports %s', (_name, given, words) => {
    expect(findProblems(outcomesOf(anAnswer()), theCounts(given))).toEqual([expect.stringMatching(words)]);
  });

  it('reports another reason, and an event without an answer', () => {
    const answers = anAnswer();
    const [first, ...rest] = answers.deliveries;
    const deliveries = [{ ...first, eventsReceived: 0, eventsPending: 1, failures: [{ eventId: 'e2', code: 'no_match_keys', message: '' }] }, ...rest];
    const problems = findProblems(outcomesOf({ ...answers, deliveries }), theCounts());
    expect(problems).toEqual(expect.arrayContaining([
      'a.ndjson: 1 delivered, expected 2',
      'a.ndjson: 1 without a final answer, expected 0',
      'a.ndjson: 0 refused with event_too_old, expected 1',
      'a.ndjson: 1 refused with no_match_keys, expected 0',
    ]));
  });
});

describe('outcomesOf', () => {
  it('tells what the relay refused from what the platform refused', () => {
    const [file] = outcomesOf(anAnswer());
    expect(file).toMatchObject({ submitted: 4, delivered: 2, refused: 1, dead: 1 });
    expect(file?.reasons.map(({ kind, code }) => `${kind} ${code}`)).toEqual(['dead 100/2804003', 'refused event_too_old']);
  });

  it('sums up by platform', () => {
    expect(totalsOf(outcomesOf(anAnswer()))).toEqual([{ platform: 'metaads', submitted: 6, refused: 1, accepted: 5, delivered: 4, dead: 1, pending: 0, held: 0 }]);
  });
});

describe('formatReport', () => {
  const report = formatReport(
    { outcomes: outcomesOf(anAnswer()), counts: theCounts(), sandboxBeforeSingles: { meta: { requests: 8 } }, logs: { acc_meta: [{ timestamp: 't', status: 'delivered', deliveryId: 'd4', eventNames: ['Lead'], eventIds: ['x-single'] }] }, faultWords: ['one reset'] },
    createPaint(false),
  );

  it('says how single events were merged', () => {
    expect(report).toContain('2 requests of one event each, sent at once, became 1 platform requests.');
  });
  it('names answers and refusals', () => {
    expect(report).toContain('200 x 5, 400 x 3, no answer x 1');
    expect(report).toMatch(/1 {2}metaads {4}100\/2804003 {4}e3 {7}Invalid parameter/);
    expect(report).toMatch(/1 {2}the relay {2}event_too_old {2}e2 {7}Too old\./);
  });
  it('shows the books', () => {
    expect(report).toContain('metaads: 5 accepted = 4 delivered + 1 dead + 0 held + 0 pending; relay_ledger_imbalance 0; the platform holds 4 distinct events');
  });
  it('has no colour unless asked', () => {
    expect(report).not.toContain('\u001B');
    expect(createPaint(true).bad('x')).toContain('\u001B');
  });
});
