import { createServer } from 'node:net';
import { freePort } from '@relay/testkit';

export interface Ports {
  readonly api: number;
  readonly worker: number;
  readonly sandbox: number;
}

export const USUAL_PORTS: Ports = { api: 8080, worker: 9090, sandbox: 9900 };

/** Free ports for a stack that lives for a minute, so that demos can run side by side. */
export async function anyPorts(): Promise<Ports> {
  const ports = new Set<number>();
  while (ports.size < 3) ports.add(await freePort());
  const [api, worker, sandbox] = [...ports] as [number, number, number];
  return { api, worker, sandbox };
}

/** The usual ports; where one is taken, another, said aloud. */
export async function usualPorts(say: (line: string) => void, usual: Ports = USUAL_PORTS): Promise<Ports> {
  async function portFor(role: keyof Ports): Promise<number> {
    if (await isFree(usual[role])) return usual[role];
    const port = await freePort();
    say(`port ${usual[role]} is taken: the ${role} listens on ${port}`);
    return port;
  }
  return { api: await portFor('api'), worker: await portFor('worker'), sandbox: await portFor('sandbox') };
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
