import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a store and its Redis, to do at the worst moment what networks do. */
export interface RedisProxy extends AsyncDisposable {
  readonly url: string;
  /** Where connections go from now on. */
  target: URL;
  /** Once: does this before what matches is passed on to Redis. */
  before(pattern: RegExp, work: () => Promise<unknown>): void;
  /** Once: passes on what matches; its answer is lost and the connection with it. Resolves when that has happened. */
  loseAnswerTo(pattern: RegExp): Promise<void>;
  /** Cuts all connections; `true`: and lets no new ones in. */
  cut(stayAway: boolean): void;
  /** Lets connections in again. */
  open(): void;
}

export async function openProxy(redisUrl: string): Promise<RedisProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let away = false;
  let hook: { pattern: RegExp; work: () => Promise<unknown> } | undefined;
  let losing: { pattern: RegExp; done: () => void } | undefined;
  const server = createServer((client) => {
    client.on('error', () => {});
    if (away) {
      client.destroy();
      return;
    }
    const { hostname, port } = proxy.target;
    const redis = connect({ host: hostname, port: Number(port) });
    const pair = [client, redis] as const;
    pairs.add(pair);
    const drop = () => {
      pairs.delete(pair);
      client.destroy();
      redis.destroy();
    };
    for (const socket of pair) socket.on('close', drop).on('error', drop).setNoDelay(true);
    let lost: (() => void) | undefined;
    // One after the other: what comes while a hook works waits behind it.
    let passing: Promise<unknown> = Promise.resolve();
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const work = hook?.pattern.test(text) ? hook.work : undefined;
      if (work !== undefined) hook = undefined;
      if (losing?.pattern.test(text)) {
        lost = losing.done;
        losing = undefined;
      }
      passing = passing.then(work).then(() => redis.write(chunk));
    });
    redis.on('data', (chunk) => {
      if (lost === undefined) {
        client.write(chunk);
        return;
      }
      lost();
      drop();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(redisUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const proxy: RedisProxy = {
    url: url.href,
    target: new URL(redisUrl),
    before(pattern, work) {
      hook = { pattern, work };
    },
    loseAnswerTo(pattern) {
      const { promise, resolve } = Promise.withResolvers<void>();
      losing = { pattern, done: resolve };
      return promise;
    },
    cut(stayAway) {
      away = stayAway;
      for (const [client] of pairs) client.destroy();
    },
    open() {
      away = false;
    },
    async [Symbol.asyncDispose]() {
      proxy.cut(true);
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
