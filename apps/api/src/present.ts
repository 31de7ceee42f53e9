import type { Account, ApiKey, DeadLetter, Delivery, DeliveryDetails, EventState } from '@relay/delivery';

/** Stored things as the API answers them: times in ISO 8601, no field that a caller may not see. */

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));

export function statusUrlOf(deliveryId: string): string {
  return `/v1/deliveries/${deliveryId}`;
}

export function presentRow(delivery: Delivery) {
  return {
    timestamp: iso(delivery.acceptedAtMs),
    deliveryId: delivery.deliveryId,
    destinationId: delivery.destinationId,
    status: delivery.status,
    eventNames: delivery.eventNames,
    ...(delivery.eventIds === undefined ? {} : { eventIds: delivery.eventIds }),
    eventCount: delivery.eventsSubmitted,
    eventsReceived: delivery.eventsReceived,
    eventsFailed: delivery.eventsFailed,
    traceId: delivery.traceId ?? null,
    durationMs: delivery.durationMs ?? null,
    attempts: delivery.attempts,
    platformStatus: delivery.platformStatus ?? null,
  };
}

export function presentDelivery(delivery: DeliveryDetails) {
  const { platformStatusDetails } = delivery;
  return {
    deliveryId: delivery.deliveryId,
    platform: delivery.platform,
    accountId: delivery.accountId,
    destinationId: delivery.destinationId,
    status: delivery.status,
    eventsSubmitted: delivery.eventsSubmitted,
    eventsReceived: delivery.eventsReceived,
    eventsFailed: delivery.eventsFailed,
    eventsPending: delivery.eventsPending,
    eventsHeld: delivery.eventsHeld,
    eventNames: delivery.eventNames,
    ...(delivery.eventIds === undefined ? {} : { eventIds: delivery.eventIds }),
    failures: presentFailures(delivery),
    traceId: delivery.traceId ?? null,
    attempts: delivery.attempts,
    acceptedAt: iso(delivery.acceptedAtMs),
    finishedAt: isoOrNull(delivery.finishedAtMs),
    durationMs: delivery.durationMs ?? null,
    replays: delivery.replays,
    platformStatus: delivery.platformStatus ?? null,
    ...(platformStatusDetails === undefined ? {} : { platformStatusDetails: platformStatusDetails.map((group) => ({ ...group, recordCount: group.recordCount ?? null })) }),
    chunks: delivery.chunks.map((chunk) => ({
      chunk: chunk.chunk,
      events: chunk.events,
      status: chunk.status,
      attempts: chunk.attempts,
      traceId: chunk.traceId ?? null,
      lastAttemptAt: isoOrNull(chunk.lastAttemptAtMs),
      durationMs: chunk.durationMs ?? null,
      code: chunk.code ?? null,
      message: chunk.message ?? null,
    })),
  };
}

/** By the index in the submitted array, whatever chunking did. */
export function presentFailures({ failures }: Pick<DeliveryDetails, 'failures'>) {
  return failures
    .map(({ eventIndex, eventId, message, code }) => ({ eventIndex, eventId, message, code }))
    .sort((a, b) => a.eventIndex - b.eventIndex);
}

export function presentEventState(state: EventState) {
  return {
    deliveryId: state.deliveryId,
    eventIndex: state.eventIndex,
    destinationId: state.destinationId,
    status: state.status,
    code: state.code ?? null,
    message: state.message ?? null,
    acceptedAt: iso(state.acceptedAtMs),
    statusUrl: statusUrlOf(state.deliveryId),
  };
}

export function presentDeadLetter(letter: DeadLetter) {
  return {
    id: letter.id,
    platform: letter.platform,
    accountId: letter.accountId,
    destinationId: letter.destinationId,
    deliveryId: letter.deliveryId,
    reason: letter.reason,
    code: letter.code,
    message: letter.message,
    eventIds: letter.eventIds,
    eventCount: letter.eventCount,
    attempts: letter.attempts,
    firstAttemptAt: isoOrNull(letter.firstAttemptAtMs),
    lastAttemptAt: isoOrNull(letter.lastAttemptAtMs),
    replayable: letter.replayable,
    ...(letter.whyNot === undefined ? {} : { whyNot: letter.whyNot }),
    replayedAt: isoOrNull(letter.replayedAtMs),
  };
}

/** Never the credentials. */
export function presentAccount(account: Account, heldEvents: number) {
  return {
    id: account.id,
    platform: account.platform,
    metadata: account.metadata,
    status: account.status,
    ...(account.statusReason === undefined ? {} : { statusReason: account.statusReason }),
    heldEvents,
    createdAt: iso(account.createdAtMs),
    updatedAt: iso(account.updatedAtMs),
  };
}

export function presentApiKey(apiKey: ApiKey) {
  return {
    id: apiKey.id,
    name: apiKey.name,
    scopes: apiKey.scopes,
    accounts: apiKey.accounts,
    createdAt: iso(apiKey.createdAtMs),
    lastUsedAt: isoOrNull(apiKey.lastUsedAtMs),
  };
}
