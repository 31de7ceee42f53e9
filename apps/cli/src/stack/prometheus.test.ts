import { describe, expect, it } from 'vitest';
import { parseMetrics, sumOf } from './prometheus.ts';

const TEXT = `# HELP relay_events_failed_total Events
# TYPE relay_events_failed_total counter
relay_events_failed_total{platform="metaads",reason="a \\"b\\"}"} 3
relay_events_failed_total{platform="metaads",reason="c"} 4
relay_events_failed_total{platform="googleads",reason="c"} 5
process_cpu_seconds_total 1.5
`;

describe('parseMetrics', () => {
  it('reads names, labels and values', () => {
    expect(parseMetrics(TEXT)).toHaveLength(4);
    expect(parseMetrics(TEXT)[3]).toEqual({ name: 'process_cpu_seconds_total', labels: {}, value: 1.5 });
    expect(parseMetrics(TEXT)[0]?.labels).toEqual({ platform: 'metaads', reason: 'a \\"b\\"}' });
  });
});

describe('sumOf', () => {
  it('adds what fits, and tells none from zero', () => {
    const samples = parseMetrics(TEXT);
    expect(sumOf(samples, 'relay_events_failed_total', { platform: 'metaads' })).toBe(7);
    expect(sumOf(samples, 'relay_events_failed_total')).toBe(12);
    expect(sumOf(samples, 'relay_events_failed_total', { platform: 'linkedinads' })).toBeUndefined();
  });
});
