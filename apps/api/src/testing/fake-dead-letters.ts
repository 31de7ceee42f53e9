import type { DeadLetter, DeadLetterStore } from '@relay/delivery';
import { T0 } from './fake-accounts.ts';

export function aDeadLetter(over: Partial<DeadLetter> & Pick<DeadLetter, 'id'>): DeadLetter {
  return {
    platform: 'metaads',
    accountId: 'acc_meta',
    destinationId: '123',
    deliveryId: 'dlv_1',
    reason: 'rejected',
    code: '100/2804003',
    message: 'The event time is in the future.',
    eventIds: ['order_1'],
    eventCount: 2,
    attempts: 1,
    firstAttemptAtMs: T0,
    lastAttemptAtMs: T0,
    replayable: true,
    whyNot: undefined,
    replayedAtMs: undefined,
    ...over,
  };
}

export function fakeDeadLetters(letters: readonly DeadLetter[]): DeadLetterStore & { readonly rows: Map<string, DeadLetter>; readonly forced: boolean[] } {
  const rows = new Map(letters.map((letter) => [letter.id, letter]));
  const forced: boolean[] = [];
  return {
    rows,
    forced,
    get: async (id) => rows.get(id),
    async list(filter, limit, cursor) {
      const all = [...rows.values()].filter(
        (row) =>
          (filter.accounts === undefined || filter.accounts.includes(row.accountId)) &&
          (['platform', 'accountId', 'destinationId', 'reason'] as const).every((name) => filter[name] === undefined || filter[name] === row[name]),
      );
      const at = Number(cursor ?? 0);
      return { rows: all.slice(at, at + limit), nextCursor: at + limit < all.length ? String(at + limit) : undefined };
    },
    async replay(id, { force }) {
      forced.push(force);
      const letter = rows.get(id);
      if (letter === undefined) return { kind: 'not_found' };
      if (!letter.replayable && !force) return { kind: 'refused', why: letter.whyNot ?? 'It was replayed before.' };
      rows.set(id, { ...letter, replayable: false, replayedAtMs: T0 });
      return { kind: 'replayed', events: letter.eventCount, accountId: letter.accountId };
    },
    discard: async (id) => rows.delete(id),
  };
}
