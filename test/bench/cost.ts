import type { Ground } from './ground.ts';
import type { System } from './systems.ts';
import { cpuMs } from './usage.ts';

export const ROLES = ['api', 'worker', 'redis', 'rest'] as const;
/** CPU time by who used it; `rest`: sink and load generator, which share the machine. */
export type Cost = Readonly<Record<(typeof ROLES)[number], number>>;

/** CPU time so far, ms. */
export async function cpuSoFar(ground: Ground, system: System): Promise<Cost> {
  return { api: cpuMs(system.api.pid), worker: cpuMs(system.worker.pid), redis: await ground.redisCpuMs(), rest: ground.restCpuMs() };
}

/** CPU time between two looks, µs per event. */
export function cpuUsPerEvent(before: Cost, after: Cost, events: number): Cost {
  const of = (role: keyof Cost) => ((after[role] - before[role]) * 1000) / events;
  return { api: of('api'), worker: of('worker'), redis: of('redis'), rest: of('rest') };
}
