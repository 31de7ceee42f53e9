import type { SandboxCore } from '../core/types.ts';

const MINUTE_MS = 60_000;

export interface MinuteQuota {
  /** Counts one call; false when the minute's share of the key is used up. `limit` 0 counts nothing. */
  take(key: string, limit: number): boolean;
  reset(): void;
}

/** Fixed windows of one minute; how LinkedIn slices its minutes is not published. */
export function createMinuteQuota(core: SandboxCore): MinuteQuota {
  const windows = new Map<string, { minute: number; used: number }>();
  return {
    take(key, limit) {
      if (limit <= 0) return true;
      const minute = Math.floor(core.now() / MINUTE_MS);
      const window = windows.get(key);
      if (window === undefined || window.minute !== minute) {
        windows.set(key, { minute, used: 1 });
        return true;
      }
      window.used += 1;
      return window.used <= limit;
    },
    reset: () => windows.clear(),
  };
}
