import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, provideRedis, spawnProcess } from '@relay/testkit';
import { cpuMs } from './usage.ts';

export interface Sunk {
  readonly requests: number;
  readonly events: number;
  /** Of the request bodies. */
  readonly bytes: number;
}

/** Redis (append-only file, fsync every second) and the sink, shared by what is measured one after the other. */
export interface Ground extends AsyncDisposable {
  readonly redisUrl: string;
  readonly sinkUrl: string;
  /** Counts from zero, and answers after so many ms from now on. */
  resetSink(latencyMs?: number): Promise<void>;
  setSinkLatency(ms: number): Promise<void>;
  sunk(): Promise<Sunk>;
  /** Waits until so many events have reached the sink. */
  sunkAll(events: number): Promise<Sunk>;
  /** Empties Redis and its append-only file. */
  flush(): Promise<void>;
  /** Waits until Redis is not rewriting its append-only file, which takes a core. */
  rewritten(): Promise<void>;
  redisMemory(): Promise<number>;
  redisVersion(): Promise<string>;
  redisCpuMs(): Promise<number>;
  /** CPU time of the sink and of this process, which sends the load, ms. */
  restCpuMs(): number;
  /** Calls so far, by command. */
  redisCalls(): Promise<ReadonlyMap<string, number>>;
}

export const entry = (path: string): string => new URL(path, import.meta.url).pathname;
export const READY_MS = 30_000;
/** Nothing reached the sink for so long: it will not come any more. */
const STALLED_MS = 60_000;

export async function openGround(): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const redis = await provideRedis({ docker: false });
  stack.defer(() => redis.stop());
  const port = await freePort();
  const sink = stack.use(await spawnProcess(entry('./sink.ts'), { SINK_PORT: String(port) }, { readyWhen: (line) => line.includes('sink.listening'), timeoutMs: READY_MS }));
  const sinkUrl = `http://127.0.0.1:${port}`;
  const control = new Redis(redis.url);
  stack.defer(() => control.disconnect());
  const post = async (path: string) => void (await fetch(`${sinkUrl}${path}`, { method: 'POST', signal: AbortSignal.timeout(5000) }));
  const sunk = async () => (await (await fetch(`${sinkUrl}/count`, { signal: AbortSignal.timeout(5000) })).json()) as Sunk;
  const infoNumber = async (section: string, name: string) => Number(new RegExp(`^${name}:([0-9.]+)`, 'm').exec(await control.info(section))?.[1]);
  const rewritten = async () => {
    while ((await infoNumber('persistence', 'aof_rewrite_in_progress')) > 0) await sleep(20);
  };
  const owned = stack.move();
  return {
    redisUrl: redis.url,
    sinkUrl,
    resetSink: (latencyMs = 0) => post(`/reset?ms=${latencyMs}`),
    setSinkLatency: (ms) => post(`/latency?ms=${ms}`),
    sunk,
    async sunkAll(events) {
      let last = { events: -1, atMs: Date.now() };
      for (;;) {
        const now = await sunk();
        if (now.events >= events) return now;
        if (now.events !== last.events) last = { events: now.events, atMs: Date.now() };
        if (Date.now() - last.atMs > STALLED_MS) throw new Error(`only ${now.events} of ${events} events arrived`);
        await sleep(5);
      }
    },
    async flush() {
      await control.flushall();
      await rewritten();
    },
    rewritten,
    redisMemory: () => infoNumber('memory', 'used_memory'),
    redisVersion: async () => /^redis_version:(\S+)/m.exec(await control.info('server'))?.[1] ?? 'unknown',
    redisCpuMs: async () => ((await infoNumber('cpu', 'used_cpu_user')) + (await infoNumber('cpu', 'used_cpu_sys'))) * 1000,
    restCpuMs: () => cpuMs(sink.pid) + cpuMs(process.pid),
    async redisCalls() {
      const lines = (await control.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
      return new Map([...lines].map(([, command, calls]) => [command!, Number(calls)]));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
