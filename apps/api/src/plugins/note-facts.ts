import type { FastifyRequest } from 'fastify';

/** Adds to the request's one log line. Ids, counts and codes only. */
export function noteFacts(request: FastifyRequest, facts: Readonly<Record<string, unknown>>): void {
  request.facts = { ...request.facts, ...facts };
}
