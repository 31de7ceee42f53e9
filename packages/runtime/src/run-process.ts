import type { Logger } from './logger.ts';

/**
 * Opens what a process is made of. Each part goes onto the stack where it is opened and is closed in reverse.
 * `draining` fires on SIGTERM or SIGINT: stop taking work, finish what is in flight.
 */
export type Boot = (stack: AsyncDisposableStack, draining: AbortSignal) => Promise<void>;

export interface RunProcessOptions {
  readonly logger: Logger;
  /** From the signal to a hard stop, ms. */
  readonly shutdownGraceMs: number;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** A signal this soon after the first says the same again; a later one kills. */
const SAME_WISH_MS = 1_000;

/**
 * Runs a role until a signal, then closes everything within the grace time. A second signal kills at once (but for one
 * within a second of the first). A fault nobody caught ends the process with 1: carrying on could deliver from a broken state.
 */
export async function runProcess(boot: Boot, options: RunProcessOptions): Promise<void> {
  const { logger, shutdownGraceMs } = options;
  dieOnUncaught(logger);
  const drain = new AbortController();
  const stopped = firstSignal();
  const startedAt = performance.now();
  try {
    await using stack = new AsyncDisposableStack();
    const booting = boot(stack, drain.signal).then(() => undefined);
    const early = await Promise.race([booting, stopped]);
    if (early === undefined) logger.info({ tookMs: Math.round(performance.now() - startedAt) }, 'process.started');
    const signal = early ?? (await stopped);
    logger.info({ signal }, 'process.stopping');
    hardStop(logger, shutdownGraceMs);
    drain.abort(signal);
    await booting; // a signal during the start: what is being opened must be on the stack before it closes
  } catch (error) {
    logger.fatal({ err: error }, 'process.failed');
    process.exitCode = 1;
    hardStop(logger, shutdownGraceMs);
    return;
  }
  logger.info({ upMs: Math.round(performance.now() - startedAt) }, 'process.stopped');
}

function firstSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const onSignal = (signal: NodeJS.Signals): void => {
    resolve(signal);
    // Ctrl-C under `npm run` arrives twice, from the terminal and from npm: that is one wish.
    setTimeout(() => {
      for (const name of SIGNALS) process.off(name, onSignal);
    }, SAME_WISH_MS).unref();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return promise;
}

/** Not waited for by the event loop: a clean close ends the process earlier. */
function hardStop(logger: Logger, afterMs: number): void {
  setTimeout(() => {
    logger.error({ afterMs }, 'process.stop_timed_out');
    process.exit(1);
  }, afterMs).unref();
}

function dieOnUncaught(logger: Logger): void {
  process.once('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'process.uncaught_exception');
    process.exit(1);
  });
  process.once('unhandledRejection', (reason) => {
    logger.fatal({ err: reason }, 'process.unhandled_rejection');
    process.exit(1);
  });
}
