import { describe, expect, it } from 'vitest';
import { formatPath } from './format-path.ts';
import { findJsonFault } from './json-fault.ts';
import { findTreeFaults, isSound } from './tree-faults.ts';

describe('findJsonFault', () => {
  const REFUSED = ['', ' ', '{', '[', '[1,]', '[,1]', '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b"}', '[1 2]', '01', '1.', '.5', '+1', '1e', 'nul', 'True', '"\n"', '"\\x"', '"\\u12"', '"', '1 1', '{]', '[}', '{"a":1]', "['a']", '/**/1', 'undefined', '{a:1}', '\u00a01', '[1,2,{"b":tru}]'];

  it.each(REFUSED)('finds a place in %j, as JSON.parse refuses it', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    const { position, line, column, what } = findJsonFault(text);
    expect(position).toBeLessThanOrEqual(text.length);
    expect(line * column).toBeGreaterThan(0);
    expect(what).not.toBe('is not JSON');
  });

  it('points at the very character', () => {
    expect(findJsonFault('{"a":1,\n "b":x}')).toMatchObject({ position: 13, line: 2, column: 6 });
  });

  it('is quick on a long text that is never closed', () => {
    const timed = (times: number) => {
      const text = `{"a":"${'ab\\n'.repeat(times)}`;
      const started = performance.now();
      expect(findJsonFault(text).position).toBe(5);
      return performance.now() - started;
    };
    timed(50_000); // warm up
    const tenth = timed(50_000);
    // Ten times as long, and not a hundred times.
    expect(timed(500_000) / tenth).toBeLessThan(30);
  });
});

describe('isSound and findTreeFaults', () => {
  it.each([[1], ['a'], [null], [{ a: [1, { b: 'c' }] }], [{ constructor: 'ACME' }], [{ prototype: {} }], [{ proto: 1 }]])('agree that %j is sound', (value) => {
    expect(isSound(value)).toBe(true);
    expect(findTreeFaults(value)).toEqual([]);
  });

  it.each([
    ['{"a":[{"__proto__":1}]}', 'a[0].__proto__', 'json'],
    ['{"a":{"constructor":{"prototype":1}}}', 'a.constructor', 'json'],
    ['{"a":[1,1e400]}', 'a[1]', 'field'],
    ['{"b":"\\udc00"}', 'b', 'field'],
    ['{"\\udc00":1}', '["\\udc00"]', 'field'],
  ])('agree that %s is not', (text, path, kind) => {
    const value: unknown = JSON.parse(text);
    expect(isSound(value)).toBe(false);
    expect(findTreeFaults(value)).toMatchObject([{ path, kind }]);
  });
});

describe('formatPath', () => {
  it('quotes what is no identifier and cuts what is long', () => {
    expect(formatPath(['events', 3, 'user', 'e-mail'])).toBe('events[3].user["e-mail"]');
    expect(formatPath(['x'.repeat(200)])).toHaveLength(68);
    expect(formatPath([])).toBe('');
  });
});
