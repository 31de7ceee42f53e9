/** Answers kept for a while, as the promises that bring them: callers that come together share one look-up. */
export interface PromiseCache<T> {
  /** The answer under this key; where there is none that is young enough, `load` fetches it. */
  get(key: string, load: () => Promise<T>): Promise<T>;
  delete(key: string): void;
  clear(): void;
}

export interface PromiseCacheOptions {
  /** Counted from the beginning of the look-up, so that an answer is never older than this. */
  readonly lifetimeMs: number;
  /** Bounds the cache where callers make up keys: past it the oldest entry goes. */
  readonly maxEntries: number;
  readonly now: () => number;
}

/** Failed look-ups are not kept. An entry that was deleted while it was being looked up does not come back. */
export function createPromiseCache<T>({ lifetimeMs, maxEntries, now }: PromiseCacheOptions): PromiseCache<T> {
  // In the order of their beginning, so the oldest stand first, and so do those that have expired.
  const entries = new Map<string, Entry<T>>();
  const makeRoom = (nowMs: number) => {
    for (const [key, { untilMs }] of entries) {
      if (untilMs > nowMs && entries.size < maxEntries) return;
      entries.delete(key);
    }
  };
  return {
    get(key, load) {
      const nowMs = now();
      const hit = entries.get(key);
      if (hit !== undefined && hit.untilMs > nowMs) return hit.answer;
      entries.delete(key);
      makeRoom(nowMs);
      const entry: Entry<T> = { answer: load(), untilMs: nowMs + lifetimeMs };
      entries.set(key, entry);
      entry.answer.catch(() => {
        // Another look-up may stand here by now, which has not failed.
        if (entries.get(key) === entry) entries.delete(key);
      });
      return entry.answer;
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
  };
}

interface Entry<T> {
  readonly answer: Promise<T>;
  readonly untilMs: number;
}
