import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asRecord, textIn } from '../json.ts';

/** Made for each stack: no default that could reach production. */
export interface StackSecrets {
  readonly secretKey: string;
  readonly apiKey: string;
  readonly opsUser: string;
  readonly opsPassword: string;
}

export function newSecrets(): StackSecrets {
  return {
    secretKey: randomBytes(32).toString('base64'),
    apiKey: `rk_test_${randomBytes(24).toString('base64url')}`,
    opsUser: 'operator',
    opsPassword: randomBytes(12).toString('base64url'),
  };
}

/**
 * The secrets of a stack whose data outlive it: what lies in Redis is sealed under the key, so it has to be the same again.
 * A file that is there but cannot be used is an error, never replaced.
 */
export async function keptSecrets(folder: string): Promise<StackSecrets> {
  const path = join(folder, 'secrets.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text !== undefined) return readSecrets(text, path);
  const secrets = newSecrets();
  await writePrivate(path, JSON.stringify(secrets, null, 2));
  return secrets;
}

function readSecrets(text: string, path: string): StackSecrets {
  const stored = asRecord(parse(text));
  const { secretKey, apiKey, opsUser, opsPassword } = {
    secretKey: textIn(stored, 'secretKey'),
    apiKey: textIn(stored, 'apiKey'),
    opsUser: textIn(stored, 'opsUser'),
    opsPassword: textIn(stored, 'opsPassword'),
  };
  if ([secretKey, apiKey, opsUser, opsPassword].includes('')) {
    throw new Error(`${path} is damaged; what is stored beside it cannot be read without it. Restore it, or remove the whole folder to start empty`);
  }
  return { secretKey, apiKey, opsUser, opsPassword };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Said by the caller, without quoting secrets.
  }
}

/** Readable for this user alone, folder and file. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  await writeFile(path, content, { mode: 0o600 });
}
