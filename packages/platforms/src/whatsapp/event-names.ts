import { quoted } from '@relay/contract';

/**
 * What Meta is known to take as messaging events from anyone. Its page lists nine more (OrderCreated, OrderShipped,
 * QualifiedLead…) that only some businesses were seen to get through; any other name fails with 100/2804066.
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging (read 2026-09-12)
 */
export const MESSAGING_EVENT_NAMES = ['LeadSubmitted', 'Purchase', 'AddToCart', 'InitiateCheckout', 'ViewContent'] as const;
export type MessagingEventName = (typeof MESSAGING_EVENT_NAMES)[number];

export function isMessagingEventName(name: string): name is MessagingEventName {
  return (MESSAGING_EVENT_NAMES as readonly string[]).includes(name);
}

/** Of a name, in a message. */
const MAX_SHOWN = 60;

/** What callers of the web event set send, and what it is called here. */
const MEANT: ReadonlyMap<string, MessagingEventName> = new Map([
  ['lead', 'LeadSubmitted'],
  ['lead_submitted', 'LeadSubmitted'],
  ['checkout', 'InitiateCheckout'],
  ['initiatedcheckout', 'InitiateCheckout'],
  ['initiate_checkout', 'InitiateCheckout'],
  ['add_to_cart', 'AddToCart'],
  ['view_content', 'ViewContent'],
  ['pageview', 'ViewContent'],
  ['order', 'Purchase'],
  // Only the case is wrong, which Meta does not forgive either.
  ...MESSAGING_EVENT_NAMES.map((name) => [name.toLowerCase(), name] as const),
]);

/** A sentence that says why the name is refused and what to send; `undefined`: it is one of the five. */
export function explainEventName(name: string): string | undefined {
  if (isMessagingEventName(name)) return undefined;
  const meant = MEANT.get(name.trim().toLowerCase());
  const advice = meant === undefined ? `Send one of ${MESSAGING_EVENT_NAMES.join(', ')}` : `Send ${meant} instead (allowed: ${MESSAGING_EVENT_NAMES.join(', ')})`;
  return `eventName ${quoted(name, MAX_SHOWN)} is not one that Meta takes for WhatsApp conversations; it would answer with subcode 2804066 (Messaging Event Invalid Event Type). ${advice}.`;
}
