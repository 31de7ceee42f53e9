import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/**
 * Which room may import which. `docs/architecture.md` shows the same table, and a test below compares the two. A new edge is a
 * decision: write it there with its reason.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'packages/contract': [],
  'packages/runtime': [],
  'packages/platforms': ['contract'],
  'packages/delivery': ['contract'],
  'packages/redis': ['contract', 'delivery', 'runtime'],
  'packages/http-out': ['contract', 'delivery'],
  'packages/testkit': [],
  'apps/api': ['contract', 'delivery', 'platforms', 'redis', 'http-out', 'runtime'],
  'apps/worker': ['contract', 'delivery', 'platforms', 'redis', 'http-out', 'runtime'],
  'apps/sandbox': [],
  'apps/cli': ['sandbox', 'testkit'],
};

/** Libraries that stand for an outside system, and the only rooms that may know it. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['packages/redis'],
  ioredis: ['packages/redis', 'packages/testkit', 'test'],
  undici: ['packages/http-out'],
  pino: ['packages/runtime'],
  'prom-client': ['packages/runtime'],
  testcontainers: ['packages/testkit'],
  fastify: ['apps/api', 'apps/worker', 'apps/sandbox'],
  '@bull-board/api': ['apps/api'],
  '@bull-board/fastify': ['apps/api'],
  commander: ['apps/cli'],
};

/** Rooms of pure functions, and what they may take from Node all the same. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  'packages/contract': [],
  'packages/platforms': ['node:crypto'],
  'packages/delivery': [],
};

/** Declared once, at the root; only tests import them. */
const TEST_TOOLS = new Set(['vitest', 'fast-check', '@zernio/node']);
/** At the root for their commands or types, so that no file imports them. `node` pins the runtime; `playwright-core` drives a browser. */
const ROOT_TOOLS = new Set(['node', '@types/node', 'oxlint', 'oxlint-tsgolint', 'typescript', 'playwright-core']);
/** What `test/` imports of the workspaces' own libraries: npm installs them at the top, so it needs no declaration of its own. */
const HOISTED_FOR_TESTS = new Set(['ioredis', 'bullmq', 'fastify', 'zod']);

const EMPTY_MANIFEST = { name: '', exports: {}, dependencies: {}, devDependencies: {} };
type Manifest = { readonly name: string; readonly exports: Record<string, string>; readonly dependencies: Record<string, string>; readonly devDependencies: Record<string, string> };
interface Source {
  readonly path: string;
  readonly text: string;
  /** Everything that is imported, exactly as written. */
  readonly specifiers: readonly string[];
  readonly isTest: boolean;
}
interface Room {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly sources: readonly Source[];
}

const rooms = new Map<string, Room>();
for (const folder of [...Object.keys(ALLOWED), 'test']) rooms.set(folder, await readRoom(folder));
const workspaces = [...rooms.values()].filter((room) => room.folder !== 'test');
const folderByName = new Map(workspaces.map((room) => [room.manifest.name, room.folder]));

async function readRoom(folder: string): Promise<Room> {
  const manifestPath = folder === 'test' ? 'package.json' : `${folder}/package.json`;
  const manifest = { ...EMPTY_MANIFEST, ...(JSON.parse(await readFile(join(root, manifestPath), 'utf8')) as Partial<Manifest>) };
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.(ts|mts|cts|js|mjs)$/.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
  return { folder, manifest, sources: await Promise.all(paths.sort().map(readSource)) };
}

async function readSource(path: string): Promise<Source> {
  const text = await readFile(join(root, path), 'utf8');
  const isTest = /\.test\.ts$|\.test-kit\.ts$|\.fixture\.ts$|\/testing\/|\/testkit\.ts$/.test(path) || path.startsWith('test/');
  return { path, text, specifiers: importsOf(text), isTest };
}

/** Static imports and re-exports, imports for their effect, `import()` as a call and as a type. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = new Set<string>();
  for (const pattern of [
    /^\s*(?:import|export)\s[^'"`;]*?\sfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
    /\brequire\(\s*['"]([^'"]+)['"]/g,
  ]) {
    for (const match of code.matchAll(pattern)) found.add(match[1]!);
  }
  return [...found];
}

const isRelative = (specifier: string): boolean => specifier.startsWith('.');
const isNode = (specifier: string): boolean => specifier.startsWith('node:');
/** `@bull-board/api/bullMQAdapter` belongs to `@bull-board/api`. */
const packageOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');

/** Packages that a room's files import, each with one file that does. */
function importedBy(room: Room, which: (source: Source) => boolean): Map<string, string> {
  const imported = new Map<string, string>();
  for (const source of room.sources.filter(which)) {
    for (const specifier of source.specifiers) {
      if (!isRelative(specifier) && !isNode(specifier)) imported.set(packageOf(specifier), source.path);
    }
  }
  return imported;
}

