import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

const CONTRACT = [
  'relay_events_accepted_total{platform}',
  'relay_events_delivered_total{platform}',
  'relay_events_failed_total{platform,reason}',
  'relay_events_dead_lettered_total{platform,reason}',
  'relay_platform_requests_total{platform,outcome}',
  'relay_platform_request_duration_seconds{platform}',
  'relay_chunk_events{platform}',
  'relay_event_age_seconds{platform}',
  'relay_queue_jobs{queue,state}',
  'relay_oldest_event_age_seconds{platform}',
  'relay_held_events{platform}',
  'relay_account_cooldown_seconds{account}',
  'relay_ledger_imbalance{platform}',
  'relay_http_request_duration_seconds{route,method,status}',
];

describe('createMetrics', () => {
  it('has exactly the names and labels of the contract', () => {
    const { registry } = createMetrics({ processMetrics: false });
    const found = registry.getMetricsAsArray().map((metric) => {
      const { name } = metric as unknown as { name: string };
      return `${name}{${(metric as unknown as { labelNames: string[] }).labelNames.join(',')}}`;
    });
    expect(found.sort()).toEqual([...CONTRACT].sort());
  });

  it('keeps registries apart and adds the process metrics', async () => {
    const one = createMetrics();
    const two = createMetrics({ processMetrics: false });
    one.eventsAccepted.inc({ platform: 'metaads' }, 3);
    expect(await one.registry.metrics()).toContain('relay_events_accepted_total{platform="metaads"} 3');
    expect(await one.registry.metrics()).toContain('process_cpu_seconds_total');
    expect(await two.registry.metrics()).not.toContain('metaads');
  });
});
