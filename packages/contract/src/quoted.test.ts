import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoted } from './quoted.ts';

describe('a text of a caller, quoted', () => {
  it.each([
    ['Lead', '"Lead"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['東京 🎯', '"東京 🎯"'],
    ['a\nb\u0000', '"a\\nb\\u0000"'],
    ['a\u2028b\u2029', '"a\\u2028b\\u2029"'],
    ['\u007f\u0085', '"\\u007f\\u0085"'],
    ['\u202egnp.exe', '"\\u202egnp.exe"'],
    ['\u{e0041}', '"\\udb40\\udc41"'],
    ['\ud83d', '"\\ud83d"'],
    ['123456789', '"123456789"'],
    ['1234567890', '"1234567890"'],
    ['12345678901', '"123456789…"'],
    ['12345678🎯1', '"12345678\ufffd…"'],
  ])('%j', (text, expected) => {
    expect(quoted(text, 10)).toBe(expected);
  });

  it('is one line that reads back as the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const said = quoted(text, 80);
        expect(said).toMatch(/^".*"$/);
        expect(JSON.parse(said)).toBe(text);
      }),
    );
  });
});
