import type { InboundReply, AnyRequest, DeliveryPlatform, PlatformEndpoints, PlatformId } from '@relay/contract';
import type { BatchEvent, TakenJob } from './batch.ts';
import type { Account, DeadReason } from './ports.ts';

/** What happened to a request on the wire. */
export type SendResult =
  | { readonly kind: 'reply'; readonly reply: InboundReply; readonly tookMs: number }
  | {
      readonly kind: 'failed';
      /** `timeout`, `connect`, `reset`, `reply_too_large`, …: a closed set of the HTTP client. */
      readonly code: string;
      readonly message: string;
      /** Whether the platform may have read the request. */
      readonly bodySent: boolean;
      readonly tookMs: number;
    };
/** Sends one request. Never throws for what the network or the platform does. */
export type Send = (request: AnyRequest) => Promise<SendResult>;

/**
 * The access token to send with, or why there is none: the grant ended, the operator's set-up is wrong, it may pass, or
 * another process is still asking for it.
 */
export type TokenResult =
  | { readonly kind: 'token'; readonly accessToken: string }
  | { readonly kind: 'unauthorised' | 'operator' | 'retry' | 'busy'; readonly code: string; readonly message: string }
  | { readonly kind: 'rate_limited'; readonly cooldownMs: number; readonly code: string; readonly message: string };

/** Changes of state that belong together: written in one atomic step. */
export interface Settlement {
  readonly delivered?: { readonly events: readonly BatchEvent[]; readonly traceId: string | undefined; readonly poll: Poll | undefined };
  readonly dead?: readonly Death[];
  readonly requestMs: number | undefined;
}
/** Events that died of one cause. */
export interface Death {
  readonly events: readonly BatchEvent[];
  readonly reason: DeadReason;
  readonly code: string;
  /** The platform's words, or ours; never about a person. */
  readonly message: string;
  readonly traceId: string | undefined;
}
/** Ask the platform later what it did with this request. */
export interface Poll {
  readonly statusId: string;
  readonly afterMs: number;
}
/** A job that goes on: what its receipt says meanwhile. */
export interface Note {
  readonly job: TakenJob;
  readonly code: string;
  readonly message: string;
  readonly traceId: string | undefined;
  readonly requestMs: number | undefined;
  readonly ambiguous: boolean;
}

/** One answered (or failed) platform request, for metrics and the log. */
export interface AttemptReport {
  readonly platform: PlatformId;
  readonly accountId: string;
  readonly destinationIds: readonly string[];
  /** Of the client requests in it, the first 20. */
  readonly deliveryIds: readonly string[];
  readonly events: number;
  readonly jobs: number;
  /** `delivered`, `partial`, `retry`, `rate_limited`, `unauthorised`, `rejected_events`, `rejected_request`, `too_large`. */
  readonly outcome: string;
  readonly code: string | undefined;
  readonly httpStatus: number | undefined;
  readonly traceId: string | undefined;
  readonly tookMs: number;
  readonly warnings: readonly string[];
}

/** What `deliver` needs from the outside. A port that cannot reach Redis throws. */
export interface DeliverPorts {
  readonly definition: DeliveryPlatform;
  readonly endpoints: PlatformEndpoints;
  readonly send: Send;
  account(accountId: string): Promise<Account | undefined>;
  /** Resolves with `false` when the credentials were replaced meanwhile: then just try again. */
  needsReconnect(account: Account, reason: string): Promise<boolean>;
  token(account: Account): Promise<TokenResult>;
  dropToken(account: Account, accessToken: string): Promise<void>;
  /** Unix ms until which this account (or its app) cools down; 0: it does not. */
  coolUntil(account: Account): Promise<number>;
  coolDown(account: Account, scope: 'account' | 'app', untilMs: number): Promise<void>;
  /** Resolves once the settlement is durable. No event is named in two settlements, and none is empty. */
  settle(settlement: Settlement): Promise<void>;
  /** For jobs that go on: receipts say why. Comes before the burial of those that have no attempt left. */
  noteRetry(notes: readonly Note[]): Promise<void>;
  /** Before a request to a platform that does not recognise repeats: a worker that dies now leaves an event that may be there. */
  markSending(jobs: readonly TakenJob[]): Promise<void>;
  /** The request ended, and for certain the platform took nothing: the events may go out again. */
  clearSending(jobs: readonly TakenJob[]): Promise<void>;
  report(attempt: AttemptReport): void;
  /** Asked before each request: a salvage may take dozens, and a worker that was told to stop begins no more of them. */
  stopping(): boolean;
  /** `false`: a rejected request is dead-lettered whole. */
  readonly salvage: boolean;
  /** Attempts of a job that may fail before its open events are dead-lettered. */
  readonly maxAttempts: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  now(): number;
  random(): number;
}
