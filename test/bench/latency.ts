import { anEvent } from './events.ts';
import type { Ground } from './ground.ts';
import { sendOpen } from './load.ts';
import { median, quantile } from './numbers.ts';
import { plainWire } from './plain-wire.ts';
import type { Say } from './say.ts';
import { openSystem } from './systems.ts';
import { warmUp } from './throughput.ts';

export interface Quantiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}
/** What a synchronous single event takes, by the sink's latency: through the relay, and straight to the sink. */
export interface Latency {
  readonly sinkMs: number;
  readonly perSecond: number;
  readonly relay: Quantiles;
  readonly sink: Quantiles;
}

export interface LatencySizes {
  readonly perSecond: number;
  /** How long to send at each latency of the sink. */
  readonly seconds: readonly { readonly sinkMs: number; readonly seconds: number }[];
  readonly warmUpRequests: number;
}

const CALLERS = 16;

/**
 * At a given rate, whatever the answers take. The sink's own time is measured in the same way, so that what this process
 * and the loopback interface take falls out of the difference.
 */
export async function measureLatency(ground: Ground, sizes: LatencySizes, rounds: number, say: Say): Promise<Latency[]> {
  const taken = sizes.seconds.map(({ sinkMs }) => ({ sinkMs, relay: [] as Quantiles[], sink: [] as Quantiles[] }));
  const wireEvent = Buffer.from(JSON.stringify({ data: [plainWire(anEvent(0))] }));
  const sink = { url: ground.sinkUrl, apiKey: 'none' };
  for (let round = 1; round <= rounds; round += 1) {
    await using relay = await openSystem('relay', ground);
    await warmUp(ground, relay, { requests: sizes.warmUpRequests, eventsPerRequest: 1, sync: true }, CALLERS);
    for (const [i, { sinkMs, seconds }] of sizes.seconds.entries()) {
      await ground.resetSink(sinkMs);
      const load = { requests: sizes.perSecond * seconds, eventsPerRequest: 1, sync: true };
      taken[i]!.sink.push(quantilesOf(await sendOpen(sink, { ...load, bodies: () => wireEvent }, sizes.perSecond)));
      taken[i]!.relay.push(quantilesOf(await sendOpen(relay, load, sizes.perSecond)));
      say(`round ${round}, sink ${sinkMs} ms: p50 ${taken[i]!.relay.at(-1)!.p50Ms.toFixed(1)} ms, p99 ${taken[i]!.relay.at(-1)!.p99Ms.toFixed(1)} ms`);
    }
  }
  return taken.map(({ sinkMs, relay, sink: own }) => ({ sinkMs, perSecond: sizes.perSecond, relay: mediansOf(relay), sink: mediansOf(own) }));
}

export const quantilesOf = ({ latenciesMs }: { latenciesMs: readonly number[] }): Quantiles => ({ p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) });

export const mediansOf = (rounds: readonly Quantiles[]): Quantiles => ({ p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)), p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)) });
