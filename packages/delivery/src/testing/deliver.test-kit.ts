import { z } from 'zod';
import type { PlatformDefinition, PlatformEndpoints, SentBatch, Verdict } from '@relay/contract';
import type { BatchEvent, TakenJob } from '../batch.ts';
import type { AttemptReport, Death, DeliverPorts, Note, SendResult, Settlement } from '../deliver-ports.ts';
import type { Account } from '../ports.ts';

/** What the fake platform was sent, read back from the request body. */
export interface SentRequest {
  readonly groups: readonly { readonly destinationId: string; readonly items: readonly string[] }[];
  readonly accessToken: string;
  /** Items of all groups, in order: position = flattened index. */
  readonly items: readonly string[];
}
/** The platform's answer: a verdict, or a failure on the wire. */
export type Answer = Verdict | { readonly kind: 'failed'; readonly code: string; readonly bodySent: boolean };

export function anAccount(over: Partial<Account> = {}): Account {
  return {
    id: 'acc',
    platform: 'metaads',
    credentials: { accessToken: 'token-1' },
    metadata: {},
    status: 'active',
    statusReason: undefined,
    revision: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    ...over,
  };
}

let jobs = 0;

export const utf8 = (text: string): Uint8Array => Buffer.from(text);
export const textOf = (bytes: string | Uint8Array | undefined): string => Buffer.from(bytes ?? '').toString();

/** A job whose events have the wires `${jobId}/0`, `${jobId}/1`, …; `parts` gives the client request of each event. */
export function aJob(over: Partial<TakenJob> & { readonly parts?: readonly number[]; readonly expiries?: readonly number[] } = {}): TakenJob {
  jobs += 1;
  const { parts, expiries, ...fields } = over;
  const jobId = fields.jobId ?? `job-${jobs}`;
  const count = fields.events ?? parts?.length ?? expiries?.length ?? 1;
  const job: TakenJob = {
    jobId,
    accountId: 'acc',
    destinationId: 'dest',
    testCode: undefined,
    consent: undefined,
    events: count,
    bytes: 100 * count,
    acceptedAtMs: 0,
    expiresAtMs: expiries === undefined ? FAR : Math.min(...expiries),
    attemptsMade: 0,
    deliveryId: (part) => `dlv-${jobId}-${part}`,
    begunBefore: false,
    awaited: false,
    load: () =>
      Promise.resolve(
        Array.from({ length: count }, (_, position) => ({
          position,
          eventId: `${jobId}/${position}`,
          wire: utf8(`${jobId}/${position}`),
          expiresAtMs: expiries?.[position] ?? FAR,
          part: parts?.[position] ?? 0,
        })),
      ),
    isOurs: () => Promise.resolve(true),
    ...fields,
  };
  return job;
}
export const FAR = 10_000_000;

export async function eventsOf(...taken: readonly TakenJob[]): Promise<BatchEvent[]> {
  const events: BatchEvent[] = [];
  for (const job of taken) for (const event of await job.load()) events.push({ ...event, job });
  return events;
}

/** A platform that is only `readReply`: the reply body is the verdict that the test decided on. */
export function aDefinition(over: Partial<PlatformDefinition> = {}): PlatformDefinition {
  return {
    id: 'metaads',
    maxEvents: 1000,
    maxDestinations: 10,
    maxRequestBytes: 1_000_000,
    credentials: z.unknown(),
    dedupWindowMs: undefined,
    parseDestination: (destinationId) => ({ ok: true, destinationId }),
    checkGrant: () => undefined,
    toItem: () => ({ kind: 'item', wire: '{}', expiresAtMs: FAR }),
    toRequest: ({ groups, accessToken }) => ({ method: 'POST', url: 'https://platform.test/events', headers: {}, body: utf8(JSON.stringify({ groups: groups.map(({ destinationId, items }) => ({ destinationId, items: items.map(textOf) })), accessToken })) }),
    readReply: (reply, _sent: SentBatch) => JSON.parse(reply.body, (_key, value: unknown) => (value === null ? undefined : value)) as Verdict,
    ...over,
  };
}

/** Everything that the ports were asked, in order, and the world behind them. */
export interface Recorded {
  readonly requests: SentRequest[];
  readonly settlements: Settlement[];
  readonly notes: Note[];
  readonly reports: AttemptReport[];
  readonly coolDowns: { scope: string; untilMs: number }[];
  readonly reconnects: string[];
  readonly dropped: string[];
  /** `send`, `settle`, `note`, …: the order of calls. */
  readonly calls: string[];
  /** Wires of delivered and dead events: throws if one is settled twice. */
  delivered(): string[];
  dead(): string[];
  deaths(): Death[];
}

