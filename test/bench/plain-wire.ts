import { hash } from 'node:crypto';
import type { BenchEvent } from './events.ts';

/**
 * The least that maps an event to Meta's wire JSON with as many SHA-256 values as the relay makes of it: no check, no rule
 * beyond trim and lower case. What `floor+hash` does; it shares nothing with the relay's adapter.
 */
export function plainWire(event: BenchEvent): object {
  const { user } = event;
  return {
    event_name: event.eventName,
    event_time: event.eventTime,
    event_id: event.eventId,
    action_source: 'website',
    event_source_url: event.sourceUrl,
    user_data: {
      em: [hashed(user.email)],
      ph: [hashed(user.phone)],
      fn: [hashed(user.firstName)],
      ln: [hashed(user.lastName)],
      external_id: [hashed(user.externalId)],
      ct: [hashed(user.city)],
      zp: [hashed(user.zip)],
      country: [hashed(user.country)],
      client_ip_address: user.ipAddress,
      client_user_agent: user.userAgent,
      fbc: user.clickIds?.fbc,
      fbp: user.clickIds?.fbp,
    },
    custom_data: {
      value: event.value,
      currency: event.currency,
      contents: event.items?.map((item) => ({ id: item.id, quantity: item.quantity, item_price: item.price })),
      content_ids: event.items?.map((item) => item.id),
      content_type: 'product',
      num_items: event.items?.length,
    },
  };
}

const hashed = (value: string | undefined) => hash('sha256', (value ?? '').trim().toLowerCase());
