import type { Backlog } from './backlog.ts';
import type { Coalescing } from './coalescing.ts';
import type { Growth } from './growth.ts';
import type { Latency } from './latency.ts';
import { fixed, median, mebibytes, whole } from './numbers.ts';
import type { PlatformThroughputs } from './platforms.ts';
import type { Storage } from './storage.ts';
import { SYSTEMS, type SystemName } from './systems.ts';
import { LOADS, type LoadName, type Throughput, type Throughputs } from './throughput.ts';
import type { Transform } from './transform.ts';

/** What was measured; a measure that was not asked for, or that failed, is left out. */
export interface Results {
  throughput?: Throughputs;
  latency?: readonly Latency[];
  coalescing?: Coalescing;
  transform?: Transform;
  storage?: Storage;
  platforms?: PlatformThroughputs;
  backlog?: Backlog;
  growth?: Growth;
}

export interface Line {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  /** `undefined`: there is none. */
  readonly met: boolean | undefined;
}

/** One line a target, in the order of the document. */
export function linesOf(results: Results): Line[] {
  const { throughput, latency, coalescing, transform, storage, backlog } = results;
  return [
    ...(throughput ? rateLines(throughput) : []),
    ...(latency ?? []).flatMap(latencyLines),
    ...(coalescing ? [coalescingLine(coalescing)] : []),
    ...(transform ? [transformLine(transform)] : []),
    ...(storage ? [storageLine(storage)] : []),
    ...(backlog ? backlogLines(backlog) : []),
    ...(throughput ? [commandsLine(throughput)] : []),
  ];
}

/** The tables and the commands, as Markdown. */
export function textOf(results: Results): string {
  const lines = linesOf(results).map(({ what, measured, target, met }) => [what, measured, target, met === undefined ? '' : met ? 'yes' : 'no']);
  // `growth` alone has no lines: its figures are in the plots.
  const parts = lines.length === 0 ? [] : [tableOf(['what', 'measured', 'target', 'met'], lines)];
  if (results.throughput) parts.push(systemsTable(results.throughput), commandsText(results.throughput));
  if (results.platforms) parts.push(platformsTable(results.platforms));
  return parts.join('\n\n');
}

const atLeast = (what: string, value: number, bound: number, figures: string): Line => ({ what, measured: `${fixed(value, 2)} x (${figures})`, target: `>= ${bound} x`, met: value >= bound });

function rateLines(throughput: Throughputs): Line[] {
  const rate = (load: LoadName, system: SystemName) => medianOf(throughput[load][system], ({ eventsPerSecond }) => eventsPerSecond);
  const compared = (load: LoadName, base: SystemName, baseLoad = load) => {
    const [own, other] = [rate(load, 'relay'), rate(baseLoad, base)];
    return [own / other, `${whole(own)} to ${whole(other)} events/s`] as const;
  };
  const line = (what: string, bound: number, [value, figures]: readonly [number, string]) => atLeast(what, value, bound, figures);
  return [
    line('batched: delivered, against floor', 0.7, compared('batched', 'floor')),
    line('batched: delivered, against floor+hash', 0.95, compared('batched', 'floor+hash')),
    line('single: accepted and delivered, against floor', 1.5, compared('single', 'floor')),
    line('single, four times as many callers: accepted and delivered, against floor', 1.5, compared('crowd', 'floor')),
    line('single, synchronous: answered, against what floor only queues', 0.8, compared('synchronous', 'floor', 'single')),
  ];
}

const MOST_ADDED_MS = { p50Ms: 5, p99Ms: 25 } as const;

function latencyLines({ sinkMs, perSecond, relay, sink }: Latency): Line[] {
  return (['p50Ms', 'p99Ms'] as const).map((quantile) => {
    const added = relay[quantile] - sink[quantile];
    const hasTarget = sinkMs === 0;
    return {
      what: `single, synchronous, ${perSecond}/s: ${quantile.slice(0, 3)} added to a platform's ${sinkMs} ms`,
      measured: `${fixed(added, 1)} ms (${fixed(relay[quantile], 1)}, of that the sink ${fixed(sink[quantile], 1)})`,
      target: hasTarget ? `<= ${MOST_ADDED_MS[quantile]} ms` : '',
      met: hasTarget ? added <= MOST_ADDED_MS[quantile] : undefined,
    };
  });
}

const MOST_REQUESTS = 60;

function coalescingLine({ events, platformRequests, arrivedInMs }: Coalescing): Line {
  return {
    what: `platform requests for ${whole(events)} single events at once, platform 100 ms`,
    measured: `${whole(platformRequests)} (arrived in ${fixed(arrivedInMs / 1000, 1)} s)`,
    target: `<= ${MOST_REQUESTS}`,
    met: platformRequests <= MOST_REQUESTS,
  };
}

function transformLine({ relay, sdk }: Transform): Line {
  return atLeast('check, normalise, hash, serialise: events per CPU second, against sdk', relay / sdk, 5, `${whole(relay)} to ${whole(sdk)}`);
}

const MOST_STORED = 0.4;

function storageLine({ bytesPerEvent, wireBytesPerEvent }: Storage): Line {
  const share = bytesPerEvent / wireBytesPerEvent;
  return {
    what: 'bytes in Redis per waiting event, batched, against its wire JSON',
    measured: `${fixed(share, 2)} x (${whole(bytesPerEvent)} to ${whole(wireBytesPerEvent)})`,
    target: `<= ${MOST_STORED} x`,
    met: share <= MOST_STORED,
  };
}

