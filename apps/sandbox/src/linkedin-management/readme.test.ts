import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

/** A switch that is read but not described cannot be found by whoever writes a test with it. */
it('README.md lists exactly the switches the source reads', () => {
  const here = new URL('.', import.meta.url);
  const sources = readdirSync(here).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'testkit.ts');
  const read = sources.flatMap((name) => [...readFileSync(new URL(name, here), 'utf8').matchAll(/switchOf<[^>]*>\('(linkedin\.[a-zA-Z0-9]+)'/g)].map((match) => match[1]));
  const listed = [...readFileSync(new URL('README.md', here), 'utf8').matchAll(/^\| `(linkedin\.[a-zA-Z]+)`/gm)].map((match) => match[1]);
  expect(new Set(listed)).toEqual(new Set(read));
});
