import type { RedisConnection } from './connect.ts';
import type { ScriptName } from './scripts.ts';

/** What transactions call: BullMQ's inserts, and ours. */
const IN_TRANSACTIONS: readonly (ScriptName | `add${string}Job`)[] = ['addStandardJob', 'addPrioritizedJob', 'addDelayedJob', 'relayAccept', 'relaySettle', 'relayReplay'];

const lanesOf = new WeakMap<RedisConnection, Map<string, Promise<void>>>();

/**
 * Has Redis know the scripts of transactions before the first one on a connection goes out. ioredis sends a script with its
 * first call and takes it for known from then on, also when that call was in a transaction that Redis discarded (memory
 * full, a watched key): a later one could then be applied in part, those of its scripts that nobody else had made known failing.
 *
 * Does not throw: where this fails the transaction will, with the error that counts, and the next one tries again.
 *
 * @param key in the lane's slot: of a cluster only that node is asked, since another one may be away.
 */
export function scriptsKnown(connection: RedisConnection, key: string): Promise<void> {
  let lanes = lanesOf.get(connection);
  if (lanes === undefined) {
    const known = (lanes = new Map<string, Promise<void>>());
    lanesOf.set(connection, known);
    // A Redis that restarted has forgotten them; the nodes of a cluster come and go behind one connection.
    for (const event of ['close', '+node', '-node']) connection.on(event, () => known.clear());
  }
  const known = lanes;
  let loading = known.get(key);
  if (loading === undefined) {
    loading = load(connection, key).catch(() => void known.delete(key));
    known.set(key, loading);
  }
  return loading;
}

async function load(connection: RedisConnection, key: string): Promise<void> {
  const pipeline = connection.pipeline().exists(key);
  for (const lua of luaOf(connection)) pipeline.script('LOAD', lua);
  const answers = (await pipeline.exec()) ?? [];
  const failed = answers.find(([error]) => error !== null);
  if (failed !== undefined) throw failed[0]!;
}

/** As ioredis keeps what was defined. BullMQ's names end in its version: `addStandardJob:6.7.0`. */
function luaOf(connection: RedisConnection): readonly string[] {
  const { scriptsSet } = connection as unknown as { readonly scriptsSet: Readonly<Record<string, { readonly lua: string }>> };
  return Object.entries(scriptsSet)
    .filter(([name]) => (IN_TRANSACTIONS as readonly string[]).includes(name.split(':')[0]!))
    .map(([, { lua }]) => lua);
}
