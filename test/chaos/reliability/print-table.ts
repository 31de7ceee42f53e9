import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { formatTable, readRows } from './table.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder where scenarios leave the rows of the table. */
    chaosRows: string;
  }
}

const DOCUMENT = join(import.meta.dirname, '../../../docs/reliability.md');
let rows: string;

export function setup(project: TestProject): void {
  rows = mkdtempSync(join(tmpdir(), 'relay-chaos-rows-'));
  project.provide('chaosRows', rows);
}

/** Prints the table at the end of the run; `CHAOS_RECORD=1` writes it into docs/reliability.md too. */
export function teardown(): void {
  const all = readRows(rows);
  rmSync(rows, { recursive: true, force: true });
  if (all.length === 0) return;
  const table = formatTable(all);
  const run = `seed ${process.env['CHAOS_SEED']}, ${process.env['CHAOS_LONG'] === '1' ? 'long' : 'short'} form`;
  console.log(`\n${table}\n\n${run}`);
  if (process.env['CHAOS_RECORD'] !== '1') return;
  const text = readFileSync(DOCUMENT, 'utf8');
  const block = `<!-- table -->\n${table}\n\nPrinted on ${new Date().toISOString().slice(0, 10)}, ${run}.\n<!-- /table -->`;
  writeFileSync(DOCUMENT, text.replace(/<!-- table -->[\s\S]*<!-- \/table -->/, () => block));
}
