import type { PlatformDefinition, PlatformId } from '@relay/contract';
import { z } from 'zod';

/** A platform for tests of the HTTP edge. It refuses events named `stale` and destinations that are not digits, and finds those named `bare` to lack something. */
export function aPlatform(id: PlatformId): PlatformDefinition {
  return {
    id,
    maxEvents: 1000,
    maxDestinations: 1,
    maxRequestBytes: 1_000_000,
    credentials: z.object({ accessToken: z.string().min(1), scopes: z.array(z.string()).optional() }),
    dedupWindowMs: undefined,
    parseDestination: (destinationId) =>
      /^\d+$/.test(destinationId) ? { ok: true, destinationId } : { ok: false, message: 'destinationId must be the digits of a pixel id.' },
    checkGrant: (credentials) =>
      (credentials as { scopes?: string[] }).scopes?.length === 0 ? { code: 'scope_missing', message: 'The token was granted without rw_conversions.' } : undefined,
    toItem: (event, context) =>
      event.eventName === 'stale'
        ? { kind: 'refused', code: 'event_too_old', message: 'The event is older than 7 days.' }
        : { kind: 'item', wire: JSON.stringify({ id: event.eventId }), expiresAtMs: context.nowMs + 1000, lacksWebContext: event.eventName === 'bare' },
    toRequest: () => {
      throw new Error('the API sends nothing');
    },
    readReply: () => {
      throw new Error('the API sends nothing');
    },
  };
}
