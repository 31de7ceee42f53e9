import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { ERROR_CODES, REFUSAL_CODES } from '@relay/contract';
import { DEAD_REASONS } from '@relay/delivery';
import { createMetrics } from '@relay/runtime';
import { runCli } from '@relay/cli';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

/** The documents of the project as a whole; READMEs of single folders are read for their links only. */
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...(await markdownIn('docs'))];
const FOLDER_READMES = [...(await markdownIn('apps')), ...(await markdownIn('packages'))];
const texts = new Map(await Promise.all([...DOCUMENTS, ...FOLDER_READMES].map(async (path) => [path, await read(path)] as const)));
const each = DOCUMENTS.map((path) => [path, texts.get(path)!] as const);

async function markdownIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md') && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Rows of the first table below a heading, cell by cell, without the head. */
function tableUnder(text: string, heading: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  expect(start, `no heading "${heading}"`).toBeGreaterThanOrEqual(0);
  const first = lines.findIndex((line, at) => at > start && line.startsWith('|'));
  const next = lines.findIndex((line, at) => at > start && /^#+ /.test(line));
  expect(first > start && (next === -1 || first < next), `no table under "${heading}"`).toBe(true);
  const rows: string[][] = [];
  for (let at = first + 2; lines[at]?.startsWith('|'); at += 1) rows.push(cellsOf(lines[at]!));
  return rows;
}
const cellsOf = (row: string): string[] => row.split('|').slice(1, -1).map((cell) => cell.trim());
const unquoted = (cell: string | undefined): string => /^`([^`]+)`$/.exec(cell ?? '')?.[1] ?? '';

/** What stands as code: fenced blocks and spans. */
function codeIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```[a-z]*\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
  const spans = [...text.replace(/^```[a-z]*\n[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  return [...blocks, ...spans];
}

/** As the usual hosts make anchors of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replace(/^```[a-z]*\n[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-')));
}

describe('docs/errors.md', () => {
  const text = texts.get('docs/errors.md')!;

  test('lists the codes of the API with status and type, and no other', () => {
    const shown = Object.fromEntries(tableUnder(text, 'Answers of the API').map(([code, status, type]) => [unquoted(code), { status: Number(status), type: unquoted(type) }]));
    expect(shown).toEqual(ERROR_CODES);
  });

  test('says of every code what it means', () => {
    for (const [code, , , meaning] of tableUnder(text, 'Answers of the API')) expect(meaning, `${code}`).not.toBe('');
  });

  test('lists the refusals at ingest, and no other', () => {
    expect(tableUnder(text, 'Events refused at once').map(([code]) => unquoted(code))).toEqual([...REFUSAL_CODES]);
  });

  test('lists the reasons of dead letters, and no other', () => {
    expect(tableUnder(text, 'Reasons of dead letters').map(([reason]) => unquoted(reason))).toEqual([...DEAD_REASONS]);
  });

  test('lists the failures of the HTTP client, and which of them may have been taken', async () => {
    const source = await read('packages/http-out/src/send.ts');
    const codes = [...(/const SENTENCES = \{([\s\S]*?)\} as const/.exec(source)?.[1] ?? '').matchAll(/^\s*([a-z_]+):/gm)].map(([, code]) => code!);
    const notSent = [...(/NOT_SENT[^=]*= new Set\(\[([^\]]*)\]/.exec(source)?.[1] ?? '').matchAll(/'([a-z_]+)'/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(5);
    const shown = tableUnder(text, 'Requests that did not reach an answer').map(([code, , maybe]) => [unquoted(code), maybe]);
    expect(shown).toEqual(codes.map((code) => [code, notSent.includes(code) ? 'no' : 'yes']));
  });

  test('names only codes that the sources give', async () => {
    const sources = await sourcesOf(['packages', 'apps/worker']);
    for (const [code] of tableUnder(text, 'Codes that the relay gives where a platform has none')) {
      expect(sources.includes(`'${unquoted(code)}'`), `no source gives ${code}`).toBe(true);
    }
  });
});

async function sourcesOf(folders: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts') || entry.parentPath.includes('node_modules')) continue;
      parts.push(await readFile(join(entry.parentPath, entry.name), 'utf8'));
    }
  }
  return parts.join('\n');
}

describe('docs/architecture.md', () => {
  test('lists the keys of packages/redis/src/keys.ts, and no other', async () => {
    const source = await read('packages/redis/src/keys.ts');
    const namesOf = (object: string): string[] =>
      [...(new RegExp(`export const ${object} = \\{([\\s\\S]*?)\\n\\} as const`).exec(source)?.[1] ?? '').matchAll(/^ {2}([a-zA-Z]+):/gm)].map(([, name]) => `${object}.${name}`);
    const names = [...namesOf('keys'), ...namesOf('globals')];
    expect(names.length).toBeGreaterThan(15);
    const shown = tableUnder(texts.get('docs/architecture.md')!, 'Keys').map(([name]) => unquoted(name));
    expect(shown.toSorted()).toEqual(names.toSorted());
  });

  test('lists every ADR', async () => {
    const files = (await readdir(join(root, 'docs/adr'))).toSorted();
    const shown = [...texts.get('docs/architecture.md')!.matchAll(/\]\(adr\/([^)]+)\)/g)].map(([, file]) => file!).toSorted();
    expect(shown).toEqual(files);
    for (const [at, file] of files.entries()) {
      expect(file.startsWith(`${String(at + 1).padStart(4, '0')}-`), `${file} is not number ${at + 1}`).toBe(true);
      for (const part of ['## Context', '## Decision', '## Consequences', '## Refused']) expect(texts.get(`docs/adr/${file}`)).toContain(part);
    }
  });
});

