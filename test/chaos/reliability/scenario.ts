import { inject } from 'vitest';
import { createChance, type Chance } from './chance.ts';
import { addRow, type Row } from './table.ts';

export const chaos = inject('chaos');
/** Only in the long form: `npm run test:chaos`. */
export const isLong = chaos.long;
export const chanceFor = (name: string): Chance => createChance(chaos.seed).fork(name);
export const report = (group: 'crash' | 'redis' | 'platform' | 'neighbour' | 'stuck', row: Row): void => addRow(inject('chaosRows'), group, row);
