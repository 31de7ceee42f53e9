export type { CliIo } from './context.ts';
export { ApiError, UnreachableError, UsageError } from './faults.ts';
export { createClient, type Answer, type Call, type RelayClient } from './http.ts';
export { runCli } from './program.ts';
