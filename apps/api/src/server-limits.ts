import { RelayError } from '@relay/contract';
import type { FastifyInstance } from 'fastify';
import { MAX_WAIT_SECONDS } from './conversion-headers.ts';

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

/** What Node would refuse in words of its own is refused in ours. To be called before any route is registered. */
export function installHttpRules(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { httpVersion, rawHeaders } = request.raw;
    // RFC 9112, 3.2: a request without a Host, or with two, is refused.
    const hosts = countHosts(rawHeaders);
    if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) done(new RelayError('invalid_header', 'A request needs one Host header.'));
    else done();
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
