import type { InboundReply, OutboundRequest, PlatformEndpoints } from '@relay/contract';

/** What a management function needs to know and to reach. No network, clock or environment of its own. */
export interface ManagementContext<Credentials = unknown> {
  readonly credentials: Credentials;
  /** The token to use: `credentials.accessToken`, or what the token source gave. */
  readonly accessToken: string;
  readonly endpoints: PlatformEndpoints;
  /** `v24`: see `GOOGLE_ADS_VERSION`. */
  readonly googleAdsVersion: string;
  /** Resolves with any HTTP answer, throws on network faults. Deadlines, concurrency and repeats are the caller's. */
  call(request: OutboundRequest, traits: CallTraits): Promise<InboundReply>;
  /** Unix ms. */
  now(): number;
}

export interface CallTraits {
  /** Whether sending the request a second time changes nothing, so that it may be repeated after an unclear end. */
  readonly repeatable: boolean;
}
export const REPEATABLE: CallTraits = { repeatable: true };
export const ONCE: CallTraits = { repeatable: false };
