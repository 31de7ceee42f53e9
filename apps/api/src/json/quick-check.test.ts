import { sendConversionsSchema } from '@relay/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileQuickCheck } from './quick-check.ts';

const isRight = compileQuickCheck(sendConversionsSchema);
const AN_EVENT = { eventName: 'Purchase', eventTime: 1_790_000_000, eventId: 'order-1', user: { email: 'a@example.com', clickIds: { fbc: 'fb.1.2.x' } }, items: [{ id: 'sku', price: 1.5 }], actionSource: 'web', platformData: { any: [1, { deep: null }] } };
const A_BODY = { accountId: 'acc', destinationId: '123', events: [AN_EVENT], testCode: 'T', consent: { adUserData: 'GRANTED' } };
const withEvent = (over: object): object => ({ ...A_BODY, events: [AN_EVENT, { ...AN_EVENT, ...over }] });

describe('compileQuickCheck', () => {
  it('knows a body that zod gives back as it is', () => {
    expect(isRight(A_BODY)).toBe(true);
    expect(sendConversionsSchema.parse(A_BODY)).toEqual(A_BODY);
  });

  it.each([
    ['an unknown key', { ...A_BODY, extra: 1 }],
    ['an unknown key of an event', withEvent({ extra: 1 })],
    ['an unknown key of a user', withEvent({ user: { extra: 1 } })],
    ['an unknown key of an item', withEvent({ items: [{ extra: 1 }] })],
    ['a fraction of a second', withEvent({ eventTime: 1.5 })],
    ['milliseconds', withEvent({ eventTime: 1_790_000_000_000 })],
    ['a name that is too long', withEvent({ eventName: 'x'.repeat(513) })],
    ['a long name of letters of two units', withEvent({ eventName: '🛒'.repeat(257) })],
    ['a value beyond a double', withEvent({ value: Infinity })],
    ['no events', { ...A_BODY, events: [] }],
    ['null where there is nothing', withEvent({ currency: null })],
    ['another action source', withEvent({ actionSource: 'tv' })],
    ['a text', 'text'],
    ['nothing', undefined],
  ])('leaves %s to zod', (_name, body) => {
    expect(isRight(body)).toBe(false);
  });

  it('never lets a body pass that zod would refuse or change', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(Infinity, Number.NaN, -0, 1.5, -1, '', '🛒'.repeat(300), 'x'.repeat(2049), [], {}, null));
    const leaf = (value: unknown) => fc.oneof({ weight: 20, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: odd });
    const anEvent = fc.record(Object.fromEntries(Object.entries(AN_EVENT).map(([key, value]) => [key, leaf(value)])), { requiredKeys: ['eventName', 'eventTime', 'eventId', 'user'] });
    const aBody = fc.record({ accountId: leaf('acc'), destinationId: leaf('1'), events: leaf(undefined).chain((value) => (value === undefined ? fc.array(anEvent, { maxLength: 4 }) : fc.constant(value))), testCode: leaf('T'), consent: leaf({}) }, { requiredKeys: ['accountId', 'destinationId', 'events'] });
    let passed = 0;
    fc.assert(
      fc.property(aBody, (body) => {
        if (!isRight(body)) return;
        passed += 1;
        expect(sendConversionsSchema.parse(body)).toEqual(body);
      }),
      { numRuns: 2000 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it('refuses to be made of a schema that changes values unknown to it', () => {
    expect(() => compileQuickCheck(z.object({ name: z.string().transform((text) => text.trim()) }))).toThrow(/changes values/);
    expect(() => compileQuickCheck(z.object({ name: z.string().default('x') }))).toThrow(/changes values/);
  });
});
