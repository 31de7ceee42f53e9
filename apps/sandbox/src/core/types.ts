import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The emulators' shared spine: faults, tokens, poison, switches and the record of what was accepted. */

export type SandboxPlatform = 'meta' | 'google' | 'linkedin';

/**
 * One emulator: registers its routes under its own prefix (`/meta`, `/google`, `/linkedin`).
 * Faults are applied by the core, around the emulator's handlers; the optional members give it what only the emulator knows.
 */
export interface Emulator {
  readonly platform: SandboxPlatform;
  /**
   * `app` is a Fastify scope of the emulator's own: parsers, hooks and an error handler set here touch no other emulator.
   * Unknown paths are answered by a wildcard route (`/meta/*`), not by `setNotFoundHandler`, which all scopes share.
   */
  register(app: FastifyInstance, core: SandboxCore): void;
  /** Forget everything learnt since the start (seeds stay). */
  reset(): void;
  /** The platform's own answer for a rate limit or an outage; `undefined` if it has no such variant. */
  faultReply?(fault: CannedFault): CannedReply | undefined;
  /** What a fault may be matched on. Called after body parsing and only while a fault of this platform is set. */
  facts?(request: FastifyRequest): RequestFacts;
  /** Adds read-back routes of the emulator's own to the control API, below `/_control/`. */
  registerControl?(app: FastifyInstance): void;
  /** Fault `partial`: the handler of this request is to take, record and acknowledge only the first half of its events (none of a single one). */
  markPartial?(request: FastifyRequest): void;
}

export interface CannedFault {
  readonly kind: 'rate_limit' | 'unavailable';
  /** The emulator's own name of the variant, e.g. `80004`, `per_minute`, `day`; its commonest if absent. */
  readonly variant?: string | undefined;
  /** All other members of the scripted fault, e.g. `regainMinutes`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A string body is sent as it is (set `content-type`), anything else as JSON. */
export interface CannedReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Without `facts` the core knows a token only from `Authorization: Bearer` and matches no ids. */
export interface RequestFacts {
  readonly token?: string | undefined;
  readonly destinationIds?: readonly string[];
  readonly eventIds?: readonly string[];
}

export interface SandboxCore {
  /** Unix ms; control may shift it. */
  now(): number;
  /** Value of a behaviour switch; each emulator documents its names and defaults. */
  switchOf<T extends string | number | boolean>(name: string, byDefault: T): T;
  /** State of a token; tokens that nobody touched are judged by the emulator's seeds. */
  tokenState(platform: SandboxPlatform, token: string): 'unset' | 'valid' | 'expired' | 'revoked' | 'no_scope';
  /** Whether an event id was scripted to be refused as invalid by the platform, and how (`code` is the emulator's). */
  poison(platform: SandboxPlatform, eventId: string): PoisonRule | undefined;
  /** Notes one accepted request, all its events at once. Only what was taken is recorded. */
  accept(entry: AcceptedRequest): void;
  /** Notes one answered request, taken or not. Called by the emulator once per request that reached its handler; what a fault answered is noted by the core. */
  requested(entry: RequestEntry): void;
}

export interface PoisonRule {
  /** Platform error code to answer with, e.g. `2804003`; the emulator's default event error if absent. */
  readonly code?: string;
}

export interface AcceptedRequest {
  readonly platform: SandboxPlatform;
  readonly traceId: string;
  readonly events: readonly { readonly destinationId: string; readonly eventId: string }[];
}

export interface RequestEntry {
  readonly platform: SandboxPlatform;
  readonly route: string;
  readonly status: number;
  readonly events: number;
  readonly bytes: number;
  readonly tookMs: number;
}

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
