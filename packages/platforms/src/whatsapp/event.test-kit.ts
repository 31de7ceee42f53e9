import { toMessagingItem, type MessagingConversion } from './item.ts';

export const NOW_SECONDS = 1_790_000_000;
export const CONTEXT = { nowMs: NOW_SECONDS * 1000 };

/** A purchase of a minute ago that Meta would take; a test names what it is about. */
export function aConversion(some: Partial<MessagingConversion> = {}): MessagingConversion {
  return { eventName: 'Purchase', eventTime: NOW_SECONDS - 60, eventId: 'evt-1', value: 49.9, currency: 'EUR', ctwaClid: 'Aff-n8ZTODiE79d22KtAwQKj9e', wabaId: '2000000000000001', ...some };
}

/** The wire event, parsed; throws if it was refused. */
export function wireOf(event: MessagingConversion): Record<string, unknown> {
  const result = toMessagingItem(event, CONTEXT);
  if (result.kind === 'refused') throw new Error(`refused: ${result.code}`);
  return JSON.parse(result.wire) as Record<string, unknown>;
}
