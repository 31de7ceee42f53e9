import { runCommand } from './run-command.ts';

/** What api and worker ask for at their start. Every Valkey is newer. */
const MIN_MAJOR = 7;
const ANSWER_MS = 10_000;

/** @throws Error when this server is known to be older than what api and worker take. */
export async function requireRecentServer(binary: string): Promise<void> {
  const { output } = await runCommand(binary, ['--version'], { timeoutMs: ANSWER_MS });
  const [, major, rest] = /\bv=(\d+)\.(\S+)/.exec(output) ?? [];
  if (major !== undefined && Number(major) < MIN_MAJOR) throw new Error(`${binary} is version ${major}.${rest}, and the relay needs ${MIN_MAJOR}.0 or newer`);
}
