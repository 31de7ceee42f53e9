import type { Consent } from '@relay/contract';

/** A job taken from the queue, not unpacked yet: its payload stays packed until its request is about to be sent. */
export interface TakenJob {
  readonly jobId: string;
  readonly accountId: string;
  readonly destinationId: string;
  readonly testCode: string | undefined;
  readonly consent: Consent | undefined;
  /** Events in the job, settled ones included. */
  readonly events: number;
  /** Bytes of the events when unpacked. */
  readonly bytes: number;
  readonly acceptedAtMs: number;
  /** When the first of the events expires. */
  readonly expiresAtMs: number;
  /** Failed attempts so far. */
  readonly attemptsMade: number;
  /** Id of the client request with this number within the job (`LoadedEvent.part`). */
  deliveryId(part: number): string;
  /** A worker began with it before, or its events come from a dead letter: the platform may have them although no attempt is counted. */
  readonly begunBefore: boolean;
  /** A caller waits for the outcome of some of its events. */
  readonly awaited: boolean;
  /** Events of the job that still need an answer. Unpacks. */
  load(): Promise<readonly LoadedEvent[]>;
  /** Whether this worker still has the job: one that hung for longer than its lock lasts has lost it. Asks only when in doubt. */
  isOurs(): Promise<boolean>;
}

/** One unpacked event of a job. */
export interface LoadedEvent {
  /** Position in the job. */
  readonly position: number;
  readonly eventId: string;
  /** The platform's wire JSON, one line of UTF-8. */
  readonly wire: Uint8Array;
  readonly expiresAtMs: number;
  /** Number of the client request within the job: salvage splits between requests before it splits one. */
  readonly part: number;
  /** A request with it went out before, and no answer was noted. Only told of platforms that do not recognise repeats. */
  readonly maybeSent?: boolean;
}

/** What is to become of a job once its turn in a request is over. */
export type Fate =
  /** Every event has a final answer. */
  | { readonly kind: 'done' }
  /** Some have none; another attempt after `delayMs`, and this one counts. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly code: string }
  /** Not before `untilMs`; no attempt is spent. */
  | { readonly kind: 'delay'; readonly untilMs: number }
  /** The account is on hold; wait for new credentials, at most until the first event expires. */
  | { readonly kind: 'hold'; readonly untilMs: number }
  /** Back to the queue as it was: this worker is stopping. */
  | { readonly kind: 'give_back' };

/** One event in a request. */
export interface BatchEvent extends LoadedEvent {
  /** The job it came with. */
  readonly job: TakenJob;
}
