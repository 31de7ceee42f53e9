import type { BatchEvent, Fate, TakenJob } from './batch.ts';
import { accountRemoved, bury, buryExpired, buryMaybeSent } from './deaths.ts';
import type { DeliverPorts } from './deliver-ports.ts';
import { delayUntil, fatesOf, holds, type Fates } from './fates.ts';
import type { Account } from './ports.ts';
import { sendUntilSettled } from './send-until-settled.ts';
import { stopOfToken } from './stopped.ts';

/**
 * Delivers jobs of one account, test code and consent in one platform request (or several, where events have to be told
 * apart), and says what is to become of each job, in order. State is written as it becomes known: after every answer, what
 * that answer settled. Throws only when a port does (Redis is away) or no job can be opened: the jobs then come again.
 */
export async function deliver(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<readonly Fate[]> {
  const fates = await deliverAll(jobs, ports);
  return jobs.map((job) => fates.get(job) ?? { kind: 'done' });
}

async function deliverAll(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<Fates> {
  const account = await ports.account(jobs[0]!.accountId);
  if (account !== undefined && account.status !== 'active') return holdOrExpire(jobs, ports);
  const coolUntil = account === undefined ? 0 : await ports.coolUntil(account);
  if (coolUntil > ports.now()) return new Map(jobs.map((job) => [job, delayUntil(coolUntil, ports)]));

  const { events, unreadable } = await loadAll(jobs, ports);
  if (account === undefined) {
    await bury(accountRemoved(events), ports);
    return unreadable;
  }
  return new Map([...unreadable, ...(await deliverEvents(events, account, ports))]);
}

async function deliverEvents(events: readonly BatchEvent[], account: Account, ports: DeliverPorts): Promise<Fates> {
  const live = await buryExpired(await buryMaybeSent(events, ports), ports);
  if (live.length === 0) return new Map();
  const token = await ports.token(account);
  if (token.kind !== 'token') return fatesOf(live, stopOfToken(token, ports.backoffMaxMs), account, ports);
  const { open, stopped } = await sendUntilSettled(live, { account, accessToken: token.accessToken }, ports);
  if (open.length === 0) return new Map();
  // A job that is done leaves the queue: better to send events again than to let any of them go without an answer.
  if (stopped === undefined) throw new Error(`${open.length} events were left without an answer`);
  return fatesOf(open, stopped, account, ports);
}

/** Held jobs wait until their first event expires; what has expired by then is dead, the rest goes on waiting. */
async function holdOrExpire(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<Fates> {
  const nowMs = ports.now();
  const fates = new Map<TakenJob, Fate>();
  for (const job of jobs) if (job.expiresAtMs > nowMs) fates.set(job, { kind: 'hold', untilMs: job.expiresAtMs });
  const aged = jobs.filter((job) => !fates.has(job));
  if (aged.length === 0) return fates;
  const { events, unreadable } = await loadAll(aged, ports);
  return new Map([...fates, ...unreadable, ...holds(await buryExpired(events, ports))]);
}

/** Long enough not to be in the way, short enough to go on soon after the key is back. */
const UNREADABLE_DELAY_MS = 60_000;

/**
 * Opens the jobs' payloads. One that cannot be opened (its key was taken out of RELAY_SECRET_KEY) must not take down those
 * that happen to share its request: it comes again later, as often as it takes and without spending attempts, since
 * without its events it cannot even be dead-lettered. Where none can be opened the fault is thrown, for the log.
 */
async function loadAll(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<{ events: readonly BatchEvent[]; unreadable: Fates }> {
  const loads = await Promise.allSettled(jobs.map((job) => job.load()));
  const events: BatchEvent[] = [];
  const faults = new Map<TakenJob, unknown>();
  for (const [i, load] of loads.entries()) {
    const job = jobs[i]!;
    if (load.status === 'rejected') faults.set(job, load.reason);
    else for (const event of load.value) events.push({ ...event, job });
  }
  if (faults.size === jobs.length) throw [...faults.values()][0];
  if (faults.size > 0) await noteUnreadable([...faults.keys()], ports);
  const again: Fate = { kind: 'delay', untilMs: ports.now() + UNREADABLE_DELAY_MS };
  return { events, unreadable: new Map([...faults.keys()].map((job) => [job, again])) };
}

async function noteUnreadable(jobs: readonly TakenJob[], ports: DeliverPorts): Promise<void> {
  const code = 'payload_unreadable';
  const message = 'The stored events could not be opened. If a key was taken out of RELAY_SECRET_KEY, put it back.';
  await ports.noteRetry(jobs.map((job) => ({ job, code, message, traceId: undefined, requestMs: undefined, ambiguous: false })));
}
