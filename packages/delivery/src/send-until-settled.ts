import { assertNever, type ItemFault, type SentBatch, type Verdict } from '@relay/contract';
import type { BatchEvent } from './batch.ts';
import type { DeliverPorts, SendResult } from './deliver-ports.ts';
import type { Account } from './ports.ts';
import { cutAt } from './salvage.ts';

/** Why sending stopped before every event had an answer. */
export type Stopped = Extract<Verdict, { kind: 'rate_limited' | 'unauthorised' }> & { requestMs: number | undefined }
  | (Extract<Verdict, { kind: 'retry' }> & { requestMs: number | undefined; ambiguous: boolean });

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
  auth: { readonly account: Account; accessToken: string },
  ports: DeliverPorts,
): Promise<Unsettled> {
  const run = new Run(auth, ports);
  const sorted = byDestination(events);
  await run.attempt(sorted);
  return { open: sorted.filter((event) => !run.settled.has(event)), stopped: run.stopped };
}

/** Destinations in order of appearance, each one's events together: any part of the list is then a valid batch. */
function byDestination(events: readonly BatchEvent[]): readonly BatchEvent[] {
  const first = events[0]!.job.destinationId;
  if (events.every((event) => event.job.destinationId === first)) return events;
  return [...Map.groupBy(events, (event) => event.job.destinationId).values()].flat();
}

type Found = 'clean' | 'faulty' | 'stopped';

class Run {
  readonly settled = new Set<BatchEvent>();
  stopped: Stopped | undefined;
  #refreshed = false;
  readonly #auth: { readonly account: Account; accessToken: string };
  readonly #ports: DeliverPorts;

  constructor(auth: { readonly account: Account; accessToken: string }, ports: DeliverPorts) {
    this.#auth = auth;
    this.#ports = ports;
  }

