import type { PlatformId } from '@relay/contract';
import { PLATFORM_IDS } from '@relay/contract';
import type { Health, LedgerRow } from '@relay/delivery';
import type { Queue } from 'bullmq';
import { orUnavailable, type RedisConnection } from './connect.ts';
import type { Cooldowns } from './cooldowns.ts';
import { keys, type Lane, type Lanes } from './keys.ts';

/** What the health readings work with. */
export interface HealthDeps {
  readonly connection: RedisConnection;
  readonly lanes: Lanes;
  readonly cooldowns: Cooldowns;
  /** Delivery queues and their dead letters. */
  readonly queues: readonly Queue[];
  readonly now: () => number;
}

/** Reads books, ages, queue lengths and cool-downs, for metrics and readiness. */
export function createHealth({ connection, lanes, cooldowns, queues, now }: HealthDeps): Health {
  return {
    ping: () =>
      orUnavailable(async () => {
        const start = performance.now();
        await connection.ping();
        return performance.now() - start;
      }),
    ledger: () => orUnavailable(() => Promise.all(PLATFORM_IDS.map((platform) => readLedger(connection, platform, lanes.of(platform))))),
    oldestAgeSeconds: () =>
      orUnavailable(async () => {
        const ages = new Map<PlatformId, number>();
        for (const lane of lanes.all) {
          const [, acceptedAt] = await connection.zrange(keys.open(lane.tag, lane.platform), 0, '0', 'WITHSCORES');
          const age = acceptedAt === undefined ? 0 : Math.max(now() - Number(acceptedAt), 0) / 1000;
          ages.set(lane.platform, Math.max(ages.get(lane.platform) ?? 0, age));
        }
        return ages;
      }),
    queueCounts: () =>
      orUnavailable(() =>
        Promise.all(
          queues.map(async (queue) => ({
            queue: queue.name,
            counts: await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
          })),
        ),
      ),
    cooldowns: () => orUnavailable(() => cooldowns.list()),
  };
}

/** One hash a lane, read in one command each, so that the numbers of a lane belong together. */
async function readLedger(connection: RedisConnection, platform: PlatformId, platformLanes: readonly Lane[]): Promise<LedgerRow> {
  const row = { accepted: 0, delivered: 0, dead: 0, held: 0, pending: 0, refused: 0 };
  for (const lane of platformLanes) {
    const counters = await connection.hgetall(keys.ledger(lane.tag, platform));
    for (const name of Object.keys(row) as (keyof typeof row)[]) row[name] += Number(counters[name] ?? 0);
  }
  return { platform, ...row };
}
