import { glob, readFile } from 'node:fs/promises';

import { expect, it } from 'vitest';

const inOrder = (names: Iterable<string | undefined>) => [...names].toSorted((a = '', b = '') => a.localeCompare(b));

/** A switch that nobody can look up is a trap; one that the table invents is a lie. */
it('the README lists exactly the switches that this emulator reads', async () => {
  const read = new Set<string | undefined>();
  for await (const path of glob('{meta,whatsapp}/*.ts', { cwd: `${import.meta.dirname}/..` })) {
    if (path.endsWith('.test.ts')) continue;
    const source = await readFile(`${import.meta.dirname}/../${path}`, 'utf8');
    for (const [, name] of source.matchAll(/switchOf(?:<[^>]*>)?\('(meta\.\w+)'/g)) read.add(name);
  }
  const readme = await readFile(`${import.meta.dirname}/../../README.md`, 'utf8');
  const listed = [...readme.matchAll(/^\| `(meta\.\w+)` \|/gm)].map(([, name]) => name);
  expect(inOrder(listed)).toEqual(inOrder(read));
});
