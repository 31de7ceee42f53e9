export { buildSandbox } from './build-sandbox.ts';
export type { SandboxOptions } from './build-sandbox.ts';
export { SEED } from './seed.ts';
