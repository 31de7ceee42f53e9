import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, withJitter } from './backoff.ts';
import { isSlow, parkDelayMs, patienceMs } from './patience.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('doubles its ceiling with every attempt up to the cap', () => {
    const ceilings = [1, 2, 3, 10, 11, 12].map((attempt) => backoffMs(attempt, 1_000, 900_000, 1 - Number.EPSILON));
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 512_000, 900_000, 900_000]);
  });

  it('is a whole number between nothing and the ceiling, also for attempt 1e6', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 86_400_000 }), random, (attempt, base, max, r) => {
        const wait = backoffMs(attempt, base, max, r);
        expect(Number.isSafeInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(Math.min(base * 2 ** (attempt - 1), max));
      }),
    );
    expect(backoffMs(1_000_000, 1_000, 900_000, 0.5)).toBe(450_000);
  });

  it('uses the whole range (full jitter)', () => {
    expect(backoffMs(5, 1_000, 900_000, 0)).toBe(0);
    expect(backoffMs(5, 1_000, 900_000, 0.25)).toBe(4_000);
  });
});

describe('withJitter', () => {
  it('adds up to a tenth and never takes away', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), random, (wait, r) => {
        expect(withJitter(wait, r)).toBeGreaterThanOrEqual(wait);
        expect(withJitter(wait, r)).toBeLessThanOrEqual(Math.round(wait * 1.1));
      }),
    );
  });
});

describe('patience', () => {
  it('waits for a quick destination about two requests long, at least a quarter of a second', () => {
    expect([patienceMs(0), patienceMs(100), patienceMs(2_000)]).toEqual([250, 250, 4_000]);
    expect([isSlow(2_500), isSlow(2_501)]).toEqual([false, true]);
  });

  it('parks for about as long as what is before it takes, between half a second and less than 40', () => {
    expect(parkDelayMs(6_000, 0.5)).toBe(6_000);
    expect(parkDelayMs(10, 0)).toBe(500);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), random, (beforeMs, r) => {
        const delay = parkDelayMs(beforeMs, r);
        expect(delay).toBeGreaterThanOrEqual(500);
        expect(delay).toBeLessThan(40_000);
      }),
    );
  });
});
