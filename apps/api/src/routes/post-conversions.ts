import { sendConversionsSchema, type SendConversions } from '@relay/contract';
import { duplicateEventIds, type ApiKey, type StorableRequest } from '@relay/delivery';
import { sendAndAnswer, type SendNeeds } from '../answer-delivery.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { LargeBody } from '../ingest/large-body.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { destinationOf, prepareConversions } from '../prepare-conversions.ts';
import { pendingSchema, sentSchema } from '../schemas/delivery.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'platforms' | 'now' | 'largeBodies' | 'newDeliveryId'> & SendNeeds;

const MAX_DUPLICATES = 100;
const WEB_CONTEXT_MISSING = 'These events from the web lack sourceUrl or user.userAgent, which the platform asks for. They are sent all the same.';

export function postConversions(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Relay conversions',
    description: 'Relays 1..n events to the platform of the account. Answers 200 once every event has a final answer, else 202 when the wait runs out.\n\n`Prefer: respond-async` answers as soon as the events are durably queued, `Prefer: wait=N` waits up to N seconds (at most 120). With an `Idempotency-Key` the same key and body within 24 h answer with the first delivery and send nothing again.',
    tags: ['Conversions'],
    body: sendConversionsSchema,
    response: { 200: answerOf(sentSchema), 202: answerOf(pendingSchema, 'Queued; ask the statusUrl'), ...errorAnswers(404, 405, 413, 415, 422, 501) },
  };
  app.post('/ads/conversions', { config: { scope: 'send' }, schema }, async (request, reply) => {
    const { accepted, duplicates } = await accept(deps, callerOf(request), request.body);
    const warnings: object[] = duplicates.length === 0 ? [] : [{ code: 'duplicate_event_id', eventIds: duplicates.slice(0, MAX_DUPLICATES) }];
    if (accepted.lackingWebContext) warnings.push({ code: 'web_context_missing', count: accepted.lackingWebContext, message: WEB_CONTEXT_MISSING });
    return sendAndAnswer(deps, request, reply, accepted, { warnings });
  });
}

interface Accepted {
  readonly accepted: StorableRequest;
  readonly duplicates: readonly string[];
}

async function accept(deps: Needs, caller: ApiKey, body: SendConversions | LargeBody): Promise<Accepted> {
  if (!(body instanceof LargeBody)) return { accepted: await prepareConversions(deps, caller, body), duplicates: duplicateEventIds(body.events) };
  const { request, duplicates } = await deps.largeBodies!.ingest(body.raw, async (head) => {
    const { account, destinationId } = await destinationOf(deps, caller, head);
    const { id: accountId, platform } = account;
    return { platform, accountId, destinationId, deliveryId: deps.newDeliveryId(platform, accountId, destinationId), nowMs: deps.now() };
  });
  return { accepted: request, duplicates };
}
