/** Graph's field lists: `id,adspixels.limit(2){id,name}`. */
export interface FieldPick {
  readonly name: string;
  /** `limit`, `after` and the like of a nested edge. */
  readonly modifiers: Readonly<Record<string, string>>;
  /** `undefined`: nothing in braces. */
  readonly fields: readonly FieldPick[] | undefined;
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** `undefined` for text that is no field list. */
export function parseFields(text: string): readonly FieldPick[] | undefined {
  const cursor = { text: text.replaceAll(/\s/g, ''), at: 0 };
  const picks = readList(cursor);
  return picks !== undefined && cursor.at === cursor.text.length ? picks : undefined;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}

function readList(cursor: Cursor): readonly FieldPick[] | undefined {
  const picks: FieldPick[] = [];
  do {
    const pick = readPick(cursor);
    if (pick === undefined) return undefined;
    picks.push(pick);
  } while (take(cursor, /,/y) !== undefined);
  return picks;
}

function readPick(cursor: Cursor): FieldPick | undefined {
  const name = take(cursor, /\w+/y);
  if (name === undefined) return undefined;
  const modifiers: Record<string, string> = {};
  for (let found = take(cursor, /\.\w+\([^()]*\)/y); found !== undefined; found = take(cursor, /\.\w+\([^()]*\)/y)) {
    const open = found.indexOf('(');
    modifiers[found.slice(1, open)] = found.slice(open + 1, -1);
  }
  if (take(cursor, /\{/y) === undefined) return { name, modifiers, fields: undefined };
  const fields = readList(cursor);
  return fields !== undefined && take(cursor, /\}/y) !== undefined ? { name, modifiers, fields } : undefined;
}

/** The other way round, for the links of pages. */
export function printFields(picks: readonly FieldPick[]): string {
  return picks
    .map(({ name, modifiers, fields }) => {
      const dots = Object.entries(modifiers).map(([modifier, value]) => `.${modifier}(${value})`);
      return `${name}${dots.join('')}${fields === undefined ? '' : `{${printFields(fields)}}`}`;
    })
    .join(',');
}
