import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ERROR_CODES, RelayError, type ErrorCode } from '@relay/contract';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { errorBody } from './plugins/error-body.ts';
import { SERVER_LIMITS } from './server-limits.ts';

/**
 * How long what a caller still sends is read and dropped once he was refused. Closed with bytes unread, TCP resets the connection,
 * and a caller who sends all before he reads loses the answer (RFC 9112, 9.6).
 */
const LINGER_MS = 10_000;
const LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** The last request that began on a connection. */
interface Begun {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The answer to the one before, where it was not out when this one began. */
  readonly before: ServerResponse | undefined;
}

const lastOf = new WeakMap<Socket, Begun>();
/** Connections that were refused, or will be once what was asked for before is answered. */
const refused = new WeakSet<Socket>();

/** Notes what is asked for on each connection, by which it is told what the broken bytes of `answerBrokenHttp` belong to. */
export function followConnections(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw: request }, { raw: response }, done) => {
    const previous = lastOf.get(request.socket)?.response;
    lastOf.set(request.socket, { request, response, before: previous?.writableFinished === false ? previous : undefined });
    done();
  });
}

/**
 * What is not even HTTP never reaches a route; it is answered in the same shape, after the answers to all that was asked for
 * before it on the same connection, which then ends.
 */
export const answerBrokenHttp: NonNullable<FastifyServerOptions['clientErrorHandler']> = (error, socket) => {
  if (refused.has(socket)) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  refused.add(socket);
  const { code } = error as { code?: string };
  const last = lastOf.get(socket);
  const ahead = last?.request.complete === true ? last.response : last?.before;
  if (ahead !== undefined && !ahead.writableFinished) {
    ahead.once('close', () => {
      const now = lastOf.get(socket)!;
      // What was late may have come after all: it is what began since, or had begun behind what is ahead.
      if (code === LATE && now.response !== ahead && now.request.complete) refused.delete(socket);
      else if (socket.writable) refuse(socket, code, answerTo(code));
    });
    return;
  }
  // Answered before all of it had come: what breaks off then has had its answer.
  const isAnswered = last?.request.complete === false && last.response.writableEnded;
  refuse(socket, code, isAnswered ? '' : answerTo(code));
};

function refuse(socket: Socket, code: string | undefined, answer: string): void {
  socket.end(answer);
  if (code === LATE) {
    // It is still HTTP: what comes later would be taken for the rest of the request.
    socket.destroySoon();
    return;
  }
  const lingering = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(lingering));
}

function answerTo(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return inHttp(431, 'Request Header Fields Too Large', 'invalid_header', `The headers are larger than ${SERVER_LIMITS.http.maxHeaderSize} bytes.`);
  if (code === LATE) return inHttp(408, 'Request Timeout', 'invalid_request', 'The request took too long to arrive.');
  return inHttp(ERROR_CODES.invalid_request.status, 'Bad Request', 'invalid_request', 'The request is not valid HTTP.');
}

function inHttp(status: number, reason: string, code: ErrorCode, message: string): string {
  const body = JSON.stringify(errorBody(new RelayError(code, message)));
  return `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
