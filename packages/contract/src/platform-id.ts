/** The platforms that the relay speaks; also the names of their queues (dead letters: `<name>.dead`). */
export const PLATFORM_IDS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const;
export type PlatformId = (typeof PLATFORM_IDS)[number];

/** Platforms that `POST /v1/ads/conversions` serves; WhatsApp has a route of its own. */
export const ADS_PLATFORM_IDS = ['metaads', 'googleads', 'linkedinads'] as const;
export type AdsPlatformId = (typeof ADS_PLATFORM_IDS)[number];

export function isPlatformId(value: string): value is PlatformId {
  return (PLATFORM_IDS as readonly string[]).includes(value);
}