/** Ports that record. `answer` is the platform. */
export function recordingPorts(answer: (request: SentRequest, number: number) => Answer, over: Partial<DeliverPorts> = {}): { ports: DeliverPorts; recorded: Recorded } {
  const settlements: Settlement[] = [];
  const deaths = () => settlements.flatMap((settlement) => settlement.dead ?? []);
  const once = (wires: string[]) => {
    if (new Set(wires).size !== wires.length) throw new Error('an event was settled twice');
    return wires;
  };
  const wires = (of: 'delivered' | 'dead') =>
    settlements.flatMap(({ delivered, dead }) => (of === 'delivered' ? (delivered?.events ?? []) : (dead ?? []).flatMap(({ events }) => events)).map(({ wire }) => textOf(wire)));
  const recorded: Recorded = {
    requests: [],
    settlements,
    notes: [],
    reports: [],
    coolDowns: [],
    reconnects: [],
    dropped: [],
    calls: [],
    deaths,
    delivered: () => once([...wires('delivered'), ...wires('dead')]).slice(0, wires('delivered').length),
    dead: () => once([...wires('dead'), ...wires('delivered')]).slice(0, wires('dead').length),
  };
  const called = <T>(name: string, value: T): Promise<T> => {
    recorded.calls.push(name);
    return Promise.resolve(value);
  };
  const ports: DeliverPorts = {
    definition: aDefinition(),
    endpoints: {} as PlatformEndpoints, // the fake platform has a fixed address
    send(request): Promise<SendResult> {
      const body = JSON.parse(textOf(request.body)) as Pick<SentRequest, 'groups' | 'accessToken'>;
      const sent: SentRequest = { ...body, items: body.groups.flatMap((group) => group.items) };
      recorded.requests.push(sent);
      const said = answer(sent, recorded.requests.length);
      if (said.kind === 'failed') return called('send', { ...said, message: said.code, tookMs: 7 });
      return called('send', { kind: 'reply', reply: { status: 200, headers: {}, body: JSON.stringify(said), receivedAtMs: 0 }, tookMs: 7 });
    },
    account: () => called('account', anAccount()),
    needsReconnect(_account, reason) {
      recorded.reconnects.push(reason);
      return called('needsReconnect', true);
    },
    token: () => called('token', { kind: 'token', accessToken: 'token-1' }),
    dropToken(_account, accessToken) {
      recorded.dropped.push(accessToken);
      return called('dropToken', undefined);
    },
    coolUntil: () => called('coolUntil', 0),
    coolDown(_account, scope, untilMs) {
      recorded.coolDowns.push({ scope, untilMs });
      return called('coolDown', undefined);
    },
    settle(settlement) {
      for (const { events } of settlement.dead ?? []) if (events.length === 0) throw new Error('a death of nobody');
      settlements.push(settlement);
      return called('settle', undefined);
    },
    noteRetry(notes) {
      recorded.notes.push(...notes);
      return called('note', undefined);
    },
    markSending: () => called('markSending', undefined),
    clearSending: () => called('clearSending', undefined),
    report: (attempt) => recorded.reports.push(attempt),
    stopping: () => false,
    salvage: true,
    maxAttempts: 12,
    backoffBaseMs: 1_000,
    backoffMaxMs: 900_000,
    now: () => 1_000,
    random: () => 0.5,
    ...over,
  };
  return { ports, recorded };
}

export const accepted = (over: Partial<Extract<Verdict, { kind: 'accepted' }>> = {}): Verdict => ({
  kind: 'accepted',
  traceId: 'trace',
  faults: [],
  warnings: [],
  statusId: undefined,
  ...over,
});
const said = { code: 'CODE', message: 'words', traceId: 'trace' };
export const rejectedEvents = (over: Partial<Extract<Verdict, { kind: 'rejected_events' }>> = {}): Verdict => ({ kind: 'rejected_events', indices: [], faults: [], ...said, ...over });
export const rejectedRequest = (over: Partial<Extract<Verdict, { kind: 'rejected_request' }>> = {}): Verdict => ({ kind: 'rejected_request', groups: [], concern: 'destination', ...said, ...over });
export const retryVerdict = (afterMs?: number): Verdict => ({ kind: 'retry', afterMs, ...said, code: '503' });
export const rateLimited = (cooldownMs: number, scope: 'account' | 'app' = 'account'): Verdict => ({ kind: 'rate_limited', scope, cooldownMs, ...said, code: '429' });
export const unauthorised = (refreshable: boolean): Verdict => ({ kind: 'unauthorised', refreshable, ...said, code: '401' });
export const tooLarge = (): Verdict => ({ kind: 'too_large', ...said, code: '413' });
