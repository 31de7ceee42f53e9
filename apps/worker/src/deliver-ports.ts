import type { DeliveryPlatform, PlatformEndpoints } from '@relay/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTokenSource, dropToken, type Account, type DeliverPorts, type Send, type Settlement } from '@relay/delivery';
import { accountScope, appScope, createTokenCache, type DeliveryLane, type SharedStore } from '@relay/redis';
import type { Logger, Metrics, Sealer, WorkerConfig } from '@relay/runtime';

export interface PortDeps {
  readonly store: SharedStore;
  readonly lane: DeliveryLane;
  readonly definition: DeliveryPlatform;
  readonly endpoints: PlatformEndpoints;
  readonly config: WorkerConfig;
  readonly sealer: Sealer;
  readonly send: Send;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** What `deliver` needs, but for what its lane knows: whether it is stopping. */
export type PlatformPorts = Omit<DeliverPorts, 'stopping'>;

/** Wires what `deliver` needs to the real store, HTTP client, metrics and log. */
export function createDeliverPorts(deps: PortDeps): PlatformPorts {
  const { store, lane, definition, endpoints, config, metrics } = deps;
  const platform = definition.id;
  const tokens = createTokenCache(store.connection, deps.sealer);
  const token = createTokenSource({
    definition,
    endpoints,
    tokens,
    send: deps.send,
    storeRefreshToken: (account, refreshToken) => store.accounts.storeRefreshToken(account.id, account.revision, refreshToken),
    now: Date.now,
    sleep: (ms) => sleep(ms),
  });
  return {
    definition,
    endpoints,
    send: deps.send,
    token,
    dropToken: (account, accessToken) => dropToken(tokens, account, accessToken),
    account: (id) => store.accounts.get(id),
    async needsReconnect(account, reason) {
      const held = await store.accounts.markNeedsReconnect(account.id, account.revision, reason);
      if (held) deps.logger.warn({ accountId: account.id, platform, reason }, 'account.needs_reconnect');
      return held;
    },
    coolUntil: (account) => store.cooldowns.until([accountScope(account.id), sharedScope(definition, account)]),
    async coolDown(account, scope, untilMs) {
      const name = scope === 'app' ? sharedScope(definition, account) : accountScope(account.id);
      deps.logger.warn({ accountId: account.id, platform, scope, untilMs }, 'account.cooling_down');
      await store.cooldowns.start(name, untilMs);
    },
    settle: (settlement) => settleAndCount(deps, settlement),
    noteRetry: (notes) => lane.noteRetry(notes),
    markSending: (jobs) => lane.markSending(jobs),
    clearSending: (jobs) => lane.clearSending(jobs),
    report(attempt) {
      metrics.platformRequests.inc({ platform, outcome: attempt.outcome });
      metrics.platformRequestSeconds.observe({ platform }, attempt.tookMs / 1000);
      metrics.chunkEvents.observe({ platform }, attempt.events);
      deps.logger.info(attempt, 'delivery.attempted');
    },
    salvage: config.delivery.salvage,
    maxAttempts: config.delivery.maxAttempts,
    backoffBaseMs: config.delivery.backoffBaseMs,
    backoffMaxMs: config.delivery.backoffMaxMs,
    now: Date.now,
    random: Math.random,
  };
}

/** Whom a limit of the app concerns: all accounts of the OAuth client, or, where a platform has none, all of the platform. */
function sharedScope(definition: DeliveryPlatform, account: Account): string {
  return appScope(definition.id, definition.tokens?.appScope(account.credentials) ?? '');
}

async function settleAndCount({ lane, metrics, definition, config, logger }: PortDeps, settlement: Settlement): Promise<void> {
  const { delivered } = settlement;
  const poll = delivered?.poll && { ...delivered.poll, afterMs: config.googleStatusFirstPollMs };
  await lane.settle(delivered === undefined ? settlement : { ...settlement, delivered: { ...delivered, poll } });
  const platform = definition.id;
  const now = Date.now();
  if (delivered !== undefined) {
    metrics.eventsDelivered.inc({ platform }, delivered.events.length);
    // The child is looked up once: labels are checked and hashed at each observation otherwise.
    const age = metrics.eventAgeSeconds.labels({ platform });
    for (const event of delivered.events) age.observe((now - event.job.acceptedAtMs) / 1000);
  }
  for (const death of settlement.dead ?? []) {
    const { reason, code, traceId } = death;
    metrics.eventsFailed.inc({ platform, reason }, death.events.length);
    metrics.eventsDeadLettered.inc({ platform, reason }, death.events.length);
    const first = death.events[0]!.job;
    logger.warn({ platform, accountId: first.accountId, destinationId: first.destinationId, events: death.events.length, reason, code, traceId }, 'events.dead_lettered');
  }
}
