import { fastify, type FastifyInstance } from 'fastify';
import type { Metrics } from '@relay/runtime';
import type { SharedStore } from '@relay/redis';
import type { RunningLane } from './start-lane.ts';

/** A worker that has neither taken a job nor asked for one in this time is stuck. It asks every 5 s when idle. */
const STUCK_MS = 60_000;

export interface OpsDeps {
  readonly metrics: Metrics;
  readonly store: SharedStore;
  readonly lanes: readonly RunningLane[];
  readonly draining: AbortSignal;
}

/** `/healthz`, `/readyz` and `/metrics` of a worker; never listens by itself. */
export function buildOps({ metrics, store, lanes, draining }: OpsDeps): FastifyInstance {
  const app = fastify({ logger: false, connectionTimeout: 10_000, requestTimeout: 10_000 });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const stuck = lanes.filter((lane) => lane.active === 0 && Date.now() - lane.lastAliveMs > STUCK_MS).map((lane) => lane.lane.lane.queue);
    const redis = await store.health.ping().then(
      (ms) => ({ ok: true, ms }),
      () => ({ ok: false }),
    );
    const ready = redis.ok && stuck.length === 0 && !draining.aborted;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready', redis, stuck, draining: draining.aborted });
  });
  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return app;
}
