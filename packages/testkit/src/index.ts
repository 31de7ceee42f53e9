export { freePort } from './free-port.ts';
export { freshDatabase, withDatabase } from './fresh-database.ts';
export { provideRedis, type ProvideRedisOptions } from './provide-redis.ts';
export { provideTestRedis } from './provide-test-redis.ts';
export type { ProvidedRedis } from './redis-args.ts';
export { findCommand, runCommand, type CommandResult } from './run-command.ts';
export { spawnProcess, type ProcessEnd, type SpawnedProcess, type SpawnOptions } from './spawn-process.ts';
export { waitFor, type WaitOptions } from './wait-for.ts';
