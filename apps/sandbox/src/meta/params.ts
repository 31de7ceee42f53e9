import type { FastifyRequest } from 'fastify';

import { badParameter } from './errors.ts';
import type { Refusal } from './errors.ts';
import { isObject } from './kinds.ts';
import type { Json } from './kinds.ts';

/** Unparseable JSON is, to Graph, a request without parameters. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const bodyOf = (request: FastifyRequest): Json => (isObject(request.body) ? request.body : {});

/** A Graph parameter: from the query, else from the body. */
export function paramOf(request: FastifyRequest, name: string): string | undefined {
  const query = (request.query as Json)[name];
  if (typeof query === 'string') return query;
  const member = bodyOf(request)[name];
  return typeof member === 'string' ? member : undefined;
}

export function tokenOf(request: FastifyRequest): string | undefined {
  const param = paramOf(request, 'access_token');
  if (param !== undefined) return param;
  const header = request.headers.authorization;
  return header?.startsWith('Bearer ') === true ? header.slice('Bearer '.length) : undefined;
}

const MAX_EVENTS = 1000;

const withoutEncoding = (entry: unknown) => (typeof entry === 'string' ? parseJson(entry) : entry);

/** `data` as a list; in forms it is one JSON string, and its entries may be JSON strings as well. */
export function eventsOf(request: FastifyRequest): readonly unknown[] | Refusal {
  const given = bodyOf(request)['data'] ?? (request.query as Json)['data'];
  if (given === undefined || given === null) return badParameter('The parameter data is required');
  const data = withoutEncoding(given);
  if (!Array.isArray(data)) return badParameter('Param data must be an array.');
  if (data.length === 0) return badParameter('Param data must be non-empty.');
  if (data.length > MAX_EVENTS) return badParameter(`Param data must have at most ${MAX_EVENTS} elements.`);
  return data.some((entry) => typeof entry === 'string') ? data.map(withoutEncoding) : data;
}
