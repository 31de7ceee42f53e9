import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyBootstrap, createConnector } from '@relay/redis';
import { readApiConfig, readWorkerConfig } from '@relay/runtime';
import { freePort, freshDatabase, spawnProcess } from '@relay/testkit';
import { describe, expect, inject, test } from 'vitest';

const GOOD = randomBytes(32).toString('base64');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const text = (words: string): string => base64(Buffer.from(words.padEnd(32, '!').slice(0, 32)));

/** What a deployment may have forgotten, copied from somewhere, or cut short. */
const KEYS: readonly (readonly [name: string, value: string | undefined, says: RegExp])[] = [
  ['missing', undefined, /not set/],
  ['empty', '', /not set/],
  ['blank', '   ', /not set/],
  ['a word', 'changeme', /not 32 bytes/],
  ['too short', randomBytes(16).toString('base64'), /not 32 bytes/],
  ['too long', randomBytes(64).toString('base64'), /not 32 bytes/],
  ['in hex', randomBytes(32).toString('hex'), /not 32 bytes/],
  ['of another alphabet', `${'-_'.repeat(21)}-=`, /not 32 bytes/],
  ['the base64 of an example', text('change-me-change-me-change-me!'), /default/],
  ['zeros', base64(new Uint8Array(32)), /not random/],
  ['one byte all over', base64(new Uint8Array(32).fill(0xab)), /not random/],
  ['counted', base64(Uint8Array.from({ length: 32 }, (_, n) => n)), /not random/],
  ['a pattern', base64(Uint8Array.from({ length: 32 }, (_, n) => [0xde, 0xad, 0xbe, 0xef][n % 4]!)), /not random/],
  ['twice the same', `${GOOD},${GOOD}`, /twice/],
  ['good, then weak', `${GOOD},${base64(new Uint8Array(32))}`, /key 2/],
  ['good, then nothing', `${GOOD},`, /key 2/],
];
const LOGINS: readonly (readonly [name: string, env: Record<string, string>, says: RegExp])[] = [
  ['a user without a password', { OPS_USER: 'ops' }, /OPS_PASSWORD/],
  ['a password without a user', { OPS_PASSWORD: GOOD }, /OPS_USER/],
  ['a default password', { OPS_USER: 'ops', OPS_PASSWORD: 'changeme' }, /default/],
  ['a default password in capitals', { OPS_USER: 'ops', OPS_PASSWORD: 'Change-Me' }, /default/],
];
const WEBHOOKS: readonly (readonly [name: string, env: Record<string, string>])[] = [
  ['a default app secret', { META_APP_SECRET: 'changeme' }],
  ['a default verify token', { META_VERIFY_TOKEN: 'Password' }],
];
const said = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    return String(error);
  }
  return 'it started';
};

describe.each(['production', 'staging', 'test', 'Development', '', undefined])('with NODE_ENV=%s', (nodeEnv) => {
  const env = nodeEnv === undefined ? {} : { NODE_ENV: nodeEnv };

  test.each(KEYS)('a RELAY_SECRET_KEY that is %s starts neither role, and is not repeated', (_name, value, says) => {
    for (const read of [readApiConfig, readWorkerConfig]) {
      const message = said(() => read({ ...env, RELAY_SECRET_KEY: value }));
      expect(message).toMatch(says);
      expect(message).toContain('RELAY_SECRET_KEY');
      for (const part of (value ?? '').split(',').filter((one) => one.trim().length > 3)) expect(message).not.toContain(part.trim());
    }
  });

  test.each(LOGINS)('%s for the dashboard does not start', (_name, login, says) => {
    const message = said(() => readApiConfig({ ...env, RELAY_SECRET_KEY: GOOD, ...login }));
    expect(message).toMatch(says);
    expect(message).not.toContain(login['OPS_PASSWORD'] ?? GOOD);
  });

  test.each(WEBHOOKS)('%s for webhooks does not start', (_name, secret) => {
    const [[name, value]] = Object.entries(secret) as [[string, string]];
    for (const read of name === 'META_APP_SECRET' ? [readApiConfig, readWorkerConfig] : [readApiConfig]) {
      const message = said(() => read({ ...env, RELAY_SECRET_KEY: GOOD, ...secret }));
      expect(message).toContain(name);
      expect(message).not.toContain(value);
    }
  });

  test('all faults are said at once', () => {
    const message = said(() => readApiConfig({ ...env, OPS_USER: 'ops', PORT: 'x', META_GRAPH_URL: 'ftp://x' }));
    for (const name of ['RELAY_SECRET_KEY', 'OPS_PASSWORD', 'PORT', 'META_GRAPH_URL']) expect(message).toContain(name);
  });
});

