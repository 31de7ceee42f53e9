import type { ApiConfig, SharedConfig, WorkerConfig } from './config.ts';

const isSet = (value: unknown): 'set' | 'unset' => (value === undefined ? 'unset' : 'set');

/** The effective configuration for one log line at start. Secrets appear as "set" or "unset", addresses without a login. */
export function describeConfig(config: ApiConfig | WorkerConfig): Record<string, unknown> {
  const role = 'http' in config ? describeApi(config) : describeWorker(config);
  return { ...describeShared(config), ...role };
}

function describeShared(config: SharedConfig): Record<string, unknown> {
  const { metaAppSecret, ...addresses } = config.endpoints;
  const endpoints = Object.fromEntries(Object.entries(addresses).map(([name, value]) => [name, withoutLogin(value)]));
  return {
    nodeEnv: config.nodeEnv,
    logLevel: config.logLevel,
    shutdownGraceMs: config.shutdownGraceMs,
    redisUrl: withoutLogin(config.redis.url),
    queueLanes: config.redis.lanes,
    secretKeys: config.secretKeys.length,
    bootstrap: isSet(config.bootstrapPath),
    metaAppSecret: isSet(metaAppSecret),
    ...endpoints,
    googleAdsVersion: config.googleAdsVersion,
    ...config.retention,
    googleStatusFirstPollMs: config.googleStatusFirstPollMs,
  };
}

function describeApi(config: ApiConfig): Record<string, unknown> {
  return { ...config.http, ingestThreads: config.ingestThreads, platformTimeoutMs: config.platformTimeoutMs, opsLogin: isSet(config.ops), metaVerifyToken: isSet(config.webhooks.metaVerifyToken) };
}

function describeWorker(config: WorkerConfig): Record<string, unknown> {
  return { ...config.ops, platforms: config.platforms.join(','), ...config.delivery };
}

/** Drops user, password and query: sentinel addresses carry passwords there. Not `URL`, which refuses lists of hosts. */
export function withoutLogin(url: string): string {
  // An "@" behind a "?" or "#": a password that holds such a sign itself, and it cannot be told where it ends.
  if (/[?#].*@/s.test(url)) return url.replace(/^([a-z0-9+.-]+:\/\/)?.*$/is, '$1(not shown)');
  return url.replace(/[?#].*$/s, '').replace(/^([a-z0-9+.-]+:\/\/).*@/is, '$1');
}
