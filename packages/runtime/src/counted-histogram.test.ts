import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { CountedHistogram } from './counted-histogram.ts';

const OPTIONS = { name: 'age_seconds', help: 'Age', labelNames: ['platform'] as const };
const BUCKETS = [0.5, 1, 30];

describe('CountedHistogram', () => {
  it('shows what prom-client shows of as many single observations', async () => {
    // Quarters: their sums are the same in any order.
    const value = fc.integer({ min: 0, max: 400 }).map((n) => n / 4);
    const observation = fc.record({ platform: fc.constantFrom('metaads', 'a "b"\n'), value, times: fc.integer({ min: 1, max: 20 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(observation), async (observations) => {
        const [own, theirs] = [new Registry(), new Registry()];
        const counted = new CountedHistogram({ ...OPTIONS, buckets: BUCKETS, registry: own });
        const single = new Histogram({ ...OPTIONS, buckets: BUCKETS, registers: [theirs] });
        for (const { platform, value: seconds, times } of observations) {
          counted.observe({ platform }, seconds, times);
          for (let i = 0; i < times; i += 1) single.observe({ platform }, seconds);
        }
        expect(await own.metrics()).toBe(await theirs.metrics());
      }),
      { numRuns: 50 },
    );
  });

  it('starts anew', async () => {
    const registry = new Registry();
    new CountedHistogram({ ...OPTIONS, buckets: BUCKETS, registry }).observe({ platform: 'metaads' }, 1);
    registry.resetMetrics();
    expect(await registry.metrics()).not.toContain('metaads');
  });
});
