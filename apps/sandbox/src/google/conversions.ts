import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import type { EventInput } from './request-shape.ts';

/** Older conversions are forgotten, so that a load test of days does not fill the memory: they cannot be adjusted any more. */
const MAX_REMEMBERED = 500_000;
const DAY_MS = 86_400_000;
const SEEDED_AGE_DAYS = 10;
const EXPIRED_AGE_DAYS = 60;

/** What an adjustment can be made to: the Data Manager stores it, the Ads API looks it up. */
export interface ConversionStore {
  remember(resourceName: string, event: EventInput): void;
  /** Unix ms of the conversion; `undefined` if none has that order id under the action. */
  timeOfOrder(resourceName: string, orderId: string): number | undefined;
  /** The same for a click id and the time of its conversion. */
  timeOfClick(resourceName: string, gclid: string, conversionMs: number): number | undefined;
  reset(): void;
}

export function createConversionStore(core: SandboxCore): ConversionStore {
  const times = new Map<string, number>();

  function note(key: string, atMs: number): void {
    times.set(key, atMs);
    if (times.size <= MAX_REMEMBERED) return;
    for (const oldest of times.keys()) {
      times.delete(oldest);
      break;
    }
  }

  return {
    remember(resourceName, event) {
      const atMs = Date.parse(event.eventTimestamp ?? '');
      if (event.transactionId) note(`${resourceName} order ${event.transactionId}`, atMs);
      const gclid = event.adIdentifiers?.gclid;
      if (gclid) note(`${resourceName} click ${gclid} ${atMs}`, atMs);
    },
    timeOfOrder: (resourceName, orderId) => times.get(`${resourceName} order ${orderId}`) ?? seededTime(resourceName, orderId, core.now()),
    timeOfClick(resourceName, gclid, conversionMs) {
      const known = times.get(`${resourceName} click ${gclid} ${conversionMs}`);
      if (known !== undefined) return known;
      // A seeded click fits whatever time is given: its age moves with the clock.
      return isOf(resourceName, SEED.google.uploadActions) && isIn(gclid, SEED.google.conversions.gclids) ? conversionMs : undefined;
    },
    reset: () => times.clear(),
  };
}

const isIn = (value: string, list: readonly string[]): boolean => list.includes(value);
const isOf = (resourceName: string, ids: readonly string[]): boolean => ids.some((id) => resourceName === `customers/${SEED.google.customerId}/conversionActions/${id}`);

/** Seeded orders exist under every seeded action of their kind of the main customer. */
function seededTime(resourceName: string, orderId: string, nowMs: number): number | undefined {
  const { conversions, uploadActions, webpageActions } = SEED.google;
  const known = (isOf(resourceName, uploadActions) && isIn(orderId, conversions.upload)) || (isOf(resourceName, webpageActions) && isIn(orderId, conversions.webpage));
  if (known) return nowMs - SEEDED_AGE_DAYS * DAY_MS;
  const expired = isOf(resourceName, [...uploadActions, ...webpageActions]) && isIn(orderId, conversions.expired);
  return expired ? nowMs - EXPIRED_AGE_DAYS * DAY_MS : undefined;
}
