import { describe, expect, it } from 'vitest';
import { WORKER_PLATFORMS } from './config-fields.ts';
import { ConfigError, platformEndpoints, readApiConfig, readWorkerConfig } from './config.ts';
import { describeConfig, withoutLogin } from './describe-config.ts';

const KEY = '0gAt7SxTo3j0ldAh0mC0h1lLdXQqcIvzpFTyODZBqkA=';
const KEY_2 = 'GRmu/xIMOk4vBQcFoIwMFzfybShUzCR4EB4dR2D9Q7U=';
const allEqual = Buffer.alloc(32, 7).toString('base64');
const counted = Buffer.from(Array.from({ length: 32 }, (_, at) => at + 140)).toString('base64');
const words = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');

function faultOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('readApiConfig', () => {
  it('fills in the documented defaults', () => {
    const config = readApiConfig({ RELAY_SECRET_KEY: KEY });
    expect(config).toMatchObject({
      logLevel: 'info',
      shutdownGraceMs: 25_000,
      redis: { url: 'redis://127.0.0.1:6379', lanes: 1 },
      http: { host: '0.0.0.0', port: 8080, bodyLimitBytes: 33_554_432, syncWaitMs: 10_000 },
      ops: undefined,
      retention: { logRetentionDays: 30, logMaxEntries: 100_000, eventIndexHours: 72 },
      googleStatusFirstPollMs: 1_800_000,
      googleAdsVersion: 'v24',
      platformTimeoutMs: 30_000,
    });
    expect(platformEndpoints(config)).toEqual({
      metaGraphUrl: 'https://graph.facebook.com',
      metaGraphVersion: 'v25.0',
      metaAppSecret: undefined,
      googleDataManagerUrl: 'https://datamanager.googleapis.com',
      googleAdsUrl: 'https://googleads.googleapis.com',
      googleOauthUrl: 'https://oauth2.googleapis.com/token',
      linkedinApiUrl: 'https://api.linkedin.com',
      linkedinOauthUrl: 'https://www.linkedin.com/oauth/v2/accessToken',
      linkedinVersion: '202609',
    });
  });

  it('freezes every slice', () => {
    const config = readApiConfig({ RELAY_SECRET_KEY: KEY });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.http)).toBe(true);
  });

  it('strips trailing slashes and takes empty variables as unset', () => {
    const config = readApiConfig({ RELAY_SECRET_KEY: KEY, META_GRAPH_URL: 'http://127.0.0.1:9/meta//', PORT: '', OPS_USER: ' ' });
    expect(config.endpoints.metaGraphUrl).toBe('http://127.0.0.1:9/meta');
    expect(config.http.port).toBe(8080);
  });

  it('names every fault at once and shows no value', () => {
    const fault = faultOf(() =>
      readApiConfig({ PORT: 'hunter2', REDIS_URL: 'http://hunter2', LOG_LEVEL: 'hunter2', META_GRAPH_URL: 'ftp://hunter2', OPS_USER: 'hunter2', RELAY_SECRET_KEY: 'hunter2' }),
    );
    for (const name of ['PORT', 'REDIS_URL', 'LOG_LEVEL', 'META_GRAPH_URL', 'OPS_PASSWORD', 'RELAY_SECRET_KEY']) expect(fault).toContain(name);
    expect(fault).not.toContain('hunter2');
  });

  it.each(['redis://a', 'rediss://u:p@a:1/2', 'redis+sentinel://a:1,b:2/mymaster', 'redis+cluster://a:1,b:2'])('takes %s', (url) => {
    expect(readApiConfig({ RELAY_SECRET_KEY: KEY, REDIS_URL: url }).redis.url).toBe(url);
  });

  it('refuses default passwords of the dashboard outside development', () => {
    const env = { RELAY_SECRET_KEY: KEY, OPS_USER: 'ops', OPS_PASSWORD: 'changeme' };
    expect(faultOf(() => readApiConfig(env))).toContain('OPS_PASSWORD');
    expect(readApiConfig({ ...env, NODE_ENV: 'development' }).ops).toEqual({ user: 'ops', password: 'changeme' });
    expect(readApiConfig({ ...env, OPS_PASSWORD: 'b0Ksjd93ndk' }).ops?.user).toBe('ops');
  });
});

