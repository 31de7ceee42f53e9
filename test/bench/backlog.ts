import type { Cost } from './cost.ts';
import { fill, measureDrain, type Drained } from './drain.ts';
import { createBodies, NEIGHBOUR } from './events.ts';
import type { Ground } from './ground.ts';
import { mediansOf, quantilesOf, type Quantiles } from './latency.ts';
import { sendOpen } from './load.ts';
import { mebibytes, median } from './numbers.ts';
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
  /** The most that any round had. */
  readonly maxBytes: number;
  /** Median of the first, the middle and the last third; of these the medians of the rounds. */
  readonly thirdsBytes: readonly [number, number, number];
}

export interface BacklogSizes {
  readonly fill: number;
  readonly emptyFill: number;
  readonly warmUp: number;
  readonly window: number;
  readonly neighbour: { readonly perSecond: number; readonly seconds: number };
  readonly rounds: number;
}

const SINK_MS = 100;
const SAMPLE_MS = 200;

/**
 * Fills the queue while no worker runs, starts one, and watches it drain: a small backlog and a large one, in turns. Rates and
 * latencies are medians of the rounds; the memory is the most that any round had.
 */
export async function measureBacklog(ground: Ground, sizes: BacklogSizes, say: Say): Promise<Backlog> {
  const empty: SmallRound[] = [];
  const full: LargeRound[] = [];
  for (let round = 1; round <= sizes.rounds; round += 1) {
    const small = await smallRound(ground, sizes);
    empty.push(small);
    say(`empty queue, round ${round}: ${Math.round(small.drained.eventsPerSecond)} events/s; another destination's p99 ${small.alone.p99Ms.toFixed(0)} ms`);
    const large = await largeRound(ground, sizes, say);
    full.push(large);
    say(`${sizes.fill} waiting, round ${round}: ${Math.round(large.drained.eventsPerSecond)} events/s; another destination's p99 ${large.beside.p99Ms.toFixed(0)} ms, worker ${mebibytes(large.memory.maxBytes)}`);
  }
  const third = (n: 0 | 1 | 2) => median(full.map(({ memory }) => memory.thirdsBytes[n]));
  return {
    waiting: sizes.fill - sizes.warmUp - sizes.window,
    eventsPerSecond: full.map(({ drained }) => drained.eventsPerSecond),
    emptyEventsPerSecond: empty.map(({ drained }) => drained.eventsPerSecond),
    cpuUs: full.toSorted((a, b) => a.drained.eventsPerSecond - b.drained.eventsPerSecond)[Math.floor(full.length / 2)]!.drained.cpuUs,
    neighbour: {
      sinkMs: SINK_MS,
      alone: mediansOf(empty.map(({ alone }) => alone)),
      beside: mediansOf(full.map(({ beside }) => beside)),
      waiting: [median(full.map(({ waiting }) => waiting[0])), median(full.map(({ waiting }) => waiting[1]))],
    },
    memory: { maxBytes: Math.max(...full.map(({ memory }) => memory.maxBytes)), thirdsBytes: [third(0), third(1), third(2)] },
  };
}

interface SmallRound {
  readonly drained: Drained;
  readonly alone: Quantiles;
}

async function smallRound(ground: Ground, sizes: BacklogSizes): Promise<SmallRound> {
  await using relay = await openSystem('relay', ground, { worker: false });
  await fill(ground, relay, sizes.emptyFill);
  await relay.startWorker();
  const drained = await measureDrain(ground, relay, { afterEvents: sizes.warmUp, events: sizes.emptyFill - sizes.warmUp });
  await ground.resetSink(SINK_MS);
  return { drained, alone: await sendNeighbour(relay, sizes) };
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
