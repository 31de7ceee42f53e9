import { waitFor } from '@relay/testkit';
import { expect } from 'vitest';
import { unknownConversions } from './conversation.ts';
import { PLATFORMS, type LedgerRow, type Platform } from './ledgers.ts';
import { SANDBOX_NAME, type Load, type Stored } from './load.ts';
import type { Stack } from './stack.ts';
import type { Passage } from './tap.ts';

/** From the platform's answer to the moment a worker has written it down, on a machine that is very busy, ms. */
const WRITING_MS = 5_000;
/** From the moment a worker has sent a request to the one at which the tap reads it: what it sent may outlive it, ms. */
const READING_MS = 2_000;

/** A time in which a process died or froze, or in which there was no Redis: what was in flight in it may have been sent again. */
export interface Disturbance {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose requests; default: everybody's. */
  readonly member?: string;
  /** Deliveries that had no final answer in Redis when it had struck. Default: not looked at. */
  readonly open?: ReadonlySet<string>;
}

export interface Balance {
  readonly events: number;
  readonly dead: number;
  readonly lost: number;
  readonly duplicates: number;
}

export interface BalanceOptions {
  /** Default: none. */
  readonly disturbances?: readonly Disturbance[];
  /** Events that are to be dead, never sent; default none. WhatsApp's of unknown end are found by themselves. */
  readonly dead?: ReadonlySet<string>;
  /** Ledgers from before, when the scenario began with some. */
  readonly before?: ReadonlyMap<Platform, LedgerRow>;
  readonly timeoutMs?: number;
}

/** Waits until no event waits for its final answer any more. */
export async function allSettled(stack: Pick<Stack, 'ledger'>, timeoutMs = 90_000): Promise<void> {
  await waitFor(
    async () => {
      const rows = await Promise.all(PLATFORMS.map((platform) => stack.ledger(platform)));
      return rows.every(({ pending, held }) => pending === 0 && held === 0);
    },
    { timeoutMs, everyMs: 100, what: 'every event to have its final answer' },
  );
}

/** In every look at the ledgers since the scenario began, the four states added up to what was accepted. */
export function expectBooksAtAnyMoment({ sampled }: Stack): void {
  expect(sampled.wrong.slice(0, 10), `ledgers whose sum was wrong, of ${sampled.looks} looks`).toEqual([]);
  expect(sampled.looks).toBeGreaterThan(10);
}

/**
 * The books must balance: what callers were promised is what the ledger accepted, its four states add up to it, and the
 * platforms' own record holds every delivered event once, or more often only where a request with it was in flight when
 * something was killed; WhatsApp's never more often.
 */
export async function expectBalance(stack: Stack, load: Pick<Load, 'accepted'> & Partial<Pick<Load, 'stored'>>, options: BalanceOptions = {}): Promise<Balance> {
  await allSettled(stack, options.timeoutMs);
  expectBooksAtAnyMoment(stack);
  const unknown = await unknownConversions(stack);
  const disturbances = options.disturbances ?? [];
  const history = historyOf(stack.tap.passages, load.stored ?? []);
  const unforeseen = [...unknown.keys()].filter((id) => disturbances.length === 0 || !history.isExplained(history.passagesOf(id), id, disturbances));
  expect(unforeseen.map((id) => `${history.describe(id, disturbances)}; ${unknown.get(id)}`), 'WhatsApp conversions of unknown end although no request with them was in flight').toEqual([]);
  const isDead = (id: string) => options.dead?.has(id) === true || unknown.has(id);
  let [lost, duplicates, dead] = [0, 0, 0];
  for (const platform of PLATFORMS) {
    const ids = [...load.accepted].filter(([, own]) => own === platform).map(([id]) => id);
    const deadHere = ids.filter(isDead).length;
    const { accepted: was = 0, delivered: hadDelivered = 0, dead: hadDead = 0 } = options.before?.get(platform) ?? {};
    const expected = { accepted: was + ids.length, delivered: hadDelivered + ids.length - deadHere, dead: hadDead + deadHere, held: 0, pending: 0 };
    expect(await stack.ledger(platform), `the ledger of ${platform}`).toEqual(expected);
    if (ids.length === 0) continue;
    const times = await stack.sandbox.timesTaken(SANDBOX_NAME[platform], ids);
    expect(ids.filter((id) => options.dead?.has(id) === true && times.has(id)), 'dead events that were delivered').toEqual([]);
    dead += deadHere;
    lost += ids.filter((id) => !times.has(id) && !isDead(id)).length;
    const twice = [...times].filter(([, count]) => count > 1);
    duplicates += twice.reduce((sum, [, count]) => sum + count - 1, 0);
    const unexplained = twice.map(([id]) => id).filter((id) => !history.isExplained(history.passagesOf(id).slice(0, -1), id, disturbances));
    expect(unexplained.slice(0, 3).map((id) => history.describe(id, disturbances)), `events of ${platform} that were sent again although no request with them was in flight (${unexplained.length})`).toEqual([]);
    if (platform === 'whatsapp') expect(twice, 'WhatsApp conversions sent twice').toEqual([]);
  }
  expect(lost, 'events lost').toBe(0);
  await expectDestinations(stack, load.stored ?? []);
  return { events: load.accepted.size, dead, lost, duplicates };
}

