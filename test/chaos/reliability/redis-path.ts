import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The way from a process to its Redis, on which connections can break, fall silent, or lose what fits a pattern. */
export interface RedisPath extends AsyncDisposable {
  readonly url: string;
  /** Breaks all connections; new ones work. */
  cut(): void;
  /** What is connected stays connected and hears nothing any more, as when a firewall forgets; new connections work. */
  silence(): void;
  /** From now on swallows what a client sends and fits, and all that comes after it on that connection; `undefined`: nothing. */
  swallow(pattern: RegExp | undefined): void;
}

export async function openRedisPath(parts: AsyncDisposableStack, targetPort: number): Promise<RedisPath> {
  const clients = new Map<Socket, { silent: boolean }>();
  let swallowing: RegExp | undefined;
  const server = createServer((client) => {
    const redis = connect({ host: '127.0.0.1', port: targetPort });
    const state = { silent: false };
    clients.set(client, state);
    const drop = () => {
      clients.delete(client);
      client.destroy();
      redis.destroy();
    };
    for (const socket of [client, redis]) socket.on('close', drop).on('error', drop).setNoDelay(true);
    client.on('data', (chunk) => {
      if (swallowing?.test(chunk.toString('latin1')) === true) state.silent = true;
      if (!state.silent) redis.write(chunk);
    });
    redis.on('data', (chunk) => {
      if (!state.silent) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = () => {
    for (const client of clients.keys()) client.destroy();
  };
  return parts.use({
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    silence() {
      for (const state of clients.values()) state.silent = true;
    },
    swallow(pattern) {
      swallowing = pattern;
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  });
}
