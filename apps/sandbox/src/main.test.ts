import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { buildSandbox } from './build-sandbox.ts';

it('prints where it listens, answers there, and stops on SIGTERM', async () => {
  const main = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { ...process.env, SANDBOX_PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(main.stdout), 'line')) as [string];
  const { msg, url } = JSON.parse(line) as { msg: string; url: string };
  expect(msg).toBe('sandbox.listening');
  expect((await fetch(`${url}/_control/healthz`)).status).toBe(200);
  main.kill('SIGTERM');
  expect(await once(main, 'exit')).toEqual([0, null]);
});

it('has all platforms by default', async () => {
  const { app } = buildSandbox({ logLevel: 'silent' });
  const { platforms } = (await app.inject('/_control/healthz')).json<{ platforms: string[] }>();
  expect(platforms).toEqual(['meta', 'google', 'linkedin']);
  await app.close();
});
