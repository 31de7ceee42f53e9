import type { ConversionEvent, ItemResult } from '@relay/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptEvents, duplicateEventIds, type AcceptInput } from './accept.ts';
import { aDefinition } from './testing/deliver.test-kit.ts';

const anEvent = (over: Partial<ConversionEvent> = {}): ConversionEvent => ({ eventName: 'Purchase', eventTime: 1_700_000_000, eventId: 'e1', user: {}, ...over });

/** `toItem` reads the wire (or the refusal) from the event's id. */
function accept(eventIds: readonly string[], over: Partial<AcceptInput> = {}, maxRequestBytes = 100) {
  const toItem = ({ eventId }: ConversionEvent): ItemResult =>
    eventId.startsWith('bad') ? { kind: 'refused', code: 'event_too_old', message: 'Too old.' } : { kind: 'item', wire: eventId, expiresAtMs: 5 };
  return acceptEvents({
    accountId: 'acc',
    definition: aDefinition({ toItem, maxRequestBytes, maxEvents: 7 }),
    destinationId: 'dest',
    events: eventIds.map((eventId) => anEvent({ eventId })),
    testCode: 'TEST1',
    consent: { adUserData: 'GRANTED' },
    nowMs: 42,
    ...over,
  });
}

describe('acceptEvents', () => {
  it('keeps the submitted index of every event, accepted or refused', () => {
    const { events, refused, eventsSubmitted } = accept(['a', 'bad1', 'b', 'bad2']);
    expect(events.map(({ index, eventId }) => [index, eventId])).toEqual([[0, 'a'], [2, 'b']]);
    expect(refused).toEqual([
      { eventIndex: 1, eventId: 'bad1', code: 'event_too_old', message: 'Too old.' },
      { eventIndex: 3, eventId: 'bad2', code: 'event_too_old', message: 'Too old.' },
    ]);
    expect(eventsSubmitted).toBe(4);
  });

  it('counts what the platform takes although it lacks something', () => {
    const toItem = ({ eventId }: ConversionEvent): ItemResult => ({ kind: 'item', wire: eventId, expiresAtMs: 5, lacksWebContext: eventId === 'bare' });
    const count = (...eventIds: readonly string[]) => accept(eventIds, { definition: aDefinition({ toItem, maxRequestBytes: 100 }) }).lackingWebContext;
    expect([count('bare', 'a', 'bare'), count('a'), count()]).toEqual([2, 0, 0]);
    expect(accept(['a', 'bad']).lackingWebContext).toBe(0);
  });

  it('takes account, caps and time from where they are known', () => {
    expect(accept(['a'])).toMatchObject({ platform: 'metaads', accountId: 'acc', destinationId: 'dest', testCode: 'TEST1', consent: { adUserData: 'GRANTED' }, acceptedAtMs: 42, maxChunkEvents: 7, maxChunkBytes: 100 });
  });

  it('accounts for every event once, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'bad', 'x'.repeat(101), 'é'.repeat(60), 'é'.repeat(50)), { maxLength: 60 }), (ids) => {
        const { events, refused } = accept(ids);
        expect([...events.map(({ index }) => index), ...refused.map(({ eventIndex }) => eventIndex)].sort((a, b) => a - b)).toEqual([...ids.keys()]);
        expect(events.map(({ index }) => index)).toEqual(events.map(({ index }) => index).sort((a, b) => a - b));
        for (const { wire } of events) expect(Buffer.byteLength(wire)).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('refuses an event larger than a request, counted in bytes and not in characters', () => {
    const { events, refused } = accept(['x'.repeat(100), 'x'.repeat(101), 'é'.repeat(50), 'é'.repeat(51), '€'.repeat(34)]);
    expect(events.map(({ index }) => index)).toEqual([0, 2]);
    expect(refused.map(({ eventIndex, code }) => [eventIndex, code])).toEqual([1, 3, 4].map((index) => [index, 'event_too_large']));
  });

  it('keeps a handful of names, distinct, in order, also those of refused events', () => {
    const events = ['B', 'A', 'B', 'C', 'D', 'E', 'F'].map((eventName) => anEvent({ eventName, eventId: 'bad' }));
    expect(accept([], { events }).eventNames).toEqual(['B', 'A', 'C', 'D', 'E']);
  });

  it('gives every event the time, destination and consent of the request', () => {
    const seen: unknown[] = [];
    const definition = aDefinition({ toItem: (_event, context) => (seen.push(context), { kind: 'refused', code: 'field_invalid', message: '' }) });
    accept(['a', 'b'], { definition });
    expect(seen).toEqual([1, 2].map(() => ({ nowMs: 42, destinationId: 'dest', consent: { adUserData: 'GRANTED' } })));
  });
});

describe('duplicateEventIds', () => {
  it('names each id that stands more than once, once', () => {
    expect(duplicateEventIds(['a', 'b', 'a', 'c', 'a', 'b'].map((eventId) => anEvent({ eventId })))).toEqual(['a', 'b']);
    expect(duplicateEventIds([])).toEqual([]);
    expect(duplicateEventIds([anEvent()])).toEqual([]);
  });
});
