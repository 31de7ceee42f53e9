import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of the first of these commands that is on the PATH, or undefined. */
export function findCommand(names: readonly string[], path: string = process.env['PATH'] ?? ''): string | undefined {
  for (const name of names) {
    for (const folder of path.split(delimiter)) {
      if (folder === '') continue;
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here: look in the next folder.
      }
    }
  }
  return undefined;
}

export type CommandResult = { readonly code: number | null; readonly output: string };

/** Runs a command to its end. Past the deadline it is killed and the result's code is null. Output is the last 64 KiB. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly env?: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-65_536);
    });
  }
  const { promise, resolve } = Promise.withResolvers<CommandResult>();
  child.once('error', (cause) => resolve({ code: null, output: `${output}${cause.message}` }));
  child.once('close', (code) => resolve({ code, output }));
  return promise;
}
