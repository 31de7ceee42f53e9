import { RelayError } from '@relay/contract';
import type { ApiKey, Scope } from '@relay/delivery';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { noteFacts } from './note-facts.ts';

/** A longer one is no key of ours and is not worth hashing. */
const MAX_SECRET_LENGTH = 512;

/**
 * Bearer keys for every route of the scope it is installed in, before the body is read: who may not send does not get
 * 32 MiB parsed. A route without a scope does not start.
 */
export function installAuthentication(app: FastifyInstance, deps: Pick<ApiDeps, 'apiKeys'>): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.scope === undefined) throw new Error(`${String(route.method)} ${route.url} names no scope`);
  });
  app.addHook('onRequest', async (request) => {
    const secret = bearerOf(request.headers.authorization);
    const apiKey = secret === undefined ? undefined : await deps.apiKeys.authenticate(secret);
    if (apiKey === undefined) throw new RelayError('unauthorized', 'Unauthorized');
    request.apiKey = apiKey;
    noteFacts(request, { apiKeyId: apiKey.id });
    requireScope(apiKey, request.routeOptions.config.scope);
  });
}

/** The caller of a route under `/v1`. */
export function callerOf(request: FastifyRequest): ApiKey {
  if (request.apiKey === undefined) throw new Error('the route is outside authentication');
  return request.apiKey;
}

function bearerOf(header: string | undefined): string | undefined {
  const secret = /^Bearer +([^\s]+)$/i.exec(header ?? '')?.[1];
  return secret !== undefined && secret.length <= MAX_SECRET_LENGTH ? secret : undefined;
}

function requireScope(apiKey: ApiKey, scope: Scope | undefined): void {
  if (scope !== undefined && apiKey.scopes.includes(scope)) return;
  throw new RelayError('insufficient_scope', `This API key does not have the scope "${scope}". Use another key, or have the scope added to this one.`);
}
