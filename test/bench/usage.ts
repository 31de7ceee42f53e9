import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux that Node supports. */
const TICK_MS = 10;

/** CPU time that a process has used so far, ms. Linux only. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Fields 14 and 15, utime and stime; the name before them may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident set of a process, bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
}

/** Looks every so often until it is disposed. */
export function sample<T>(everyMs: number, look: () => T): { readonly samples: T[] } & Disposable {
  const samples: T[] = [look()];
  const stop = new AbortController();
  const loop = async () => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: stop.signal });
      samples.push(look());
    }
  };
  loop().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return { samples, [Symbol.dispose]: () => stop.abort() };
}
