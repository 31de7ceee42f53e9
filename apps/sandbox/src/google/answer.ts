import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SandboxCore } from '../core/types.ts';

/** What a route decided: plain data, so that every answer can be tested without a server. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Events the request carried, 0 if it was not read that far. */
  readonly events?: number;
  /** Name of the route in the record; the one registered if absent. */
  readonly route?: string;
}

export interface RawRequest {
  readonly method: string;
  /** Without the query, as it came in. */
  readonly path: string;
  readonly headers: FastifyRequest['headers'];
  /** The body as it came in; empty for a request without one. */
  readonly raw: Buffer;
  readonly query: Readonly<Record<string, unknown>>;
}

const EMPTY = Buffer.alloc(0);

/** Turns a deciding function into a route handler that also notes the request. */
export function routeHandler(core: SandboxCore, decide: (request: RawRequest) => Answer) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const raw = Buffer.isBuffer(request.body) ? request.body : EMPTY;
    const query = request.query as Readonly<Record<string, unknown>>; // fastify's parser always gives an object
    const answer = decide({ method: request.method, path: request.url.split('?', 1)[0] ?? '', headers: request.headers, raw, query });
    core.requested({
      platform: 'google',
      route: answer.route ?? request.routeOptions.url ?? request.url,
      status: answer.status,
      events: answer.events ?? 0,
      bytes: raw.length,
      tookMs: reply.elapsedTime,
    });
    if (answer.headers) reply.headers(answer.headers);
    return reply.code(answer.status).send(answer.body);
  };
}
