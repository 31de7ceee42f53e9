import { z } from 'zod';
import type { ParsedDestination, PlatformDefinition } from '@relay/contract';
import { metaItem } from './item.ts';
import { DEDUP_WINDOW_MS, MAX_EVENTS, MAX_REQUEST_BYTES } from './limits.ts';
import { readMetaReply } from './reply.ts';
import { metaRequest } from './request.ts';

/** A system user's token (recommended), one made in Events Manager, or a user's; none can be refreshed. Unknown keys are dropped. */
export const metaCredentialsSchema = z.object({
  accessToken: z.string().min(1, 'must not be empty'),
  /** For operators to see what runs out; Meta itself says when it has (190/463). */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});
export type MetaCredentials = z.infer<typeof metaCredentialsSchema>;

/** Meta Conversions API. Facts, links and decisions: README.md beside this file. */
export const metaAds: PlatformDefinition<MetaCredentials> = {
  id: 'metaads',
  maxEvents: MAX_EVENTS,
  maxDestinations: 1,
  maxRequestBytes: MAX_REQUEST_BYTES,
  credentials: metaCredentialsSchema,
  dedupWindowMs: DEDUP_WINDOW_MS,

  parseDestination: parseMetaDestination,
  checkGrant: ({ accessToken }) =>
    accessToken.trim() === ''
      ? { code: 'access_token_missing', message: 'The account has no access token; set credentials.accessToken to a system user token with the UPLOAD task on the dataset.' }
      : undefined,
  toItem: metaItem,
  toRequest: metaRequest,
  readReply: readMetaReply,
};

/** Pixels and datasets share one space of ids. Digits alone, so that the id can stand in a path; up to the 20 digits of 64 bits. */
export function parseMetaDestination(destinationId: string): ParsedDestination {
  if (/^\d{5,20}$/.test(destinationId)) return { ok: true, destinationId };
  return { ok: false, message: 'destinationId must be the id of a Meta dataset or pixel: 5 to 20 digits, such as "1234567890123456", as Events Manager shows it.' };
}

/** What WhatsApp shares: the same Graph, the same `/events`. */
export { readEnvelope } from './envelope.ts';
export { hashedEmail, hashedExternalId } from './hashed.ts';
export { MAX_EVENT_AGE_MS, MAX_FUTURE_MS, MAX_REQUEST_BYTES } from './limits.ts';
export { waitHintMs, DEFAULT_COOLDOWN_MS } from './rate-limit.ts';
export { readMetaRefusal, readMetaReply, type MetaRefusal } from './reply.ts';
export { appSecretProof, authMembers, metaRequest } from './request.ts';
