import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface Forward extends AsyncDisposable {
  readonly port: number;
  /** Nobody is there: connections break, new ones are refused. */
  cut(): Promise<void>;
  /** Listens again, on the same port, for the server on this one. */
  restore(targetPort: number): Promise<void>;
}

/** A port that stays while the server behind it moves: what a service address is in production. */
export async function forwardTo(targetPort: number): Promise<Forward> {
  const sockets = new Set<Socket>();
  let target = targetPort;
  let server: Server | undefined;
  const listen = async (port: number): Promise<number> => {
    const listening = createServer((incoming) => {
      const onward = createConnection({ host: '127.0.0.1', port: target });
      for (const [socket, other] of [[incoming, onward], [onward, incoming]] as const) {
        sockets.add(socket);
        socket.setNoDelay(true);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(port, '127.0.0.1', resolve);
    });
    server = listening;
    return (listening.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    for (const socket of sockets) socket.destroy();
    if (closing === undefined) return;
    await new Promise<void>((resolve) => {
      closing.close(() => resolve());
    });
  };
  const port = await listen(0);
  return {
    port,
    cut,
    async restore(newTarget) {
      target = newTarget;
      await listen(port);
    },
    [Symbol.asyncDispose]: cut,
  };
}