const MOST_RSS_BYTES = 350 * 2 ** 20;
/** The last third of the drain may hold so much more than the middle one and still be called flat. */
const FLAT = 1.1;
const MOST_ROUND_TRIPS = 2;

function backlogLines({ waiting, eventsPerSecond, emptyEventsPerSecond, neighbour, memory }: Backlog): Line[] {
  const [full, empty] = [median(eventsPerSecond), median(emptyEventsPerSecond)];
  const [first, middle, last] = memory.thirdsBytes;
  const addedMs = neighbour.beside.p99Ms - neighbour.alone.p99Ms;
  const roundTrips = addedMs / neighbour.sinkMs;
  return [
    atLeast(`drain rate with ${whole(waiting)} events waiting, against an empty queue`, full / empty, 0.9, `${whole(full)} to ${whole(empty)} events/s`),
    {
      what: 'memory of the worker meanwhile (RSS)',
      measured: `${mebibytes(memory.maxBytes)} at most; by thirds ${[first, middle, last].map(mebibytes).join(', ')}`,
      target: 'flat, <= 350 MiB',
      met: memory.maxBytes <= MOST_RSS_BYTES && last <= middle * FLAT,
    },
    {
      what: `p99 added to a small destination's events while a large one has ${whole(neighbour.waiting[0])} to ${whole(neighbour.waiting[1])} waiting`,
      measured: `${fixed(roundTrips, 2)} round trips (${fixed(addedMs, 0)} ms, to ${fixed(neighbour.alone.p99Ms, 0)} ms alone; p50 ${fixed(neighbour.beside.p50Ms, 0)} to ${fixed(neighbour.alone.p50Ms, 0)} ms)`,
      target: `<= ${MOST_ROUND_TRIPS} round trips`,
      met: roundTrips <= MOST_ROUND_TRIPS,
    },
  ];
}

function commandsLine({ batched }: Throughputs): Line {
  const own = callsPerEvent(batched.relay);
  return { what: 'Redis commands per delivered event, batched', measured: `${fixed(own, 3)} (floor ${fixed(callsPerEvent(batched.floor), 3)})`, target: 'reported', met: undefined };
}

const callsPerEvent = (rounds: readonly Throughput[]): number =>
  medianOf(rounds, ({ redisCalls, events }) => [...redisCalls.values()].reduce((sum, calls) => sum + calls, 0) / events);

const medianOf = (rounds: readonly Throughput[], figure: (round: Throughput) => number): number => median(rounds.map(figure));

function systemsTable(throughput: Throughputs): string {
  const head = ['load', 'system', 'events/s: median (min to max)', 'of floor', 'CPU µs per event: api', 'worker', 'Redis', 'load and sink', 'answer p50 / p99, ms', 'platform requests', 'Redis commands per event'];
  // The floor knows no synchronous answer: those are against what it only queues.
  const floorOf = (load: LoadName) => throughput[load === 'synchronous' ? 'single' : load].floor;
  const rows = LOADS.flatMap((load) =>
    SYSTEMS.filter((system) => throughput[load][system].length > 0).map((system) => {
      const rounds = throughput[load][system];
      return [
        load,
        system,
        rateOf(rounds),
        fixed(medianOf(rounds, perSecond) / medianOf(floorOf(load), perSecond), 2),
        ...cpuOf(rounds),
        `${fixed(medianOf(rounds, ({ p50Ms }) => p50Ms), 1)} / ${fixed(medianOf(rounds, ({ p99Ms }) => p99Ms), 1)}`,
        whole(medianOf(rounds, ({ platformRequests }) => platformRequests)),
        fixed(callsPerEvent(rounds), 3),
      ];
    }),
  );
  return tableOf(head, rows);
}

function platformsTable(platforms: PlatformThroughputs): string {
  const head = ['platform', 'batched, events/s: median (min to max)', 'CPU µs per event: api', 'worker', 'Redis', 'load and sink', 'events per platform request'];
  const rows = Object.entries(platforms).map(([platform, rounds]) => [
    platform,
    rateOf(rounds),
    ...cpuOf(rounds),
    whole(medianOf(rounds, ({ events, platformRequests }) => events / platformRequests)),
  ]);
  return tableOf(head, rows);
}

const perSecond = ({ eventsPerSecond }: Throughput): number => eventsPerSecond;

function rateOf(rounds: readonly Throughput[]): string {
  const rates = rounds.map(perSecond);
  return `${whole(median(rates))} (${whole(Math.min(...rates))} to ${whole(Math.max(...rates))})`;
}

const cpuOf = (rounds: readonly Throughput[]): string[] => (['api', 'worker', 'redis', 'rest'] as const).map((role) => fixed(medianOf(rounds, ({ cpuUs }) => cpuUs[role]), 1));

const SHOWN_COMMANDS = 12;

/** Calls from within Lua scripts are counted as well, as Redis does. */
function commandsText(throughput: Throughputs): string {
  return LOADS.map((load) => {
    const { redisCalls, events } = throughput[load].relay[0]!;
    const top = [...redisCalls].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN_COMMANDS);
    return `Redis commands of the relay per event, ${load}: ${top.map(([command, calls]) => `${command} ${fixed(calls / events, 3)}`).join(', ')}.`;
  }).join('\n\n');
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
