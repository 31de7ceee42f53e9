import { fileURLToPath } from 'node:url';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

export const ENTRIES = {
  sandbox: fromRoot('apps/sandbox/src/main.ts'),
  api: fromRoot('apps/api/src/main.ts'),
  worker: fromRoot('apps/worker/src/main.ts'),
} as const;
export type Role = keyof typeof ENTRIES;

/**
 * Node's own arguments. A worker's young generation is bounded: left to itself it grows to 64 MiB and more while a backlog
 * drains, and buffers that wait for its next collection with it. `package.json` and `docker-compose.yml` say the same.
 */
export const NODE_ARGS: Readonly<Record<Role, readonly string[]>> = { sandbox: [], api: [], worker: ['--max-semi-space-size=16'] };

export const SAMPLES = fromRoot('apps/sandbox/samples/');
/** What `npm start` keeps between two runs; git ignores it. */
export const KEPT = fromRoot('.relay/');
