import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnProcess } from '@relay/testkit';
import { expect, onTestFinished, test } from 'vitest';

/** Only a run that hangs takes so long: 77 s were seen on a slow host. */
const LIMIT_MS = 180_000;
/** One a line of the table, in its order. */
const LINES = [
  /^batched: delivered, against floor$/,
  /^batched: delivered, against floor\+hash$/,
  /^single: accepted and delivered, against floor$/,
  /^single, four times as many callers: accepted and delivered, against floor$/,
  /^single, synchronous: answered/,
  /p50 added to a platform's 0 ms$/,
  /p99 added to a platform's 0 ms$/,
  /p50 added to a platform's 20 ms$/,
  /p99 added to a platform's 20 ms$/,
  /^platform requests for/,
  /against sdk$/,
  /^bytes in Redis/,
  /^drain rate/,
  /^memory of the worker/,
  /^p99 added to a small destination/,
  /^Redis commands per delivered event/,
];
const PLOTS = ['backlog.svg', 'destinations.svg', 'events-per-request.svg', 'requests-per-second.svg'];

test('npm run bench -- --quick measures everything, whatever the figures', { timeout: LIMIT_MS + 10_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'relay-bench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, 'plots');
  await using bench = await spawnProcess(
    join(import.meta.dirname, '../bench/main.ts'),
    { NODE_COMPILE_CACHE: join(folder, 'cache') },
    { args: ['--quick', '--out', out] },
  );
  // It says how far it came.
  const limit = setTimeout(() => bench.kill('SIGTERM'), LIMIT_MS);
  const { code } = await bench.exited;
  clearTimeout(limit);
  const text = bench.lines().join('\n');
  expect(code, `it printed:\n${text}`).toBe(0);

  const rows = bench.lines().filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
  const from = rows.findIndex(([what]) => what === 'what') + 2;
  const lines = rows.slice(from, from + LINES.length);
  for (const [i, [what, measured]] of lines.entries()) {
    expect(what).toMatch(LINES[i]!);
    expect(measured, `${what} was`).toMatch(/^-?\d/);
  }
  const further = rows.slice(from + LINES.length);
  expect(further.slice(0, -5).map(([load, system]) => `${load} ${system}`)).toEqual([
    'load system', '--- ---', 'batched floor', 'batched floor+hash', 'batched relay', 'single floor', 'single floor+hash', 'single relay', 'crowd floor', 'crowd relay', 'synchronous relay',
  ]);
  expect(further.slice(-5).map(([platform]) => platform)).toEqual(['platform', '---', 'metaads', 'googleads', 'linkedinads']);
  for (const [platform, rate] of further.slice(-3)) expect(rate, `events/s of ${platform}`).toMatch(/^[1-9]/);
  expect(text).not.toMatch(/NaN|Infinity|undefined/);

  expect((await readdir(out)).toSorted()).toEqual(PLOTS);
  for (const name of PLOTS) {
    const svg = await readFile(join(out, name), 'utf8');
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(tagsOf(svg), `open tags of ${name}`).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});

/** Elements that are opened and not closed, or closed out of turn. */
function tagsOf(svg: string): string[] {
  const open: string[] = [];
  for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (empty === '/') continue;
    if (close === '') open.push(name);
    else if (open.at(-1) === name) open.pop();
    else return [...open, `/${name}`];
  }
  return open;
}
