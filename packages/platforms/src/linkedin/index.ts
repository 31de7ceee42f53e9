import type { PlatformDefinition } from '@relay/contract';
import { checkGrant, linkedinCredentials, type LinkedinCredentials } from './credentials.ts';
import { parseDestination } from './destination.ts';
import { toItem } from './item.ts';
import { MAX_EVENTS, MAX_REQUEST_BYTES } from './limits.ts';
import { readReply } from './reply.ts';
import { toRequest } from './request.ts';
import { tokens } from './tokens.ts';

/** LinkedIn Conversions API. README.md in this folder tells the mapping and its reasons. */
export const linkedinAds: PlatformDefinition<LinkedinCredentials> = {
  id: 'linkedinads',
  maxEvents: MAX_EVENTS,
  maxDestinations: 1,
  maxRequestBytes: MAX_REQUEST_BYTES,
  credentials: linkedinCredentials,
  // Not published. That repeats are recognised by eventId is inferred from its use against the Insight Tag.
  dedupWindowMs: undefined,
  parseDestination,
  checkGrant,
  toItem,
  toRequest,
  readReply,
  tokens,
};
export type { LinkedinCredentials } from './credentials.ts';
export { oldVersion } from './version.ts';
