/** V8 refuses a Map beyond 2^24 entries, and growing one that large stops the process for a second: many small ones do not. */
const SHARDS = 256;

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

/** Ids mostly differ at their end, whether counters or random. */
function shardOf(eventId: string): number {
  const end = eventId.length;
  let hash = end;
  for (let at = Math.max(0, end - 4); at < end; at += 1) hash = Math.imul(hash, 31) + eventId.charCodeAt(at);
  return (hash >>> 0) % SHARDS;
}

export function createCounts(): Counts {
  const shards: (Map<string, number> | undefined)[] = Array.from({ length: SHARDS });
  let total = 0;
  let unique = 0;
  let anonymous = 0;

  return {
    add(eventId) {
      total += 1;
      if (eventId === '') {
        anonymous += 1;
        return 1;
      }
      const shard = (shards[shardOf(eventId)] ??= new Map());
      const times = (shard.get(eventId) ?? 0) + 1;
      if (times === 1) unique += 1;
      shard.set(eventId, times);
      return times;
    },
    timesOf: (eventId) => shards[shardOf(eventId)]?.get(eventId) ?? 0,
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
      for (const shard of shards) if (shard !== undefined) yield* shard;
    },
  };
}
