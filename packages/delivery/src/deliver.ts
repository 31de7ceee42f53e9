import { assertNever } from '@relay/contract';
import { backoffMs, withJitter } from './backoff.ts';
import type { BatchEvent, Fate, TakenJob } from './batch.ts';
import type { Death, DeliverPorts } from './deliver-ports.ts';
import type { Account } from './ports.ts';
import { sendUntilSettled, type Stopped } from './send-until-settled.ts';

/**
 * Delivers jobs of one account, test code and consent in one platform request (or several, where events have to be told
 * apart), and says what is to become of each job. State is written as it becomes known: after every answer, what that
 * answer settled.
 */
export async function deliver(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<readonly Fate[]> {
  const account = await ports.account(jobs[0]!.accountId);
  if (account === undefined) {
    await ports.settle({ dead: [gone(await loadAll(jobs))], requestMs: undefined });
    return jobs.map(() => ({ kind: 'done' }));
  }
  if (account.status !== 'active') return holdOrExpire(jobs, ports);

  const coolUntil = await ports.coolUntil(account);
  if (coolUntil > ports.now()) return jobs.map(() => ({ kind: 'delay', untilMs: ports.now() + withJitter(coolUntil - ports.now(), ports.random()) }));

  const token = await ports.token(account);
  if (token.kind !== 'token') {
    const stop: Stopped =
      token.kind === 'retry'
        ? { kind: 'retry', afterMs: undefined, ambiguous: false, ...silent(token) }
        : token.kind === 'operator'
          ? { kind: 'retry', afterMs: ports.backoffMaxMs, ambiguous: false, ...silent(token) }
          : { kind: 'unauthorised', refreshable: false, ...silent(token) };
    return fates(jobs, new Set(jobs), stop, account, ports);
  }

  const all = await loadAll(jobs);
  const open = await buryExpired(all, ports);
  if (open.length === 0) return jobs.map(() => ({ kind: 'done' }));
  const result = await sendUntilSettled(open, { account, accessToken: token.accessToken }, ports);
  return fates(jobs, new Set(result.open.map((event) => event.job)), result.stopped, account, ports);
}

function silent(said: { code: string; message: string }) {
  return { code: said.code, message: said.message, traceId: undefined, requestMs: undefined };
}

async function loadAll(jobs: readonly TakenJob[]): Promise<BatchEvent[]> {
  const events: BatchEvent[] = [];
  for (const job of jobs) {
    for (const event of await job.load()) events.push({ ...event, job });
  }
  return events;
}

/** What the platform would no longer take is not worth a request, and would take others down with it. */
async function buryExpired(events: readonly BatchEvent[], ports: DeliverPorts): Promise<readonly BatchEvent[]> {
  const nowMs = ports.now();
  if (events.every((event) => event.expiresAtMs > nowMs)) return events;
  await ports.settle({ dead: [expired(events.filter((event) => event.expiresAtMs <= nowMs))], requestMs: undefined });
  return events.filter((event) => event.expiresAtMs > nowMs);
}

const gone = (events: readonly BatchEvent[]): Death => ({
  events,
  reason: 'account',
  code: 'account_removed',
  message: 'The account was removed before the events were delivered.',
  traceId: undefined,
});

const expired = (events: readonly BatchEvent[]): Death => ({
  events,
  reason: 'expired',
  code: 'expired',
  message: 'The event grew older than the platform accepts before it could be delivered.',
  traceId: undefined,
});

/** Held jobs wait until their first event expires; what has expired by then is dead, the rest goes on waiting. */
async function holdOrExpire(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<readonly Fate[]> {
  const fatesOut: Fate[] = [];
  for (const job of jobs) {
    if (job.expiresAtMs > ports.now()) {
      fatesOut.push({ kind: 'hold', untilMs: job.expiresAtMs });
      continue;
    }
    const open = await buryExpired(await loadAll([job]), ports);
    const next = open.reduce((least, event) => Math.min(least, event.expiresAtMs), Infinity);
    fatesOut.push(open.length === 0 ? { kind: 'done' } : { kind: 'hold', untilMs: next });
  }
  return fatesOut;
}

/** Turns what stopped the delivery into a fate for every job that still has open events. */
async function fates(
  jobs: readonly TakenJob[],
  open: ReadonlySet<TakenJob>,
  stopped: Stopped | undefined,
  account: Account,
  ports: DeliverPorts,
): Promise<readonly Fate[]> {
  if (stopped === undefined || open.size === 0) return jobs.map(() => ({ kind: 'done' }));
  switch (stopped.kind) {
    case 'rate_limited': {
      const untilMs = ports.now() + stopped.cooldownMs;
      await ports.coolDown(account, stopped.scope, untilMs);
      await note(open, stopped, ports);
      return jobs.map((job) => (open.has(job) ? { kind: 'delay', untilMs: ports.now() + withJitter(untilMs - ports.now(), ports.random()) } : DONE));
    }
    case 'unauthorised': {
      await note(open, stopped, ports);
      const held = await ports.needsReconnect(account, `${stopped.code}: ${stopped.message}`.slice(0, 500));
      return jobs.map((job) => {
        if (!open.has(job)) return DONE;
        return held ? { kind: 'hold', untilMs: job.expiresAtMs } : { kind: 'delay', untilMs: ports.now() };
      });
    }
    case 'retry':
      return retry(jobs, open, stopped, ports);
    default:
      return assertNever(stopped);
  }
}

const DONE: Fate = { kind: 'done' };

async function note(open: ReadonlySet<TakenJob>, stopped: Stopped, ports: DeliverPorts): Promise<void> {
  const { code, message, traceId, requestMs } = stopped;
  const ambiguous = stopped.kind === 'retry' && stopped.ambiguous;
  await ports.noteRetry([...open].map((job) => ({ job, code, message, traceId, requestMs, ambiguous })));
}

async function retry(
  jobs: readonly TakenJob[],
  open: ReadonlySet<TakenJob>,
  stopped: Extract<Stopped, { kind: 'retry' }>,
  ports: DeliverPorts,
): Promise<readonly Fate[]> {
  await note(open, stopped, ports);
  const out: Fate[] = [];
  const exhausted: TakenJob[] = [];
  for (const job of jobs) {
    const attempt = job.attemptsMade + 1;
    if (!open.has(job)) out.push(DONE);
    else if (attempt >= ports.maxAttempts) {
      exhausted.push(job);
      out.push(DONE);
    } else {
      const computed = backoffMs(attempt, ports.backoffBaseMs, ports.backoffMaxMs, ports.random());
      // The platform's own hint wins over what we would compute.
      const delayMs = stopped.afterMs === undefined ? computed : withJitter(stopped.afterMs, ports.random());
      out.push({ kind: 'retry', delayMs, code: stopped.code });
    }
  }
  if (exhausted.length > 0) {
    const { code, message, traceId, requestMs } = stopped;
    const events = await loadAll(exhausted);
    await ports.settle({ dead: [{ events, reason: 'attempts_exhausted', code, message, traceId }], requestMs });
  }
  return out;
}

