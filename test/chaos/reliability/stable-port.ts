import { createServer } from 'node:net';

/**
 * Below the range that the kernel takes outgoing connections' ports from (32768 and up), so that none of them can sit on the
 * port of a member that is down just now. A cluster node's bus has its port and 10,000: below that range too, and not in this one.
 */
const [LOWEST, HIGHEST] = [10_000, 19_999];
const given = new Set<number>();

/** A TCP port for a server that is killed and started again at the same address. */
export async function stablePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    // Not from the scenario's chance: which ports are free is the machine's affair.
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${LOWEST} to ${HIGHEST}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