/** What the platforms took, they took for the destination that it was sent to, and only for that. */
export async function expectDestinations({ sandbox }: Stack, stored: readonly Stored[]): Promise<void> {
  const destinations = new Map(stored.flatMap(({ eventIds, destinationId }) => eventIds.map((id) => [id, destinationId] as const)));
  const { events } = await sandbox.accepted({ limit: 1_000_000 });
  const astray = events.filter(({ eventId, destinationId }) => {
    const wanted = destinations.get(eventId);
    return wanted !== undefined && wanted !== destinationId;
  });
  expect(astray.slice(0, 10), 'events taken for another destination').toEqual([]);
}

interface History {
  /** Requests that went out with this event and that the platform answered with a success, or did not answer. */
  passagesOf(eventId: string): readonly Passage[];
  /** Whether each of these requests with the event was under way during a disturbance that its sender felt. */
  isExplained(passages: readonly Passage[], eventId: string, disturbances: readonly Disturbance[]): boolean;
  /** What is known of an event, to read when it is not as it should be. */
  describe(eventId: string, disturbances: readonly Disturbance[]): string;
}

export function historyOf(passages: readonly Passage[], stored: readonly Stored[]): History {
  const byEvent = new Map<string, Passage[]>();
  for (const passage of passages) {
    if (passage.status !== undefined && passage.status >= 300) continue;
    for (const id of passage.eventIds) byEvent.set(id, [...(byEvent.get(id) ?? []), passage]);
  }
  const deliveryOf = new Map(stored.flatMap(({ eventIds, deliveryId }) => eventIds.map((id) => [id, deliveryId] as const)));
  return {
    describe: (eventId, disturbances) => {
      const base = Math.min(...passages.map(({ startedAt }) => startedAt));
      const sent = passages.filter(({ eventIds }) => eventIds.includes(eventId)).map(({ by, status, startedAt, endedAt }) => `${by} ${startedAt - base}-${endedAt === undefined ? '' : endedAt - base} ${status ?? 'unanswered'}`);
      const struck = disturbances.map(({ fromMs, toMs, member = 'all', open }) => `${member} ${fromMs - base}-${toMs - base}${open?.has(deliveryOf.get(eventId) ?? '') === true ? ' open' : ''}`);
      return `${eventId} ${deliveryOf.get(eventId)}: sent ${sent.join(', ')}; struck ${struck.join(', ')}`;
    },
    passagesOf: (eventId) => byEvent.get(eventId) ?? [],
    isExplained: (given, eventId, disturbances) =>
      given.every(({ by, startedAt, endedAt }) =>
        disturbances.some(({ fromMs, toMs, member, open }) => {
          if (member !== undefined && member !== by) return false;
          if (open?.has(deliveryOf.get(eventId) ?? '') === false) return false;
          return startedAt <= toMs + READING_MS && (endedAt ?? Infinity) + WRITING_MS >= fromMs;
        }),
      ),
  };
}
