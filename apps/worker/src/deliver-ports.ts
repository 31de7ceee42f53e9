import type { DeliveryPlatform, PlatformEndpoints } from '@relay/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTokenSource, deliveryIdsOf, dropToken, type Account, type BatchEvent, type DeliverPorts, type Send, type Settlement } from '@relay/delivery';
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
    requestTimeoutMs: config.delivery.platformTimeoutMs,
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
    coolUntil: (account) => store.cooldowns.until([ownScope(definition, account), sharedScope(definition, account)]),
    async coolDown(account, scope, untilMs) {
      const name = scope === 'app' ? sharedScope(definition, account) : ownScope(definition, account);
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
      deps.logger.info({ ...attempt, ...namedDeliveries(attempt.deliveryIds) }, 'delivery.attempted');
    },
    salvage: config.delivery.salvage,
    maxAttempts: config.delivery.maxAttempts,
    backoffBaseMs: config.delivery.backoffBaseMs,
    backoffMaxMs: config.delivery.backoffMaxMs,
    now: Date.now,
    random: Math.random,
  };
}

/** One alone also under the name that the api's lines have it under, so that one search finds both. */
export function namedDeliveries(deliveryIds: readonly string[]): object {
  return deliveryIds.length === 1 ? { deliveryId: deliveryIds[0], deliveryIds } : { deliveryIds };
}

/** Whom a limit of the account concerns: what counts against the same quota of it. */
function ownScope({ quota }: DeliveryPlatform, account: Account): string {
  return accountScope(quota === undefined ? account.id : `${account.id}:${quota}`);
}

/** Whom a limit of the app concerns: all accounts of the OAuth client, or, where a platform has none, all of the platform. */
function sharedScope({ id, quota, tokens }: DeliveryPlatform, account: Account): string {
  return appScope(quota === undefined ? id : `${id}:${quota}`, tokens?.appScope(account.credentials) ?? '');
}

async function settleAndCount({ lane, metrics, definition, config, logger }: PortDeps, settlement: Settlement): Promise<void> {
  const { delivered } = settlement;
  const poll = delivered?.poll && { ...delivered.poll, afterMs: config.googleStatusFirstPollMs };
  await lane.settle(delivered === undefined ? settlement : { ...settlement, delivered: { ...delivered, poll } });
  const platform = definition.id;
  const now = Date.now();
  if (delivered !== undefined) {
    metrics.eventsDelivered.inc({ platform }, delivered.events.length);
    observeAges(metrics, platform, delivered.events, now);
  }
  for (const death of settlement.dead ?? []) {
    const { reason, code, traceId } = death;
    metrics.eventsFailed.inc({ platform, reason }, death.events.length);
    metrics.eventsDeadLettered.inc({ platform, reason }, death.events.length);
    observeAges(metrics, platform, death.events, now);
    const first = death.events[0]!.job;
    const facts = { platform, accountId: first.accountId, destinationId: first.destinationId, ...namedDeliveries(deliveryIdsOf(death.events)) };
    logger.warn({ ...facts, events: death.events.length, reason, code, traceId }, 'events.dead_lettered');
  }
}

/** The events of a job were accepted together and stand together: one observation for all of them. */
function observeAges({ eventAgeSeconds }: Metrics, platform: DeliveryPlatform['id'], events: readonly BatchEvent[], nowMs: number): void {
  for (let from = 0, to = 0; from < events.length; from = to) {
    const { job } = events[from]!;
    while (to < events.length && events[to]!.job === job) to += 1;
    eventAgeSeconds.observe({ platform }, (nowMs - job.acceptedAtMs) / 1000, to - from);
  }
}
