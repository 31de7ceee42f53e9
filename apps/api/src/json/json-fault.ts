/** Where a text stops being JSON. Never quotes the text: it may be about a person. */
export interface JsonFault {
  /** Offset in characters, from 0. */
  readonly position: number;
  readonly line: number;
  readonly column: number;
  readonly what: string;
}

type Expected = 'value' | 'value or ]' | 'key or }' | 'key' | ':' | ', or end' | 'nothing more';

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const BAD_STRING = 'has a string that is not closed or holds an unescaped character';
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const NOT_JSON = /-?(?:NaN|Infinity|undefined)/y;

/**
 * Finds the first fault of a text that `JSON.parse` refused. Its own walk, because the engine's messages differ between
 * versions, often lack the position and quote the text.
 */
export function findJsonFault(text: string): JsonFault {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = skip(SPACE, text, at);
    const next = step(text, at, expected, open);
    if (typeof next === 'string') return locate(text, at, next);
    at = next.at;
    expected = next.expected;
    if (at >= text.length && expected === 'nothing more') return locate(text, at, 'is not JSON');
  }
}

type Step = { readonly at: number; readonly expected: Expected } | string;

function step(text: string, at: number, expected: Expected, open: ('{' | '[')[]): Step {
  if (at >= text.length) return 'ends before the JSON is complete';
  const char = text[at]!;
  switch (expected) {
    case 'nothing more':
      return 'holds more text after the JSON value';
    case ':':
      return char === ':' ? { at: at + 1, expected: 'value' } : 'needs a colon after the key';
    case ', or end':
      return afterValue(char, at, open);
    case 'key':
    case 'key or }':
      return char === '}' && expected === 'key or }' ? close(at, open) : key(text, at, char);
    case 'value':
    case 'value or ]':
      return char === ']' && expected === 'value or ]' ? close(at, open) : value(text, at, char, open);
  }
}

function key(text: string, at: number, char: string): Step {
  if (char !== '"') return char === '}' ? 'has a comma too many' : 'needs a key in double quotes';
  const end = endOfString(text, at);
  return end === at ? BAD_STRING : { at: end, expected: ':' };
}

function value(text: string, at: number, char: string, open: ('{' | '[')[]): Step {
  if (char === '{' || char === '[') {
    open.push(char);
    return { at: at + 1, expected: char === '{' ? 'key or }' : 'value or ]' };
  }
  if (skip(NOT_JSON, text, at) > at) return 'holds NaN, Infinity or undefined, which JSON does not have; send a number or leave the field out';
  const end = char === '"' ? endOfString(text, at) : skip(SCALAR, text, at);
  if (end > at) return { at: end, expected: open.length === 0 ? 'nothing more' : ', or end' };
  if (char === '"') return BAD_STRING;
  return char === ']' || char === '}' ? 'has a comma too many or a value too few' : 'needs a value';
}

function afterValue(char: string, at: number, open: ('{' | '[')[]): Step {
  const inside = open.at(-1);
  if (char === ',') return { at: at + 1, expected: inside === '{' ? 'key' : 'value' };
  if ((char === '}' && inside === '{') || (char === ']' && inside === '[')) return close(at, open);
  return inside === '{' ? 'needs a comma or }' : 'needs a comma or ]';
}

function close(at: number, open: ('{' | '[')[]): Step {
  open.pop();
  return { at: at + 1, expected: open.length === 0 ? 'nothing more' : ', or end' };
}

/** By hand and not by a pattern: one that fails late would try every way to split a long text. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return start;
    const next = code === 0x5c ? skip(ESCAPE, text, at) : at + 1;
    if (next === at) return start;
    at = next;
  }
  return start;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function locate(text: string, position: number, what: string): JsonFault {
  const before = text.slice(0, position);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { position, line: before.split('\n').length, column: position - lineStart + 1, what };
}
