import type { Lane, QueueProbe } from '@relay/redis';

/** How often a look is taken. */
const CHECK_MS = 5_000;
/** An idle lane that has not asked for jobs for this long hangs, whether or not there are any. */
const SILENT_MS = 30_000;
/** An idle lane asks for jobs every 5 s, and with delayed jobs ahead every 10 s at the latest. */
const ASKS_WITHIN_MS = 15_000;

/** A lane of this process, as far as its progress goes. */
export interface WatchedLane {
  readonly lane: { readonly lane: Lane };
  /** Jobs taken and not brought to an end. */
  readonly active: number;
  /** Grows with every job taken or brought to an end and with every answer of a platform. */
  readonly worked: number;
  /** When the lane last asked for jobs or worked on one, unix ms. */
  readonly lastAliveMs: number;
}

export interface Consumption {
  readonly redis: { readonly ok: boolean; readonly ms?: number };
  /** Queues of which no job is taken although the worker should: it hangs, or it has not asked since Redis came back. */
  readonly notConsuming: readonly string[];
}

export interface Watchdog extends AsyncDisposable {
  /** What is true now; asks Redis. */
  look(): Promise<Consumption>;
}

export interface WatchdogOptions {
  readonly lanes: readonly WatchedLane[];
  readonly probe: QueueProbe;
  /**
   * A lane that has something to do and makes no progress for this long is stuck, provided that Redis took writes all the
   * while. Longer than anything that a lane may rightly wait for between two signs of progress.
   */
  readonly stuckAfterMs: number;
  /** How often a look is taken; default 5 s. */
  readonly checkMs?: number | undefined;
  /** How long an idle lane may ask for no jobs; default 30 s. */
  readonly silentMs?: number | undefined;
  /** Called once. */
  onStuck(found: { readonly queue: string; readonly waiting: number; readonly active: number; readonly forMs: number }): void;
  now(): number;
}

/**
 * Finds a worker that is connected and does not consume. It compares what waits in the queues with the lanes' own progress,
 * over a connection of its own. Looks are counted instead of time, so that a process that was frozen does not take the
 * time in which it could not look for time in which nothing happened.
 */
export function watchLanes(options: WatchdogOptions): Watchdog {
  const { lanes, probe, now, checkMs = CHECK_MS, silentMs = SILENT_MS } = options;
  const seen = new Map(lanes.map((lane) => [lane, { worked: -1, lastAliveMs: -1, looks: 0, silent: 0, startedMs: lane.lastAliveMs }]));
  let redisFailedMs = -Infinity;
  let done = false;

  const checkLane = async (lane: WatchedLane): Promise<void> => {
    const waiting = await probe.waiting(lane.lane.lane);
    const own = seen.get(lane)!;
    const hasWork = waiting > 0 || lane.active > 0;
    own.looks = hasWork && lane.worked === own.worked ? own.looks + 1 : 0;
    own.worked = lane.worked;
    own.silent = lane.active === 0 && lane.lastAliveMs === own.lastAliveMs ? own.silent + 1 : 0;
    own.lastAliveMs = lane.lastAliveMs;
    const isStuck = own.looks * checkMs >= options.stuckAfterMs || own.silent * checkMs >= silentMs;
    if (done || !isStuck) return;
    done = true;
    options.onStuck({ queue: lane.lane.lane.queue, waiting, active: lane.active, forMs: Math.max(own.looks, own.silent) * checkMs });
  };
  const check = async (): Promise<void> => {
    try {
      for (const lane of lanes) await checkLane(lane);
    } catch {
      // Redis is away or takes no writes, which a new process would not change: everything starts over when it is back.
      redisFailedMs = now();
      for (const own of seen.values()) Object.assign(own, { looks: 0, silent: 0 });
    }
  };
  let checking = Promise.resolve();
  const timer = setInterval(() => {
    checking = checking.then(check);
  }, checkMs);

  const consumes = (lane: WatchedLane): boolean => {
    const { looks, startedMs } = seen.get(lane)!;
    const last = lane.lastAliveMs;
    if (last <= redisFailedMs || last <= startedMs) return false;
    // One whose hands are full takes nothing: what it has must move, then.
    return now() - last < ASKS_WITHIN_MS || (lane.active > 0 && looks * checkMs < options.stuckAfterMs);
  };
  return {
    async look() {
      try {
        const ms = await probe.ping();
        return { redis: { ok: true, ms }, notConsuming: lanes.filter((lane) => !consumes(lane)).map((lane) => lane.lane.lane.queue) };
      } catch {
        redisFailedMs = now();
        return { redis: { ok: false }, notConsuming: lanes.map((lane) => lane.lane.lane.queue) };
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      done = true;
      await checking;
    },
  };
}
