import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrapOf } from './bootstrap.ts';
import { readManifest } from './manifest.ts';
import { usualPorts } from './ports.ts';
import { keptSecrets, newSecrets, writePrivate } from './secrets.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-stack-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('secrets', () => {
  it('are new for each stack', () => {
    const [one, other] = [newSecrets(), newSecrets()];
    expect(Buffer.from(one.secretKey, 'base64')).toHaveLength(32);
    expect(one.apiKey).toMatch(/^rk_test_[\w-]{32}$/);
    expect(new Set([...Object.values(one), ...Object.values(other)]).size).toBe(7); // The user's name is the same.
  });

  it('are the same again where data are kept, and private', async () => {
    const kept = join(folder, 'kept');
    const first = await keptSecrets(kept);
    expect(await keptSecrets(kept)).toEqual(first);
    expect((await stat(join(kept, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(kept)).mode & 0o777).toBe(0o700);
  });

  it('are never replaced when the file is damaged', async () => {
    const path = join(folder, 'damaged', 'secrets.json');
    await writePrivate(path, '{"secretKey":"abc"');
    await expect(keptSecrets(join(folder, 'damaged'))).rejects.toThrow(/is damaged/);
    await writeFile(path, '{"secretKey":"abc"}');
    await expect(keptSecrets(join(folder, 'damaged'))).rejects.toThrow(/is damaged/);
  });
});

describe('bootstrapOf', () => {
  it('has an account for everything that the manifest sends to', async () => {
    const accounts = new Map(bootstrapOf('rk_test_x').accounts.map(({ id, platform }) => [id, platform]));
    const { files, singles } = await readManifest();
    for (const { accountId, platform } of [...files, ...singles]) expect(accounts.get(accountId)).toBe(platform);
  });
});

describe('usualPorts', () => {
  it('takes another port where the usual one is taken, and says so', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const said: string[] = [];
    try {
      const ports = await usualPorts((line) => said.push(line), { api: port, worker: 0, sandbox: 0 });
      expect(ports.api).not.toBe(port);
      expect(said).toEqual([`port ${port} is taken: the api listens on ${ports.api}`]);
    } finally {
      server.close();
    }
  });
});
