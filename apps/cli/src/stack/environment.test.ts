import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { relayEnvironment } from './environment.ts';
import { newSecrets } from './secrets.ts';

it('points the roles at the sandbox as its README tells to', async () => {
  const sandboxUrl = 'http://127.0.0.1:9900';
  const readme = await readFile(join(import.meta.dirname, '..', '..', '..', 'sandbox', 'README.md'), 'utf8');
  const told = [...readme.matchAll(/^(\w+_URL)=(\S+)$/gm)].map(([, name, value]) => [name, value]);
  const places = { redisUrl: 'redis://127.0.0.1:6379', sandboxUrl, bootstrapPath: 'relay.json', shutdownGraceMs: 1000 };
  const set = Object.entries(relayEnvironment(places, newSecrets())).filter(([, value]) => value.startsWith(sandboxUrl));
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(set));
});
