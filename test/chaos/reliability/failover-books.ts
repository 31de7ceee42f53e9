import { expect } from 'vitest';
import { allSettled, expectBooksAtAnyMoment, expectDestinations, historyOf } from './books.ts';
import { unknownConversions } from './conversation.ts';
import { PLATFORMS } from './ledgers.ts';
import { SANDBOX_NAME, type Load, type Stored } from './load.ts';
import type { Stack } from './stack.ts';

/** How far a replica that follows well may be behind its master, on a machine that is very busy, ms. */
const LAG_MS = 2_000;

/** From the order or the kill until no process can reach the old master as such any more. */
export interface Promotion {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FailoverBalance {
  readonly events: number;
  readonly lost: number;
  readonly duplicates: number;
  /** WhatsApp conversions that Meta took twice: the note that they went out is lost with the master. */
  readonly whatsappTwice: number;
  /** WhatsApp conversions whose end nobody knows. */
  readonly unknown: number;
}

/**
 * What a master acknowledged in its last moment, and its replica never got, is gone; nothing else is. An event may be missing
 * only if the promoted replica's ledger never counted it, all of its request is missing, and its caller was answered in
 * the last moment before the promotion. One may have gone out twice only if its first request was under way then.
 */
export async function expectFailoverBalance(stack: Stack, load: Load, promotion: Promotion): Promise<FailoverBalance> {
  await allSettled(stack);
  expectBooksAtAnyMoment(stack);
  const unknown = await unknownConversions(stack);
  const history = historyOf(stack.tap.passages, load.stored);
  const disturbances = [{ fromMs: promotion.fromMs - LAG_MS, toMs: promotion.toMs }];
  const requestOf = new Map(load.stored.flatMap((request) => request.eventIds.map((id) => [id, request] as const)));
  let [lost, duplicates, whatsappTwice] = [0, 0, 0];
  for (const platform of PLATFORMS) {
    const ids = [...load.accepted].filter(([, own]) => own === platform).map(([id]) => id);
    const { accepted, delivered, dead } = await stack.ledger(platform);
    expect(accepted, `${platform}: no more is in the books than callers were promised`).toBeLessThanOrEqual(ids.length);
    const unknownHere = ids.filter((id) => unknown.has(id)).length;
    expect([delivered, dead], `the ledger of ${platform}`).toEqual([accepted - unknownHere, unknownHere]);
    if (ids.length === 0) continue;
    const taken = await stack.sandbox.timesTaken(SANDBOX_NAME[platform], ids);
    const missing = ids.filter((id) => !taken.has(id) && !unknown.has(id));
    // What the books have, the platform has: a delivery that was only written down would show here.
    expect(missing.length, `events of ${platform} that are missing although the ledger counted them`).toBeLessThanOrEqual(ids.length - accepted);
    const isMissing = new Set(missing);
    const inexplicable = [...new Set(missing.map((id) => requestOf.get(id)!))].filter((request) => !isForgotten(request, isMissing, promotion));
    expect(inexplicable.slice(0, 3), `requests of ${platform} that are missing in part, or were not acknowledged just before the promotion`).toEqual([]);
    const twice = [...taken].filter(([, count]) => count > 1);
    const unexplained = twice.map(([id]) => id).filter((id) => !history.isExplained(history.passagesOf(id).slice(0, -1), id, disturbances));
    expect(unexplained.slice(0, 3).map((id) => history.describe(id, disturbances)), `events of ${platform} that were sent again without a reason (${unexplained.length})`).toEqual([]);
    lost += missing.length;
    duplicates += twice.reduce((sum, [, count]) => sum + count - 1, 0);
    if (platform === 'whatsapp') whatsappTwice = twice.length;
  }
  await expectDestinations(stack, load.stored);
  return { events: load.accepted.size, lost, duplicates, whatsappTwice, unknown: unknown.size };
}

function isForgotten({ eventIds, atMs }: Stored, missing: ReadonlySet<string>, { fromMs, toMs }: Promotion): boolean {
  return eventIds.every((id) => missing.has(id)) && atMs >= fromMs - LAG_MS && atMs <= toMs + LAG_MS;
}