describe.each([...texts])('%s', (path, text) => {
  test('links to what is there', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const resolved = file === '' ? path : relative(root, resolve(root, dirname(path), file)).split(sep).join('/');
      expect(existsSync(join(root, resolved)), `${target} is not there`).toBe(true);
      const isKnown = anchor === undefined || anchorsOf(texts.get(resolved) ?? '').has(anchor);
      expect(isKnown, `${target}: no such heading`).toBe(true);
    }
  });
});

/** Read by the CLI, the sandbox, the tests or compose, and so not in .env.example. */
const OTHER_VARIABLES = new Set(['RELAY_URL', 'RELAY_API_KEY', 'SANDBOX_PORT', 'RELAY_REDIS_IMAGE', 'CHAOS_LONG', 'CHAOS_SEED', 'CHAOS_RECORD', 'BENCH_NODE_OPTIONS']);
/** Words in capitals that are no setting: the platforms', Redis', HTTP's and a code of the client's contract. */
const OTHER_WORDS = new Set(['EVENT_TIME_INVALID', 'INVALID_ACCESS_TOKEN', 'IDEMPOTENCY_CONFLICT']);

describe.each(each)('%s', (_path, text) => {
  test('names files and folders that exist', () => {
    for (const code of codeIn(text)) {
      for (const [named] of code.matchAll(/(?<![\w./@-])(?:apps|packages|test|infra|docs)\/[\w./-]*[\w/]/g)) {
        expect(existsSync(join(root, named)), `${named} is not there`).toBe(true);
      }
    }
  });

  test('names npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    for (const code of codeIn(text)) {
      for (const [, script = ''] of code.matchAll(/\bnpm run (?:-s )?([a-z:-]+)/g)) expect(Object.keys(scripts), `npm run ${script}`).toContain(script);
      for (const [, script = ''] of code.matchAll(/\bnpm (test|start)\b/g)) expect(Object.keys(scripts), `npm ${script}`).toContain(script);
    }
  });

  test('names settings that exist', async () => {
    const known = new Set([...(await read('.env.example')).matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name!));
    expect(known.size).toBeGreaterThan(20);
    const named = codeIn(text).flatMap((code) => [...code.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name));
    expect(named.filter((name) => !known.has(name) && !OTHER_VARIABLES.has(name) && !OTHER_WORDS.has(name))).toEqual([]);
  });

  test('names metrics that exist', async () => {
    const { registry } = createMetrics({ processMetrics: false });
    const known = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    const named = codeIn(text).flatMap((code) => [...code.matchAll(/\brelay_[a-z_]+\b/g)].map(([name]) => name));
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('keeps this machine and the registry out', () => {
    expect(text).not.toMatch(/(?<![\w}.:/])\/(?:home|root|work|tmp|Users)\//);
    expect(text).not.toMatch(/registry\.[a-z]+|npmjs/);
  });
});

describe('README.md', () => {
  const text = texts.get('README.md')!;

  test('names commands of the CLI that exist', async () => {
    const rows = tableUnder(text, 'Operate it');
    expect(rows.length).toBeGreaterThan(3);
    const table = text.slice(text.indexOf('| command (`npm run relay'));
    const fromTable = [...table.slice(0, table.indexOf('\n\n')).matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, span]) => span!));
    const fromText = [...text.matchAll(/npm run (?:-s )?relay -- ([^\n`]+)/g)].map(([, line]) => line!).filter((line) => /^[a-z]/.test(line));
    const lines = [...fromTable, ...fromText];
    expect(lines.length).toBeGreaterThan(12);
    for (const line of lines) {
      const words = line.split(' ').filter((word) => /^[a-z]+$/.test(word));
      const command = ['dead', 'accounts', 'keys'].includes(words[0]!) ? words.slice(0, 2) : words.slice(0, 1);
      const help = await helpOf(command);
      expect(help, `relay ${line}`).toMatch(new RegExp(`^Usage: relay ${command.join(' ')}\\b`));
      for (const [flag] of line.matchAll(/--[a-z-]+/g)) expect(help, `relay ${line}`).toContain(flag);
    }
  });

  test('shows the limits that the platforms have', async () => {
    const { PLATFORMS } = await import('@relay/platforms');
    const rows = tableUnder(texts.get('docs/delivery-semantics.md')!, 'Coalescing');
    const shown = rows.map(([, events, destinations, bytes]) => [Number(events), Number(destinations), Number(bytes?.split(' ')[0]) * 1024 * 1024]);
    const { metaads, googleads, linkedinads } = PLATFORMS;
    expect(shown).toEqual([metaads, googleads, linkedinads].map(({ maxEvents, maxDestinations, maxRequestBytes }) => [maxEvents, maxDestinations, maxRequestBytes]));
  });
});

async function helpOf(command: readonly string[]): Promise<string> {
  let out = '';
  const io = { env: {}, stdin: process.stdin, out: (more: string) => void (out += more), err: (more: string) => void (out += more), isTty: false };
  await runCli([...command, '--help'], io);
  return out;
}
