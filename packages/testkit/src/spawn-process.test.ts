import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnProcess } from './spawn-process.ts';
import { waitFor } from './wait-for.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'relay-spawn-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function aProgram(source: string): Promise<string> {
  const file = join(dir, `${Math.random().toString(36).slice(2)}.ts`);
  await writeFile(file, source);
  return file;
}

test('runs a TypeScript file, is ready at its line, and stops on SIGTERM', async () => {
  const entry = await aProgram(`
    const greeting: string = 'hello ' + process.env['WHO'];
    const alive = setInterval(() => {}, 1000);
    process.once('SIGTERM', () => { console.log('draining'); clearInterval(alive); });
    console.log(greeting);
    console.error('ready');
  `);
  const spawned = await spawnProcess(entry, { WHO: 'relay' }, { readyWhen: (line) => line === 'ready' });
  await waitFor(() => spawned.lines().includes('hello relay'));
  expect(await spawned.stop()).toEqual({ code: 0, signal: null });
  expect(await spawned.stop()).toEqual({ code: 0, signal: null });
  expect(spawned.lines()).toContain('draining');
});

test('kill tells how it ended, and the environment of the test run is not passed on', async () => {
  process.env['RELAY_TESTKIT_LEAK'] = 'seen';
  try {
    const entry = await aProgram(`console.log('leak:' + process.env['RELAY_TESTKIT_LEAK']); setInterval(() => {}, 1000);`);
    await using spawned = await spawnProcess(entry, {}, { readyWhen: (line) => line.startsWith('leak:') });
    expect(spawned.lines()).toEqual(['leak:undefined']);
    spawned.kill('SIGKILL');
    expect(await spawned.exited).toEqual({ code: null, signal: 'SIGKILL' });
  } finally {
    delete process.env['RELAY_TESTKIT_LEAK'];
  }
});

test('what comes once it is ready can be thrown away, and the process never waits for a reader', async () => {
  const entry = await aProgram(`
    process.once('SIGTERM', () => {
      const text = 'x'.repeat(1_000_000) + '\\n';
      process.stdout.write(text, () => process.stderr.write(text, () => process.exit(0)));
    });
    setInterval(() => {}, 1000);
    console.log('ready');
  `);
  await using spawned = await spawnProcess(entry, {}, { readyWhen: (line) => line === 'ready', discardOnceReady: true });
  expect(await spawned.stop(10_000)).toEqual({ code: 0, signal: null });
  expect(spawned.lines()).toEqual(['ready']);
});

test('a process that ends before it is ready is an error that shows its last lines', async () => {
  const entry = await aProgram(`console.error('RELAY_SECRET_KEY is missing'); process.exit(1);`);
  await expect(spawnProcess(entry, {}, { readyWhen: () => false })).rejects.toThrow(
    /ended \(1\) before it was ready; its last lines:\nRELAY_SECRET_KEY is missing/,
  );
});

test('a process that never gets ready is killed', async () => {
  const entry = await aProgram(`console.log(process.pid); setInterval(() => {}, 1000);`);
  const pids: number[] = [];
  const onLine = (line: string) => void pids.push(Number(line));
  await expect(spawnProcess(entry, {}, { readyWhen: () => false, timeoutMs: 700, onLine })).rejects.toThrow('was not ready after 700 ms');
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
