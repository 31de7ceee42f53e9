import { RelayError, type PlatformId } from '@relay/contract';
import { countAccepted, type DeliveredWhole, type DeliveryDetails, type EnqueueOptions, type EnqueueResult, type StorableRequest } from '@relay/delivery';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from './api-deps.ts';
import { readIdempotencyKey, readPreference, type Preference } from './conversion-headers.ts';
import { callerOf } from './plugins/authenticate.ts';
import { noteFacts } from './plugins/note-facts.ts';
import { presentFailures, statusUrlOf } from './present.ts';
import type { Waiting } from './waiting.ts';

/** From an accepted request to its answer: stored, waited for, and told. The same for every route that sends. */

export type SendNeeds = Pick<ApiDeps, 'enqueue' | 'deliveries' | 'metrics' | 'config'> & { readonly waiting: Waiting };

export interface Extras {
  /** What the answer says instead of the account's platform. */
  readonly platform?: PlatformId | undefined;
  readonly warnings?: readonly object[] | undefined;
  /** Counts and failures in the words of the route; default: those of events. */
  readonly counts?: ((state: State) => object) | undefined;
}

export async function sendAndAnswer(deps: SendNeeds, request: FastifyRequest, reply: FastifyReply, accepted: StorableRequest, extras: Extras): Promise<FastifyReply> {
  const preference = readPreference(request.headers['prefer'], deps.config.syncWaitMs);
  const result = await store(deps, request, accepted, { idempotency: idempotencyOf(request), wantsReply: wantsReply(preference, accepted) });
  return answerDelivery(deps, reply, { accepted, result, preference, extras });
}

function wantsReply({ waitMs }: Preference, accepted: StorableRequest): boolean {
  return waitMs > 0 && countAccepted(accepted) > 0;
}

export function idempotencyOf(request: FastifyRequest): EnqueueOptions['idempotency'] {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  if (key === undefined || request.bodyHash === undefined) return undefined;
  return { scope: callerOf(request).id, key, bodyHash: request.bodyHash };
}

type Stored = Exclude<EnqueueResult, { kind: 'key_reused' }>;

/** @throws RelayError `idempotency_key_reused`. */
export async function store(deps: SendNeeds, request: FastifyRequest, accepted: StorableRequest, options: EnqueueOptions): Promise<Stored> {
  const result = await deps.enqueue(accepted, options);
  if (result.kind === 'key_reused') {
    throw new RelayError('idempotency_key_reused', 'This Idempotency-Key was used with another body within 24 hours. Use a new key for a new request.', { param: 'Idempotency-Key' });
  }
  noteAccepted(deps, request, accepted, result);
  return result;
}

interface Sent {
  readonly accepted: StorableRequest;
  readonly result: Stored;
  readonly preference: Preference;
  readonly extras: Extras;
}

export async function answerDelivery(deps: SendNeeds, reply: FastifyReply, { accepted, result, preference, extras }: Sent): Promise<FastifyReply> {
  if (result.kind === 'repeated') reply.header('idempotent-replayed', 'true');
  const state = await stateAfterWait(deps, reply, accepted, result, preference.waitMs);
  if (state === 'caller gone') return reply.hijack();
  if (state.traceId !== undefined) noteFacts(reply.request, { traceId: state.traceId });
  return answer(reply, state, extras, preference.applied);
}

export type State = Pick<DeliveryDetails, 'platform' | 'eventsReceived' | 'eventsFailed' | 'failures' | 'traceId' | 'deliveryId' | 'status'>;

async function stateAfterWait(deps: SendNeeds, reply: FastifyReply, accepted: StorableRequest, result: Stored, waitMs: number): Promise<State | 'caller gone'> {
  const { deliveryId } = result;
  if (result.kind === 'accepted' && (waitMs === 0 || countAccepted(accepted) === 0)) return stateAtOnce(accepted, deliveryId);
  let isThere = true;
  let whole: DeliveredWhole | undefined;
  if (waitMs > 0) {
    isThere = await deps.waiting.during(reply, async (signal) => {
      whole = await deps.deliveries.waitFor(deliveryId, waitMs, signal, result.kind === 'accepted');
    });
  }
  if (!isThere) return 'caller gone';
  if (whole !== undefined) return { ...whole, platform: accepted.platform, eventsFailed: 0, failures: [], deliveryId, status: 'delivered' };
  const delivery = await deps.deliveries.get(deliveryId);
  if (delivery === undefined) throw new RelayError('delivery_not_found', 'The delivery of the first request with this Idempotency-Key is no longer kept.');
  return delivery;
}

/** Known without asking the storage again: nothing of it can have been sent yet, or nothing will be. */
function stateAtOnce(accepted: StorableRequest, deliveryId: string): State {
  return {
    platform: accepted.platform,
    eventsReceived: 0,
    eventsFailed: accepted.refused.length,
    failures: accepted.refused,
    traceId: undefined,
    deliveryId,
    status: countAccepted(accepted) === 0 ? 'failed' : 'queued',
  };
}

function answer(reply: FastifyReply, state: State, extras: Extras, applied: string | undefined): FastifyReply {
  const { traceId, deliveryId, status } = state;
  const isPending = status === 'queued' || status === 'retrying' || status === 'held';
  const statusUrl = statusUrlOf(deliveryId);
  if (isPending) reply.header('location', statusUrl);
  if (applied !== undefined) reply.header('preference-applied', applied);
  return reply.code(isPending ? 202 : 200).send({
    platform: extras.platform ?? state.platform,
    ...(extras.counts ?? eventCounts)(state),
    ...(traceId === undefined ? {} : { traceId }),
    deliveryId,
    status,
    ...(isPending ? { statusUrl } : {}),
    ...(extras.warnings === undefined || extras.warnings.length === 0 ? {} : { warnings: extras.warnings }),
  });
}

function eventCounts(state: State): object {
  const { eventsReceived, eventsFailed } = state;
  return { eventsReceived, eventsFailed, failures: presentFailures(state) };
}

/** Counted where they were accepted: a repeated request brought nothing new. */
function noteAccepted({ metrics }: SendNeeds, request: FastifyRequest, accepted: StorableRequest, result: Stored): void {
  const { platform, accountId, destinationId, refused } = accepted;
  const events = countAccepted(accepted);
  noteFacts(request, { deliveryId: result.deliveryId, accountId, destinationId, platform, accepted: events, refused: refused.length, repeated: result.kind === 'repeated' });
  if (result.kind === 'repeated') return;
  if (events > 0) metrics.eventsAccepted.inc({ platform }, events);
  for (const { code } of refused) metrics.eventsFailed.inc({ platform, reason: String(code) });
}
