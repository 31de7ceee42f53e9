import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { ApiDeps } from '../api-deps.ts';

/** nginx' status for a caller that hung up before the answer. */
const CLIENT_GONE = 499;
const GIVEN_ID = /^[A-Za-z0-9_.-]{8,64}$/;

/** The caller's `X-Request-Id` where it is harmless, else one of ours. */
export function requestIdOf(request: IncomingMessage | { readonly headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && GIVEN_ID.test(given) ? given : `req_${randomUUID().replaceAll('-', '')}`;
}

/** One histogram observation and one log line per request, and the headers that every answer carries. */
export function installRequestFacts(app: FastifyInstance, deps: Pick<ApiDeps, 'logger' | 'metrics'>): void {
  app.decorateRequest('apiKey', undefined);
  app.decorateRequest('bodyHash', undefined);
  app.decorateRequest('facts', undefined);
  app.decorateRequest('startedAtMs', undefined);

  const ended = (request: FastifyRequest, status: number): void => {
    if (request.startedAtMs === undefined) return; // already told: answered and aborted at once
    const tookMs = performance.now() - request.startedAtMs;
    request.startedAtMs = undefined;
    const route = routeLabel(request);
    deps.metrics.httpRequestSeconds.observe({ route, method: request.method, status: String(status) }, tookMs / 1000);
    const line = { requestId: request.id, method: request.method, route, status, tookMs: Math.round(tookMs), ...request.facts };
    if (route.startsWith('/v1/')) deps.logger.info(line, 'http.answered');
    else deps.logger.debug(line, 'http.answered');
  };

  app.addHook('onRequest', (request, reply, done) => {
    request.startedAtMs = performance.now();
    // Not `onRequestAbort`, which only sees callers that leave before their request is complete.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) ended(request, CLIENT_GONE);
    });
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    ended(request, reply.statusCode);
    done();
  });
}

/** The pattern, never the path. Both mounts of the API count as one route. */
function routeLabel(request: FastifyRequest): string {
  const { url } = request.routeOptions;
  return url === undefined || request.is404 ? 'unknown' : url.replace(/^\/api\/v1\//, '/v1/');
}
