import { ERROR_CODES, RelayError } from '@relay/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { errorBody, toRelayError } from './error-body.ts';
import type { KnownRoutes } from './known-routes.ts';
import { noteFacts } from './note-facts.ts';

/** Seconds to wait where nothing better is known: a restart or a failover of Redis takes about that long. */
const RETRY_AFTER_SECONDS = 5;

/** One place turns faults into answers: the error handler, unknown routes and wrong methods. */
export function installErrors(app: FastifyInstance, deps: Pick<ApiDeps, 'logger' | 'config'>, routes: KnownRoutes): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toRelayError(thrown, request.routeOptions.bodyLimit ?? deps.config.bodyLimitBytes);
    logFault(deps.logger, error, request);
    // Fastify closes the connection where it has not read the body to its end. Closed with bytes unread, TCP resets it, and a
    // caller who sends all before he reads loses the answer; so Node reads the rest and lets it go, until `requestTimeout`.
    reply.removeHeader('connection');
    sendError(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = routes.methodsOf(path);
    if (methods.length === 0) return sendError(reply, new RelayError('route_not_found', 'There is no such route. The reference is at /docs.'));
    reply.header('allow', methods.join(', '));
    sendError(reply, new RelayError('method_not_allowed', `This route does not take ${request.method}. It takes ${methods.join(', ')}.`));
  });
}

export function sendError(reply: FastifyReply, error: RelayError): void {
  const { status } = ERROR_CODES[error.code];
  const retryAfter = error.extras.retryAfterSeconds ?? (status === 503 || status === 429 ? RETRY_AFTER_SECONDS : undefined);
  if (retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(retryAfter)));
  if (status === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', 'Bearer');
  noteFacts(reply.request, { code: error.code });
  // A serializer of its own: the route's is made for its documented answers.
  reply.code(status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(errorBody(error));
}

/** Refusals are told in the request's own line. A fault of ours is logged here, once. */
function logFault(logger: ApiDeps['logger'], error: RelayError, request: FastifyRequest): void {
  const { status } = ERROR_CODES[error.code];
  if (status < 500 || error.code === 'not_implemented' || error.code === 'event_index_off') return;
  const facts = { requestId: request.id, route: request.routeOptions.url, code: error.code, err: error.extras.cause ?? error };
  if (error.code === 'internal_error') logger.error(facts, 'http.failed');
  else logger.warn(facts, 'http.unavailable');
}
