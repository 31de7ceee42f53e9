import type { SendConversions } from '@relay/contract';
import { ACCOUNTS } from './accounts.ts';

export type BenchEvent = SendConversions['events'][number];

/** Stands in every value that differs from event to event, and is written over in each body: `<tag>-<n>`. */
const TAG = '@@@@@@@@';

/** A shop purchase with what such an event usually has: about 0.9 KB, eight values to hash. */
export function anEvent(n: number, tag = TAG): BenchEvent {
  return {
    eventName: 'Purchase',
    eventTime: Math.floor(Date.now() / 1000),
    eventId: `order-${tag}-${n}`,
    value: 12.5 + (n % 100),
    currency: 'EUR',
    user: {
      email: `customer-${tag}-${n}@example.com`,
      phone: `+1202555${String(n % 10_000).padStart(4, '0')}`,
      firstName: `Jane${n % 500}`,
      lastName: `Doe${n % 5000}`,
      country: 'us',
      city: 'New York',
      zip: '10001',
      externalId: `customer-${tag}-${n}`,
      ipAddress: '203.0.113.7',
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
      clickIds: { fbc: `fb.1.1790000000000.AbCdEf${tag}${n}`, fbp: `fb.1.1790000000000.${n}` },
    },
    items: [{ id: `sku-${n % 50}`, price: 6.25, quantity: 2 }],
    sourceUrl: 'https://shop.example/thank-you',
    actionSource: 'web',
  };
}

/** So many destinations, the first ones of the same endless list. */
export const destinations = (count: number): string[] => Array.from({ length: count }, (_, i) => String(Number(ACCOUNTS.metaads.destinationId) + i));
/** Has no events but those that are sent to it by name. */
export const NEIGHBOUR = '2000000000000001';

let nextTag = 0;

/**
 * Makes request bodies that differ in every event and cost the sender next to nothing: one is serialised, and of each copy
 * only the tags are written over. Destinations take turns.
 */
export function createBodies(eventsPerRequest: number, destinationIds: readonly string[] = destinations(1), accountId: string = ACCOUNTS.metaads.id): () => Buffer {
  const templates = destinationIds.map((destinationId) => templateOf({ accountId, destinationId, events: Array.from({ length: eventsPerRequest }, (_, n) => anEvent(n)) }));
  return () => {
    nextTag += 1;
    const { bytes, tagsAt } = templates[nextTag % templates.length]!;
    const body = Buffer.from(bytes);
    const tag = nextTag.toString(36).padStart(TAG.length, '0');
    for (const at of tagsAt) body.write(tag, at, 'latin1');
    return body;
  };
}

function templateOf(request: SendConversions): { bytes: Buffer; tagsAt: number[] } {
  const bytes = Buffer.from(JSON.stringify(request));
  const tagsAt: number[] = [];
  for (let at = bytes.indexOf(TAG); at !== -1; at = bytes.indexOf(TAG, at + TAG.length)) tagsAt.push(at);
  return { bytes, tagsAt };
}
