import type { Account } from '@relay/delivery';
import type { ConversionAction } from '@relay/platforms';
import type { ActionCache, CachedActions, LastActions } from '@relay/redis';
import type { Logger } from '@relay/runtime';
import { mayPass } from './upstream-error.ts';

export interface ActionList {
  readonly customerId: string;
  readonly actions: readonly ConversionAction[];
}

export interface ShownActions extends ActionList {
  /** `undefined`: just read. */
  readonly readAtMs: number | undefined;
  readonly stale: boolean;
}

/** How long a list is shown without asking again, ms. */
const FRESH_MS = 3_600_000;

interface Deps {
  readonly cache: ActionCache;
  readonly logger: Logger;
  readonly now: () => number;
}

/**
 * Conversion actions, read at most once an hour: Google counts every reading against a budget of the day. Where a reading
 * fails and that may pass, the last good list is shown and marked as such.
 */
export function createCachedActions({ cache, logger, now }: Deps) {
  const reading = new Map<string, Promise<ShownActions>>();

  /** Without Redis nothing else of the relay works either; but what Google did must not be lost for it. */
  const kept = <T>(what: string, work: Promise<T>): Promise<T | undefined> =>
    work.catch((err: unknown) => {
      logger.warn({ err, what }, 'actions.cache_unavailable');
      return undefined;
    });

  const readAgain = async (account: Account, name: string, last: CachedActions<ActionList> | undefined, read: () => Promise<ActionList>): Promise<ShownActions> => {
    const readAtMs = now();
    try {
      const value = await read();
      await kept('put', cache.put(account.id, stateOf(account), name, { value, readAtMs }));
      return { ...value, readAtMs: undefined, stale: false };
    } catch (error) {
      if (last === undefined || !mayPass(error)) throw error;
      return { ...last.value, readAtMs: last.readAtMs, stale: true };
    }
  };

  return {
    /** @param adAccountId `undefined`: the only customer there is. */
    async list(account: Account, adAccountId: string | undefined, read: () => Promise<ActionList>): Promise<ShownActions> {
      const name = digitsOf(adAccountId);
      const last = (await kept('get', cache.get(account.id, stateOf(account), name))) as LastActions<ActionList> | undefined;
      if (last !== undefined && !last.isOutdated && now() - last.readAtMs < FRESH_MS) return { ...last.value, readAtMs: last.readAtMs, stale: false };
      // Callers that come together share one reading.
      const key = JSON.stringify([account.id, stateOf(account), name]);
      const shared = reading.get(key) ?? readAgain(account, name, last, read).finally(() => reading.delete(key));
      reading.set(key, shared);
      return shared;
    },
    /** Something was made: what is kept does not show it. */
    async outdate(account: Account): Promise<void> {
      for (const key of reading.keys()) if ((JSON.parse(key) as string[])[0] === account.id) reading.delete(key);
      await kept('outdate', cache.outdate(account.id));
    },
  };
}

/** Credentials of another revision, or of another account that took the id over, may reach other customers. */
function stateOf({ revision, createdAtMs }: Account): string {
  return `${createdAtMs}.${revision}`;
}

/** `customers/123-456-7890` and `1234567890` are one. */
function digitsOf(adAccountId: string | undefined): string {
  return adAccountId?.replace(/^\s*customers\//, '').replaceAll('-', '').trim() ?? '';
}
