import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort, waitFor } from '@relay/testkit';
import { superviseRole } from './start-role.ts';

let logFolder: string;
beforeAll(async () => {
  logFolder = await mkdtemp(join(tmpdir(), 'relay-roles-'));
});
afterAll(() => rm(logFolder, { recursive: true, force: true }));

/** The process that was started with this in its environment. */
function pidWith(variable: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable);
    } catch {
      return false; // ended meanwhile, or another user's
    }
  });
  return found === undefined ? undefined : Number(found);
}

it('starts a role that was killed again, says so, and goes on in its log', async () => {
  const port = await freePort();
  const said: string[] = [];
  await using parts = new AsyncDisposableStack();
  const env = { HOST: '127.0.0.1', SANDBOX_PORT: String(port) };
  const readyUrl = `http://127.0.0.1:${port}/_control/healthz`;
  await superviseRole({ role: 'sandbox', env, readyUrl, logFolder, parts, stopGraceMs: 5_000 }, (line) => said.push(line));
  const lines = async () => (await readFile(join(logFolder, 'sandbox.log'), 'utf8')).trimEnd().split('\n');
  await waitFor(async () => (await lines())[0] !== '', { what: 'the first line of the log' });
  const first = await lines();

  const pid = pidWith(`SANDBOX_PORT=${port}`)!;
  process.kill(pid, 'SIGKILL');
  await waitFor(() => said.length > 0, { what: 'word of the end' });
  expect(said).toEqual(['the sandbox ended by SIGKILL; starting it again']);
  await waitFor(async () => (await lines()).length > first.length, { what: 'a line of the next one' });
  expect((await lines()).slice(0, first.length)).toEqual(first);
  expect(pidWith(`SANDBOX_PORT=${port}`)).not.toBe(pid);
}, 30_000);
