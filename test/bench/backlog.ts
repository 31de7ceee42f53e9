import type { Cost } from './cost.ts';
import { fill, measureDrain, type Drained } from './drain.ts';
import { createBodies, NEIGHBOUR } from './events.ts';
import type { Ground } from './ground.ts';
import { quantilesOf, type Quantiles } from './latency.ts';
import { sendOpen } from './load.ts';
import { median } from './numbers.ts';
import type { Say } from './say.ts';
import { openSystem, type System } from './systems.ts';
import { residentBytes, sample } from './usage.ts';

export interface Backlog {
  /** Events that waited, at least, while the drain rate was measured. */
  readonly waiting: number;
  /** With so many waiting, and from a queue that is nearly empty: one a round. */
  readonly eventsPerSecond: readonly number[];
  readonly emptyEventsPerSecond: readonly number[];
  readonly cpuUs: Cost;
  readonly neighbour: Neighbour;
  readonly memory: Memory;
}

/** Synchronous single events to another destination. */
interface Neighbour {
  readonly sinkMs: number;
  readonly alone: Quantiles;
  readonly beside: Quantiles;
  /** Events of the large destination that waited when the first was sent, and after the last. */
  readonly waiting: readonly [number, number];
}

/** Resident set of the worker from its start until the queue is empty. */
interface Memory {
  readonly maxBytes: number;
  /** Median of the first, the middle and the last third. */
  readonly thirdsBytes: readonly [number, number, number];
}

export interface BacklogSizes {
  readonly fill: number;
  readonly emptyFill: number;
  readonly warmUp: number;
  readonly window: number;
  readonly neighbour: { readonly perSecond: number; readonly seconds: number };
  readonly emptyRounds: number;
  /** Of the large backlog. */
  readonly rounds: number;
}

const SINK_MS = 100;
const SAMPLE_MS = 200;

/** Fills the queue while no worker runs, starts one, and watches it drain. */
export async function measureBacklog(ground: Ground, sizes: BacklogSizes, say: Say): Promise<Backlog> {
  const empty: Drained[] = [];
  const alone: Quantiles[] = [];
  for (let round = 1; round <= sizes.emptyRounds; round += 1) {
    await using relay = await openSystem('relay', ground, { worker: false });
    await fill(ground, relay, sizes.emptyFill);
    await relay.startWorker();
    empty.push(await measureDrain(ground, relay, { afterEvents: sizes.warmUp, events: sizes.emptyFill - sizes.warmUp }));
    say(`empty queue, round ${round}: ${Math.round(empty.at(-1)!.eventsPerSecond)} events/s`);
    if (round > 1) continue;
    await ground.resetSink(SINK_MS);
    alone.push(await sendNeighbour(relay, sizes));
  }
  const full: LargeRound[] = [];
  for (let round = 1; round <= sizes.rounds; round += 1) {
    full.push(await largeRound(ground, sizes, say));
    say(`${sizes.fill} waiting, round ${round}: ${Math.round(full.at(-1)!.drained.eventsPerSecond)} events/s`);
  }
  const { drained, beside, waiting, memory } = full.toSorted((a, b) => a.drained.eventsPerSecond - b.drained.eventsPerSecond)[Math.floor(full.length / 2)]!;
  return {
    waiting: sizes.fill - sizes.warmUp - sizes.window,
    eventsPerSecond: full.map((round) => round.drained.eventsPerSecond),
    emptyEventsPerSecond: empty.map((round) => round.eventsPerSecond),
    cpuUs: drained.cpuUs,
    neighbour: { sinkMs: SINK_MS, alone: alone[0]!, beside, waiting },
    memory,
  };
}

interface LargeRound {
  readonly drained: Drained;
  readonly beside: Quantiles;
  readonly waiting: readonly [number, number];
  readonly memory: Memory;
}

async function largeRound(ground: Ground, sizes: BacklogSizes, say: Say): Promise<LargeRound> {
  await using relay = await openSystem('relay', ground, { worker: false });
  await fill(ground, relay, sizes.fill);
  say(`${sizes.fill} events wait`);
  await relay.startWorker();
  using resident = sample(SAMPLE_MS, () => residentBytes(relay.worker.pid));
  const drained = await measureDrain(ground, relay, { afterEvents: sizes.warmUp, events: sizes.window });
  await ground.setSinkLatency(SINK_MS);
  const waitingNow = async () => sizes.fill - (await ground.sunk()).events;
  const from = await waitingNow();
  const beside = await sendNeighbour(relay, sizes);
  const to = await waitingNow();
  await ground.setSinkLatency(0);
  await ground.sunkAll(sizes.fill + sizes.neighbour.perSecond * sizes.neighbour.seconds);
  return { drained, beside, waiting: [from, Math.max(to, 0)], memory: memoryOf(resident.samples) };
}

async function sendNeighbour(relay: System, { neighbour: { perSecond, seconds } }: BacklogSizes): Promise<Quantiles> {
  const load = { requests: perSecond * seconds, eventsPerRequest: 1, sync: true, bodies: createBodies(1, [NEIGHBOUR]) };
  return quantilesOf(await sendOpen(relay, load, perSecond));
}

function memoryOf(samples: readonly number[]): Memory {
  const third = Math.ceil(samples.length / 3);
  const medianOf = (n: number) => median(samples.slice(n * third, (n + 1) * third));
  return { maxBytes: Math.max(...samples), thirdsBytes: [medianOf(0), medianOf(1), medianOf(2)] };
}
