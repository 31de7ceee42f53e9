import { hash } from 'node:crypto';
import { RelayError } from '@relay/contract';
import { freeMemory } from '@relay/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { LARGE_BODY_BYTES, LargeBody } from '../ingest/large-body.ts';
import { isCheckedQuickly } from '../json/compile-schemas.ts';
import { parseBody } from '../json/parse-body.ts';

/** JSON and nothing else. Keeps the SHA-256 of the raw bytes where an Idempotency-Key has to be compared with its body. */
export function installJsonBody(app: FastifyInstance, { largeBodies }: Pick<ApiDeps, 'largeBodies'>): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest('bodyParts', undefined);
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (isLarge(request)) {
      const parts: Buffer[] = [];
      request.bodyParts = parts;
      payload.on('data', (part: Buffer) => void parts.push(part));
    }
    done(null, payload);
  });
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, raw: Buffer, done) => {
    // Fastify has put them together into `raw`, which is a copy.
    for (const part of request.bodyParts ?? []) if (part.buffer !== raw.buffer) freeMemory(part);
    request.bodyParts = undefined;
    try {
      done(null, readBody(request, raw, largeBodies !== undefined));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
}

/** A large body that is going to be read; one that is too large or no JSON is refused unread, and must not be gathered here either. */
function isLarge({ headers, routeOptions }: FastifyRequest): boolean {
  const length = Number(headers['content-length']);
  if (!(length >= LARGE_BODY_BYTES && length <= routeOptions.bodyLimit)) return false;
  return /^application\/json/i.test(headers['content-type'] ?? '') && isCheckedQuickly(routeOptions.schema?.body);
}

function readBody(request: FastifyRequest, raw: Buffer, hasThreads: boolean): unknown {
  const { headers, method, routeOptions } = request;
  requireUtf8(headers);
  if (raw.length === 0 && (routeOptions.config.bodyOptional === true || method === 'DELETE' || method === 'GET')) return undefined;
  if (headers['idempotency-key'] !== undefined) request.bodyHash = hash('sha256', raw, 'hex');
  const mayBePutOff = isCheckedQuickly(routeOptions.schema?.body);
  if (hasThreads && mayBePutOff && raw.length >= LARGE_BODY_BYTES) return new LargeBody(raw);
  return parseBody(raw, mayBePutOff);
}

function requireUtf8(headers: FastifyRequest['headers']): void {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw new RelayError('unsupported_media_type', 'JSON is sent in UTF-8; leave the charset out or say utf-8.');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw new RelayError('unsupported_media_type', 'Compressed request bodies are not taken; send the body without Content-Encoding.');
}
