import type { ConversionEvent, ItemContext } from '@relay/contract';
import { metaItem } from './item.ts';

export const NOW_SECONDS = 1_790_000_000;
export const CONTEXT: ItemContext = { nowMs: NOW_SECONDS * 1000, destinationId: '1234567890123456', consent: undefined };

/** A lead of a minute ago that Meta would take; a test names what it is about. */
export function anEvent(some: Partial<ConversionEvent> = {}): ConversionEvent {
  return { eventName: 'Lead', eventTime: NOW_SECONDS - 60, eventId: 'evt-1', user: { email: 'jo@example.com' }, ...some };
}

/** The wire event, parsed; throws if it was refused. */
export function wireOf(event: ConversionEvent, context: ItemContext = CONTEXT): Record<string, unknown> {
  const result = metaItem(event, context);
  if (result.kind === 'refused') throw new Error(`refused: ${result.code}`);
  return JSON.parse(result.wire) as Record<string, unknown>;
}
