import { onInterrupt } from '../interrupt.ts';
import { startStack, type Stack, type StackOptions } from './stack.ts';

/** What shells report for a process that Ctrl-C ended. */
export const INTERRUPTED = 130;

/**
 * Starts the stack, lets `use` work with it, and stops everything: at the end of `use`, on Ctrl-C, and when one of the
 * processes ends by itself. Resolves with the exit code of `use`, or with INTERRUPTED.
 */
export async function runStack(options: StackOptions, use: (stack: Stack) => Promise<number>): Promise<number> {
  const { promise: interrupted, resolve } = Promise.withResolvers<number>();
  using _listening = onInterrupt((signal) => {
    options.say(`${signal}: stopping`);
    resolve(INTERRUPTED);
  });
  await using parts = new AsyncDisposableStack();
  const work = async () => {
    const stack = await startStack(parts, options);
    return Promise.race([use(stack), stack.broken]);
  };
  const working = work();
  working.catch(() => undefined); // After an interrupt its end is of no interest.
  return await Promise.race([working, interrupted]); // Awaited here: a bare return would close everything first.
}

/** The last word of a stack's main file. */
export async function endWith(run: Promise<number>): Promise<never> {
  const code = await run.catch((error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
  // Not left to the event loop: an interrupted start may still hold timers.
  process.exit(code);
}
