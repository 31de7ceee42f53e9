import { spawnProcess } from '@relay/testkit';
import { entry, READY_MS } from './ground.ts';
import { median } from './numbers.ts';
import type { Say } from './say.ts';
import type { Transformed } from './transform-loop.ts';

export interface Transform {
  /** Events per CPU second. */
  readonly relay: number;
  readonly sdk: number;
}

export interface TransformSizes {
  /** Of 1000 events. */
  readonly batches: number;
  readonly warmUpBatches: number;
}

/** Each in a process of its own, so that neither the other's garbage nor its types are in the way. */
export async function measureTransform({ batches, warmUpBatches }: TransformSizes, rounds: number, say: Say): Promise<Transform> {
  const taken = { relay: [] as number[], sdk: [] as number[] };
  for (let round = 1; round <= rounds; round += 1) {
    const relay = await runTransform('./transform-relay.ts', batches, warmUpBatches);
    const sdk = await runTransform('./transform-sdk.ts', batches, warmUpBatches);
    if (JSON.stringify(relay.sample) !== JSON.stringify(sdk.sample)) throw new Error(`not the same hashes: ${JSON.stringify([relay.sample[0], sdk.sample[0]])}`);
    taken.relay.push(relay.eventsPerCpuSecond);
    taken.sdk.push(sdk.eventsPerCpuSecond);
    say(`round ${round}: relay ${Math.round(relay.eventsPerCpuSecond)}, sdk ${Math.round(sdk.eventsPerCpuSecond)} events per CPU second`);
  }
  return { relay: median(taken.relay), sdk: median(taken.sdk) };
}

async function runTransform(program: string, batches: number, warmUpBatches: number): Promise<Transformed> {
  await using child = await spawnProcess(entry(program), { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }, { args: [String(batches), String(warmUpBatches)], timeoutMs: READY_MS });
  const { code } = await child.exited;
  const line = child.lines().findLast((text) => text.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`${program} ended with ${code}:\n${child.lines().join('\n')}`);
  return JSON.parse(line) as Transformed;
}
