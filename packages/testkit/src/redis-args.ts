/** How every Redis of ours runs: durable enough to lose at most a second, and never dropping a key to save memory. */
export function redisArgs(databases: number): string[] {
  return [
    '--appendonly', 'yes',
    '--appendfsync', 'everysec',
    '--maxmemory-policy', 'noeviction',
    '--save', '',
    '--databases', String(databases),
  ];
}

export type ProvidedRedis = {
  readonly url: string;
  /** Where it came from: given by the caller, a server we started, a container, or a package we installed and started. */
  readonly source: 'url' | 'server' | 'docker' | 'installed';
  /** Only for a server of ours. */
  readonly pid?: number;
  /** Everything Redis has on disk, as one buffer, for tests that look for what must not be there. Not for `url`. */
  persisted(): Promise<Buffer>;
  /** Idempotent. Removes what was temporary; leaves a Redis that was given as a URL alone. */
  stop(): Promise<void>;
};

/** The same work is done once, however often and by however many it is asked for. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= work());
}
