import { z } from 'zod';
import { apiFields, sharedFields, workerFields, type WorkerPlatform } from './config-fields.ts';
import { secretKeysField } from './secret-keys.ts';
import { typedSecretFault } from './typed-secrets.ts';

/** The environment cannot be used. The message names every variable at fault and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Env = Readonly<Record<string, string | undefined>>;

/** Base URLs and versions of the platforms; the same fields as the contract's `PlatformEndpoints`. No trailing slash. */
export interface EndpointsConfig {
  readonly metaGraphUrl: string;
  readonly metaGraphVersion: string;
  readonly metaAppSecret: string | undefined;
  readonly googleDataManagerUrl: string;
  readonly googleAdsUrl: string;
  readonly googleOauthUrl: string;
  readonly linkedinApiUrl: string;
  readonly linkedinOauthUrl: string;
  readonly linkedinVersion: string;
}

export interface SharedConfig {
  readonly nodeEnv: string;
  readonly logLevel: string;
  readonly shutdownGraceMs: number;
  readonly redis: { readonly url: string; readonly lanes: number };
  /** 32 bytes each; the first seals, all open. */
  readonly secretKeys: readonly Uint8Array[];
  readonly bootstrapPath: string | undefined;
  readonly endpoints: EndpointsConfig;
  /** Of the Google Ads API, which managing destinations and adjusting conversions go through. */
  readonly googleAdsVersion: string;
  readonly retention: { readonly logRetentionDays: number; readonly logMaxEntries: number; readonly eventIndexHours: number };
  /** When Google is first asked what it did with a request; from its acceptance, ms. */
  readonly googleStatusFirstPollMs: number;
}
export interface ApiConfig extends SharedConfig {
  readonly http: { readonly host: string; readonly port: number; readonly bodyLimitBytes: number; readonly syncWaitMs: number };
  /** Threads that read large bodies; 0: the main thread does. */
  readonly ingestThreads: number;
  /** Login of the queue dashboard; `undefined`: it is not served. */
  readonly ops: { readonly user: string; readonly password: string } | undefined;
  /** What one request to a platform may take, ms. */
  readonly platformTimeoutMs: number;
  readonly webhooks: { readonly metaAppSecret: string | undefined; readonly metaVerifyToken: string | undefined };
}
export interface WorkerConfig extends SharedConfig {
  /** Where the worker serves `/metrics` and `/healthz`. */
  readonly ops: { readonly host: string; readonly port: number };
  readonly platforms: readonly WorkerPlatform[];
  readonly delivery: {
    readonly maxAttempts: number;
    readonly backoffBaseMs: number;
    readonly backoffMaxMs: number;
    readonly platformTimeoutMs: number;
    /** Requests in flight per destination. */
    readonly destinationConcurrency: number;
    /** Jobs taken at once per platform. */
    readonly workerConcurrency: number;
    readonly salvage: boolean;
  };
}

/** @throws ConfigError naming all faults at once. */
export function readApiConfig(env: Env): ApiConfig {
  const allowWeak = isDevelopment(env);
  const schema = z.object({ ...sharedFields, ...apiFields, RELAY_SECRET_KEY: secretKeysField(allowWeak) });
  const data = parse(schema, env, (present) => [...opsFaults(present['OPS_USER'], present['OPS_PASSWORD']), ...weakFaults(present, allowWeak)]);
  const { OPS_USER: user, OPS_PASSWORD: password } = data;
  return deepFreeze({
    ...sharedSlices(data),
    http: { host: data.HOST, port: data.PORT, bodyLimitBytes: data.BODY_LIMIT_BYTES, syncWaitMs: data.SYNC_WAIT_MS },
    ingestThreads: data.INGEST_THREADS,
    ops: user === undefined || password === undefined ? undefined : { user, password },
    platformTimeoutMs: data.PLATFORM_TIMEOUT_MS,
    webhooks: { metaAppSecret: data.META_APP_SECRET, metaVerifyToken: data.META_VERIFY_TOKEN },
  });
}

/** @throws ConfigError naming all faults at once. */
export function readWorkerConfig(env: Env): WorkerConfig {
  const allowWeak = isDevelopment(env);
  const schema = z.object({ ...sharedFields, ...workerFields, RELAY_SECRET_KEY: secretKeysField(allowWeak) });
  const data = parse(schema, env, (present) => [...backoffFaults(present), ...weakFaults(present, allowWeak)]);
  return deepFreeze({
    ...sharedSlices(data),
    ops: { host: data.HOST, port: data.WORKER_PORT },
    platforms: data.WORKER_PLATFORMS,
    delivery: {
      maxAttempts: data.MAX_ATTEMPTS,
      backoffBaseMs: data.BACKOFF_BASE_MS,
      backoffMaxMs: data.BACKOFF_MAX_MS,
      platformTimeoutMs: data.PLATFORM_TIMEOUT_MS,
      destinationConcurrency: data.DESTINATION_CONCURRENCY,
      workerConcurrency: data.WORKER_CONCURRENCY,
      salvage: data.SALVAGE,
    },
  });
}

