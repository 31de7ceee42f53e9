import { assertNever, type InboundReply, type ItemFault, type SentBatch, type Verdict } from '@relay/contract';
import type { BatchEvent, TakenJob } from './batch.ts';
import { deathsByWords, outcomeUnknown } from './deaths.ts';
import type { DeliverPorts, SendResult, Settlement } from './deliver-ports.ts';
import { deliveryIdsOf } from './delivery-ids.ts';
import type { Account } from './ports.ts';
import { cutAt, requestNumbers } from './salvage.ts';
import { stopOfToken, type Stopped } from './stopped.ts';
import { unquote } from './unquote.ts';

export interface Unsettled {
  /** Events without a final answer, in order; empty unless `stopped`. */
  readonly open: readonly BatchEvent[];
  readonly stopped: Stopped | undefined;
}

/**
 * Sends a set of events and, where the platform refuses the whole for the sake of a few, finds those few: what it names is
 * taken out, else the set is cut in two until the bad ones stand alone. An event is given up only when the platform
 * refused it by name or by itself.
 */
export async function sendUntilSettled(
  events: readonly BatchEvent[],
  auth: { readonly account: Account; readonly accessToken: string },
  ports: DeliverPorts,
): Promise<Unsettled> {
  const run = new Run(auth, ports);
  const sorted = byDestination(events);
  await run.attempt(sorted);
  return { open: sorted.filter((event) => !run.settled.has(event)), stopped: run.stopped };
}

/** Destinations in order of appearance, each one's events together: any part of the list is then a valid batch. */
function byDestination(events: readonly BatchEvent[]): readonly BatchEvent[] {
  const first = events[0]?.job.destinationId;
  if (events.every((event) => event.job.destinationId === first)) return events;
  return [...Map.groupBy(events, (event) => event.job.destinationId).values()].flat();
}

/**
 * `clean`: every event sent was taken. `faulty`: some were given up or have to come again. `stopped`: send no more.
 * "Not clean" is enough where in doubt: it only means that a second half is sent as a whole before it is cut.
 */
type Found = 'clean' | 'faulty' | 'stopped';
/** What came of one request. `ambiguous`: the platform may have taken the events although the answer does not say so. */
interface Answered {
  readonly verdict: Verdict;
  readonly requestMs: number;
  readonly ambiguous: boolean;
}
type Refusal<Kind extends Verdict['kind']> = Extract<Verdict, { kind: Kind }>;

class Run {
  /** Events with an answer, or with another worker. */
  readonly settled = new Set<BatchEvent>();
  stopped: Stopped | undefined;
  #accessToken: string;
  #refreshed = false;
  readonly #account: Account;
  readonly #ports: DeliverPorts;

  constructor(auth: { readonly account: Account; readonly accessToken: string }, ports: DeliverPorts) {
    this.#account = auth.account;
    this.#accessToken = auth.accessToken;
    this.#ports = ports;
  }

  /** Sends the set and deals with the answer. */
  async attempt(all: readonly BatchEvent[]): Promise<Found> {
    if (all.length === 0) return 'clean';
    if (this.#ports.stopping()) return this.#stop({ kind: 'stopping' });
    const events = await this.#withoutLost(all);
    if (events.length === 0) return 'faulty';
    const answer = await this.#request(events);
    if (await this.#isLeftOpen(events, answer)) return 'faulty';
    return this.#settleAnswer(events, answer);
  }

  #settleAnswer(events: readonly BatchEvent[], { verdict, requestMs, ambiguous }: Answered): Promise<Found> | Found {
    switch (verdict.kind) {
      case 'accepted':
        return this.#accepted(events, verdict, requestMs);
      case 'retry':
        return this.#stop({ ...verdict, requestMs, ambiguous });
      case 'rate_limited':
        return this.#stop({ ...verdict, requestMs });
      case 'unauthorised':
        return this.#unauthorised(events, verdict, requestMs);
      case 'rejected_request':
        return this.#rejectedRequest(events, verdict, requestMs);
      case 'rejected_events':
        return this.#rejectedEvents(events, verdict, requestMs);
      case 'too_large':
        return events.length === 1 ? this.#bury(events, verdict, 'rejected', requestMs) : this.#halves(events, false);
      default:
        return assertNever(verdict);
    }
  }

  /** What another worker has taken over since is sent by that one, and no longer ours to answer for. */
  async #withoutLost(events: readonly BatchEvent[]): Promise<readonly BatchEvent[]> {
    const jobs = jobsOf(events);
    const ours = await Promise.all(jobs.map((job) => job.isOurs()));
    if (ours.every(Boolean)) return events;
    const lost = new Set(jobs.filter((_, i) => !ours[i]));
    for (const event of events) if (lost.has(event.job)) this.settled.add(event);
    return events.filter((event) => !lost.has(event.job));
  }

