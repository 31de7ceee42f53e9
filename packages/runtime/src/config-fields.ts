import { z } from 'zod';

/** The platforms a worker can be narrowed to; the same list as the contract's `PLATFORM_IDS` (a test compares them). */
export const WORKER_PLATFORMS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const;
export type WorkerPlatform = (typeof WORKER_PLATFORMS)[number];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const whole = (fallback: number, min: number, max: number) => z.coerce.number().int().min(min).max(max).default(fallback);
/** A platform's address: http only for emulators on one's own network, which is the operator's to decide. */
const address = (fallback: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address' })
    .default(fallback)
    .transform((url) => url.replace(/\/+$/, ''));
/** An address that is written with or without the part of the path that every call has in common. */
const base = (fallback: string, commonPath: string) =>
  address(fallback).transform((url) => (url.endsWith(commonPath) ? url.slice(0, -commonPath.length) : url));
/** The address of one endpoint; a bare host stands for the platform's own path on it. */
const endpoint = (fallback: string) =>
  address(fallback).transform((url) => (new URL(url).pathname === '/' ? url + new URL(fallback).pathname : url));
const MAX_MS = 2 ** 31 - 1; // the longest that a timer of Node can wait

const REDIS_URL = /^rediss?(\+sentinel|\+cluster)?:\/\/[^\s]+$/;

/** Both roles read these. Defaults are the table of the configuration reference. */
export const sharedFields = {
  NODE_ENV: z.string().default('production'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  REDIS_URL: z
    .string()
    .regex(REDIS_URL, 'must start with redis://, rediss://, redis+sentinel:// or redis+cluster://')
    .default('redis://127.0.0.1:6379'),
  QUEUE_LANES: whole(1, 1, 64),
  RELAY_BOOTSTRAP: z.string().optional(),
  HOST: z.string().default('0.0.0.0'),
  SHUTDOWN_GRACE_MS: whole(25_000, 0, MAX_MS),
  LOG_RETENTION_DAYS: whole(30, 1, 3650),
  LOG_MAX_ENTRIES: whole(100_000, 1, 100_000_000),
  EVENT_INDEX_HOURS: whole(72, 0, 24 * 365),
  META_GRAPH_URL: address('https://graph.facebook.com'),
  META_GRAPH_VERSION: z.string().regex(/^v\d+\.\d+$/, 'must look like v25.0').default('v25.0'),
  META_APP_SECRET: z.string().optional(),
  META_VERIFY_TOKEN: z.string().optional(),
  GOOGLE_DATA_MANAGER_URL: base('https://datamanager.googleapis.com', '/v1'),
  GOOGLE_ADS_URL: address('https://googleads.googleapis.com'),
  GOOGLE_ADS_VERSION: z.string().regex(/^v\d{1,3}$/, 'must look like v24').default('v24'),
  GOOGLE_OAUTH_URL: endpoint('https://oauth2.googleapis.com/token'),
  LINKEDIN_API_URL: base('https://api.linkedin.com', '/rest'),
  LINKEDIN_OAUTH_URL: endpoint('https://www.linkedin.com/oauth/v2/accessToken'),
  LINKEDIN_VERSION: z.string().regex(/^\d{6}$/, 'must look like 202609').default('202609'),
  PLATFORM_TIMEOUT_MS: whole(30_000, 1, MAX_MS),
  GOOGLE_STATUS_FIRST_POLL_MS: whole(1_800_000, 0, MAX_MS),
};

export const apiFields = {
  PORT: whole(8080, 0, 65_535),
  OPS_USER: z.string().optional(),
  OPS_PASSWORD: z.string().optional(),
  SYNC_WAIT_MS: whole(10_000, 0, 120_000),
  BODY_LIMIT_BYTES: whole(33_554_432, 1024, 512 * 1024 * 1024),
  INGEST_THREADS: whole(2, 0, 64),
};

export const workerFields = {
  WORKER_PORT: whole(9090, 0, 65_535),
  WORKER_PLATFORMS: z
    .string()
    .default(WORKER_PLATFORMS.join(','))
    .transform((list) => [...new Set(list.split(',').map((name) => name.trim()).filter((name) => name !== ''))])
    .pipe(z.array(z.enum(WORKER_PLATFORMS)).min(1)),
  MAX_ATTEMPTS: whole(12, 1, 1000),
  BACKOFF_BASE_MS: whole(1000, 1, MAX_MS),
  BACKOFF_MAX_MS: whole(900_000, 1, MAX_MS),
  DESTINATION_CONCURRENCY: whole(2, 1, 100),
  WORKER_CONCURRENCY: whole(8_192, 1, 65_536),
  SALVAGE: z.stringbool({ error: 'must be on or off' }).default(true),
};

/** Names of all variables that either role reads; the secret key's field depends on `NODE_ENV` and is made in `config.ts`. */
export const SETTINGS: readonly string[] = ['RELAY_SECRET_KEY', ...Object.keys({ ...sharedFields, ...apiFields, ...workerFields })];