/** Platform addresses and versions, to be handed to the adapters. */
export function platformEndpoints(config: Pick<SharedConfig, 'endpoints'>): EndpointsConfig {
  return config.endpoints;
}

const sharedSchema = z.object({ ...sharedFields, RELAY_SECRET_KEY: secretKeysField(true) });

function sharedSlices(data: z.output<typeof sharedSchema>): SharedConfig {
  return {
    nodeEnv: data.NODE_ENV,
    logLevel: data.LOG_LEVEL,
    shutdownGraceMs: data.SHUTDOWN_GRACE_MS,
    redis: { url: data.REDIS_URL, lanes: data.QUEUE_LANES },
    secretKeys: data.RELAY_SECRET_KEY,
    bootstrapPath: data.RELAY_BOOTSTRAP,
    endpoints: {
      metaGraphUrl: data.META_GRAPH_URL,
      metaGraphVersion: data.META_GRAPH_VERSION,
      metaAppSecret: data.META_APP_SECRET,
      googleDataManagerUrl: data.GOOGLE_DATA_MANAGER_URL,
      googleAdsUrl: data.GOOGLE_ADS_URL,
      googleOauthUrl: data.GOOGLE_OAUTH_URL,
      linkedinApiUrl: data.LINKEDIN_API_URL,
      linkedinOauthUrl: data.LINKEDIN_OAUTH_URL,
      linkedinVersion: data.LINKEDIN_VERSION,
    },
    googleAdsVersion: data.GOOGLE_ADS_VERSION,
    retention: {
      logRetentionDays: data.LOG_RETENTION_DAYS,
      logMaxEntries: data.LOG_MAX_ENTRIES,
      eventIndexHours: data.EVENT_INDEX_HOURS,
    },
    googleStatusFirstPollMs: data.GOOGLE_STATUS_FIRST_POLL_MS,
  };
}

interface Fault {
  readonly path: string[];
  readonly message: string;
}

function opsFaults(user: string | undefined, password: string | undefined): Fault[] {
  if (user === undefined && password === undefined) return [];
  if (user === undefined) return [{ path: ['OPS_USER'], message: 'is not set, but OPS_PASSWORD is; set both, or neither' }];
  if (password === undefined) return [{ path: ['OPS_PASSWORD'], message: 'is not set, but OPS_USER is; set both, or neither' }];
  return [];
}

/** Secrets that somebody chose, and what to do about a weak one. */
const TYPED_SECRETS = {
  OPS_PASSWORD: 'make one with: openssl rand -base64 18',
  META_VERIFY_TOKEN: 'make one with: openssl rand -base64 18',
  META_APP_SECRET: "copy the secret from the app's settings at Meta",
} as const;

function weakFaults(env: Env, allowWeak: boolean): Fault[] {
  return Object.entries(TYPED_SECRETS).flatMap(([name, how]) => {
    const value = env[name];
    const fault = value === undefined || allowWeak ? undefined : typedSecretFault(value);
    return fault === undefined ? [] : [{ path: [name], message: `${fault}; ${how}` }];
  });
}

function backoffFaults(env: Env): Fault[] {
  const base = workerFields.BACKOFF_BASE_MS.safeParse(env['BACKOFF_BASE_MS']);
  const max = workerFields.BACKOFF_MAX_MS.safeParse(env['BACKOFF_MAX_MS']);
  if (!base.success || !max.success || max.data >= base.data) return [];
  return [{ path: ['BACKOFF_MAX_MS'], message: 'must not be below BACKOFF_BASE_MS' }];
}

function isDevelopment(env: Env): boolean {
  return env['NODE_ENV'] === 'development';
}

/**
 * A variable that is set but empty counts as unset: compose files pass `${X:-}` on. `relations` are the faults between
 * variables; not a refinement of the schema, since zod skips those once a field is at fault.
 */
function parse<T extends z.ZodType>(schema: T, env: Env, relations: (present: Env) => Fault[]): z.output<T> {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const parsed = schema.safeParse(present);
  const faults = relations(present).map((fault) => ({ code: 'custom' as const, ...fault, input: undefined }));
  if (parsed.success && faults.length === 0) return parsed.data;
  const error = new z.ZodError([...(parsed.error?.issues ?? []), ...faults]);
  throw new ConfigError(`The environment cannot be used:\n${z.prettifyError(error)}`);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)) deepFreeze(inner);
  }
  return Object.freeze(value);
}
