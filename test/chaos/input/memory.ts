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
  return inspectApi(relay, async (ask) => {
    // Twice: what the first one found by finalizers only goes with the second.
    await ask('HeapProfiler.collectGarbage');
    await ask('HeapProfiler.collectGarbage');
    const { heapUsed, external, rss } = JSON.parse(await evaluate(ask, 'JSON.stringify(process.memoryUsage())')) as NodeJS.MemoryUsage;
    return { heapMiB: toMiB(heapUsed), externalMiB: toMiB(external), rssMiB: toMiB(rss) };
  });
}

/** What an expression gives in the api's process, as text. */
export async function evaluateInApi(relay: Relay, expression: string): Promise<string> {
  return inspectApi(relay, (ask) => evaluate(ask, `String(${expression})`));
}

type Ask = (method: string, params?: object) => Promise<unknown>;

async function evaluate(ask: Ask, expression: string): Promise<string> {
  const { result } = (await ask('Runtime.evaluate', { expression, returnByValue: true })) as { result: { value: string } };
  return result.value;
}

async function inspectApi<T>(relay: Relay, look: (ask: Ask) => Promise<T>): Promise<T> {
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
  const ask: Ask = (method, params = {}) => {
    asked += 1;
    const answer = Promise.withResolvers<unknown>();
    answers.set(asked, answer);
    socket.send(JSON.stringify({ id: asked, method, params }));
    return answer.promise;
  };
  try {
    return await look(ask);
  } finally {
    socket.close();
  }
}

function toMiB(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
