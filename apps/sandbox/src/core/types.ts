import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The emulators' shared spine: faults, tokens, poison, switches and the record of what was accepted. */

export type SandboxPlatform = 'meta' | 'google' | 'linkedin';

/** One emulator: registers its routes under its own prefix (`/meta`, `/google`, `/linkedin`). */
export interface Emulator {
  readonly platform: SandboxPlatform;
  register(app: FastifyInstance, core: SandboxCore): void;
  /** Forget everything learnt since the start (seeds stay). */
  reset(): void;
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
  /** Notes one answered request, taken or not. */
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
