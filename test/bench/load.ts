import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type Dispatcher } from 'undici';
import { createBodies } from './events.ts';
import type { System } from './systems.ts';

/** What is sent: requests of the same size. */
export interface Load {
  readonly requests: number;
  readonly eventsPerRequest: number;
  /** Answers when delivered, or else when queued (`respond-async`). */
  readonly sync: boolean;
  /** Makes the bodies; default: events like `createBodies`, to one destination. */
  readonly bodies?: () => Buffer;
}

type Target = Pick<System, 'url' | 'apiKey'>;

/** As fast as so many callers can, each waiting for its answer before it sends again. Resolves with the latencies, ms. */
export async function sendClosed(target: Target, load: Load, callers: number): Promise<number[]> {
  await using client = openClient(target, load, callers);
  const latenciesMs: number[] = [];
  let left = load.requests;
  await Promise.all(
    Array.from({ length: Math.min(callers, load.requests) }, async () => {
      while (left > 0) {
        left -= 1;
        const at = performance.now();
        await client.send();
        latenciesMs.push(performance.now() - at);
      }
    }),
  );
  return latenciesMs;
}

/** So many requests a second, whatever the answers take. Latencies count from when a request was due. */
export async function sendOpen(target: Target, load: Load, perSecond: number): Promise<{ latenciesMs: number[]; answeredInMs: number }> {
  await using client = openClient(target, load, MOST_CONNECTIONS);
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const requests: Promise<void>[] = [];
  while (requests.length < load.requests) {
    const due = Math.min(Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1, load.requests);
    while (requests.length < due) {
      const dueAt = startedAt + (requests.length * 1000) / perSecond;
      const answered = client.send().then(() => void latenciesMs.push(performance.now() - dueAt));
      answered.catch(() => undefined); // told by Promise.all below, once all are sent
      requests.push(answered);
    }
    await sleep(1);
  }
  await Promise.all(requests);
  return { latenciesMs, answeredInMs: performance.now() - startedAt };
}

const MOST_CONNECTIONS = 256;
/** Longer than any answer should take, so that a latency is one of a delivery and not of a wait that ran out. */
const SYNC_WAIT_SECONDS = 60;

function openClient({ url, apiKey }: Target, load: Load, connections: number) {
  const nextBody = load.bodies ?? createBodies(load.eventsPerRequest);
  const pool = new Pool(url, { connections, pipelining: 1 });
  const prefer = load.sync ? `wait=${SYNC_WAIT_SECONDS}` : 'respond-async';
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', prefer };
  const wanted = load.sync ? [200] : [200, 202];
  return {
    send(): Promise<void> {
      const answer = new Answer(wanted);
      pool.dispatch({ path: '/v1/ads/conversions', method: 'POST', headers, body: nextBody() }, answer);
      return answer.done;
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** The load generator shares the machine with what it measures: undici's `request` takes a fifth more of it than this. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #wanted: readonly number[];
  readonly #outcome = Promise.withResolvers<void>();
  #status = 0;
  #text = '';

  constructor(wanted: readonly number[]) {
    this.#wanted = wanted;
  }

  /** Rejects when the answer has another status. */
  get done(): Promise<void> {
    return this.#outcome.promise;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    if (!this.#wanted.includes(this.#status)) this.#text += part.toString();
  }

  onResponseEnd(): void {
    if (this.#wanted.includes(this.#status)) this.#outcome.resolve();
    else this.#outcome.reject(new Error(`answered ${this.#status}: ${this.#text.slice(0, 300)}`));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#outcome.reject(error);
  }
}
