import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sampleFiles } from './generator/files.ts';

/** Writes the sample files again: `node apps/sandbox/samples/generate.ts`. A test says that they are what is committed. */
for (const [name, text] of sampleFiles()) {
  await writeFile(fileURLToPath(new URL(name, import.meta.url)), text);
  process.stdout.write(`${name}  ${Buffer.byteLength(text)} bytes\n`);
}
