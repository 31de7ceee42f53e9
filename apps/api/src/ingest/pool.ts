import { MessageChannel } from 'node:worker_threads';
import { RelayError } from '@relay/contract';
import type { PackedRequest } from '@relay/delivery';
import { Piscina } from 'piscina';
import type { Head, Outcome, Target, Task, ThreadSettings } from './task.ts';

/** Bodies that may be with the threads, or wait for one, in bytes; past that callers hear 503. One alone is always taken. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Bodies that a thread works on at once: while one waits to hear where it goes, the next is parsed. */
const TASKS_PER_THREAD = 2;
/** What a caller is told to wait, s. */
const RETRY_AFTER_SECONDS = 1;

export interface LargeBodies {
  /**
   * Parses, checks, maps, hashes and packs a body in a thread, so that small requests need not wait for it.
   * @param raw is gone afterwards.
   * @param targetOf says where the events go, or refuses them: called at most once, with a body that is well-formed.
   * @throws RelayError what is wrong with the body, what `targetOf` throws, or `queue_full`.
   */
  ingest(raw: Buffer, targetOf: (head: Head) => Promise<Target>): Promise<Packed>;
}

export interface Packed {
  readonly request: PackedRequest;
  /** Event ids that stand more than once in the body. */
  readonly duplicates: readonly string[];
}

/** @param threads at least 1. A thread that dies takes the requests it had with it, unstored, and is replaced. */
export function openThreads(stack: AsyncDisposableStack, threads: number, settings: ThreadSettings, maxBytes = MAX_BYTES): LargeBodies {
  const pool = new Piscina<Task, Outcome>({
    filename: new URL('./thread.ts', import.meta.url).href,
    name: 'ingest',
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: TASKS_PER_THREAD,
    workerData: settings,
  });
  stack.defer(() => pool.destroy());
  let bytes = 0;
  return {
    async ingest(raw, targetOf) {
      const size = raw.byteLength;
      if (bytes > 0 && bytes + size > maxBytes) {
        throw new RelayError('queue_full', 'Too many large requests are being read. Nothing was stored; send the same request again later.', { retryAfterSeconds: RETRY_AFTER_SECONDS });
      }
      bytes += size;
      try {
        return await run(pool, raw, targetOf);
      } finally {
        bytes -= size;
      }
    },
  };
}

async function run(pool: Piscina<Task, Outcome>, raw: Buffer, targetOf: (head: Head) => Promise<Target>): Promise<Packed> {
  const { port1, port2 } = new MessageChannel();
  let refusal: unknown;
  port1.on('message', (head: Head) => {
    Promise.resolve(head).then(targetOf).then(
      (target) => port1.postMessage(target),
      (error: unknown) => {
        refusal = error;
        port1.postMessage(undefined);
      },
    );
  });
  try {
    // A buffer of its own changes hands; one that lies in memory shared with others is copied.
    const own = raw.byteLength === raw.buffer.byteLength ? [raw.buffer as ArrayBuffer] : [];
    const outcome = await pool.run({ raw, port: port2 }, { transferList: [...own, port2] });
    if (outcome.kind === 'refused') throw refusal;
    if (outcome.kind === 'fault') throw new RelayError(outcome.code, outcome.message, outcome.extras);
    const { request, duplicates } = outcome;
    return { request: { ...request, chunks: request.chunks.map((chunk) => ({ ...chunk, data: asBuffer(chunk.data) })) }, duplicates };
  } finally {
    port1.close();
  }
}

/** Between threads a buffer becomes a plain array of bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
