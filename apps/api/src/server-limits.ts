import type { Socket } from 'node:net';
import { ERROR_CODES, RelayError, type ErrorCode } from '@relay/contract';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { MAX_WAIT_SECONDS } from './conversion-headers.ts';
import { errorBody } from './plugins/error-body.ts';

/** So that a slow or silent client cannot hold a socket for ever. */
export const SERVER_LIMITS = {
  /** No byte either way for so long: beyond the longest `Prefer: wait`, which is silent by its nature. */
  connectionTimeout: (MAX_WAIT_SECONDS + 30) * 1000,
  /** From the first byte of a request to its last. 32 MiB in a minute is 4.5 Mbit/s. */
  requestTimeout: 60_000,
  /** Above the 60 s that load balancers keep idle connections, so that theirs ends first. */
  keepAliveTimeout: 72_000,
  http: { headersTimeout: 15_000, connectionsCheckingInterval: 5000, maxHeaderSize: 16_384, requireHostHeader: false },
} as const;

/** Connections whose last request was answered before all of it had come: what breaks off then has had its answer. */
const answeredEarly = new WeakSet<Socket>();

/** What Node would refuse in words of its own is refused in ours. To be called before any route is registered. */
export function installHttpRules(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { httpVersion, rawHeaders, socket } = request.raw;
    answeredEarly.delete(socket);
    // RFC 9112, 3.2: a request without a Host, or with two, is refused.
    const hosts = countHosts(rawHeaders);
    if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) done(new RelayError('invalid_header', 'A request needs one Host header.'));
    else done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (!request.raw.complete) answeredEarly.add(request.raw.socket);
    done();
  });
  // RFC 9110, 10.1.1: what is expected beyond 100-continue may be ignored.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
}

/** @param rawHeaders name, value, name, value, …: `headers` has the first Host alone, and `headersDistinct` is made anew for every request. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/** What is not even HTTP never reaches a route; it is answered in the same shape. */
export const answerBrokenHttp: NonNullable<FastifyServerOptions['clientErrorHandler']> = (error, socket) => {
  const { code } = error as { code?: string };
  if (code === 'HPE_HEADER_OVERFLOW') return end(socket, 431, 'Request Header Fields Too Large', 'invalid_header', `The headers are larger than ${SERVER_LIMITS.http.maxHeaderSize} bytes.`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return end(socket, 408, 'Request Timeout', 'invalid_request', 'The request took too long to arrive.');
  end(socket, ERROR_CODES.invalid_request.status, 'Bad Request', 'invalid_request', 'The request is not valid HTTP.');
};

function end(socket: Socket, status: number, reason: string, code: ErrorCode, message: string): void {
  if (!socket.writable || socket.destroyed || answeredEarly.has(socket)) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorBody(new RelayError(code, message)));
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}
