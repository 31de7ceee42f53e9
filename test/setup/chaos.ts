import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    chaos: {
      /** Of everything that is drawn by chance. */
      readonly seed: number;
      /** The long form: `npm run test:chaos`. */
      readonly long: boolean;
    };
  }
}

/** One seed for all chaos tests of a run: `CHAOS_SEED`, or drawn here and said. */
export function setup(project: TestProject): void {
  const given = process.env['CHAOS_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`CHAOS_SEED must be a whole number, and is "${given}"`);
  const long = process.env['CHAOS_LONG'] === '1';
  project.provide('chaos', { seed, long });
  if (given !== undefined) return;
  // The next project loads this file anew and is to have the same seed.
  process.env['CHAOS_SEED'] = String(seed);
  const again = long ? 'npm run test:chaos' : 'npx vitest run --project chaos --project chaos-reliability';
  console.log(`chaos, ${long ? 'long' : 'short'} form; the same again: CHAOS_SEED=${seed} ${again}`);
}
