import { readFile } from 'node:fs/promises';
import type { DeliveryPlatform } from '@relay/contract';
import { createSend, LISTING_SEND_OPTIONS } from '@relay/http-out';
import { oldLinkedinVersion, PLATFORMS, whatsappMessaging } from '@relay/platforms';
import { applyBootstrap, openApiStore } from '@relay/redis';
import { createLogger, createMetrics, createSealer, describeConfig, platformEndpoints, readApiConfig, runProcess } from '@relay/runtime';
import { buildApi } from './build-api.ts';
import { openThreads } from './ingest/pool.ts';
import { createAccessTokens } from './management/access-tokens.ts';
import { callLimitsOf } from './management/call-limits.ts';
import { createRunOperation } from './management/run-operation.ts';

const config = readApiConfig(process.env);
const logger = createLogger({ level: config.logLevel, name: 'api' });
const platforms = { ...PLATFORMS, whatsapp: whatsappMessaging };
const definitions: Readonly<Record<string, DeliveryPlatform>> = platforms;
const limits = callLimitsOf(config.platformTimeoutMs);

await runProcess(
  async (stack, draining) => {
    logger.info(describeConfig(config), 'api.config');
    const old = oldLinkedinVersion(config.endpoints.linkedinVersion, Date.now());
    if (old !== undefined) logger.warn(old, 'linkedin.version_old');
    const store = await openApiStore(stack, {
      redisUrl: config.redis.url,
      lanes: config.redis.lanes,
      sealer: createSealer(config.secretKeys),
      ...config.retention,
      dedupWindowMs: (platform) => definitions[platform]?.dedupWindowMs,
      now: Date.now,
    });
    if (config.bootstrapPath !== undefined) {
      await applyBootstrap(JSON.parse(await readFile(config.bootstrapPath, 'utf8')), store, platforms);
    }
    const { send, close } = createSend({ ...LISTING_SEND_OPTIONS, timeoutMs: limits.callMs, now: Date.now });
    stack.defer(close);
    const isIndexed = config.retention.eventIndexHours > 0;
    const app = await buildApi({
      ...store,
      largeBodies: config.ingestThreads === 0 ? undefined : openThreads(stack, config.ingestThreads, { secretKeys: config.secretKeys, isIndexed }),
      platforms,
      send,
      endpoints: platformEndpoints(config),
      runOperation: createRunOperation({
        send,
        accessTokens: createAccessTokens({
          definitionOf: ({ platform }) => definitions[platform],
          endpoints: platformEndpoints(config),
          tokens: store.tokens,
          send,
          requestTimeoutMs: limits.callMs,
          storeRefreshToken: (account, refreshToken) => store.accounts.storeRefreshToken(account.id, account.revision, refreshToken),
          now: Date.now,
        }),
        endpoints: platformEndpoints(config),
        googleAdsVersion: config.googleAdsVersion,
        now: Date.now,
        limits,
      }),
      webhooks: config.webhooks,
      metrics: createMetrics(),
      logger,
      now: Date.now,
      config: { ...config.http, eventIndexHours: config.retention.eventIndexHours },
      draining,
      bullBoard: config.ops === undefined ? undefined : { queues: store.queues, ...config.ops },
    });
    stack.defer(() => app.close());
    await app.listen({ host: config.http.host, port: config.http.port });
    logger.info({ port: config.http.port }, 'api.ready');
  },
  { logger, shutdownGraceMs: config.shutdownGraceMs },
);
