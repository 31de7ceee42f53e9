import type { Command } from 'commander';
import { wantsJson, type Context } from '../context.ts';
import { ApiError, EXIT_REFUSED } from '../faults.ts';
import { asRecord, textIn, type Json } from '../json.ts';
import { formatFacts, printJson } from '../output.ts';

const HEALTH_MS = 10_000;

export function addHealth(program: Command, context: Context): void {
  program
    .command('health')
    .summary('whether the relay is alive and ready')
    .description('Ask for liveness and readiness (Redis, lag). Needs no key. Exit code 1 when the relay is up but not ready.')
    .action(async (_options: unknown, command: Command) => {
      const client = context.openClient();
      const [live, ready] = [await ask(() => client.call({ path: '/healthz', timeoutMs: HEALTH_MS })), await ask(() => client.call({ path: '/readyz', timeoutMs: HEALTH_MS }))];
      const ok = live.ok && ready.ok;
      if (wantsJson(command)) printJson(context, { url: client.baseUrl, live: live.ok, ready: ready.ok, ...ready.body });
      else {
        const facts = Object.keys(ready.body).map((key) => [key, textIn(ready.body, key)] as const);
        context.out(formatFacts([['relay', client.baseUrl], ['live', yesNo(live.ok)], ['ready', yesNo(ready.ok)], ...facts]));
      }
      if (!ok) context.exitCode = EXIT_REFUSED;
    });
}

/** A 503 is the answer to the question, not an error; no answer at all is one. */
async function ask(call: () => Promise<{ readonly body: unknown }>): Promise<{ readonly ok: boolean; readonly body: Json }> {
  try {
    return { ok: true, body: asRecord((await call()).body) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { ok: false, body: asRecord(error.body) };
  }
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
