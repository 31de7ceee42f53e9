import { sendConversionsSchema } from '@relay/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileValidator } from './compile-schemas.ts';
import { isUnwalked, parseBody } from './parse-body.ts';

const validate = compileValidator({ schema: sendConversionsSchema, httpPart: 'body', method: 'POST', url: '/' });
const AN_EVENT = { eventName: 'Purchase', eventTime: 1_790_000_000, eventId: 'order-1', value: 1.5, user: { email: 'a@example.com', clickIds: { fbc: 'x' } }, items: [{ id: 'sku', price: 2 }] };
const textOf = (event: string): string => `{"accountId":"acc","destinationId":"1","events":[${JSON.stringify(AN_EVENT)},${event}]}`;
const withMember = (member: string): string => textOf(`${JSON.stringify(AN_EVENT).slice(0, -1)},${member}}`);

/** What comes of a body, whether or not its tree was walked through when it was parsed. */
function outcomeOf(text: string, later: boolean): unknown {
  try {
    const { value, error } = validate(parseBody(Buffer.from(text), later)) as { value?: unknown; error?: Error };
    return value ?? { ...(error as object), message: error!.message };
  } catch (error) {
    return { ...(error as object), message: (error as Error).message };
  }
}

describe('a body whose walk is put off', () => {
  it.each([
    ['nothing odd', textOf(JSON.stringify(AN_EVENT)), true],
    ['letters beyond ASCII', withMember('"sourceUrl":"https://shop.example/käse-🧀"'), true],
    ['an escaped letter', withMember('"sourceUrl":"\\u00fc"'), false],
    ['a lone surrogate', withMember('"sourceUrl":"\\ud800"'), false],
    ['a lone surrogate as a key', withMember('"platformData":{"\\ud800":1}'), false],
    ['__proto__ in an event', withMember('"__proto__":{"a":1}'), true],
    ['__proto__ in a user', textOf(JSON.stringify(AN_EVENT).replace('"clickIds"', '"__proto__":{},"clickIds"')), true],
    ['__proto__ in platformData', withMember('"platformData":{"a":[{"__proto__":1}]}'), true],
    ['a constructor in platformData', withMember('"platformData":{"constructor":{"prototype":{}}}'), true],
    ['a number beyond a double', withMember('"value":1e999'), true],
    ['a number beyond a double in platformData', withMember('"platformData":{"a":[1e999]}'), true],
    ['a number beyond a double in an unknown field', withMember('"unknown":1e999'), true],
    ['a tree that is just deep enough', withMember(`"platformData":{"a":${'['.repeat(60)}${']'.repeat(60)}}`), true],
    ['a tree that is too deep', withMember(`"platformData":{"a":${'['.repeat(61)}${']'.repeat(61)}}`), true],
    ['a deep tree where nothing should be', withMember(`"user":${'['.repeat(70)}${']'.repeat(70)}`), true],
    ['two faults', withMember('"eventId":7,"platformData":{"a":1e999}'), true],
  ])('with %s comes to the same', (_name, text, later) => {
    expect(isUnwalked(parseBody(Buffer.from(text), true))).toBe(later);
    expect(outcomeOf(text, true)).toEqual(outcomeOf(text, false));
  });

  it('comes to the same with any platformData', () => {
    const odd = fc.oneof(fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)), fc.constantFrom('1e999', '{"__proto__":1}', '"\\udc00"', `${'{"a":'.repeat(62)}1${'}'.repeat(62)}`));
    fc.assert(
      fc.property(odd, (value) => {
        const text = withMember(`"platformData":{"a":[${value}]}`);
        expect(outcomeOf(text, true)).toEqual(outcomeOf(text, false));
      }),
    );
  });
});
