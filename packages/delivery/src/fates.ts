import { assertNever } from '@relay/contract';
import { backoffMs, withJitter } from './backoff.ts';
import type { BatchEvent, Fate, TakenJob } from './batch.ts';
import type { DeliverPorts } from './deliver-ports.ts';
import { bury } from './deaths.ts';
import type { Account } from './ports.ts';
import type { Refused, Stopped } from './stopped.ts';

/** Fates of the jobs that still have open events; a job without one is done. */
export type Fates = ReadonlyMap<TakenJob, Fate>;

/** No attempt is spent on a limit, so nothing else would keep a pause of nothing from becoming a loop. */
const MIN_COOLDOWN_MS = 1_000;

/** Soon, as the other process' refresh is about to end; it was waited for already. */
const BUSY_DELAY_MS = 1_000;

/** Turns what stopped the delivery into a fate for every job that still has open events. */
export async function fatesOf(open: readonly BatchEvent[], stopped: Stopped, account: Account, ports: DeliverPorts): Promise<Fates> {
  const byJob = Map.groupBy(open, (event) => event.job);
  if (stopped.kind === 'stopping') return new Map([...byJob.keys()].map((job) => [job, { kind: 'give_back' }]));
  await note([...byJob.keys()], stopped, ports);
  switch (stopped.kind) {
    case 'rate_limited': {
      const untilMs = ports.now() + Math.max(stopped.cooldownMs, MIN_COOLDOWN_MS);
      await ports.coolDown(account, stopped.scope, untilMs);
      return new Map([...byJob.keys()].map((job) => [job, delayUntil(untilMs, ports)]));
    }
    case 'busy': {
      const untilMs = ports.now() + BUSY_DELAY_MS;
      return new Map([...byJob.keys()].map((job) => [job, delayUntil(untilMs, ports)]));
    }
    case 'unauthorised': {
      const held = await ports.needsReconnect(account, `${stopped.code}: ${stopped.message}`.slice(0, 500));
      if (held) return holds(open);
      return new Map([...byJob.keys()].map((job) => [job, { kind: 'delay', untilMs: ports.now() }]));
    }
    case 'retry': {
      const isExhausted = (job: TakenJob) => job.attemptsMade + 1 >= ports.maxAttempts;
      const { code, message, traceId, requestMs } = stopped;
      const events = open.filter(({ job }) => isExhausted(job));
      await bury({ events, reason: stopped.concern ?? 'attempts_exhausted', code, message, traceId }, ports, requestMs);
      return new Map([...byJob.keys()].filter((job) => !isExhausted(job)).map((job) => [job, retryLater(job, stopped, ports)]));
    }
    default:
      return assertNever(stopped);
  }
}

/** Receipts say meanwhile what went wrong. Before any burial: dead letters take the time of the first attempt from it. */
async function note(jobs: readonly TakenJob[], stopped: Refused, ports: DeliverPorts): Promise<void> {
  const { code, message, traceId, requestMs } = stopped;
  const ambiguous = stopped.kind === 'retry' && stopped.ambiguous;
  await ports.noteRetry(jobs.map((job) => ({ job, code, message, traceId, requestMs, ambiguous })));
}

/** Each job waits for new credentials until the first of its open events expires. */
export function holds(open: readonly BatchEvent[]): Fates {
  const fates = new Map<TakenJob, Fate>();
  for (const [job, own] of Map.groupBy(open, (event) => event.job)) {
    fates.set(job, { kind: 'hold', untilMs: own.reduce((least, event) => Math.min(least, event.expiresAtMs), Infinity) });
  }
  return fates;
}

/** Not before a moment that the platform or a cool-down names, and not all at that very moment. */
export function delayUntil(untilMs: number, ports: DeliverPorts): Fate {
  const nowMs = ports.now();
  return { kind: 'delay', untilMs: nowMs + withJitter(Math.max(untilMs - nowMs, 0), ports.random()) };
}

/** Another attempt, that counts. The platform's own hint wins over what we would compute. */
function retryLater(job: TakenJob, why: Extract<Stopped, { kind: 'retry' }>, ports: DeliverPorts): Fate {
  const { backoffBaseMs, backoffMaxMs, random } = ports;
  // "Now" is no hint: with it an outage would spend all attempts in a moment.
  const hintMs = why.afterMs !== undefined && why.afterMs > 0 ? why.afterMs : undefined;
  const delayMs = hintMs === undefined ? backoffMs(job.attemptsMade + 1, backoffBaseMs, backoffMaxMs, random()) : withJitter(hintMs, random());
  return { kind: 'retry', delayMs, code: why.code };
}
