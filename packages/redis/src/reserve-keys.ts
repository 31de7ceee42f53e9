import type { Waiting } from './commit-group.ts';
import { GLOBAL_TAG, globals } from './keys.ts';
import type { LaneQueue } from './lane-queue.ts';
import { IDEMPOTENCY_TTL_MS } from './limits.ts';

/**
 * An Idempotency-Key is remembered in its lane, in the transaction that stores the request. The same key may come with a body for
 * another lane, whose transaction cannot see it (a cluster keeps the two on different nodes). So with several lanes a key is
 * first tied to its body where all of them look, by one command. Should the request not be stored then, the key stays tied:
 * the same body may still come, another one may not.
 * Answers those whose key has another body; resolves with the rest.
 */
export async function withoutReusedKeys({ lane, connection }: LaneQueue, group: readonly Waiting[]): Promise<readonly Waiting[]> {
  if (lane.tag === GLOBAL_TAG) return group;
  const reused = await Promise.all(
    group.map(async ({ options: { idempotency } }) => {
      if (idempotency === undefined) return false;
      const { scope, key, bodyHash } = idempotency;
      const before = await connection.set(globals.idempotencyBody(scope, key), bodyHash, 'PX', IDEMPOTENCY_TTL_MS, 'NX', 'GET');
      return before !== null && before !== bodyHash;
    }),
  );
  for (const [i, waiting] of group.entries()) if (reused[i]) waiting.resolve({ kind: 'key_reused' });
  return group.filter((_, i) => !reused[i]);
}
