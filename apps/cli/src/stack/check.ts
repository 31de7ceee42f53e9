import { numberIn, asRecord, type Json } from '../json.ts';
import { SANDBOX_NAMES, type FilePlan, type SinglesPlan } from './manifest.ts';
import { totalsOf, type Outcome, type PlatformTotals, type Reason } from './outcome.ts';
import { sumOf, type Sample } from './prometheus.ts';

/** The sandbox's and the relay's own counts, read when everything was final. */
export interface Counts {
  /** `GET /_control/summary` of the sandbox. */
  readonly sandbox: Readonly<Record<string, Json>>;
  /** Scripted faults with their hits. */
  readonly faults: readonly Json[];
  /** `/metrics` of api and worker. */
  readonly samples: readonly Sample[];
}

/** What is not as the manifest says, one sentence each; empty when every event is accounted for. */
export function findProblems(outcomes: readonly Outcome[], counts: Counts): string[] {
  return [
    ...outcomes.flatMap(checkOutcome),
    ...totalsOf(outcomes).flatMap((totals) => [...checkLedger(totals, counts.samples), ...checkSandbox(totals, outcomes, counts.sandbox)]),
    ...counts.faults.filter((fault) => numberIn(fault, 'hits') === 0).map((fault) => `the scripted fault ${JSON.stringify(fault['fault'])} was never met`),
  ];
}

function checkOutcome(outcome: Outcome): string[] {
  const { plan } = outcome;
  const name = 'idSuffix' in plan ? `single events of ${plan.file}` : plan.file;
  const expected = 'idSuffix' in plan ? { ...plan, delivered: plan.events, refused: {}, dead: {} } : plan;
  return [
    ...differs(name, 'events answered for', expected.events, outcome.submitted),
    ...differs(name, 'delivered', expected.delivered, outcome.delivered),
    ...differs(name, 'without a final answer', 0, outcome.pending + outcome.held),
    ...checkReasons(name, 'refused', expected.refused, outcome.reasons),
    ...checkReasons(name, 'dead', expected.dead, outcome.reasons),
  ];
}

function checkReasons(name: string, kind: Reason['kind'], expected: FilePlan['refused'], reasons: readonly Reason[]): string[] {
  const actual = Object.fromEntries(reasons.filter((reason) => reason.kind === kind).map(({ code, events }) => [code, events]));
  const codes = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...codes].flatMap((code) => differs(name, `${kind} with ${code}`, expected[code] ?? 0, actual[code] ?? 0));
}

/** accepted = delivered + dead + held + pending, by the relay's own books. */
function checkLedger({ platform, accepted, delivered, dead }: PlatformTotals, samples: readonly Sample[]): string[] {
  const booked = (name: string) => sumOf(samples, name, { platform }) ?? 0;
  const imbalance = sumOf(samples, 'relay_ledger_imbalance', { platform });
  return [
    ...differs(platform, 'accepted by its counter', accepted, booked('relay_events_accepted_total')),
    ...differs(platform, 'delivered by its counter', delivered, booked('relay_events_delivered_total')),
    ...differs(platform, 'dead by its counter', dead, booked('relay_events_dead_lettered_total')),
    ...(imbalance === 0 ? [] : [`${platform}: relay_ledger_imbalance is ${imbalance ?? 'missing'}, not 0`]),
  ];
}

/** Every delivered event lies at the platform, and no other; those that were sent twice count once. */
function checkSandbox({ platform, delivered }: PlatformTotals, outcomes: readonly Outcome[], sandbox: Counts['sandbox']): string[] {
  const taken = sandbox[SANDBOX_NAMES[platform]] ?? {};
  const byDestination = asRecord(taken['byDestination']);
  const plans = outcomes.filter(({ plan }) => plan.platform === platform);
  return [
    ...differs(`${platform} sandbox`, 'distinct events taken', delivered, numberIn(taken, 'unique')),
    ...plans.flatMap(({ plan, delivered: fromPlan }) =>
      differs(`${platform} sandbox`, `distinct events taken from ${plan.file} at ${destinationsOf(plan).join(', ')}`, fromPlan, destinationsOf(plan).reduce((sum, id) => sum + numberIn(asRecord(byDestination[id]), 'unique'), 0)),
    ),
  ];
}

function destinationsOf(plan: FilePlan | SinglesPlan): readonly string[] {
  return 'idSuffix' in plan ? plan.destinationIds : [plan.destinationId];
}

function differs(name: string, what: string, expected: number, actual: number): string[] {
  return expected === actual ? [] : [`${name}: ${actual} ${what}, expected ${expected}`];
}
