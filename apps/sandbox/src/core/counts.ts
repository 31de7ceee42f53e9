/** V8 refuses a Map beyond 2^24 entries; growing one that large also stops the process for a second. */
const MAX_ENTRIES_PER_MAP = 4_000_000;

/** How often each event id was taken by one destination. Holds ids and small integers only: a soak run takes tens of millions. */
export interface Counts {
  /** Answers how often the id has been added now; `''` (no id) is counted but never told apart. */
  add(eventId: string): number;
  timesOf(eventId: string): number;
  readonly total: number;
  readonly unique: number;
  readonly anonymous: number;
  entries(): Iterable<readonly [string, number]>;
}

export function createCounts(): Counts {
  let newest = new Map<string, number>();
  const maps = [newest];
  let total = 0;
  let unique = 0;
  let anonymous = 0;

  function holderOf(eventId: string): Map<string, number> | undefined {
    if (maps.length === 1) return newest.has(eventId) ? newest : undefined;
    return maps.find((map) => map.has(eventId));
  }

  return {
    add(eventId) {
      total += 1;
      if (eventId === '') {
        anonymous += 1;
        return 1;
      }
      const holder = holderOf(eventId);
      if (holder !== undefined) {
        const times = (holder.get(eventId) ?? 0) + 1;
        holder.set(eventId, times);
        return times;
      }
      if (newest.size >= MAX_ENTRIES_PER_MAP) {
        newest = new Map();
        maps.push(newest);
      }
      newest.set(eventId, 1);
      unique += 1;
      return 1;
    },
    timesOf: (eventId) => holderOf(eventId)?.get(eventId) ?? 0,
    get total() {
      return total;
    },
    get unique() {
      return unique;
    },
    get anonymous() {
      return anonymous;
    },
    *entries() {
      for (const map of maps) yield* map;
    },
  };
}
