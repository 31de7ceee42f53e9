import { PLATFORM_IDS } from '@relay/contract';
import { RelayError } from '@relay/contract';
import { WORKER_PLATFORMS } from '@relay/runtime';
import { describe, expect, it } from 'vitest';
import { fakeHealth } from '../testing/fake-health.ts';
import { openApi } from '../testing/open-api.ts';

const away = () => Promise.reject(new RelayError('storage_unavailable', 'Redis is not reachable.'));

describe('probes', () => {
  it('tell liveness without Redis, and readiness with it', async () => {
    await using api = await openApi();
    expect((await api.call('GET', '/healthz', { headers: { authorization: '' } })).body).toEqual({ status: 'ok' });
    expect((await api.call('GET', '/readyz', { headers: { authorization: '' } })).body).toEqual({
      status: 'ready', redis: { pingMs: 0.4 }, platforms: [{ platform: 'metaads', pending: 2, held: 2, oldestEventAgeSeconds: 7 }],
    });
  });

  it('are not ready while Redis is away or hangs', async () => {
    await using api = await openApi({ health: { ...fakeHealth(), ping: away } });
    const reply = await api.call('GET', '/readyz');
    expect(reply).toMatchObject({ status: 503, body: { code: 'storage_unavailable', details: { reason: 'redis' } } });
    expect(reply.headers['retry-after']).toBeDefined();
    expect((await api.call('GET', '/healthz')).status).toBe(200);
  });

  it('are not ready while the process drains', async () => {
    await using api = await openApi({ draining: AbortSignal.abort() });
    expect(await api.call('GET', '/readyz')).toMatchObject({ status: 503, body: { details: { reason: 'draining' } } });
  });
});

describe('GET /metrics', () => {
  it('fills the gauges from Redis', async () => {
    await using api = await openApi();
    const { text, headers } = await api.call('GET', '/metrics', { headers: { authorization: '' } });
    expect(headers['content-type']).toContain('text/plain');
    for (const line of [
      'relay_queue_jobs{queue="metaads",state="waiting"} 2',
      'relay_oldest_event_age_seconds{platform="metaads"} 7',
      'relay_held_events{platform="metaads"} 2',
      'relay_account_cooldown_seconds{account="acc_meta"} 30',
      'relay_ledger_imbalance{platform="metaads"} 0',
    ]) expect(text).toContain(line);
  });

  it('reads Redis once for scrapes that follow each other', async () => {
    let reads = 0;
    await using api = await openApi({ health: { ...fakeHealth(), ledger: () => ((reads += 1), fakeHealth().ledger()) } });
    await Promise.all([api.call('GET', '/metrics'), api.call('GET', '/metrics')]);
    await api.call('GET', '/metrics');
    expect(reads).toBe(1);
  });

  it('tells the rest without Redis, and no stale gauges', async () => {
    let isAway = false;
    let now = 0;
    const health = fakeHealth();
    await using api = await openApi({ now: () => now, health: { ...health, ledger: () => (isAway ? away() : health.ledger()) } });
    await api.call('GET', '/metrics');
    isAway = true;
    now += 10_000;
    const { status, text } = await api.call('GET', '/metrics');
    expect(status).toBe(200);
    expect(text).not.toContain('relay_held_events{');
    expect(text).toContain('relay_http_request_duration_seconds_count{route="/metrics"');
  });

  it('labels requests with the pattern, one for both mounts', async () => {
    await using api = await openApi();
    await api.call('GET', '/v1/deliveries/x');
    await api.call('GET', '/api/v1/deliveries/y');
    await api.call('GET', '/nowhere/4711');
    const text = await api.metrics.registry.metrics();
    expect(text).toContain('relay_http_request_duration_seconds_count{route="/v1/deliveries/:deliveryId",method="GET",status="404"} 2');
    expect(text).toContain('relay_http_request_duration_seconds_count{route="unknown",method="GET",status="404"} 1');
    expect(text).not.toContain('4711');
  });
});

describe('the names of platforms', () => {
  it('are the same in the configuration and in the contract', () => {
    expect(WORKER_PLATFORMS).toEqual(PLATFORM_IDS);
  });
});
