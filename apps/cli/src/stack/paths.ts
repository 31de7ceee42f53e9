import { fileURLToPath } from 'node:url';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

export const ENTRIES = {
  sandbox: fromRoot('apps/sandbox/src/main.ts'),
  api: fromRoot('apps/api/src/main.ts'),
  worker: fromRoot('apps/worker/src/main.ts'),
} as const;
export type Role = keyof typeof ENTRIES;

export const SAMPLES = fromRoot('apps/sandbox/samples/');
/** What `npm start` keeps between two runs; git ignores it. */
export const KEPT = fromRoot('.relay/');
