import type { ApiError } from '../faults.ts';
import type { Answer } from '../http.ts';
import { asRecord, listIn, numberIn, textIn, type Json } from '../json.ts';
import type { Batch, LineFault } from './batches.ts';

export interface ShownFailure {
  /** Line of the file, or position in its array. */
  readonly place: number;
  readonly eventId: string;
  readonly code: string;
  readonly message: string;
}

/** What became of a file, summed up over its requests. */
export interface SendSummary {
  readonly batches: number;
  /** Events in requests that the relay answered with 2xx. */
  readonly submitted: number;
  readonly received: number;
  readonly failed: number;
  /** Accepted, without a final answer when the wait ended. */
  readonly pending: number;
  /** Events of requests that were refused whole. */
  readonly refused: number;
  readonly badLines: number;
  readonly failuresByCode: Readonly<Record<string, number>>;
  /** The first few. */
  readonly failures: readonly ShownFailure[];
  readonly refusals: readonly { readonly place: number; readonly events: number; readonly status: number; readonly message: string }[];
  readonly lineFaults: readonly LineFault[];
  readonly deliveries: readonly { readonly deliveryId: string; readonly status: string }[];
}

const KEPT_FAILURES = 10;

export interface Tally {
  readonly answered: (batch: Batch, answer: Answer) => void;
  readonly refused: (batch: Batch, error: ApiError) => void;
  readonly badLine: (fault: LineFault) => void;
  readonly summary: () => SendSummary;
}

export function createTally(): Tally {
  const sums = { batches: 0, submitted: 0, received: 0, failed: 0, refused: 0, badLines: 0 };
  const failuresByCode: Record<string, number> = {};
  const failures: ShownFailure[] = [];
  const refusals: SendSummary['refusals'][number][] = [];
  const lineFaults: LineFault[] = [];
  const deliveries: SendSummary['deliveries'][number][] = [];

  function noteFailure(batch: Batch, failure: Json): void {
    const code = textIn(failure, 'code');
    failuresByCode[code] = (failuresByCode[code] ?? 0) + 1;
    const place = batch.places[numberIn(failure, 'eventIndex')] ?? 0;
    if (failures.length < KEPT_FAILURES) failures.push({ place, eventId: textIn(failure, 'eventId'), code, message: textIn(failure, 'message') });
  }

  return {
    answered(batch, { body }) {
      const answer = asRecord(body);
      sums.batches += 1;
      sums.submitted += batch.events.length;
      sums.received += numberIn(answer, 'eventsReceived');
      sums.failed += numberIn(answer, 'eventsFailed');
      for (const failure of listIn(answer, 'failures')) noteFailure(batch, failure);
      deliveries.push({ deliveryId: textIn(answer, 'deliveryId'), status: textIn(answer, 'status') });
    },
    refused(batch, error) {
      sums.batches += 1;
      sums.refused += batch.events.length;
      if (refusals.length < KEPT_FAILURES) {
        refusals.push({ place: batch.places[0] ?? 0, events: batch.events.length, status: error.status, message: error.message });
      }
    },
    badLine(fault) {
      sums.badLines += 1;
      if (lineFaults.length < KEPT_FAILURES) lineFaults.push(fault);
    },
    summary: () => ({
      ...sums,
      pending: sums.submitted - sums.received - sums.failed,
      failuresByCode,
      failures,
      refusals,
      lineFaults,
      deliveries,
    }),
  };
}
