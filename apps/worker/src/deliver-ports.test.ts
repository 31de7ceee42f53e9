import type { AttemptReport, BatchEvent, Settlement, TakenJob } from '@relay/delivery';
import { PLATFORMS } from '@relay/platforms';
import type { DeliveryLane, SharedStore } from '@relay/redis';
import { createLogger, createMetrics, type Sealer, type WorkerConfig } from '@relay/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDeliverPorts } from './deliver-ports.ts';

const NOW_MS = Date.UTC(2026, 10, 20);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Ports whose lane only takes settlements; what was counted and logged can be looked at. */
function open() {
  const lines: string[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const ports = createDeliverPorts({
    store: {} as SharedStore, // nothing here asks it
    lane: { settle: async () => undefined } as unknown as DeliveryLane,
    definition: PLATFORMS.metaads,
    endpoints: {} as never,
    config: { delivery: {}, googleStatusFirstPollMs: 0 } as WorkerConfig,
    sealer: {} as Sealer,
    send: () => Promise.reject(new Error('nothing is sent')),
    metrics,
    logger: createLogger({ level: 'info', name: 'worker', destination: { write: (line) => lines.push(line) } }),
  });
  return { ports, metrics, logged: (msg: string) => lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['msg'] === msg) };
}

/** Events of one job, accepted so long ago; each number is the client request that it came with. */
function events(ageSeconds: number, ...parts: readonly number[]): readonly BatchEvent[] {
  const job = { jobId: 'j', accountId: 'acc', destinationId: 'pixel', acceptedAtMs: NOW_MS - ageSeconds * 1000, deliveryId: (part: number) => `dlv_${part}` } as TakenJob;
  return parts.map((part, position) => ({ job, part, position, eventId: `e${position}`, wire: new Uint8Array(), expiresAtMs: Infinity }));
}
const death = (dead: readonly BatchEvent[]): NonNullable<Settlement['dead']>[number] => ({ events: dead, reason: 'rejected', code: '100', message: 'planted words', traceId: 'trace' });

describe('a settlement', () => {
  it('observes the age of every event that has its final answer, delivered or dead', async () => {
    const { ports, metrics } = open();
    await ports.settle({ delivered: { events: events(3, 0, 0), traceId: 'trace', poll: undefined }, dead: [death(events(100, 1)), death(events(200, 2))], requestMs: 7 });
    const text = await metrics.registry.metrics();
    expect(text).toContain('relay_event_age_seconds_count{platform="metaads"} 4');
    expect(text).toContain('relay_event_age_seconds_sum{platform="metaads"} 306');
  });

  it('says in the log whose events died, and of what', async () => {
    const { ports, logged } = open();
    await ports.settle({ dead: [death(events(1, 4)), death(events(1, 4, 5, 5))], requestMs: 7 });
    const facts = { platform: 'metaads', accountId: 'acc', destinationId: 'pixel', reason: 'rejected', code: '100', traceId: 'trace' };
    expect(logged('events.dead_lettered')).toMatchObject([
      { ...facts, deliveryId: 'dlv_4', deliveryIds: ['dlv_4'], events: 1 },
      { ...facts, deliveryIds: ['dlv_4', 'dlv_5'], events: 3 },
    ]);
    expect(logged('events.dead_lettered')[1]).not.toHaveProperty('deliveryId');
  });
});

describe('an attempt', () => {
  it('is one log line with the client requests that were in it', () => {
    const { ports, logged } = open();
    const attempt: AttemptReport = {
      platform: 'metaads',
      accountId: 'acc',
      destinationIds: ['pixel'],
      deliveryIds: ['dlv_1'],
      events: 2,
      jobs: 1,
      outcome: 'delivered',
      code: undefined,
      httpStatus: 200,
      traceId: 'trace',
      tookMs: 7,
      warnings: [],
    };
    ports.report(attempt);
    ports.report({ ...attempt, deliveryIds: ['dlv_1', 'dlv_2'] });
    expect(logged('delivery.attempted')).toMatchObject([
      { deliveryId: 'dlv_1', deliveryIds: ['dlv_1'], accountId: 'acc', platform: 'metaads', traceId: 'trace' },
      { deliveryIds: ['dlv_1', 'dlv_2'] },
    ]);
  });
});
