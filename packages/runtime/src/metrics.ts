import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { CountedHistogram } from './counted-histogram.ts';

export type { Registry } from 'prom-client';

/** Platforms answer in 50 ms to 30 s (the request timeout). */
const REQUEST_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];
/** Up to the largest cap, LinkedIn's 5000. */
const CHUNK_EVENTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 5000];
/** From an idle queue's milliseconds to events that waited out a week's hold. */
const AGE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800];
/** Quick answers, and those that wait for the platform for up to `SYNC_WAIT_MS` or `Prefer: wait`. */
const HTTP_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60, 120];

export type Metrics = ReturnType<typeof createMetrics>;

export interface MetricsOptions {
  /** Also Node's own process metrics. Default: yes. */
  readonly processMetrics?: boolean;
}

/**
 * A registry of its own with every metric of the relay. Names and labels are a contract with dashboards and alerts.
 * Labels come from closed sets; none carries an event or a person.
 */
export function createMetrics(options: MetricsOptions = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  const gauge = <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <const L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram<L>({ name, help, labelNames, buckets, registers });

  return {
    registry,
    eventsAccepted: counter('relay_events_accepted_total', 'Events queued for delivery', ['platform']),
    eventsDelivered: counter('relay_events_delivered_total', 'Events that the platform took', ['platform']),
    eventsFailed: counter('relay_events_failed_total', 'Events that will not be delivered: refused at ingest or dead', ['platform', 'reason']),
    eventsDeadLettered: counter('relay_events_dead_lettered_total', 'Events put into a dead letter', ['platform', 'reason']),
    platformRequests: counter('relay_platform_requests_total', 'Requests sent to a platform', ['platform', 'outcome']),
    platformRequestSeconds: histogram('relay_platform_request_duration_seconds', 'Time a platform took to answer', ['platform'], REQUEST_SECONDS),
    chunkEvents: histogram('relay_chunk_events', 'Events per request to a platform', ['platform'], CHUNK_EVENTS),
    eventAgeSeconds: new CountedHistogram({ name: 'relay_event_age_seconds', help: 'From acceptance to the final answer', labelNames: ['platform'], buckets: AGE_SECONDS, registry }),
    queueJobs: gauge('relay_queue_jobs', 'Jobs by state', ['queue', 'state']),
    oldestEventAgeSeconds: gauge('relay_oldest_event_age_seconds', 'Age of the oldest event without a final answer', ['platform']),
    heldEvents: gauge('relay_held_events', 'Events waiting for an account to be reconnected', ['platform']),
    accountCooldownSeconds: gauge('relay_account_cooldown_seconds', 'Seconds until a rate-limited account is used again', ['account']),
    ledgerImbalance: gauge('relay_ledger_imbalance', 'accepted - delivered - dead - held - pending; must be 0', ['platform']),
    httpRequestSeconds: histogram('relay_http_request_duration_seconds', 'Time to answer a request', ['route', 'method', 'status'], HTTP_SECONDS),
  };
}