describe('with NODE_ENV=development', () => {
  test('weak keys are let through, and missing ones are not', () => {
    const weak = base64(new Uint8Array(32));
    expect(said(() => readApiConfig({ NODE_ENV: 'development', RELAY_SECRET_KEY: weak, OPS_USER: 'ops', OPS_PASSWORD: 'admin', META_APP_SECRET: 'changeme', META_VERIFY_TOKEN: 'changeme' }))).toBe('it started');
    expect(said(() => readApiConfig({ NODE_ENV: 'development' }))).toContain('RELAY_SECRET_KEY');
  });
});

describe('the bootstrap file', () => {
  /** The one that the README shows: long enough, and known to everybody. */
  const exampleKey = /"key": "([^"]+)"/.exec(readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8'))?.[1] ?? 'none';
  const nothing = { accounts: undefined, apiKeys: undefined } as never;

  test.each(['short', '1234567', 'changeme', 'Change-Me', 'password', exampleKey])('with the weak key "%s" is refused, and does not repeat it', async (key) => {
    const apiKeys = [{ name: 'shop', key, scopes: ['admin'], accounts: ['*'] }];
    const message = await applyBootstrap({ apiKeys }, nothing, {}).then(() => 'it was applied', String);
    expect(message).toMatch(/RELAY_BOOTSTRAP[\s\S]*openssl rand[\s\S]*apiKeys\[0\]\.key/);
    expect(message).not.toContain(key);
  });
});

describe('a REDIS_URL', () => {
  test.each(['redis+sentinel://:planted/x@h/m', 'redis+cluster://:pla@nted@h:1', 'redis+cluster://:x@planted@h:1', 'redis+cluster://:%planted@h:1', 'redis+sentinel://u:planted@h:1', 'redis://:pla nted@h', 'http://:planted@h'])(
    'that cannot be read (%s) is not repeated',
    (url) => {
      const message = said(() => createConnector(readApiConfig({ RELAY_SECRET_KEY: GOOD, REDIS_URL: url }).redis.url));
      expect(message).toMatch(/REDIS_URL|URI malformed/);
      expect(message).not.toMatch(/planted|pla|nted/);
    },
  );
});

describe('the processes themselves', () => {
  const entry = (role: 'api' | 'worker'): string => join(import.meta.dirname, `../../../apps/${role}/src/main.ts`);

  test.each(['api', 'worker'] as const)('%s: ends with the reason and without the value', async (role) => {
    for (const value of [undefined, 'c2VjcmV0LXRoYXQtd2FzLWNvcGllZA==', base64(new Uint8Array(32))]) {
      const message = await spawnProcess(entry(role), { RELAY_SECRET_KEY: value }, { readyWhen: (line) => line.includes('.ready"') }).then(
        async (process) => `it started ${String((await process.stop()).code)}`,
        (error: unknown) => String(error),
      );
      expect(message).toMatch(/ended \(1\) before it was ready/);
      expect(message).toContain('RELAY_SECRET_KEY');
      expect(message).not.toContain(value ?? 'it started');
    }
  });

  test('without META_APP_SECRET and META_VERIFY_TOKEN no webhook is taken, without OPS_USER there is no dashboard', async () => {
    const port = await freePort();
    await using _api = await spawnProcess(
      entry('api'),
      { RELAY_SECRET_KEY: GOOD, HOST: '127.0.0.1', PORT: String(port), REDIS_URL: await freshDatabase(inject('redisUrl')) },
      { readyWhen: (line) => line.includes('"api.ready"') },
    );
    const url = `http://127.0.0.1:${port}`;
    const statuses = await Promise.all([
      fetch(`${url}/webhooks/whatsapp`, { method: 'POST', body: '{}' }), fetch(`${url}/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=&hub.challenge=x`), fetch(`${url}/admin/queues`), fetch(`${url}/v1/admin/accounts`, { headers: { authorization: 'Bearer ' } }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([501, 501, 404, 401]);
  });
});
