/** Values that somebody once forgot to expect, for any place of any type. */
const DEEP = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? { a: value } : [value];
  return value;
};

export const HOSTILE_TEXTS: readonly string[] = [
  '', ' ', '\u0000', 'a\u0000b', '\t', '\r\n', 'a\r\nX-Injected: 1', '\ud800', '\udc00a', '\ufeff', '\u202e', '\u00e9', 'e\u0301', '日本', '🦊', '٣', 'İ', 'ſ',
  'null', 'undefined', 'NaN', 'true', '-0', '0', '-1', '1e999', '9007199254740993', '99999999999999999999', '0x10', '1_000', '1,5',
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '{}', '[]', '*', '**', '?', '%', '%00', '%2e%2e%2f', '../..', '..', '.', '/', '//', '\\', '#', '@', ':', '|', ';', '&a=b', '{relay}', '{relay}:apikeys',
  "' OR 1=1 --", '"; DROP TABLE events', '<script>alert(1)</script>', '${7*7}', '{{7*7}}', '$(id)', '`id`', 'http://169.254.169.254/', 'file:///etc/passwd', 'http://evil.example/', '//evil.example', 'a@evil.example', 'evil.example#', 'acc_meta@evil.example',
  'customers/1234567890/conversionActions/111', 'customers/123-456-7890/conversionActions/111', 'customers/../../conversionActions/1', 'urn:lla:llaPartnerConversion:1', 'urn:li:organization:1', 'dlv_000000000000000000000', 'dl_r0_0_metaads', 'dl_r0_99999999999999999999_metaads.9999',
  'x'.repeat(128), 'x'.repeat(129), 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(512), 'x'.repeat(513), 'x'.repeat(2048), 'x'.repeat(2049), 'x'.repeat(8193), 'x'.repeat(70_000), '𝒳'.repeat(300), 'a '.repeat(2000), '('.repeat(500), 'a@'.repeat(400), '1'.repeat(400),
];

export const HOSTILE_VALUES: readonly unknown[] = [
  ...HOSTILE_TEXTS,
  null, true, false, 0, -0, -1, 1, 0.1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e21, 1e308, -1e308, 5e-324, 99_999_999_999, 100_000_000_000, 1_700_000_000_000,
  [], {}, [[]], [{}], [null], { length: 5 }, { a: 1 }, { toString: 1 }, { toJSON: 'x' }, { constructor: { prototype: {} } }, { '': 1 }, { ' ': 1 }, { [`x`.repeat(300)]: 1 },
  DEEP(10), DEEP(63), DEEP(64), DEEP(65), DEEP(500), Array.from({ length: 1001 }, () => 'x'), Array.from({ length: 5000 }, (_, i) => i), Array.from({ length: 300 }, () => ({})),
];

/** Written into the text itself: `JSON.stringify` makes none of them. */
export const HOSTILE_JSON: readonly string[] = [
  '1e999', '-1e999', 'NaN', 'Infinity', 'undefined', '01', '+1', '.5', '1.', '0x1F', "'x'", '"\\ud800"', '"\\u0000"', '"\\x41"', '"\u0001"', '{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"a":1,"a":2}', '[1,]', '{"a":1,}', '/* */ 1', '"',
  '[', '{', ']', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, '['.repeat(50_000), `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`, `"${'\\u0041'.repeat(3000)}"`, '1'.repeat(5000), `-${'9'.repeat(400)}`,
];