  /** Sends the set and deals with the answer. `clean`: the platform found nothing wrong with any of it. */
  async attempt(events: readonly BatchEvent[]): Promise<Found> {
    if (events.length === 0) return 'clean';
    const { verdict, requestMs, ambiguous } = await this.#request(events);
    switch (verdict.kind) {
      case 'accepted':
        return this.#accepted(events, verdict, requestMs);
      case 'retry':
        this.stopped ??= { ...verdict, requestMs, ambiguous };
        return 'stopped';
      case 'rate_limited':
        this.stopped ??= { ...verdict, requestMs };
        return 'stopped';
      case 'unauthorised':
        if (verdict.refreshable && (await this.#refresh())) return this.attempt(events);
        this.stopped ??= { ...verdict, requestMs };
        return 'stopped';
      case 'rejected_request':
        return this.#rejectedRequest(events, verdict, requestMs);
      case 'rejected_events':
        return this.#rejectedEvents(events, verdict, requestMs);
      case 'too_large':
        if (events.length === 1) return this.#bury(events, verdict, 'rejected', requestMs);
        return this.#halves(events, false);
      default:
        return assertNever(verdict);
    }
  }

  async #accepted(events: readonly BatchEvent[], verdict: Extract<Verdict, { kind: 'accepted' }>, requestMs: number): Promise<Found> {
    const faulty = new Map(verdict.faults.map((fault) => [events[fault.index]!, fault]));
    const taken = faulty.size === 0 ? events : events.filter((event) => !faulty.has(event));
    const final = [...faulty].filter(([, fault]) => !fault.retryable);
    const { status } = this.#ports.definition;
    const poll =
      verdict.statusId !== undefined && status !== undefined ? { statusId: verdict.statusId, afterMs: status.firstPollMs } : undefined;
    await this.#ports.settle({
      ...(taken.length > 0 && { delivered: { events: taken, traceId: verdict.traceId, poll } }),
      dead: deathsByCode(final, verdict.traceId),
      requestMs,
    });
    for (const event of taken) this.settled.add(event);
    for (const [event] of final) this.settled.add(event);
    const later = [...faulty.values()].find((fault) => fault.retryable);
    if (later !== undefined) {
      const { code, message } = later;
      this.stopped ??= { kind: 'retry', afterMs: undefined, code, message, traceId: verdict.traceId, requestMs, ambiguous: false };
    }
    return faulty.size === 0 ? 'clean' : 'faulty';
  }

  async #rejectedRequest(events: readonly BatchEvent[], verdict: Extract<Verdict, { kind: 'rejected_request' }>, requestMs: number): Promise<Found> {
    const destinations = [...new Set(events.map((event) => event.job.destinationId))];
    const named = new Set(verdict.groups.map((group) => destinations[group]));
    const concerned = (event: BatchEvent) => named.size === 0 || named.has(event.job.destinationId);
    await this.#bury(events.filter(concerned), verdict, verdict.concern, requestMs);
    return this.attempt(events.filter((event) => !concerned(event)));
  }

  async #rejectedEvents(events: readonly BatchEvent[], verdict: Extract<Verdict, { kind: 'rejected_events' }>, requestMs: number): Promise<Found> {
    if (!this.#ports.salvage || events.length === 1) return this.#bury(events, verdict, 'rejected', requestMs);
    if (verdict.indices.length === 0) return this.#halves(events, true);
    const faults = new Map(verdict.faults.map((fault) => [fault.index, fault]));
    const named = verdict.indices.map((index): [BatchEvent, ItemFault] => [
      events[index]!,
      faults.get(index) ?? { index, code: verdict.code, message: verdict.message, retryable: false },
    ]);
    await this.#ports.settle({ dead: deathsByCode(named, verdict.traceId), requestMs });
    for (const [event] of named) this.settled.add(event);
    const rest = await this.attempt(events.filter((event) => !this.settled.has(event)));
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
    said: { code: string; message: string; traceId: string | undefined },
    reason: 'rejected' | 'destination' | 'account' | 'operator',
    requestMs: number,
  ): Promise<Found> {
    const { code, message, traceId } = said;
    await this.#ports.settle({ dead: [{ events, reason, code, message, traceId }], requestMs });
    for (const event of events) this.settled.add(event);
    return 'faulty';
  }

  /** A refused access token is worth one refresh; the second refusal is about the grant. */
  async #refresh(): Promise<boolean> {
    if (this.#refreshed) return false;
    this.#refreshed = true;
    await this.#ports.dropToken(this.#auth.account, this.#auth.accessToken);
    const token = await this.#ports.token(this.#auth.account);
    if (token.kind !== 'token' || token.accessToken === this.#auth.accessToken) return false;
    this.#auth.accessToken = token.accessToken;
    return true;
  }

  async #request(events: readonly BatchEvent[]): Promise<{ verdict: Verdict; requestMs: number; ambiguous: boolean }> {
    const { definition, endpoints, send } = this.#ports;
    const { account, accessToken } = this.#auth;
    const groups: { destinationId: string; items: string[] }[] = [];
    for (const event of events) {
      if (groups.at(-1)?.destinationId !== event.job.destinationId) groups.push({ destinationId: event.job.destinationId, items: [] });
      groups.at(-1)!.items.push(event.wire);
    }
    const { testCode, consent } = events[0]!.job;
    const request = definition.toRequest({ groups, testCode, consent, credentials: account.credentials, accessToken }, endpoints);
    const result = await send(request);
    const sent: SentBatch = { groupSizes: groups.map((group) => group.items.length) };
    const verdict = readResult(result, sent, definition.readReply);
    this.#ports.report({
      platform: definition.id,
      accountId: account.id,
      destinationIds: groups.map((group) => group.destinationId),
      events: events.length,
      jobs: new Set(events.map((event) => event.job)).size,
      outcome: verdict.kind !== 'accepted' ? verdict.kind : verdict.faults.length > 0 ? 'partial' : 'delivered',
      code: verdict.kind === 'accepted' ? undefined : verdict.code,
      httpStatus: result.kind === 'reply' ? result.reply.status : undefined,
      traceId: verdict.traceId,
      tookMs: result.tookMs,
      warnings: verdict.kind === 'accepted' ? verdict.warnings : [],
    });
    const ambiguous = result.kind === 'failed' ? result.bodySent : verdict.kind === 'retry';
    return { verdict, requestMs: result.tookMs, ambiguous };
  }
}

function readResult(result: SendResult, sent: SentBatch, readReply: (reply: Extract<SendResult, { kind: 'reply' }>['reply'], sent: SentBatch) => Verdict): Verdict {
  if (result.kind === 'reply') return readReply(result.reply, sent);
  return { kind: 'retry', afterMs: undefined, code: result.code, message: result.message, traceId: undefined };
}

/** Numbers the client requests along the set: where the number changes, a cut keeps requests whole. */
function requestNumbers(events: readonly BatchEvent[]): number[] {
  let number = 0;
  return events.map((event, i) => {
    const before = events[i - 1];
    if (before !== undefined && (before.job !== event.job || before.part !== event.part)) number += 1;
    return number;
  });
}

function deathsByCode(named: readonly (readonly [BatchEvent, ItemFault])[], traceId: string | undefined) {
  return [...Map.groupBy(named, ([, fault]) => `${fault.code}\n${fault.message}`).values()].map((group) => ({
    events: group.map(([event]) => event),
    reason: 'rejected' as const,
    code: group[0]![1].code,
    message: group[0]![1].message,
    traceId,
  }));
}
