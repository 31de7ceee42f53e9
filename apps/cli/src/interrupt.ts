/** `npm run` passes on the Ctrl-C that the terminal has sent to us already: two signals, one wish. */
const SAME_WISH_MS = 1_000;

/** Calls back on the first Ctrl-C or SIGTERM; one that comes later than a second after it ends the process at once. */
export function onInterrupt(callback: (signal: NodeJS.Signals) => void): Disposable {
  let firstAt: number | undefined;
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      callback(signal);
    } else if (performance.now() - firstAt > SAME_WISH_MS) {
      process.exit(130);
    }
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    [Symbol.dispose]() {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}
