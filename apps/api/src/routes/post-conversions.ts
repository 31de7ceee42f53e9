import { RelayError, sendConversionsSchema } from '@relay/contract';
import { duplicateEventIds, type AcceptedRequest, type DeliveryDetails, type EnqueueResult } from '@relay/delivery';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { readIdempotencyKey, readPreference } from '../conversion-headers.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { prepareConversions } from '../prepare-conversions.ts';
import { presentFailures, statusUrlOf } from '../present.ts';
import { pendingSchema, sentSchema } from '../schemas/delivery.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import type { Waiting } from '../waiting.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms' | 'now' | 'enqueue' | 'deliveries' | 'metrics' | 'config'> & { readonly waiting: Waiting };

const MAX_DUPLICATES = 100;

export function postConversions(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Relay conversions',
    description: 'Relays 1..n events to the platform of the account. Answers 200 once every event has a final answer, else 202 when the wait runs out.\n\n`Prefer: respond-async` answers as soon as the events are durably queued, `Prefer: wait=N` waits up to N seconds (at most 120). With an `Idempotency-Key` the same key and body within 24 h answer with the first delivery and send nothing again.',
    tags: ['Conversions'],
    body: sendConversionsSchema,
    response: { 200: answerOf(sentSchema), 202: answerOf(pendingSchema, 'Queued; ask the statusUrl'), ...errorAnswers(404, 405, 413, 415, 422, 501) },
  };
  app.post('/ads/conversions', { config: { scope: 'send' }, schema }, async (request, reply) => {
    const { waitMs, applied } = readPreference(request.headers['prefer'], deps.config.syncWaitMs);
    const idempotency = idempotencyOf(request);
    const accepted = await prepareConversions(deps, callerOf(request), request.body);
    const wantsReply = waitMs > 0 && accepted.events.length > 0;
    const result = await deps.enqueue(accepted, { idempotency, wantsReply });
    if (result.kind === 'key_reused') throw new RelayError('idempotency_key_reused', 'This Idempotency-Key was used with another body within 24 hours. Use a new key for a new request.', { param: 'Idempotency-Key' });
    noteAccepted(deps, request, accepted, result);
    if (result.kind === 'repeated') reply.header('idempotent-replayed', 'true');

    const state = await stateAfterWait(deps, reply, accepted, result, waitMs);
    if (state === 'caller gone') return reply.hijack();
    return answer(reply, state, duplicateEventIds(request.body.events), applied);
  });
}

function idempotencyOf(request: FastifyRequest) {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  if (key === undefined || request.bodyHash === undefined) return undefined;
  return { scope: callerOf(request).id, key, bodyHash: request.bodyHash };
}

type Accepted = Exclude<EnqueueResult, { kind: 'key_reused' }>;
type State = Pick<DeliveryDetails, 'platform' | 'eventsReceived' | 'eventsFailed' | 'failures' | 'traceId' | 'deliveryId' | 'status'>;

async function stateAfterWait(deps: Needs, reply: FastifyReply, accepted: AcceptedRequest, result: Accepted, waitMs: number): Promise<State | 'caller gone'> {
  const { deliveryId } = result;
  if (result.kind === 'accepted' && (accepted.events.length === 0 || waitMs === 0)) return stateAtOnce(accepted, deliveryId);
  let isThere = true;
  if (waitMs > 0) isThere = await deps.waiting.during(reply, (signal) => deps.deliveries.waitFor(deliveryId, waitMs, signal));
  if (!isThere) return 'caller gone';
  const delivery = await deps.deliveries.get(deliveryId);
  if (delivery === undefined) throw new RelayError('delivery_not_found', 'The delivery of the first request with this Idempotency-Key is no longer kept.');
  return delivery;
}

/** Known without asking the storage again: nothing of it can have been sent yet, or nothing will be. */
function stateAtOnce(accepted: AcceptedRequest, deliveryId: string): State {
  return {
    platform: accepted.platform,
    eventsReceived: 0,
    eventsFailed: accepted.refused.length,
    failures: accepted.refused,
    traceId: undefined,
    deliveryId,
    status: accepted.events.length === 0 ? 'failed' : 'queued',
  };
}

function answer(reply: FastifyReply, state: State, duplicates: readonly string[], applied: string | undefined): FastifyReply {
  const { platform, eventsReceived, eventsFailed, traceId, deliveryId, status } = state;
  const isPending = status === 'queued' || status === 'retrying' || status === 'held';
  const statusUrl = statusUrlOf(deliveryId);
  if (isPending) reply.header('location', statusUrl);
  if (applied !== undefined) reply.header('preference-applied', applied);
  return reply.code(isPending ? 202 : 200).send({
    platform,
    eventsReceived,
    eventsFailed,
    failures: presentFailures(state),
    ...(traceId === undefined ? {} : { traceId }),
    deliveryId,
    status,
    ...(isPending ? { statusUrl } : {}),
    ...(duplicates.length === 0 ? {} : { warnings: [{ code: 'duplicate_event_id', eventIds: duplicates.slice(0, MAX_DUPLICATES) }] }),
  });
}

/** Counted where they were accepted: a repeated request brought nothing new. */
function noteAccepted({ metrics }: Needs, request: FastifyRequest, accepted: AcceptedRequest, result: Accepted): void {
  const { platform, accountId, destinationId, events, refused } = accepted;
  noteFacts(request, { deliveryId: result.deliveryId, accountId, destinationId, platform, accepted: events.length, refused: refused.length, repeated: result.kind === 'repeated' });
  if (result.kind === 'repeated') return;
  if (events.length > 0) metrics.eventsAccepted.inc({ platform }, events.length);
  for (const { code } of refused) metrics.eventsFailed.inc({ platform, reason: String(code) });
}
