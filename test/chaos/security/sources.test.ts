import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
/** What runs in production. */
const files = ['apps/api/src', 'apps/worker/src', 'packages'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/\.test\.ts$|test-kit\.ts$|fixture\.ts$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !/node_modules|\/testing\/|packages\/testkit/.test(path)),
);
/** Without comments and imports of types. */
const codeOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$|\s\/\/ .*$|^import type .*$/gm, '');
const holding = (pattern: RegExp): string[] => files.filter((path) => pattern.test(codeOf(path))).sort((a, b) => (a < b ? -1 : 1));

describe('addresses', () => {
  test('of platforms are named in one place: the defaults of the configuration', () => {
    const named = holding(/https?:\/\/(?:graph|datamanager|googleads|oauth2|api|www)\.(?:facebook|googleapis|linkedin)\.com/);
    // The reference's examples are shown, not called.
    expect(named.filter((path) => !path.startsWith('apps/api/src/openapi/'))).toEqual(['packages/runtime/src/config-fields.ts']);
  });

  test('are connected to in one place', () => {
    expect(holding(/\bfetch\(|from 'undici'|from 'node:(?:http|https|http2|net|tls|dgram)'|new WebSocket|new EventSource/)).toEqual(['packages/http-out/src/send.ts']);
  });

  test('are built from the configured endpoints', () => {
    const starts = files.filter((path) => path.startsWith('packages/platforms/')).flatMap((path) => [...codeOf(path).matchAll(/\burl: (`[^\n]*|\w[^\n,;]*)/g)].map(([, start]) => start ?? ''));
    expect(starts.length).toBeGreaterThan(8);
    const foreign = starts.filter((start) => !/^`\$\{(?:\w+\.)*(?:metaGraphUrl|googleDataManagerUrl|googleAdsUrl|linkedinApiUrl)\}\/|^`\$\{edgeOf\(|^edgeOf\(|^string\b/.test(start));
    expect(foreign).toEqual([]);
  });
});

describe('secrets', () => {
  test('are compared in constant time wherever one is given and one is known', () => {
    // API keys, the dashboard's login, the webhook's verify token, the webhook's signature.
    expect(holding(/timingSafeEqual\(/)).toEqual(['apps/api/src/board/install-board.ts', 'apps/api/src/whatsapp/webhook.ts', 'packages/platforms/src/whatsapp/signature.ts', 'packages/redis/src/api-keys.ts']);
  });

  test('are compared in no other way', () => {
    const compared = files.flatMap((path) => (codeOf(path).match(/^.*(?:[sS]ecret|[pP]assword|[vV]erify_?[tT]oken|signature|apiKeyHash)\w*(?:\]|\)|')? ?[!=]==.*$/gm) ?? []).map((line) => `${path}: ${line.trim()}`));
    // Whether there is one at all is no secret.
    expect(compared.filter((line) => !/[!=]== (?:undefined|''|null)|typeof/.test(line))).toEqual([]);
  });

  test('are read from the environment in main.ts alone', () => {
    expect(holding(/process\.env/)).toEqual(['apps/api/src/main.ts', 'apps/worker/src/main.ts']);
  });
});
