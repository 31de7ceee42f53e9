import { SEED } from '@relay/sandbox';

export interface Event {
  readonly eventName: string;
  readonly eventTime: number;
  readonly eventId: string;
  readonly value?: number;
  readonly currency?: string;
  readonly user: Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}

export interface SendBody {
  readonly accountId: string;
  readonly destinationId: string;
  readonly events: readonly Event[];
  readonly testCode?: string;
  readonly consent?: Readonly<Record<string, string>>;
}

export const [PIXEL, PIXEL_2, PIXEL_3] = SEED.meta.pixels;
export const [RULE, RULE_2, RULE_3] = SEED.linkedin.rules;
export const actionOf = (id: string): string => `customers/${SEED.google.customerId}/conversionActions/${id}`;
export const ACTION = actionOf(SEED.google.uploadActions[0]);

/** A moment ago, unix seconds. */
export const now = (): number => Math.floor(Date.now() / 1000) - 60;

let runs = 0;
/** Ids that no other test of this process uses. */
export function freshIds(prefix: string, count: number): string[] {
  runs += 1;
  return Array.from({ length: count }, (_, i) => `${prefix}-${runs}-${i}`);
}

/** One that every platform takes. */
export function anEvent(eventId: string, changes: Partial<Event> = {}): Event {
  return { eventName: 'Lead', eventTime: now(), eventId, user: { email: `${eventId.toLowerCase()}@example.com` }, ...changes };
}

export const toMeta = (events: readonly Event[], destinationId: string = PIXEL): SendBody => ({ accountId: 'acc_meta', destinationId, events });
export const toSecondMeta = (events: readonly Event[], destinationId: string = PIXEL_2): SendBody => ({ accountId: 'acc_meta_2', destinationId, events });
export const toGoogle = (events: readonly Event[], destinationId: string = ACTION): SendBody => ({ accountId: 'acc_google', destinationId, events });
export const toLinkedin = (events: readonly Event[], destinationId: string = RULE): SendBody => ({ accountId: 'acc_linkedin', destinationId, events });
