import { waitFor } from '@relay/testkit';
import { expect } from 'vitest';
import { SANDBOX_NAME } from './load.ts';
import { PLATFORMS, type LedgerRow, type Platform, type Stack } from './stack.ts';

/** From the platform's answer to the moment a worker has written it down, on a busy machine, ms. */
const WRITING_MS = 1_500;

/** A time in which a process died, froze or had no Redis: what was in flight in it may have been sent again. */
export interface Disturbance {
  readonly fromMs: number;
  readonly toMs: number;
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
  /** Expected dead events by platform; default none. */
  readonly dead?: Partial<Record<Platform, number>>;
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

/**
 * The books must balance: what callers were promised is what the ledger accepted, its four states add up to it, and the
 * platforms' own record holds every delivered event once, or more often only where a request with it was in flight when
 * something was killed.
 */
export async function expectBalance(stack: Stack, accepted: ReadonlyMap<string, Platform>, options: BalanceOptions = {}): Promise<Balance> {
  await allSettled(stack, options.timeoutMs);
  let lost = 0;
  let duplicates = 0;
  let dead = 0;
  for (const platform of PLATFORMS) {
    const ids = [...accepted].filter(([, own]) => own === platform).map(([id]) => id);
    const ledger = await stack.ledger(platform);
    const deadHere = options.dead?.[platform] ?? 0;
    const { accepted: was = 0, delivered: hadDelivered = 0, dead: hadDead = 0 } = options.before?.get(platform) ?? {};
    const expected = { accepted: was + ids.length, delivered: hadDelivered + ids.length - deadHere, dead: hadDead + deadHere, held: 0, pending: 0 };
    expect(ledger, `the ledger of ${platform}`).toEqual(expected);
    if (ids.length === 0) continue;
    const times = await stack.sandbox.timesTaken(SANDBOX_NAME[platform], ids);
    const missing = ids.filter((id) => !times.has(id));
    dead += deadHere;
    lost += missing.length - deadHere;
    const twice = [...times].filter(([, count]) => count > 1);
    duplicates += twice.reduce((sum, [, count]) => sum + count - 1, 0);
    const unexplained = twice.map(([id]) => id).filter((id) => !wasInFlight(stack, id, options.disturbances ?? []));
    expect(unexplained.slice(0, 10), `events of ${platform} that were sent again although no request with them was in flight`).toEqual([]);
    if (platform === 'whatsapp') expect(twice, 'WhatsApp conversions sent twice').toEqual([]);
  }
  expect(lost, 'events lost').toBe(0);
  return { events: accepted.size, dead, lost, duplicates };
}

/** Whether each repeat of this event has a reason: the request before it was under way during a disturbance. */
function wasInFlight({ tap }: Stack, eventId: string, disturbances: readonly Disturbance[]): boolean {
  const taken = passagesOf(tap.passages, eventId);
  return taken.slice(0, -1).every(({ startedAt, answeredAt }) => {
    const endedAt = (answeredAt ?? Infinity) + WRITING_MS;
    return disturbances.some(({ fromMs, toMs }) => startedAt <= toMs && endedAt >= fromMs);
  });
}

type Passages = Stack['tap']['passages'];
const indices = new WeakMap<Passages, { length: number; byEvent: Map<string, Passages[number][]> }>();

/** Requests that went out with this event and that the platform answered with a success, or never answered. */
function passagesOf(passages: Passages, eventId: string): readonly Passages[number][] {
  let index = indices.get(passages);
  if (index?.length !== passages.length) {
    index = { length: passages.length, byEvent: new Map() };
    for (const passage of passages) {
      if (passage.status !== undefined && passage.status >= 300) continue;
      for (const id of passage.eventIds) index.byEvent.set(id, [...(index.byEvent.get(id) ?? []), passage]);
    }
    indices.set(passages, index);
  }
  return index.byEvent.get(eventId) ?? [];
}
