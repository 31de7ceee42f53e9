import type { Relay } from '../../e2e/harness.ts';

/** For `startRelay({ env })`: each process opens an inspector on a free port of 127.0.0.1. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

export interface MemoryUse {
  /** Of the heap, after a collection, MiB. */
  readonly heapMiB: number;
  readonly externalMiB: number;
  readonly rssMiB: number;
}

/** What the api holds once everything that can be collected is. */
export async function memoryOfApi(relay: Relay): Promise<MemoryUse> {
  const address = relay.logs().flatMap(({ role, text }) => (role === 'api' ? (/ws:\/\/\S+/.exec(text)?.[0] ?? []) : [])).at(-1);
  if (address === undefined) throw new Error('the api opened no inspector');
  const socket = new WebSocket(address);
  const answers = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id !== undefined) answers.get(id)?.resolve(result);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  let asked = 0;
  const ask = (method: string, params: object = {}): Promise<unknown> => {
    asked += 1;
    const answer = Promise.withResolvers<unknown>();
    answers.set(asked, answer);
    socket.send(JSON.stringify({ id: asked, method, params }));
    return answer.promise;
  };
  try {
    // Twice: what the first one found by finalizers only goes with the second.
    await ask('HeapProfiler.collectGarbage');
    await ask('HeapProfiler.collectGarbage');
    const { result } = (await ask('Runtime.evaluate', { expression: 'JSON.stringify(process.memoryUsage())', returnByValue: true })) as { result: { value: string } };
    const { heapUsed, external, rss } = JSON.parse(result.value) as NodeJS.MemoryUsage;
    return { heapMiB: toMiB(heapUsed), externalMiB: toMiB(external), rssMiB: toMiB(rss) };
  } finally {
    socket.close();
  }
}

function toMiB(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