const shortName = (folder: string): string => folder.split('/')[1] ?? folder;

describe('the scanner', () => {
  test('sees every way to import, and no comment', () => {
    const text = [
      "import { a } from 'one';",
      "import type { B } from 'two/sub';",
      "import 'three';",
      'export {',
      '  c,',
      "} from './four.ts';",
      "const five = await IMPORT('five');",
      "type Six = IMPORT('six').Six;",
      " * import x from 'never';",
      "// import y from 'never';",
      "/* import z from 'never'; */",
    ]
      .join('\n')
      .replaceAll('IMPORT', 'import'); // Written so that this file does not seem to import them.
    expect(importsOf(text).sort()).toEqual(['./four.ts', 'five', 'one', 'six', 'three', 'two/sub']);
  });

  test('reads every workspace there is', async () => {
    const folders = await Promise.all(['packages', 'apps'].map(async (parent) => (await readdir(join(root, parent))).map((name) => `${parent}/${name}`)));
    expect(folders.flat().sort()).toEqual(Object.keys(ALLOWED).sort());
    for (const room of rooms.values()) expect(room.sources.length, `${room.folder} has no sources`).toBeGreaterThan(0);
  });
});

describe.each(workspaces.map((room) => [room.folder, room] as const))('%s', (folder, room) => {
  test('imports only the rooms that it may', () => {
    for (const source of room.sources) {
      for (const specifier of source.specifiers) {
        const target = folderByName.get(packageOf(specifier));
        if (target === undefined) continue;
        expect(ALLOWED[folder], `${source.path} imports ${specifier}: ${folder} may not know ${target}`).toContain(shortName(target));
      }
    }
  });

  test('imports other rooms by what they export, and nothing by a path across rooms', () => {
    for (const source of room.sources) {
      const deep = source.specifiers.filter((specifier) => {
        const target = rooms.get(folderByName.get(packageOf(specifier)) ?? '');
        return target !== undefined && !(`.${specifier.slice(packageOf(specifier).length)}` in target.manifest.exports);
      });
      expect(deep, `${source.path} imports what is not exported`).toEqual([]);
      const outside = source.specifiers.filter((specifier) => isRelative(specifier) && relative(join(root, folder), resolve(root, dirname(source.path), specifier)).startsWith('..'));
      expect(outside, `${source.path} reaches out of its room`).toEqual([]);
    }
  });

  test('declares what it uses', () => {
    const { dependencies, devDependencies } = room.manifest;
    const undeclared = [...importedBy(room, (source) => !source.isTest)].filter(([name]) => !(name in dependencies));
    expect(undeclared, 'used by the sources but not in "dependencies"').toEqual([]);
    const undeclaredInTests = [...importedBy(room, (source) => source.isTest)].filter(
      ([name]) => !(name in dependencies) && !(name in devDependencies) && !TEST_TOOLS.has(name),
    );
    expect(undeclaredInTests, 'used by the tests but declared nowhere').toEqual([]);
  });

  test('uses what it declares', () => {
    const used = importedBy(room, () => true);
    const usedInSources = importedBy(room, (source) => !source.isTest);
    // Types come with the library that they describe.
    const isUsed = (name: string, by: ReadonlyMap<string, string>): boolean => by.has(name) || by.has(name.replace(/^@types\//, ''));
    expect(Object.keys(room.manifest.dependencies).filter((name) => !isUsed(name, usedInSources)), 'in "dependencies" but not used').toEqual([]);
    expect(Object.keys(room.manifest.devDependencies).filter((name) => !isUsed(name, used)), 'in "devDependencies" but not used').toEqual([]);
  });

  test('has an index.ts as its door where others may come in, and a main.ts where it runs', () => {
    const paths = room.sources.map((source) => source.path);
    const needsDoor = folder.startsWith('packages/') || workspaces.some((other) => importedBy(other, () => true).has(room.manifest.name));
    const { exports } = room.manifest;
    const hasDoor = paths.includes(`${folder}/src/index.ts`) && exports['.'] === './src/index.ts';
    expect(hasDoor || !needsDoor, 'no src/index.ts, or not exported as "."').toBe(true);
    const dangling = Object.values(exports).filter((target) => needsDoor && !existsSync(join(root, folder, target)));
    expect(dangling).toEqual([]);
    expect(paths.includes(`${folder}/src/main.ts`)).toBe(folder.startsWith('apps/'));
  });
});

describe('rooms', () => {
  test('have no circle among them', () => {
    const open = new Set<string>();
    const visit = (name: string): void => {
      expect(open.has(name), `a circle through ${[...open, name].join(' → ')}`).toBe(false);
      open.add(name);
      for (const next of ALLOWED[`packages/${name}`] ?? ALLOWED[`apps/${name}`] ?? []) visit(next);
      open.delete(name);
    };
    for (const folder of Object.keys(ALLOWED)) visit(shortName(folder));
  });

  test('are shown in docs/architecture.md as they are', async () => {
    const text = await readFile(join(root, 'docs/architecture.md'), 'utf8');
    const shown: Record<string, string[]> = {};
    for (const [, folder = '', , rooms_ = ''] of text.matchAll(/^\| `((?:packages|apps)\/[a-z-]+)` \|([^|\n]*)\|([^|\n]*)\|$/gm)) {
      shown[folder] = [...rooms_.matchAll(/[a-z-]+/g)].map(([name]) => name).filter((name) => name !== 'nothing');
    }
    expect(shown).toEqual(ALLOWED);
  });

  test.each(Object.entries(OWNERS))('%s is known in %j only', (library, owners) => {
    for (const room of rooms.values()) {
      if (owners.includes(room.folder)) continue;
      const user = importedBy(room, (source) => !source.isTest).get(library);
      expect(user, `${user} imports ${library}; go through ${owners[0]}`).toBeUndefined();
      expect(room.folder === 'test' ? [] : Object.keys(room.manifest.dependencies), `${room.folder} declares ${library}`).not.toContain(library);
    }
  });

  test.each(Object.entries(PURE))('%s is pure: of Node it takes %j only', (folder, allowed) => {
    for (const source of rooms.get(folder)!.sources.filter(({ isTest }) => !isTest)) {
      expect(source.specifiers.filter((specifier) => isNode(specifier) && !allowed.includes(specifier)), `${source.path} takes more of Node`).toEqual([]);
      expect(source.text, `${source.path} asks the clock or chance itself`).not.toMatch(/\bDate\.now\(|\bperformance\.now\(|\bMath\.random\(|\bnew Date\(\)/);
    }
  });

  test('only http-out calls out: no other part of api and worker uses fetch or node:http', () => {
    for (const room of rooms.values()) {
      if (['packages/http-out', 'packages/testkit', 'apps/cli', 'apps/sandbox', 'test'].includes(room.folder)) continue;
      for (const source of room.sources.filter(({ isTest }) => !isTest)) {
        expect(source.text, `${source.path} uses fetch`).not.toMatch(/(?<![.\w])fetch\(/);
        // Types are no calls.
        expect(source.text, `${source.path} uses node:http`).not.toMatch(/^import (?!type )[^;]*from 'node:https?';/m);
      }
    }
  });
});

describe('the root', () => {
  const test_ = rooms.get('test')!;

  test('declares what test/ uses, and uses what it declares', () => {
    const { dependencies, devDependencies } = test_.manifest;
    const declared = new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
    const used = importedBy(test_, () => true);
    const isOurs = (name: string): boolean => folderByName.has(name);
    expect([...used].filter(([name]) => !declared.has(name) && !isOurs(name) && !HOISTED_FOR_TESTS.has(name))).toEqual([]);
    const usedByTests = new Set([...rooms.values()].flatMap((room) => [...importedBy(room, (source) => source.isTest).keys()]));
    expect([...declared].filter((name) => !usedByTests.has(name) && !ROOT_TOOLS.has(name)), 'declared at the root but not used').toEqual([]);
  });

  test('acceptance tests speak HTTP and know none of our code', () => {
    for (const source of test_.sources.filter(({ path }) => path.startsWith('test/acceptance/'))) {
      const ours = source.specifiers.filter((specifier) => folderByName.has(packageOf(specifier)) && packageOf(specifier) !== '@relay/testkit');
      expect(ours, `${source.path} knows our code`).toEqual([]);
    }
  });
});

describe('every source', () => {
  const all = [...rooms.values()].flatMap((room) => room.sources);

  test('reads the environment in main.ts, the command line and tests only', () => {
    const mayRead = ({ path, isTest }: Source): boolean =>
      isTest || path.endsWith('/main.ts') || path.startsWith('apps/cli/') || path.startsWith('packages/testkit/');
    const readers = all.filter((source) => !mayRead(source) && /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(source.text));
    expect(readers.map(({ path }) => path)).toEqual([]);
  });

  test('has no default export', () => {
    const exporters = all.filter(({ text }) => /^\s*export\s+default\b|\bas\s+default\b/m.test(text));
    expect(exporters.map(({ path }) => path)).toEqual([]);
  });

  test('imports files with their ending, which type stripping needs', () => {
    for (const { path, specifiers } of all) {
      for (const specifier of specifiers.filter(isRelative)) {
        expect(specifier, `${path} imports ${specifier}`).toMatch(/\.(ts|json|js|mjs)$/);
        expect(existsSync(resolve(root, dirname(path), specifier)), `${path} imports ${specifier}, which is not there`).toBe(true);
      }
    }
  });
});
