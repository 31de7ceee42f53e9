import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { findCommand, runCommand } from './run-command.ts';

test('finds the first name that is an executable file on the path', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'relay-path-'));
  try {
    await writeFile(join(dir, 'not-executable'), '', { mode: 0o644 });
    await writeFile(join(dir, 'valkey-server'), '');
    await chmod(join(dir, 'valkey-server'), 0o755);
    const path = ['', '/nowhere', dir].join(delimiter);
    expect(findCommand(['redis-server', 'valkey-server'], path)).toBe(join(dir, 'valkey-server'));
    expect(findCommand(['redis-server', 'not-executable'], path)).toBeUndefined();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('gives the exit code and both streams, and null for what could not run or took too long', async () => {
  const node = (script: string, timeoutMs: number) => runCommand(process.execPath, ['-e', script], { timeoutMs });
  expect(await node('console.log("out"); console.error("err"); process.exit(3)', 20_000)).toEqual({
    code: 3,
    output: expect.stringMatching(/out\nerr\n|err\nout\n/),
  });
  expect((await node('setInterval(() => {}, 1000)', 200)).code).toBeNull();
  expect((await runCommand('/nowhere/command', [], { timeoutMs: 1_000 })).code).toBeNull();
});
