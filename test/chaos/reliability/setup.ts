import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { formatTable, readRows } from './table.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    chaos: { readonly seed: number; readonly long: boolean; readonly rows: string };
  }
}

const DOCUMENT = join(import.meta.dirname, '../../../docs/reliability.md');
let rows: string;
let seed: number;
const long = process.env['CHAOS_LONG'] === '1';

export function setup(project: TestProject): void {
  seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isInteger(seed)) throw new Error(`CHAOS_SEED must be a whole number, and is "${process.env['CHAOS_SEED']}"`);
  rows = mkdtempSync(join(tmpdir(), 'relay-chaos-rows-'));
  project.provide('chaos', { seed, long, rows });
  console.log(`chaos, ${long ? 'long' : 'short'} form; the same again: CHAOS_SEED=${seed}${long ? ' npm run test:chaos' : ' npx vitest run --project chaos-reliability'}`);
}

export function teardown(): void {
  const all = readRows(rows);
  rmSync(rows, { recursive: true, force: true });
  if (all.length === 0) return;
  const table = formatTable(all);
  console.log(`\n${table}\n\nseed ${seed}`);
  if (process.env['CHAOS_RECORD'] !== '1') return;
  const text = readFileSync(DOCUMENT, 'utf8');
  const block = `<!-- table -->\n${table}\n\nPrinted on ${new Date().toISOString().slice(0, 10)}, seed ${seed}, ${long ? 'long' : 'short'} form.\n<!-- /table -->`;
  writeFileSync(DOCUMENT, text.replace(/<!-- table -->[\s\S]*<!-- \/table -->/, () => block));
}
