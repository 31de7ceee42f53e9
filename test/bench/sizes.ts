import type { BacklogSizes } from './backlog.ts';
import type { CoalescingSizes } from './coalescing.ts';
import type { GrowthSizes } from './growth.ts';
import type { LatencySizes } from './latency.ts';
import type { PlatformSizes } from './platforms.ts';
import type { StorageSizes } from './storage.ts';
import type { ThroughputSizes } from './throughput.ts';
import type { TransformSizes } from './transform.ts';

export interface Sizes {
  readonly throughput: ThroughputSizes;
  readonly latency: LatencySizes;
  readonly coalescing: CoalescingSizes;
  readonly transform: TransformSizes;
  readonly storage: StorageSizes;
  readonly platforms: PlatformSizes;
  readonly backlog: BacklogSizes;
  readonly growth: GrowthSizes;
}

/**
 * What the targets are about. Every load lasts for many seconds on a small machine, since neither side's code is compiled to the
 * end after fewer, and the floor gains more by that than the relay; the whole takes about three quarters of an hour.
 */
export const FULL: Sizes = {
  throughput: { batched: { requests: 200, callers: 4 }, single: { requests: 36_000, callers: 64 }, crowd: { requests: 36_000, callers: 256 }, synchronous: { requests: 24_000, callers: 64 } },
  latency: { perSecond: 200, seconds: [{ sinkMs: 0, seconds: 20 }, { sinkMs: 20, seconds: 10 }], warmUpRequests: 12_000 },
  coalescing: { events: 10_000, perSecond: 5000 },
  transform: { batches: 200, warmUpBatches: 50 },
  storage: { events: 100_000 },
  platforms: { requests: 200, callers: 4 },
  backlog: { fill: 1_350_000, emptyFill: 150_000, warmUp: 50_000, window: 300_000, neighbour: { perSecond: 10, seconds: 20 }, rounds: 5 },
  growth: {
    eventsPerRequest: [{ x: 1, requests: 12_000 }, { x: 10, requests: 5000 }, { x: 100, requests: 1500 }, { x: 1000, requests: 150 }],
    requestsPerSecond: { seconds: 6, xs: [50, 200, 500, 1000, 2000] },
    destinations: { requests: 3000, xs: [1, 10, 100, 1000] },
    backlog: { warmUp: 50_000, window: 100_000, xs: [1000, 10_000, 100_000] },
  },
};

/** Only shows that all of it works; most of the time goes into starting processes. */
export const QUICK: Sizes = {
  throughput: { batched: { requests: 8, callers: 4 }, single: { requests: 200, callers: 16 }, crowd: { requests: 200, callers: 64 }, synchronous: { requests: 200, callers: 16 } },
  latency: { perSecond: 200, seconds: [{ sinkMs: 0, seconds: 1 }, { sinkMs: 20, seconds: 1 }], warmUpRequests: 100 },
  coalescing: { events: 500, perSecond: 2000 },
  transform: { batches: 5, warmUpBatches: 2 },
  storage: { events: 5000 },
  platforms: { requests: 8, callers: 4 },
  backlog: { fill: 40_000, emptyFill: 5000, warmUp: 1000, window: 4000, neighbour: { perSecond: 20, seconds: 1 }, rounds: 1 },
  growth: {
    eventsPerRequest: [{ x: 1, requests: 200 }, { x: 10, requests: 100 }, { x: 100, requests: 20 }, { x: 1000, requests: 4 }],
    requestsPerSecond: { seconds: 1, xs: [50, 200, 500] },
    destinations: { requests: 100, xs: [1, 10, 100] },
    backlog: { warmUp: 1000, window: 4000, xs: [1000] },
  },
};