describe('RELAY_SECRET_KEY', () => {
  it('is a list, first key first', () => {
    const { secretKeys } = readApiConfig({ RELAY_SECRET_KEY: `${KEY}, ${KEY_2}` });
    expect(secretKeys.map((key) => Buffer.from(key).toString('base64'))).toEqual([KEY, KEY_2]);
  });

  it.each([
    ['missing', undefined],
    ['not base64', 'change-me'],
    ['too short', Buffer.alloc(16, 1).toString('base64')],
    ['an empty place in the list', `${KEY},`],
    ['an example text', words],
    ['all bytes equal', allEqual],
    ['counted bytes', counted],
  ])('refuses one that is %s and says how to make one', (_, value) => {
    const fault = faultOf(() => readWorkerConfig({ RELAY_SECRET_KEY: value }));
    expect(fault).toContain('RELAY_SECRET_KEY');
    expect(fault).toContain('openssl rand -base64 32');
  });

  it('lets weak and example keys through in development', () => {
    expect(readWorkerConfig({ RELAY_SECRET_KEY: allEqual, NODE_ENV: 'development' }).secretKeys).toHaveLength(1);
    expect(readWorkerConfig({ RELAY_SECRET_KEY: words, NODE_ENV: 'development' }).secretKeys).toHaveLength(1);
    expect(() => readWorkerConfig({ RELAY_SECRET_KEY: `${KEY},${KEY}` })).toThrow(/same key twice/);
  });
});

describe('readWorkerConfig', () => {
  it('fills in the documented defaults', () => {
    expect(readWorkerConfig({ RELAY_SECRET_KEY: KEY })).toMatchObject({
      ops: { host: '0.0.0.0', port: 9090 },
      platforms: WORKER_PLATFORMS,
      delivery: { maxAttempts: 12, backoffBaseMs: 1000, backoffMaxMs: 900_000, platformTimeoutMs: 30_000, destinationConcurrency: 2, salvage: true },
    });
  });

  it('narrows the platforms and switches salvage', () => {
    const config = readWorkerConfig({ RELAY_SECRET_KEY: KEY, WORKER_PLATFORMS: 'metaads, googleads,metaads', SALVAGE: 'off' });
    expect(config.platforms).toEqual(['metaads', 'googleads']);
    expect(config.delivery.salvage).toBe(false);
  });

  it('reports unknown platforms and relations between variables together', () => {
    const fault = faultOf(() => readWorkerConfig({ WORKER_PLATFORMS: 'myspace', BACKOFF_MAX_MS: '5', SALVAGE: 'perhaps' }));
    for (const name of ['WORKER_PLATFORMS', 'BACKOFF_MAX_MS', 'SALVAGE', 'RELAY_SECRET_KEY']) expect(fault).toContain(name);
  });
});

describe('describeConfig', () => {
  it('shows secrets as set or unset only', () => {
    const env = {
      RELAY_SECRET_KEY: KEY,
      REDIS_URL: 'redis+sentinel://u:hunter2@a:1,b:2/m?sentinelPassword=hunter2',
      META_APP_SECRET: 'hunter2-of-the-app',
      META_VERIFY_TOKEN: 'hunter2-to-verify',
      OPS_USER: 'ops',
      OPS_PASSWORD: 'hunter2hunter2',
    };
    const text = JSON.stringify([describeConfig(readApiConfig(env)), describeConfig(readWorkerConfig(env))]);
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(KEY);
    expect(text).toContain('"metaAppSecret":"set"');
    expect(text).toContain('"opsLogin":"set"');
  });

  it('keeps lists of hosts readable', () => {
    expect(withoutLogin('redis+cluster://:p%40s@a:1,b:2')).toBe('redis+cluster://a:1,b:2');
  });

  it.each(['redis://:pa#hunter2@a:1', 'redis://:hunter2#x@a:1', 'redis://:hunter2?x@a', 'redis://u:hunter2@@a', 'redis://:hunter2/x@a', 'redis+sentinel://a:1/m?password=hunter2@x', 'redis+sentinel://a:1/m?password=x@hunter2'])(
    'shows no part of a password that should have been percent-encoded: %s',
    (url) => {
      expect(withoutLogin(url)).not.toMatch(/hunter2|pa/);
      expect(withoutLogin(url)).toMatch(/^redis(?:\+sentinel)?:\/\//);
    },
  );

  it('shows an address without a login as it is', () => {
    expect(withoutLogin('redis://a:1/2')).toBe('redis://a:1/2');
  });

  it('takes platform addresses with or without the common part of their path', () => {
    const read = (env: Record<string, string>) => readWorkerConfig({ RELAY_SECRET_KEY: KEY, ...env }).endpoints;
    expect(read({ LINKEDIN_API_URL: 'http://127.0.0.1:1/li/rest/' }).linkedinApiUrl).toBe('http://127.0.0.1:1/li');
    expect(read({ GOOGLE_DATA_MANAGER_URL: 'http://127.0.0.1:1/v1' }).googleDataManagerUrl).toBe('http://127.0.0.1:1');
    expect(read({ LINKEDIN_OAUTH_URL: 'http://127.0.0.1:1' }).linkedinOauthUrl).toBe('http://127.0.0.1:1/oauth/v2/accessToken');
    expect(read({ GOOGLE_OAUTH_URL: 'http://127.0.0.1:1/token' }).googleOauthUrl).toBe('http://127.0.0.1:1/token');
  });
});
