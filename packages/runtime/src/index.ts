export {
  ConfigError,
  platformEndpoints,
  readApiConfig,
  readWorkerConfig,
  type ApiConfig,
  type EndpointsConfig,
  type SharedConfig,
  type WorkerConfig,
} from './config.ts';
export { SETTINGS, WORKER_PLATFORMS, type WorkerPlatform } from './config-fields.ts';
export { describeConfig } from './describe-config.ts';
export { freeMemory } from './free-memory.ts';
export { createLogger, describeError, type Logger, type LoggerOptions } from './logger.ts';
export { createMetrics, type Metrics, type MetricsOptions, type Registry } from './metrics.ts';
export { runProcess, type Boot, type RunProcessOptions } from './run-process.ts';
export { SEALED_HEAD_BYTES, SealError, createSealer, type Sealer } from './sealer.ts';
export { typedSecretFault } from './typed-secrets.ts';
