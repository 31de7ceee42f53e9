import type { Context } from './context.ts';
import { textIn, type Json } from './json.ts';

/** One line of JSON: what `--json` prints. */
export function printJson(context: Pick<Context, 'out'>, value: unknown): void {
  context.out(`${JSON.stringify(value ?? {})}\n`);
}

export interface Column {
  readonly title: string;
  readonly of: (row: Json) => string;
  readonly right?: boolean;
}

/** Column of a field under its own name. */
export const field = (title: string, key = title): Column => ({ title, of: (row) => textIn(row, key) });
export const count = (title: string, key = title): Column => ({ ...field(title, key), right: true });

/** Cells longer than this are cut: a table is to be looked at, `--json` has everything. */
const MAX_CELL = 60;

export function formatTable(columns: readonly Column[], rows: readonly Json[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((column) => cut(oneLine(column.of(row)))))];
  const widths = columns.map((_, n) => Math.max(...cells.map((line) => widthOf(line[n] ?? ''))));
  const lines = cells.map((line) =>
    line
      .map((cell, n) => {
        const gap = ' '.repeat((widths[n] ?? 0) - widthOf(cell));
        return columns[n]?.right === true ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Label and value under each other; empty values are left out. */
export function formatFacts(facts: readonly (readonly [label: string, value: string | number | undefined])[]): string {
  const given = facts.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...given.map(([label]) => label.length));
  return given.map(([label, value]) => `${label.padEnd(width)}  ${oneLine(String(value))}\n`).join('');
}

export function printTable(context: Pick<Context, 'out'>, columns: readonly Column[], rows: readonly Json[], none: string): void {
  context.out(rows.length === 0 ? `${none}\n` : formatTable(columns, rows));
}

/** A platform's words may hold line breaks and control characters, which must not steer the terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** In code points: near enough for names and ids. */
function widthOf(text: string): number {
  return Array.from(text).length;
}

function cut(text: string): string {
  const characters = Array.from(text);
  return characters.length <= MAX_CELL ? text : `${characters.slice(0, MAX_CELL - 1).join('')}…`;
}
