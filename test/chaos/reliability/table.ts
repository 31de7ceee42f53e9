import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of the table that a run ends with. */
export interface Row {
  readonly scenario: string;
  readonly events: number;
  /** Processes killed, frozen or cut off. */
  readonly kills: number;
  readonly lost: number;
  readonly duplicates: number;
  /** From the end of the fault until workers were seen consuming again, ms; `undefined`: there is nothing to recover from. */
  readonly recoveryMs: number | undefined;
  /** What else was measured. */
  readonly note?: string;
}

const ORDER = ['crash', 'redis', 'platform', 'neighbour', 'stuck'];

/** Kept in a file: scenarios run in processes of their own, and the table is printed at the end of all. */
export function addRow(folder: string, group: (typeof ORDER)[number], row: Row): void {
  mkdirSync(folder, { recursive: true });
  const order = `${ORDER.indexOf(group)}-${String(Date.now()).padStart(15, '0')}`;
  writeFileSync(join(folder, `${order}-${randomUUID()}.json`), JSON.stringify(row));
}

export function readRows(folder: string): Row[] {
  return readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Row);
}

const count = (value: number) => value.toLocaleString('en-US');
const seconds = (ms: number | undefined) => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`);

/** As Markdown, padded so that it reads as plain text too. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['scenario', 'events', 'kills', 'lost', 'duplicates', 'recovery', 'seen'];
  const body = rows.map((row) => [row.scenario, count(row.events), String(row.kills), String(row.lost), count(row.duplicates), seconds(row.recoveryMs), row.note ?? '']);
  const widths = head.map((cell, column) => Math.max(cell.length, ...body.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}
