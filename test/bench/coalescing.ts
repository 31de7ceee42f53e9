import type { Ground } from './ground.ts';
import { sendOpen } from './load.ts';
import { median } from './numbers.ts';
import type { Say } from './say.ts';
import { openSystem } from './systems.ts';
import { warmUp } from './throughput.ts';

export interface Coalescing {
  readonly events: number;
  readonly platformRequests: number;
  /** From the first request until all were answered: longer than offered where the machine takes in less a second. */
  readonly arrivedInMs: number;
}

export interface CoalescingSizes {
  readonly events: number;
  readonly perSecond: number;
}

const SINK_MS = 100;
const CALLERS = 64;

/** Single events to one destination, offered in a burst, while the platform takes its time. */
export async function measureCoalescing(ground: Ground, { events, perSecond }: CoalescingSizes, rounds: number, say: Say): Promise<Coalescing> {
  const load = { requests: events, eventsPerRequest: 1, sync: false };
  const taken: Coalescing[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await using relay = await openSystem('relay', ground);
    await warmUp(ground, relay, { ...load, requests: Math.ceil(events / 4) }, CALLERS);
    await ground.resetSink(SINK_MS);
    const { answeredInMs } = await sendOpen(relay, load, perSecond);
    const { requests } = await ground.sunkAll(events);
    taken.push({ events, platformRequests: requests, arrivedInMs: answeredInMs });
    say(`round ${round}: ${requests} platform requests, arrived in ${(answeredInMs / 1000).toFixed(1)} s`);
  }
  return { events, platformRequests: median(taken.map(({ platformRequests }) => platformRequests)), arrivedInMs: median(taken.map(({ arrivedInMs }) => arrivedInMs)) };
}
