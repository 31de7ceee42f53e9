import { shopPurchases } from './shop.ts';
import { DAY, HOUR, type SampleEvent, type SampleUser } from './sample-event.ts';

/** What the relay has to answer for an event of the mixed file; not part of the file itself. */
export type Expected =
  | { readonly kind: 'delivered' }
  /** Refused at ingest with this code of the relay's. */
  | { readonly kind: 'refused'; readonly code: string }
  /** Looks good, but the sandbox is told to refuse it with this code of Meta's. */
  | { readonly kind: 'poisoned'; readonly code: string };

type Fault = { readonly expected: Expected; readonly spoil: (event: SampleEvent) => SampleEvent };

const refused = (code: string, spoil: Fault['spoil']): Fault => ({ expected: { kind: 'refused', code }, spoil });
const withUser = (user: SampleUser): Fault['spoil'] => (event) => ({ ...event, user });
/** Looks good; only the platform knows better. */
const poisoned = (code: string): Fault => ({ expected: { kind: 'poisoned', code }, spoil: (event) => event });

/** Faults as they come out of real shops: a late import, a tag without consent data, a hand-made currency. */
const FAULTS: readonly Fault[] = [
  refused('event_too_old', (event) => ({ ...event, secondsAgo: 9 * DAY })),
  refused('event_too_old', (event) => ({ ...event, secondsAgo: 30 * DAY + 7 })),
  refused('event_too_old', (event) => ({ ...event, secondsAgo: 400 * DAY })),
  refused('event_in_future', (event) => ({ ...event, secondsAgo: -26 * HOUR })),
  refused('no_match_keys', withUser({})),
  refused('no_match_keys', withUser({ country: 'DE', city: 'Leipzig', zip: '04109' })),
  refused('no_match_keys', withUser({ userAgent: 'Mozilla/5.0 (compatible; tag-manager)', country: 'FR' })),
  refused('currency_invalid', (event) => ({ ...event, currency: 'EURO' })),
  refused('currency_invalid', (event) => ({ ...event, currency: '€' })),
  refused('currency_missing', (event) => without(event, 'currency')),
  refused('value_missing', (event) => without(event, 'value')),
  poisoned('2804003'),
  poisoned('2804019'),
  poisoned('2804050'),
  poisoned('2804036'),
];

/** The faults stand about evenly spread among good purchases, so that they share chunks with them. */
export function mixedQuality(count: number, seed = 300): { readonly event: SampleEvent; readonly expected: Expected }[] {
  const purchases = shopPurchases(count * 6, seed).filter((event) => event.eventName === 'Purchase');
  const every = Math.floor(count / FAULTS.length);
  return purchases.slice(0, count).map((purchase, n) => {
    const event = { ...purchase, eventId: `MX-${String(n + 1).padStart(4, '0')}` };
    const fault = n % every === every - 1 ? FAULTS[Math.floor(n / every)] : undefined;
    return fault === undefined ? { event, expected: { kind: 'delivered' } } : { event: fault.spoil(event), expected: fault.expected };
  });
}

function without(event: SampleEvent, key: 'currency' | 'value'): SampleEvent {
  const { [key]: _dropped, ...rest } = event;
  return rest;
}
