import { readFile } from 'node:fs/promises';
import { createSend, DEFAULT_SEND_OPTIONS } from '@relay/http-out';
import { createGoogleAdjustments, oldLinkedinVersion, PLATFORMS, whatsappMessaging } from '@relay/platforms';
import { applyBootstrap, openDelivery, openQueueProbe, openWorkerStore } from '@relay/redis';
import { createLogger, createMetrics, createSealer, describeConfig, platformEndpoints, readWorkerConfig, runProcess } from '@relay/runtime';
import type { DeliveryPlatform } from '@relay/contract';
import { createDeliverPorts } from './deliver-ports.ts';
import { buildOps } from './ops-server.ts';
import { sweepHeld } from './release-held.ts';
import { startLane } from './start-lane.ts';
import { watchLanes } from './watchdog.ts';

const config = readWorkerConfig(process.env);
const logger = createLogger({ level: config.logLevel, name: 'worker' });
const platforms = { ...PLATFORMS, whatsapp: whatsappMessaging };
const definitions: Readonly<Record<string, DeliveryPlatform>> = platforms;
/** A lane waits for a token and for an answer between two signs of progress; the rest is for Redis. */
const stuckAfterMs = 3 * config.delivery.platformTimeoutMs + 15_000;

await runProcess(
  async (stack, draining) => {
    logger.info(describeConfig(config), 'worker.config');
    const old = oldLinkedinVersion(config.endpoints.linkedinVersion, Date.now());
    if (old !== undefined) logger.warn(old, 'linkedin.version_old');
    const metrics = createMetrics();
    const sealer = createSealer(config.secretKeys);
    const store = await openWorkerStore(stack, {
      redisUrl: config.redis.url,
      lanes: config.redis.lanes,
      sealer,
      ...config.retention,
      dedupWindowMs: (platform) => definitions[platform]?.dedupWindowMs,
      now: Date.now,
    });
    if (config.bootstrapPath !== undefined) {
      await applyBootstrap(JSON.parse(await readFile(config.bootstrapPath, 'utf8')), store, platforms);
    }
    const { send, close } = createSend({ ...DEFAULT_SEND_OPTIONS, timeoutMs: config.delivery.platformTimeoutMs, now: Date.now });
    stack.defer(close);

    const lanes = store.lanes.all
      .filter((lane) => (config.platforms as readonly string[]).includes(lane.platform) && definitions[lane.platform] !== undefined)
      .map((lane) => {
        const delivery = openDelivery(store, lane, { sealer, retentionDays: config.retention.logRetentionDays, now: Date.now });
        const definition = definitions[lane.platform]!;
        const portsFor = (own: DeliveryPlatform) =>
          createDeliverPorts({ store, lane: delivery, definition: own, endpoints: platformEndpoints(config), config, sealer, send, metrics, logger });
        const adjustments = lane.platform === 'googleads' ? portsFor(createGoogleAdjustments(config.googleAdsVersion)) : undefined;
        return startLane(delivery, { conversions: portsFor(definition), adjustments }, store, config, logger);
      });
    stack.defer(async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    });
    stack.use(sweepHeld(store, config, logger));

    const watchdog = stack.use(
      watchLanes({
        lanes,
        probe: stack.use(openQueueProbe(store.connector, Date.now)),
        stuckAfterMs,
        onStuck(found) {
          logger.fatal(found, 'worker.stuck');
          // Ends like on SIGTERM, so that lanes that do work finish what is in flight; whoever runs the process starts it anew.
          process.exitCode = 1;
          process.kill(process.pid, 'SIGTERM');
        },
        now: Date.now,
      }),
    );
    const ops = buildOps({ metrics, watchdog, draining });
    await ops.listen({ host: config.ops.host, port: config.ops.port });
    stack.defer(() => ops.close());
    logger.info({ port: config.ops.port, queues: lanes.map((lane) => lane.lane.lane.queue) }, 'worker.ready');
  },
  { logger, shutdownGraceMs: config.shutdownGraceMs },
);
