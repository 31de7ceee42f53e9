import { fork } from 'node:child_process';
import { once } from 'node:events';
import { entry, READY_MS } from './ground.ts';
import { median } from './numbers.ts';
import type { Say } from './say.ts';
import { EVENTS_PER_BATCH, type Hashed } from './transform-loop.ts';

export interface Transform {
  /** Events per CPU second. */
  readonly relay: number;
  readonly sdk: number;
}

export interface TransformSizes {
  /** Of 1000 events, in each round. */
  readonly batches: number;
  readonly warmUpBatches: number;
}

/** Short enough that a host which is faster at one time and slower at another is so to both alike. */
const BATCHES_PER_TURN = 10;

/** Each in a process of its own, so that neither the other's garbage nor its types are in the way; in turns, new ones each round. */
export async function measureTransform({ batches, warmUpBatches }: TransformSizes, rounds: number, say: Say): Promise<Transform> {
  const taken = { relay: [] as number[], sdk: [] as number[] };
  for (let round = 1; round <= rounds; round += 1) {
    await using relay = await start('./transform-relay.ts');
    await using sdk = await start('./transform-sdk.ts');
    if (JSON.stringify(relay.sample) !== JSON.stringify(sdk.sample)) throw new Error(`not the same hashes: ${JSON.stringify([relay.sample[0], sdk.sample[0]])}`);
    await relay.take(warmUpBatches);
    await sdk.take(warmUpBatches);
    const cpuUs = { relay: 0, sdk: 0 };
    for (let done = 0; done < batches; done += BATCHES_PER_TURN) {
      const turn = Math.min(BATCHES_PER_TURN, batches - done);
      cpuUs.relay += await relay.take(turn);
      cpuUs.sdk += await sdk.take(turn);
    }
    const perSecond = (us: number) => (batches * EVENTS_PER_BATCH) / (us / 1e6);
    taken.relay.push(perSecond(cpuUs.relay));
    taken.sdk.push(perSecond(cpuUs.sdk));
    say(`round ${round}: relay ${Math.round(perSecond(cpuUs.relay))}, sdk ${Math.round(perSecond(cpuUs.sdk))} events per CPU second, ${(cpuUs.sdk / cpuUs.relay).toFixed(2)} x`);
  }
  return { relay: median(taken.relay), sdk: median(taken.sdk) };
}

interface Transformer extends AsyncDisposable {
  readonly sample: readonly Hashed[];
  /** CPU time that so many batches took, µs. */
  take(batches: number): Promise<number>;
}

async function start(program: string): Promise<Transformer> {
  const child = fork(entry(program));
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`)));
  ended.catch(() => undefined);
  const next = async (): Promise<unknown> => {
    const [said] = (await Promise.race([once(child, 'message', { signal: AbortSignal.timeout(READY_MS) }), ended])) as [unknown];
    return said;
  };
  const sample = (await next()) as readonly Hashed[];
  return {
    sample,
    async take(batches) {
      const taken = next();
      child.send(batches);
      return (await taken) as number;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended.catch(() => undefined);
    },
  };
}
