import { RelayError } from '@relay/contract';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { withDeadline } from '../deadline.ts';
import { answerOf, errorAnswersOnly } from '../schemas/error.ts';
import { aliveSchema, readySchema } from '../schemas/ops.ts';
import { KEYLESS } from '../schemas/registry.ts';

const PROBE_MS = 2000;

/** Liveness: the event loop answers. Redis being away is no reason to restart the process. */
export function getHealthz(app: ApiApp): void {
  const schema = {
    summary: 'Liveness',
    description: 'The process answers. Says nothing about Redis: its absence is no reason to restart the process.',
    tags: ['Operations'],
    security: KEYLESS,
    response: { 200: answerOf(aliveSchema, 'Alive') },
  };
  app.get('/healthz', { schema }, () => ({ status: 'ok' }));
}

/** Readiness: Redis answers and the process is not on its way out; with the lag for whoever looks. */
export function getReadyz(app: ApiApp, deps: Pick<ApiDeps, 'health' | 'draining'>): void {
  const schema = {
    summary: 'Readiness',
    description: 'Redis answers and the process is not on its way out; with what waits and how old it is.',
    tags: ['Operations'],
    security: KEYLESS,
    response: { 200: answerOf(readySchema, 'Ready'), ...errorAnswersOnly(503) },
  };
  app.get('/readyz', { schema }, async () => {
    if (deps.draining?.aborted === true) {
      throw new RelayError('storage_unavailable', 'This process is shutting down; send requests to another one.', { details: { reason: 'draining' } });
    }
    try {
      const [pingMs, ledger, oldest] = await withDeadline(Promise.all([deps.health.ping(), deps.health.ledger(), deps.health.oldestAgeSeconds()]), PROBE_MS);
      return {
        status: 'ready',
        redis: { pingMs: Math.round(pingMs * 10) / 10 },
        platforms: ledger.map(({ platform, pending, held }) => ({ platform, pending, held, oldestEventAgeSeconds: oldest.get(platform) ?? 0 })),
      };
    } catch (cause) {
      throw new RelayError('storage_unavailable', 'Redis does not answer.', { details: { reason: 'redis' }, cause });
    }
  });
}
