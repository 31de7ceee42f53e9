import { listIn, numberIn, textIn, type Json } from '../json.ts';
import type { FilePlan, Manifest, PlatformName, SinglesPlan } from './manifest.ts';
import type { SentRequest } from './relay-samples.ts';

/** What the relay said about everything that the demo sent. */
export interface Answers {
  readonly manifest: Manifest;
  readonly requests: readonly SentRequest[];
  /** `GET /v1/deliveries/{id}`, one a request, same order. */
  readonly deliveries: readonly Json[];
  /** All dead letters. */
  readonly letters: readonly Json[];
}

export interface Reason {
  readonly kind: 'refused' | 'dead';
  readonly code: string;
  readonly events: number;
  /** One event that met it, and the words it was given. */
  readonly eventId: string;
  readonly message: string;
}

/** What became of one line of the manifest. */
export interface Outcome {
  readonly plan: FilePlan | SinglesPlan;
  readonly requests: number;
  readonly submitted: number;
  readonly delivered: number;
  readonly refused: number;
  readonly dead: number;
  /** Without a final answer. */
  readonly pending: number;
  readonly held: number;
  readonly reasons: readonly Reason[];
  /** Deliveries that took more than one attempt. */
  readonly retried: readonly Json[];
}

export function outcomesOf(answers: Answers): Outcome[] {
  const deadIds = deadEventsOf(answers.letters);
  const of = (plan: FilePlan | SinglesPlan, kind: SentRequest['of'], index: number) =>
    outcomeOf(plan, answers.deliveries.filter((_, n) => answers.requests[n]?.of === kind && answers.requests[n].index === index), deadIds);
  const { files, singles } = answers.manifest;
  return [...files.map((plan, index) => of(plan, 'files', index)), ...singles.map((plan, index) => of(plan, 'singles', index))];
}

/** A letter names its first hundred events; the demo's letters hold far fewer. */
function deadEventsOf(letters: readonly Json[]): ReadonlySet<string> {
  return new Set(letters.flatMap((letter) => (Array.isArray(letter['eventIds']) ? letter['eventIds'].map(String) : [])));
}

function outcomeOf(plan: FilePlan | SinglesPlan, deliveries: readonly Json[], deadIds: ReadonlySet<string>): Outcome {
  const sum = (key: string) => deliveries.reduce((total, delivery) => total + numberIn(delivery, key), 0);
  const reasons = reasonsOf(deliveries.flatMap((delivery) => listIn(delivery, 'failures')), deadIds);
  const countOf = (kind: Reason['kind']) => reasons.reduce((total, reason) => total + (reason.kind === kind ? reason.events : 0), 0);
  return {
    plan,
    requests: deliveries.length,
    submitted: sum('eventsSubmitted'),
    delivered: sum('eventsReceived'),
    refused: countOf('refused'),
    dead: countOf('dead'),
    pending: sum('eventsPending'),
    held: sum('eventsHeld'),
    reasons,
    retried: deliveries.filter((delivery) => numberIn(delivery, 'attempts') > 1),
  };
}

/** Failures by code; what lies in a dead letter was refused by the platform, the rest by the relay. */
function reasonsOf(failures: readonly Json[], deadIds: ReadonlySet<string>): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const failure of failures) {
    const eventId = textIn(failure, 'eventId');
    const kind = deadIds.has(eventId) ? 'dead' : 'refused';
    const code = textIn(failure, 'code');
    const known = reasons.get(`${kind} ${code}`);
    reasons.set(`${kind} ${code}`, known === undefined ? { kind, code, events: 1, eventId, message: textIn(failure, 'message') } : { ...known, events: known.events + 1 });
  }
  return [...reasons.values()].toSorted((a, b) => b.events - a.events || a.code.localeCompare(b.code));
}

export interface PlatformTotals {
  readonly platform: PlatformName;
  readonly submitted: number;
  readonly refused: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
  readonly pending: number;
  readonly held: number;
}

export function totalsOf(outcomes: readonly Outcome[]): PlatformTotals[] {
  const platforms = [...new Set(outcomes.map(({ plan }) => plan.platform))];
  return platforms.map((platform) => {
    const sum = (key: 'submitted' | 'refused' | 'delivered' | 'dead' | 'pending' | 'held') =>
      outcomes.reduce((total, outcome) => total + (outcome.plan.platform === platform ? outcome[key] : 0), 0);
    const submitted = sum('submitted');
    const refused = sum('refused');
    return { platform, submitted, refused, accepted: submitted - refused, delivered: sum('delivered'), dead: sum('dead'), pending: sum('pending'), held: sum('held') };
  });
}
