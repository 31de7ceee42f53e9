import { fastify, type FastifyInstance } from 'fastify';
import type { Metrics } from '@relay/runtime';
import type { Watchdog } from './watchdog.ts';

export interface OpsDeps {
  readonly metrics: Metrics;
  readonly watchdog: Pick<Watchdog, 'look'>;
  readonly draining: AbortSignal;
}

/**
 * `/healthz`, `/readyz` and `/metrics` of a worker; never listens by itself. Ready means that jobs are being consumed, not
 * that there is a connection.
 */
export function buildOps({ metrics, watchdog, draining }: OpsDeps): FastifyInstance {
  const app = fastify({ logger: false, connectionTimeout: 10_000, requestTimeout: 10_000 });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const { redis, notConsuming } = await watchdog.look();
    const ready = redis.ok && notConsuming.length === 0 && !draining.aborted;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready', redis, notConsuming, draining: draining.aborted });
  });
  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return app;
}
