import { cpuSoFar, cpuUsPerEvent, type Cost } from './cost.ts';
import { EVENTS_PER_REQUEST, fill, measureDrain } from './drain.ts';
import { createBodies, destinations } from './events.ts';
import type { Ground } from './ground.ts';
import { sendOpen } from './load.ts';
import type { Say } from './say.ts';
import { openSystem } from './systems.ts';
import { measureThroughput, warmUp } from './throughput.ts';

/** CPU time per event as something grows. */
export interface Point {
  readonly x: number;
  readonly cpuUs: Cost;
}
export const SERIES = ['eventsPerRequest', 'requestsPerSecond', 'destinations', 'backlog'] as const;
export type Growth = Readonly<Record<(typeof SERIES)[number], readonly Point[]>>;

export interface GrowthSizes {
  readonly eventsPerRequest: readonly { readonly x: number; readonly requests: number }[];
  readonly requestsPerSecond: { readonly seconds: number; readonly xs: readonly number[] };
  readonly destinations: { readonly requests: number; readonly xs: readonly number[] };
  readonly backlog: { readonly warmUp: number; readonly window: number; readonly xs: readonly number[] };
}

const CALLERS = 64;
/** Requests of a thousand events fill the sockets of fewer callers. */
const BATCH_CALLERS = 4;

/** Four series, one system each, so that only what grows differs between the points. */
export async function measureGrowth(ground: Ground, sizes: GrowthSizes, say: Say): Promise<Growth> {
  return {
    eventsPerRequest: await byEventsPerRequest(ground, sizes.eventsPerRequest, say),
    requestsPerSecond: await byRequestsPerSecond(ground, sizes.requestsPerSecond, say),
    destinations: await byDestinations(ground, sizes.destinations, say),
    backlog: await byBacklog(ground, sizes.backlog, say),
  };
}

async function byEventsPerRequest(ground: Ground, points: GrowthSizes['eventsPerRequest'], say: Say): Promise<Point[]> {
  await using relay = await openSystem('relay', ground);
  const taken: Point[] = [];
  for (const { x, requests } of points) {
    const load = { requests, eventsPerRequest: x, sync: false };
    taken.push({ x, cpuUs: (await measureThroughput(ground, relay, load, x < EVENTS_PER_REQUEST ? CALLERS : BATCH_CALLERS)).cpuUs });
    say(`${x} events a request: ${told(taken)}`);
  }
  return taken;
}

async function byRequestsPerSecond(ground: Ground, { seconds, xs }: GrowthSizes['requestsPerSecond'], say: Say): Promise<Point[]> {
  await using relay = await openSystem('relay', ground);
  const load = (requests: number) => ({ requests, eventsPerRequest: 1, sync: false });
  await warmUp(ground, relay, load(Math.max(...xs)), CALLERS);
  const taken: Point[] = [];
  for (const x of xs) {
    await ground.resetSink();
    const before = await cpuSoFar(ground, relay);
    await sendOpen(relay, load(x * seconds), x);
    await ground.sunkAll(x * seconds);
    taken.push({ x, cpuUs: cpuUsPerEvent(before, await cpuSoFar(ground, relay), x * seconds) });
    say(`${x} requests/s: ${told(taken)}`);
  }
  return taken;
}

const EVENTS_PER_SMALL_REQUEST = 10;

async function byDestinations(ground: Ground, { requests, xs }: GrowthSizes['destinations'], say: Say): Promise<Point[]> {
  await using relay = await openSystem('relay', ground);
  const taken: Point[] = [];
  for (const x of xs) {
    const load = { requests, eventsPerRequest: EVENTS_PER_SMALL_REQUEST, sync: false, bodies: createBodies(EVENTS_PER_SMALL_REQUEST, destinations(x)) };
    taken.push({ x, cpuUs: (await measureThroughput(ground, relay, load, CALLERS)).cpuUs });
    say(`${x} destinations: ${told(taken)}`);
  }
  return taken;
}

/** The window of each point ends when so many are left: only what waits meanwhile differs. */
async function byBacklog(ground: Ground, { warmUp: afterEvents, window: events, xs }: GrowthSizes['backlog'], say: Say): Promise<Point[]> {
  const taken: Point[] = [];
  for (const x of xs) {
    await using relay = await openSystem('relay', ground, { worker: false });
    await fill(ground, relay, x + afterEvents + events);
    await relay.startWorker();
    taken.push({ x, cpuUs: (await measureDrain(ground, relay, { afterEvents, events })).cpuUs });
    await ground.sunkAll(x + afterEvents + events);
    say(`${x} waiting: ${told(taken)}`);
  }
  return taken;
}

const told = (points: readonly Point[]): string => {
  const { api, worker, redis } = points.at(-1)!.cpuUs;
  return `CPU µs per event: api ${api.toFixed(1)}, worker ${worker.toFixed(1)}, redis ${redis.toFixed(1)}`;
};
