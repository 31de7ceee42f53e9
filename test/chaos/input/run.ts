import { inject } from 'vitest';

const chaos = inject('chaos');
/** The long form of the chaos tests; `npm test` runs the short one. */
export const LONG = chaos.long;
/** Of everything that is drawn by chance; said at the start of a run. `CHAOS_SEED=<seed>` replays it. */
export const SEED = chaos.seed;

/** The work over all of `inputs`, so many at a time, in their order of start. Stops at the first that throws. */
export async function inParallel<T>(inputs: Iterable<T>, width: number, work: (input: T, index: number) => Promise<void>): Promise<void> {
  const iterator = inputs[Symbol.iterator]();
  let index = -1;
  let failed = false;
  const lane = async (): Promise<void> => {
    for (;;) {
      const next = iterator.next();
      if (next.done === true || failed) return;
      index += 1;
      try {
        await work(next.value, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
