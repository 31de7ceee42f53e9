import { randomUUID } from 'node:crypto';
import type { TokenCache } from '@relay/delivery';
import { SealError, type Sealer } from '@relay/runtime';
import { orUnavailable, type RedisConnection } from './connect.ts';
import { globals } from './keys.ts';
import { runScript, writeAnyway } from './scripts.ts';

export function createTokenCache(connection: RedisConnection, sealer: Sealer): TokenCache {
  const contextOf = (accountId: string) => `token:${accountId}`;
  const read = async (accountId: string): Promise<{ sealed: string; r: number; t: string } | undefined> => {
    const sealed = await connection.get(globals.token(accountId));
    if (sealed === null) return undefined;
    try {
      const plain = sealer.open(Buffer.from(sealed, 'base64'), contextOf(accountId)).toString();
      return { sealed, ...(JSON.parse(plain) as { r: number; t: string }) };
    } catch (error) {
      // Sealed under a key that was taken out of RELAY_SECRET_KEY since: a token is got anew.
      if (error instanceof SealError) return undefined;
      throw error;
    }
  };
  return {
    get: (accountId, revision) =>
      orUnavailable(async () => {
        const stored = await read(accountId);
        return stored?.r === revision ? stored.t : undefined;
      }),
    put: (accountId, revision, accessToken, ttlMs) =>
      orUnavailable(async () => {
        const plain = Buffer.from(JSON.stringify({ r: revision, t: accessToken }));
        const sealed = sealer.seal(plain, contextOf(accountId)).toString('base64');
        await writeAnyway(connection, globals.token(accountId), 'SET', sealed, 'PX', Math.max(Math.floor(ttlMs), 1));
      }),
    drop: (accountId, accessToken) =>
      orUnavailable(async () => {
        const stored = await read(accountId);
        if (stored?.t === accessToken) await runScript(connection, 'relayDropEqual', [globals.token(accountId), stored.sealed]);
      }),
    lock: (accountId, ttlMs) =>
      orUnavailable(async () => {
        const owner = randomUUID();
        const key = globals.tokenLock(accountId);
        if ((await writeAnyway(connection, key, 'SET', owner, 'PX', ttlMs, 'NX')) === null) return undefined;
        return {
          // A lock that ran out meanwhile may be another's by now. One that cannot be given back runs out by itself.
          release: async () => {
            await runScript(connection, 'relayDropEqual', [key, owner]).catch(() => 0);
          },
        };
      }),
  };
}
