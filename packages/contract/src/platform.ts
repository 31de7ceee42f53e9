import type { z } from 'zod';
import type { Consent, ConversionEvent } from './event.ts';
import type { PlatformId } from './platform-id.ts';

/** A platform of `POST /v1/ads/conversions`: it also knows how to make its wire events of ours. */
export interface PlatformDefinition<Credentials = unknown> extends DeliveryPlatform<Credentials> {
  /** One event as this platform's wire JSON, normalised and hashed; or why the platform is certain to refuse it. */
  toItem(event: ConversionEvent, context: ItemContext): ItemResult;
}

/**
 * What a platform has to be able to do for its events to be delivered. Everything here is pure: no clock, network,
 * environment or logger, so that a platform is tested by tables alone. The worker owns time, sockets, retries and state.
 */
export interface DeliveryPlatform<Credentials = unknown> {
  readonly id: PlatformId;
  /** Most events one request may carry. */
  readonly maxEvents: number;
  /** Most destinations of one account that one request may carry: 1, Google 10. */
  readonly maxDestinations: number;
  /** Most bytes of events in one request body. */
  readonly maxRequestBytes: number;
  /** Shape of `credentials` of an account on this platform, as stored (unknown keys are kept out). */
  readonly credentials: z.ZodType<Credentials>;
  /** How long after the first attempt the platform still recognises a repeated event id, in ms. `undefined`: not published. */
  readonly dedupWindowMs: number | undefined;

  /** The destination id in its canonical form, or why it cannot be one of this platform. */
  parseDestination(destinationId: string): ParsedDestination;
  /** Whether the grant allows sending at all; a sentence that says what to do if not. `undefined`: it does. */
  checkGrant(credentials: Credentials): GrantFault | undefined;
  /** One request of up to `maxEvents` events to up to `maxDestinations` destinations. */
  toRequest(batch: Batch<Credentials>, endpoints: PlatformEndpoints): EventsRequest;
  /** What an answer means. Total: HTML, an empty body and cut JSON have a meaning too. */
  readReply(reply: InboundReply, sent: SentBatch): Verdict;

  /**
   * Present where the platform does not recognise repeats: an event whose end is not known is then never sent again by
   * itself. Tells whether an answer leaves it open if the event was taken.
   */
  readonly isOutcomeUnknown?: (reply: InboundReply) => boolean;

  /** Fault codes that say "this was done already": after a failed attempt they mean that it had been taken all the same. */
  readonly alreadyTakenCodes?: ReadonlySet<string>;

  /** Names the quota that its requests count against, where the platform counts others of the same account elsewhere. */
  readonly quota?: string;

  /** OAuth refresh, where the platform has one. */
  readonly tokens?: TokenSource<Credentials>;
  /** Later status of an accepted request, where the platform tells one (Google). */
  readonly status?: StatusSource<Credentials>;
}

export type ParsedDestination =
  | { readonly ok: true; readonly destinationId: string }
  | { readonly ok: false; readonly message: string };

export interface GrantFault {
  readonly code: string;
  readonly message: string;
}

export interface ItemContext {
  /** Now, unix ms. */
  readonly nowMs: number;
  /** Canonical destination id. */
  readonly destinationId: string;
  readonly consent: Consent | undefined;
}

export type ItemResult =
  | {
      readonly kind: 'item';
      /** The event as one line of the platform's JSON, ready to be joined into a request body. */
      readonly wire: string;
      /** Unix ms after which the platform would no longer take this event. */
      readonly expiresAtMs: number;
      /** The platform asks for the page's address and the user agent of events from the web, and takes this one without. */
      readonly lacksWebContext?: boolean;
    }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

/** Why an event is refused at ingest, before it reaches a queue. They appear as `failures[].code`. */
export const REFUSAL_CODES = [
  'event_too_old',
  'event_in_future',
  'no_match_keys',
  'currency_invalid',
  'currency_missing',
  'value_missing',
  'value_invalid',
  'action_source_unsupported',
  'event_too_large',
  'duplicate_adjustment',
  'field_invalid',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Base URLs and versions: only ever from the operator's environment. No trailing slash. */
export interface PlatformEndpoints {
  readonly metaGraphUrl: string;
  readonly metaGraphVersion: string;
  /** Turns on `appsecret_proof`. */
  readonly metaAppSecret: string | undefined;
  readonly googleDataManagerUrl: string;
  readonly googleAdsUrl: string;
  /** The whole token endpoint's address, e.g. `https://oauth2.googleapis.com/token`. */
  readonly googleOauthUrl: string;
  readonly linkedinApiUrl: string;
  /** The whole token endpoint's address, e.g. `https://www.linkedin.com/oauth/v2/accessToken`. */
  readonly linkedinOauthUrl: string;
  readonly linkedinVersion: string;
}

export interface Batch<Credentials = unknown> {
  /** At least one; more than one only where `maxDestinations` allows it. Items in order, flattened, give event indices. */
  readonly groups: readonly BatchGroup[];
  readonly testCode: string | undefined;
  readonly consent: Consent | undefined;
  readonly credentials: Credentials;
  /** The token to use: `credentials.accessToken`, or what the token source gave. */
  readonly accessToken: string;
}
export interface BatchGroup {
  readonly destinationId: string;
  /** Wire JSON as UTF-8, one an event, as `toItem` made it: bytes, since a body of a megabyte is put together faster from bytes than from text. */
  readonly items: readonly Uint8Array[];
}

export interface OutboundRequest<Body extends string | Uint8Array | undefined = string | undefined> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}
/** A request with events: its body is put together as UTF-8. */
export type EventsRequest = OutboundRequest<Uint8Array>;
export type AnyRequest = OutboundRequest<string | Uint8Array | undefined>;

