import { hash } from 'node:crypto';

/** Chance that a seed decides: the same seed makes the same choices, so a run can be played again. */
export interface Chance {
  readonly seed: number;
  /** 0 ≤ x < 1. */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(list: readonly T[]): T;
  /** Chance of its own for a part of the scenario, so that one part's draws do not shift another's. */
  fork(name: string): Chance;
}

export function createChance(seed: number): Chance {
  // mulberry32: small, and good enough to choose victims and moments.
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    seed,
    next,
    between,
    pick: (list) => list[between(0, list.length - 1)]!,
    fork: (name) => createChance(hash('sha1', `${seed} ${name}`, 'buffer').readUInt32BE(0)),
  };
}
