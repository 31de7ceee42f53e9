import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureBacklog } from './backlog.ts';
import { measureCoalescing } from './coalescing.ts';
import { openGround, type Ground } from './ground.ts';
import { measureGrowth } from './growth.ts';
import { measureLatency } from './latency.ts';
import { mebibytes } from './numbers.ts';
import { measurePlatforms } from './platforms.ts';
import { plotsOf } from './plots.ts';
import { textOf, type Results } from './report.ts';
import type { Say } from './say.ts';
import { FULL, QUICK } from './sizes.ts';
import { measureStorage } from './storage.ts';
import { measureThroughputs } from './throughput.ts';
import { measureTransform } from './transform.ts';

type Options = ReturnType<typeof readOptions>;

const DOCS = join(import.meta.dirname, '../../docs');

const results: Results = {};
/** In this order: what is compared most closely comes first, the longest last. */
const MEASURES: Readonly<Record<keyof Results, (ground: Ground, options: Options, say: Say) => Promise<void>>> = {
  throughput: async (ground, { sizes, rounds }, say) => void (results.throughput = await measureThroughputs(ground, sizes.throughput, rounds, say)),
  latency: async (ground, { sizes, rounds }, say) => void (results.latency = await measureLatency(ground, sizes.latency, rounds, say)),
  coalescing: async (ground, { sizes, rounds }, say) => void (results.coalescing = await measureCoalescing(ground, sizes.coalescing, rounds, say)),
  transform: async (_ground, { sizes, rounds }, say) => void (results.transform = await measureTransform(sizes.transform, rounds, say)),
  storage: async (ground, { sizes, rounds }, say) => void (results.storage = await measureStorage(ground, sizes.storage, rounds, say)),
  platforms: async (ground, { sizes, rounds }, say) => void (results.platforms = await measurePlatforms(ground, sizes.platforms, rounds, say)),
  backlog: async (ground, { sizes }, say) => void (results.backlog = await measureBacklog(ground, sizes.backlog, say)),
  growth: async (ground, { sizes }, say) => void (results.growth = await measureGrowth(ground, sizes.growth, say)),
};
const NAMES = Object.keys(MEASURES) as (keyof Results)[];

const options = readOptions();
// Ends Redis and the rest with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await using ground = await openGround();
const machine = await describeMachine();
console.log(machine);
for (const name of options.names) {
  try {
    await MEASURES[name](ground, options, (line) => console.error(`${name}: ${line}`));
  } catch (error) {
    console.error(`${name} could not be measured:`, error);
    process.exitCode = 1;
  }
}
const text = textOf(results);
console.log(`\n${text}`);
const plots = results.growth ? plotsOf(results.growth, results.backlog) : undefined;
if (options.record && process.exitCode === undefined) await record(`${text}\n\nOn ${new Date().toISOString().slice(0, 10)}: ${machine}`);
if (options.out !== undefined && plots) await write(options.out, plots);

function readOptions() {
  const { values } = parseArgs({
    options: { rounds: { type: 'string' }, quick: { type: 'boolean', default: false }, only: { type: 'string' }, record: { type: 'boolean', default: false }, out: { type: 'string' } },
  });
  const names = values.only === undefined ? NAMES : NAMES.filter((name) => values.only!.split(',').includes(name));
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (names.length === 0 || !Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a number, --only a list of ${NAMES.join(', ')}`);
  if (values.record && (values.quick || values.only !== undefined)) throw new Error('--record is for a whole run: without --quick and --only');
  return { names, rounds, sizes: values.quick ? QUICK : FULL, quick: values.quick, record: values.record, out: values.record ? join(DOCS, 'performance') : values.out };
}

async function describeMachine(): Promise<string> {
  const { quick, rounds, sizes: { backlog } } = options;
  const cores = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`;
  const redis = `Redis ${await ground.redisVersion()} (append-only file, fsync every second)`;
  const told = `medians of ${rounds} rounds, of empty queue and large backlog ${backlog.rounds}`;
  return `${cores}, ${mebibytes(totalmem())} of memory, Node ${process.version}, ${redis}; ${quick ? 'quick: shows that it works, its figures mean little; ' : ''}${told}.`;
}

async function write(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) await writeFile(join(folder, name), content);
}

async function record(block: string): Promise<void> {
  const document = join(DOCS, 'performance.md');
  const marked = /<!-- table -->[\s\S]*<!-- \/table -->/;
  const before = await readFile(document, 'utf8');
  if (!marked.test(before)) throw new Error('docs/performance.md has no <!-- table --> to write to');
  await writeFile(document, before.replace(marked, () => `<!-- table -->\n${block}\n<!-- /table -->`));
}
