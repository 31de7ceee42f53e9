const cleanups = new Set<() => void>();

/**
 * Runs `cleanup` (synchronously) if this process ends before `forget` is called, so that a test run that throws leaves no
 * server behind. Not run when this process is killed by a signal it does not handle.
 */
export function onExit(cleanup: () => void): { forget(): void } {
  if (cleanups.size === 0) process.on('exit', runAll);
  cleanups.add(cleanup);
  return {
    forget() {
      cleanups.delete(cleanup);
      if (cleanups.size === 0) process.off('exit', runAll);
    },
  };
}

function runAll(): void {
  for (const cleanup of cleanups) {
    try {
      cleanup();
    } catch {
      // The process is ending: the next cleanup matters more than this one's failure.
    }
  }
}