  /** What stops all wins over single events that have to come again: it says when, or that the account is to be held. */
  #stop(stopped: Stopped): Found {
    this.stopped = stopped;
    return 'stopped';
  }

  async #accepted(events: readonly BatchEvent[], verdict: Refusal<'accepted'>, requestMs: number): Promise<Found> {
    const faults = faultsOf(events, verdict.faults);
    for (const [event, fault] of faults) if (this.#wasTaken(event, fault)) faults.delete(event);
    const taken = faults.size === 0 ? events : events.filter((event) => !faults.has(event));
    const { status } = this.#ports.definition;
    const poll =
      verdict.statusId !== undefined && status !== undefined ? { statusId: verdict.statusId, afterMs: status.firstPollMs } : undefined;
    const delivered = taken.length === 0 ? undefined : { events: taken, traceId: verdict.traceId, poll };
    const found = await this.#settleFaults(faults, verdict.traceId, requestMs, delivered);
    return faults.size === 0 ? 'clean' : found;
  }

  /** An earlier attempt got no answer, or its worker died with it, and now the platform says that it has the event already. */
  #wasTaken({ job }: BatchEvent, { code }: ItemFault): boolean {
    return (job.attemptsMade > 0 || job.begunBefore) && this.#ports.definition.alreadyTakenCodes?.has(code) === true;
  }

  /** A refused access token is worth one refresh; the second refusal is about the grant. */
  async #unauthorised(events: readonly BatchEvent[], verdict: Refusal<'unauthorised'>, requestMs: number): Promise<Found> {
    if (!verdict.refreshable || this.#refreshed) return this.#stop({ ...verdict, requestMs });
    this.#refreshed = true;
    await this.#ports.dropToken(this.#account, this.#accessToken);
    const token = await this.#ports.token(this.#account);
    if (token.kind !== 'token') return this.#stop({ ...stopOfToken(token, this.#ports.backoffMaxMs), requestMs });
    if (token.accessToken === this.#accessToken) return this.#stop({ ...verdict, requestMs });
    this.#accessToken = token.accessToken;
    return this.attempt(events);
  }

  async #rejectedRequest(events: readonly BatchEvent[], verdict: Refusal<'rejected_request'>, requestMs: number): Promise<Found> {
    const destinations = [...new Set(events.map((event) => event.job.destinationId))];
    const named = new Set(verdict.groups.map((group) => destinations[group]).filter((destination) => destination !== undefined));
    if (named.size === 0 && destinations.length > 1) return this.#eachDestination(events);
    const concerned = (event: BatchEvent) => named.size === 0 || named.has(event.job.destinationId);
    await this.#bury(events.filter(concerned), verdict, verdict.concern, requestMs);
    const rest = await this.attempt(events.filter((event) => !concerned(event)));
    return rest === 'stopped' ? 'stopped' : 'faulty';
  }

  /** Some destination is at fault and none was named: it must not take down those that only share its request. */
  async #eachDestination(events: readonly BatchEvent[]): Promise<Found> {
    for (const own of Map.groupBy(events, (event) => event.job.destinationId).values()) {
      if ((await this.attempt(own)) === 'stopped') return 'stopped';
    }
    return 'faulty';
  }

  async #rejectedEvents(events: readonly BatchEvent[], verdict: Refusal<'rejected_events'>, requestMs: number): Promise<Found> {
    if (!this.#ports.salvage || events.length === 1) return this.#bury(events, verdict, 'rejected', requestMs);
    const words = new Map(verdict.faults.map((fault) => [fault.index, fault]));
    const { code, message, traceId } = verdict;
    const named = faultsOf(events, verdict.indices.map((index) => words.get(index) ?? { index, code, message, retryable: false }));
    if (named.size === 0) return this.#halves(events, true);
    if ((await this.#settleFaults(named, traceId, requestMs)) === 'stopped') return 'stopped';
    const rest = await this.attempt(events.filter((event) => !named.has(event)));
    return rest === 'stopped' ? 'stopped' : 'faulty';
  }

  /**
   * @param faulty the set is known to hold a bad event, so that a clean first half proves the second one bad: it is then cut
   * further without being sent as a whole.
   */
  async #halves(events: readonly BatchEvent[], faulty: boolean): Promise<Found> {
    const size = cutAt(requestNumbers(events));
    const first = await this.attempt(events.slice(0, size));
    if (first === 'stopped') return 'stopped';
    const rest = events.slice(size);
    if (faulty && first === 'clean' && rest.length > 1) return this.#halves(rest, true);
    const second = await this.attempt(rest);
    if (second === 'stopped') return 'stopped';
    return first === 'clean' && second === 'clean' ? 'clean' : 'faulty';
  }

  async #bury(
    events: readonly BatchEvent[],
    { code, message, traceId }: Pick<Refusal<'rejected_events'>, 'code' | 'message' | 'traceId'>,
    reason: 'rejected' | 'destination' | 'account' | 'operator',
    requestMs: number,
  ): Promise<Found> {
    await this.#settle({ dead: [{ events, reason, code, message, traceId }], requestMs });
    return 'faulty';
  }

  /**
   * On a platform that does not recognise repeats: an event that may have been taken is written off, so that it is not sent
   * again by itself; one that was not taken for certain may be.
   */
  async #isLeftOpen(events: readonly BatchEvent[], { verdict, requestMs, ambiguous }: Answered): Promise<boolean> {
    if (this.#ports.definition.isOutcomeUnknown === undefined || verdict.kind === 'accepted') return false;
    if (verdict.kind !== 'retry' || !ambiguous) {
      await this.#ports.clearSending(jobsOf(events));
      return false;
    }
    await this.#settle({ dead: [outcomeUnknown(events, verdict.message, verdict.traceId)], requestMs });
    return true;
  }

  /** Single events that were refused: for good, or to come again with the next attempt. */
  async #settleFaults(
    faults: ReadonlyMap<BatchEvent, ItemFault>,
    traceId: string | undefined,
    requestMs: number,
    delivered?: Settlement['delivered'],
  ): Promise<Found> {
    const dead = deathsByWords([...faults].filter(([, fault]) => !fault.retryable), traceId);
    if (delivered !== undefined || dead.length > 0) await this.#settle({ ...(delivered !== undefined && { delivered }), dead, requestMs });
    const later = [...faults.values()].filter((fault) => fault.retryable);
    const first = later[0];
    if (first === undefined) return 'faulty';
    const limited = later.filter((fault) => fault.cooldownMs !== undefined);
    if (limited[0] !== undefined) {
      const { code, message } = limited[0];
      const cooldownMs = Math.max(...limited.map((fault) => fault.cooldownMs ?? 0));
      return this.#stop({ kind: 'rate_limited', scope: 'account', cooldownMs, code, message, traceId, requestMs });
    }
    const { code, message } = first;
    const waits = later.map((fault) => fault.afterMs ?? 0);
    const afterMs = waits.some((ms) => ms > 0) ? Math.max(...waits) : undefined;
    this.stopped ??= { kind: 'retry', afterMs, code, message, traceId, requestMs, ambiguous: false };
    return 'faulty';
  }

  /** Written before the next request goes out: what is known must not be lost with this process. */
  async #settle(settlement: Settlement): Promise<void> {
    await this.#ports.settle(settlement);
    for (const event of settlement.delivered?.events ?? []) this.settled.add(event);
    for (const { events } of settlement.dead ?? []) for (const event of events) this.settled.add(event);
  }

  async #request(events: readonly BatchEvent[]): Promise<Answered> {
    const { definition, endpoints, send } = this.#ports;
    const groups: { destinationId: string; items: Uint8Array[] }[] = [];
    for (const event of events) {
      if (groups.at(-1)?.destinationId !== event.job.destinationId) groups.push({ destinationId: event.job.destinationId, items: [] });
      groups.at(-1)!.items.push(event.wire);
    }
    const { testCode, consent } = events[0]!.job;
    const { credentials } = this.#account;
    const request = definition.toRequest({ groups, testCode, consent, credentials, accessToken: this.#accessToken }, endpoints);
    const repeatsCount = definition.isOutcomeUnknown !== undefined;
    if (repeatsCount) await this.#ports.markSending(jobsOf(events));
    const result = await send(request);
    const read = readResult(result, { groupSizes: groups.map((group) => group.items.length) }, this.#ports);
    const verdict = result.kind === 'reply' ? unquote(read, events.map((event) => event.wire)) : read;
    this.#ports.report({
      platform: definition.id,
      accountId: this.#account.id,
      destinationIds: groups.map((group) => group.destinationId),
      deliveryIds: deliveryIdsOf(events),
      events: events.length,
      jobs: jobsOf(events).length,
      outcome: verdict.kind !== 'accepted' ? verdict.kind : verdict.faults.length > 0 ? 'partial' : 'delivered',
      code: verdict.kind === 'accepted' ? undefined : verdict.code,
      httpStatus: result.kind === 'reply' ? result.reply.status : undefined,
      traceId: verdict.traceId,
      tookMs: result.tookMs,
      warnings: verdict.kind === 'accepted' ? verdict.warnings : [],
    });
    const leftOpen = (reply: InboundReply) => definition.isOutcomeUnknown?.(reply) ?? verdict.kind === 'retry';
    const ambiguous = result.kind === 'failed' ? result.bodySent : leftOpen(result.reply);
    return { verdict, requestMs: result.tookMs, ambiguous };
  }
}

function jobsOf(events: readonly BatchEvent[]): readonly TakenJob[] {
  return [...new Set(events.map((event) => event.job))];
}

function readResult(result: SendResult, sent: SentBatch, { definition }: DeliverPorts): Verdict {
  if (result.kind === 'reply') return definition.readReply(result.reply, sent);
  return { kind: 'retry', afterMs: undefined, code: result.code, message: result.message, traceId: undefined };
}

/** By event, each once. An index that was not sent names nobody: what a platform says must not make us lose count. */
function faultsOf(events: readonly BatchEvent[], faults: readonly ItemFault[]): Map<BatchEvent, ItemFault> {
  const found = new Map<BatchEvent, ItemFault>();
  for (const fault of faults) {
    const event = events[fault.index];
    if (event !== undefined) found.set(event, fault);
  }
  return found;
}
