/**
 * Meta credits a conversion to the ad for 7 days after the click; older ones are taken and count for nothing.
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging (read 2026-09-12)
 */
export const ATTRIBUTION_WINDOW_MS = 7 * 86_400_000;

/**
 * Whether the click was too long before the event for Meta to attribute it. `capturedAtMs` is when the click's message
 * came, which is the closest to the click that a webhook tells. Both unix ms.
 */
export function isPastAttribution(capturedAtMs: number, eventTimeMs: number): boolean {
  return eventTimeMs - capturedAtMs > ATTRIBUTION_WINDOW_MS;
}
