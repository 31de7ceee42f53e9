import { ApiError } from '../faults.ts';
import type { Batch } from './batches.ts';
import { postBatch, type PostOptions } from './post-batch.ts';
import type { Tally } from './tally.ts';

export interface SendOptions extends PostOptions {
  readonly concurrency: number;
  /** Batch n goes out under the Idempotency-Key `<prefix>-<n>`. */
  readonly idempotencyPrefix: string;
  /** Fires when no further batch shall be started; those in flight are finished. */
  readonly stop?: AbortSignal;
  onBatch?(batch: Batch): void;
}

/** Refusals that every further batch would meet as well: the key, the account, the destination's address. */
const HOPELESS: ReadonlySet<number> = new Set([401, 403, 404, 405]);

/**
 * Posts all batches, a few at a time, and counts what came back. A batch that is refused on its own account does not end
 * the run; a refusal that would meet every batch, or no answer within the retry budget, does: then it rejects with it,
 * when the batches in flight are done.
 */
export async function sendBatches(batches: AsyncGenerator<Batch>, tally: Tally, options: SendOptions): Promise<void> {
  let fatal: { readonly error: unknown } | undefined;
  async function lane(): Promise<void> {
    while (fatal === undefined && options.stop?.aborted !== true) {
      const next = await batches.next();
      if (next.done === true) return;
      const batch = next.value;
      try {
        tally.answered(batch, await postBatch(batch.events, `${options.idempotencyPrefix}-${batch.index}`, options));
      } catch (error) {
        if (!(error instanceof ApiError) || HOPELESS.has(error.status)) {
          fatal ??= { error };
          return;
        }
        tally.refused(batch, error);
      }
      options.onBatch?.(batch);
    }
  }
  // A lane that cannot read on (the file is no JSON) must not hide what the others are still sending.
  const ends = await Promise.allSettled(Array.from({ length: options.concurrency }, lane));
  await batches.return(undefined); // Closes the file, also when not all of it was read.
  if (fatal !== undefined) throw fatal.error;
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}