export interface InboundReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** When the reply came, unix ms: for hints such as "until midnight UTC" and HTTP dates. */
  readonly receivedAtMs: number;
}

/** What was sent, as far as reading an answer needs it. */
export interface SentBatch {
  /** Number of events of each group, in order. */
  readonly groupSizes: readonly number[];
}

/**
 * What an answer means for the events of one request. A closed set: a new kind must break the build.
 * `code` is the platform's own code as text (`100/2804003`, `EVENT_TIME_INVALID`, `65601`), `message` its own words.
 */
export type Verdict =
  | {
      /** Taken. Events in `faults` were not; each on its own. */
      readonly kind: 'accepted';
      readonly traceId: string | undefined;
      readonly faults: readonly ItemFault[];
      /** Warnings worth a log line; never about a person. */
      readonly warnings: readonly string[];
      /** Id under which the platform tells later what it did with the request. */
      readonly statusId: string | undefined;
    }
  | ({
      /** Nothing taken (or unknown); the same request may succeed later. */
      readonly kind: 'retry';
      /** The platform's own hint, which wins over the computed backoff. */
      readonly afterMs: number | undefined;
    } & Said)
  | ({
      /** Nothing taken; the account, or all that share its app or OAuth client, must pause. */
      readonly kind: 'rate_limited';
      readonly scope: 'account' | 'app';
      readonly cooldownMs: number;
    } & Said)
  | ({
      /** Nothing taken; the token is dead or may not do this. `refreshable`: a new access token may help. */
      readonly kind: 'unauthorised';
      readonly refreshable: boolean;
    } & Said)
  | ({
      /** Nothing taken, because of some of the events. `indices`: those the platform named (flattened), else it named none. */
      readonly kind: 'rejected_events';
      readonly indices: readonly number[];
      /** The platform's words per named index where it has some; falls back to `message`. */
      readonly faults: readonly ItemFault[];
    } & Said)
  | ({
      /**
       * Nothing taken, because of a destination, the account's set-up or the operator's. A destination's events are never split.
       * `groups`: whom it concerns; empty: some destination, but none was named, so that each has to be asked alone.
       */
      readonly kind: 'rejected_request';
      readonly groups: readonly number[];
      /** Whom it concerns: dead letters say it, and `operator` pages. */
      readonly concern: 'destination' | 'account' | 'operator';
    } & Said)
  | ({
      /** Nothing taken, because the request was too big: halve it. */
      readonly kind: 'too_large';
    } & Said);

export interface Said {
  readonly code: string;
  readonly message: string;
  readonly traceId: string | undefined;
}

export interface ItemFault {
  /** Flattened index in the request that was sent. */
  readonly index: number;
  readonly code: string;
  readonly message: string;
  /** A fault that may pass by itself (per-element 429 or 5xx). */
  readonly retryable: boolean;
  /** When it may have passed, ms from the answer; only of retryable ones. */
  readonly afterMs?: number | undefined;
  /** It is a limit of the account's, which pauses for this long and spends no attempt; only of retryable ones. */
  readonly cooldownMs?: number | undefined;
}

/** OAuth refresh as pure functions; the worker does the locking, caching and sending. */
export interface TokenSource<Credentials> {
  /** `undefined`: these credentials hold a token that cannot be refreshed; use it as it is. */
  refreshRequest(credentials: Credentials, endpoints: PlatformEndpoints): OutboundRequest | undefined;
  readRefreshReply(reply: InboundReply): RefreshResult;
  /** Names whose rate limits this account shares: the OAuth client, where quotas are per project. `undefined`: the account itself. */
  appScope(credentials: Credentials): string | undefined;
}
export type RefreshResult =
  | {
      readonly kind: 'token';
      readonly accessToken: string;
      readonly expiresInMs: number;
      /** A rotated refresh token, to be stored in place of the old one. */
      readonly refreshToken: string | undefined;
    }
  | ({ readonly kind: 'unauthorised' | 'operator' | 'retry' } & Omit<Said, 'traceId'>)
  | ({
      /** The token endpoint limits calls. */
      readonly kind: 'rate_limited';
      readonly cooldownMs: number;
    } & Omit<Said, 'traceId'>);

export type PlatformStatus = 'processing' | 'success' | 'partial_success' | 'failed';

export interface StatusSource<Credentials> {
  /** When to ask first, ms after the platform accepted the request. */
  readonly firstPollMs: number;
  /** When to stop asking, ms after the platform accepted the request. */
  readonly giveUpMs: number;
  toRequest(statusId: string, batch: Pick<Batch<Credentials>, 'credentials' | 'accessToken'>, endpoints: PlatformEndpoints): OutboundRequest;
  /** Per group (destination) of the request, in the order sent. */
  readReply(reply: InboundReply): StatusVerdict;
}
export type StatusVerdict =
  | { readonly kind: 'status'; readonly groups: readonly GroupStatus[] }
  | ({ readonly kind: 'retry' | 'unauthorised' | 'gone' } & Omit<Said, 'traceId'>);
export interface GroupStatus {
  readonly status: PlatformStatus;
  readonly recordCount: number | undefined;
  readonly errors: readonly { readonly reason: string; readonly count: number }[];
  readonly warnings: readonly { readonly reason: string; readonly count: number }[];
}

export function assertNever(value: never): never {
  throw new Error(`unhandled variant: ${JSON.stringify(value)}`);
}
