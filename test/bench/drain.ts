import { cpuSoFar, cpuUsPerEvent, type Cost } from './cost.ts';
import type { Ground } from './ground.ts';
import { sendClosed } from './load.ts';
import type { System } from './systems.ts';

export const EVENTS_PER_REQUEST = 1000;
const CALLERS = 4;

/** Sends so many events, a thousand a request, to a relay whose worker is not started, and waits until Redis is at rest. */
export async function fill(ground: Ground, system: System, events: number): Promise<void> {
  await ground.resetSink();
  await sendClosed(system, { requests: events / EVENTS_PER_REQUEST, eventsPerRequest: EVENTS_PER_REQUEST, sync: false }, CALLERS);
  await ground.rewritten();
}

export interface Drained {
  readonly eventsPerSecond: number;
  readonly cpuUs: Cost;
}

/** From when so many events have reached the sink until so many more have. Before that the worker warms up. */
export async function measureDrain(ground: Ground, system: System, { afterEvents, events }: { afterEvents: number; events: number }): Promise<Drained> {
  const from = await ground.sunkAll(afterEvents);
  const [startedAt, before] = [performance.now(), await cpuSoFar(ground, system)];
  const to = await ground.sunkAll(afterEvents + events);
  const [seconds, after] = [(performance.now() - startedAt) / 1000, await cpuSoFar(ground, system)];
  const drained = to.events - from.events;
  return { eventsPerSecond: drained / seconds, cpuUs: cpuUsPerEvent(before, after, drained) };
}
