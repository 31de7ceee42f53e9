import { randomUUID } from 'node:crypto';
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
  /** Path and query as they came in: Rest.li tells structure from text by what is percent-encoded. */
  readonly url: string;
  readonly headers: FastifyRequest['headers'];
  /** The body as it came in; empty for a request without one. */
  readonly raw: Buffer;
  /** Goes out as `x-li-uuid`; LinkedIn's bodies carry no trace id. */
  readonly traceId: string;
  /** Scripted: take and acknowledge only the first half of the events. */
  readonly partial: boolean;
}

export interface RouteParts {
  readonly core: SandboxCore;
  readonly isPartial: (request: FastifyRequest) => boolean;
}

const EMPTY = Buffer.alloc(0);

/** Turns a deciding function into a route handler that also notes the request. */
export function routeHandler({ core, isPartial }: RouteParts, decide: (request: RawRequest) => Answer) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const raw = Buffer.isBuffer(request.body) ? request.body : EMPTY;
    const traceId = randomUUID();
    const answer = decide({ method: request.method, url: request.url, headers: request.headers, raw, traceId, partial: isPartial(request) });
    core.requested({
      platform: 'linkedin',
      route: answer.route ?? request.routeOptions.url ?? request.url,
      status: answer.status,
      events: answer.events ?? 0,
      bytes: raw.length,
      tookMs: reply.elapsedTime,
    });
    // Seen on LinkedIn's answers in general, not confirmed for this API.
    if (core.switchOf<boolean>('linkedin.traceHeaders', true)) reply.headers({ 'x-li-uuid': traceId, 'x-li-fabric': 'sandbox' });
    if (answer.headers) reply.headers(answer.headers);
    return reply.code(answer.status).send(answer.body);
  };
}
