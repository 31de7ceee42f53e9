import { ACCOUNTS, PLATFORMS, type BenchPlatform } from './accounts.ts';
import { EVENTS_PER_REQUEST } from './drain.ts';
import { createBodies } from './events.ts';
import type { Ground } from './ground.ts';
import type { Say } from './say.ts';
import { openSystem } from './systems.ts';
import { measureThroughput, type Throughput } from './throughput.ts';

/** One entry a round. */
export type PlatformThroughputs = Readonly<Record<BenchPlatform, readonly Throughput[]>>;
export interface PlatformSizes {
  readonly requests: number;
  readonly callers: number;
}

/** The same batches to each platform, the relay alone, in turns: they are queued alike, but mapped, hashed and put together differently. */
export async function measurePlatforms(ground: Ground, { requests, callers }: PlatformSizes, rounds: number, say: Say): Promise<PlatformThroughputs> {
  const results: Record<BenchPlatform, Throughput[]> = { metaads: [], googleads: [], linkedinads: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const platform of PLATFORMS) {
      const { id, destinationId } = ACCOUNTS[platform];
      await using relay = await openSystem('relay', ground, { platform });
      const load = { requests, eventsPerRequest: EVENTS_PER_REQUEST, sync: false, bodies: createBodies(EVENTS_PER_REQUEST, [destinationId], id) };
      const measured = await measureThroughput(ground, relay, load, callers);
      results[platform].push(measured);
      say(`round ${round}, ${platform}: ${Math.round(measured.eventsPerSecond)} events/s`);
    }
  }
  return results;
}
