import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { withDeadline } from '../deadline.ts';
import { textAnswer } from '../schemas/error.ts';
import { KEYLESS } from '../schemas/registry.ts';

/** Scrapers in a row share one reading of Redis. */
const CACHE_MS = 2000;
const DEADLINE_MS = 2000;

type Needs = Pick<ApiDeps, 'health' | 'metrics' | 'now' | 'logger'>;

/** Prometheus. Without Redis the process's own metrics are still told, and the gauges about Redis are left out. */
export function getMetrics(app: ApiApp, deps: Needs): void {
  const { registry } = deps.metrics;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const refresh = async (): Promise<void> => {
    if (deps.now() - readAtMs < CACHE_MS) return;
    reading ??= readGauges(deps).finally(() => {
      readAtMs = deps.now();
      reading = undefined;
    });
    await reading;
  };
  const schema = {
    summary: 'Metrics',
    description: "In Prometheus' text format. Without Redis the process's own metrics are still told.",
    tags: ['Operations'],
    security: KEYLESS,
    response: { 200: textAnswer('Metrics') },
  };
  app.get('/metrics', { schema }, async (_request, reply) => {
    await refresh();
    return reply.type(registry.contentType).serializer(String).send(await registry.metrics());
  });
}

async function readGauges({ health, metrics, logger }: Needs): Promise<void> {
  const { queueJobs, oldestEventAgeSeconds, heldEvents, accountCooldownSeconds, ledgerImbalance } = metrics;
  try {
    const [ledger, oldest, queues, cooldowns] = await withDeadline(
      Promise.all([health.ledger(), health.oldestAgeSeconds(), health.queueCounts(), health.cooldowns()]),
      DEADLINE_MS,
    );
    for (const gauge of [queueJobs, accountCooldownSeconds]) gauge.reset();
    for (const { platform, accepted, delivered, dead, held, pending } of ledger) {
      heldEvents.set({ platform }, held);
      ledgerImbalance.set({ platform }, accepted - delivered - dead - held - pending);
      oldestEventAgeSeconds.set({ platform }, oldest.get(platform) ?? 0);
    }
    for (const { queue, counts } of queues) for (const [state, count] of Object.entries(counts)) queueJobs.set({ queue, state }, count);
    for (const [account, seconds] of cooldowns) accountCooldownSeconds.set({ account }, seconds);
  } catch (error) {
    // Old values would look like healthy ones.
    for (const gauge of [queueJobs, oldestEventAgeSeconds, heldEvents, accountCooldownSeconds, ledgerImbalance]) gauge.reset();
    logger.warn({ err: error }, 'metrics.storage_unavailable');
  }
}
