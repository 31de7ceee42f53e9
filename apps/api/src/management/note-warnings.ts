import type { FastifyRequest } from 'fastify';
import { noteFacts } from '../plugins/note-facts.ts';

const MAX_WARNINGS = 10;

/** What a listing left out and why, for the request's own line. Never about a person. */
export function noteWarnings(request: FastifyRequest, warnings: readonly string[]): void {
  if (warnings.length > 0) noteFacts(request, { warnings: warnings.slice(0, MAX_WARNINGS), warningCount: warnings.length });
}
