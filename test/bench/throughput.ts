import { cpuSoFar, cpuUsPerEvent, type Cost } from './cost.ts';
import type { Ground } from './ground.ts';
import { sendClosed, type Load } from './load.ts';
import { quantile } from './numbers.ts';
import type { Say } from './say.ts';
import { openSystem, SYSTEMS, type System, type SystemName } from './systems.ts';

export interface Throughput {
  /** From the first request until the last event is at the sink. */
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly platformRequests: number;
  readonly cpuUs: Cost;
  readonly redisCalls: ReadonlyMap<string, number>;
  readonly events: number;
}

/** `crowd`: single events of four times as many callers. */
export const LOADS = ['batched', 'single', 'crowd', 'synchronous'] as const;
export type LoadName = (typeof LOADS)[number];
/** One entry a round; of a load that a system does not know, none. */
export type Throughputs = Readonly<Record<LoadName, Readonly<Record<SystemName, readonly Throughput[]>>>>;
export type ThroughputSizes = Readonly<Record<LoadName, { readonly requests: number; readonly callers: number }>>;

/** Every system under every load, one after the other, round by round: what disturbs the machine for a while disturbs all. */
export async function measureThroughputs(ground: Ground, sizes: ThroughputSizes, rounds: number, say: Say): Promise<Throughputs> {
  const empty = (): Record<SystemName, Throughput[]> => ({ floor: [], 'floor+hash': [], relay: [] });
  const results = { batched: empty(), single: empty(), crowd: empty(), synchronous: empty() };
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of LOADS) {
      const { requests, callers } = sizes[name];
      const load = { requests, eventsPerRequest: name === 'batched' ? 1000 : 1, sync: name === 'synchronous' };
      for (const systemName of SYSTEMS) {
        // The floor has no answer but "queued".
        if (load.sync && systemName !== 'relay') continue;
        if (name === 'crowd' && systemName === 'floor+hash') continue; // there is no target for it
        await using system = await openSystem(systemName, ground);
        const measured = await measureThroughput(ground, system, load, callers);
        results[name][systemName].push(measured);
        say(`round ${round}, ${name}, ${systemName}: ${Math.round(measured.eventsPerSecond)} events/s`);
      }
    }
  }
  return results;
}

/** Sends a load after a warm-up of a quarter of it, and waits until all of it is delivered. */
export async function measureThroughput(ground: Ground, system: System, load: Load, callers: number): Promise<Throughput> {
  await warmUp(ground, system, { ...load, requests: Math.ceil(load.requests / 4) }, callers);
  await ground.resetSink();
  const events = load.requests * load.eventsPerRequest;
  const [before, callsBefore] = [await cpuSoFar(ground, system), await ground.redisCalls()];
  const startedAt = performance.now();
  const latencies = await sendClosed(system, load, callers);
  const { requests } = await ground.sunkAll(events);
  const seconds = (performance.now() - startedAt) / 1000;
  const [after, callsAfter] = [await cpuSoFar(ground, system), await ground.redisCalls()];
  return {
    eventsPerSecond: events / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    platformRequests: requests,
    cpuUs: cpuUsPerEvent(before, after, events),
    redisCalls: new Map([...callsAfter].map(([command, calls]) => [command, calls - (callsBefore.get(command) ?? 0)])),
    events,
  };
}

export async function warmUp(ground: Ground, system: System, load: Load, callers: number): Promise<void> {
  await ground.resetSink();
  await sendClosed(system, load, callers);
  await ground.sunkAll(load.requests * load.eventsPerRequest);
}
