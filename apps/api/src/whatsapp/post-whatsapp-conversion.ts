import { RelayError } from '@relay/contract';
import type { Account, AcceptedRequest } from '@relay/delivery';
import { explainEventName, isPastAttribution, toMessagingItem, whatsappMessaging } from '@relay/platforms';
import type { z } from 'zod';
import { answerDelivery, idempotencyOf, store, type SendNeeds } from '../answer-delivery.ts';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { readPreference } from '../conversion-headers.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { pendingSchema, sentSchema } from '../schemas/delivery.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { resolveConversation, type Attributable } from './resolve-conversation.ts';
import { sendWhatsappSchema } from './schemas.ts';
import { metadataText, requireUsable, whatsappAccountOf } from './whatsapp-account.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'conversations' | 'now'> & SendNeeds;
type Body = z.output<typeof sendWhatsappSchema>;

/** An event id is good for one send to a conversation for as long as Meta could still attribute it twice. */
const ONCE_TTL_MS = 30 * 86_400_000;

export function postWhatsappConversion(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Send a WhatsApp conversion',
    description:
      'Attributes a conversion to the click-to-WhatsApp ad that the conversation came from. Meta does not deduplicate these: an `eventId` is sent once per conversation (again only when Meta refused it), and an event whose end is not known is never sent again by itself.',
    tags: ['WhatsApp'],
    body: sendWhatsappSchema,
    response: { 200: answerOf(sentSchema), 202: answerOf(pendingSchema, 'Queued; ask the statusUrl'), ...errorAnswers(404, 405, 409, 413, 415, 422) },
  };
  app.post('/whatsapp/conversions', { config: { scope: 'send' }, schema }, async (request, reply) => {
    const { body } = request;
    const account = await whatsappAccountOf(deps, callerOf(request), body.accountId);
    requireUsable(account);
    const misnamed = explainEventName(body.eventName);
    if (misnamed !== undefined) throw new RelayError('invalid_request', misnamed, { param: 'eventName', details: [{ path: 'eventName', message: misnamed }] });
    const conversation = await resolveConversation(deps.conversations, account, body);
    const eventTime = body.eventTime ?? Math.floor(deps.now() / 1000);
    const accepted = prepare(account, conversation, { ...body, eventTime }, deps.now());
    const preference = readPreference(request.headers['prefer'], deps.config.syncWaitMs);
    const wantsReply = preference.waitMs > 0;
    // An event that Meta refused for certain was not counted: the storage lets its id be sent again.
    const once = { scope: `wa.${account.id}`, key: JSON.stringify([conversation.id, body.eventId]), ttlMs: ONCE_TTL_MS };
    const result = await store(deps, request, accepted, { idempotency: idempotencyOf(request), ...(accepted.events.length > 0 && { once }), wantsReply });
    const isRepeat = result.kind === 'repeated';
    if (isRepeat && (await deps.deliveries.get(result.deliveryId)) === undefined) {
      throw new RelayError('conflict', `This eventId was sent for this conversation before (delivery ${result.deliveryId}, which is no longer kept). Nothing was sent again.`, { param: 'eventId' });
    }
    return answerDelivery(deps, reply, { accepted, result, preference, extras: { platform: 'metaads', warnings: warningsOf(conversation, eventTime * 1000, isRepeat) } });
  });
}

/** @throws RelayError 422 when the account is not set up to send. */
function prepare(account: Account, conversation: Attributable, body: Body & { readonly eventTime: number }, nowMs: number): AcceptedRequest {
  const datasetId = metadataText(account, 'metaCapiDatasetId');
  if (datasetId === undefined) {
    throw new RelayError('prerequisite_missing', 'The account has no dataset yet. Create it with POST /v1/whatsapp/dataset.', { param: 'accountId', details: { missing: 'metaCapiDatasetId' } });
  }
  const wabaId = metadataText(account, 'wabaId');
  const pageId = metadataText(account, 'connectedFacebookPageId');
  if (wabaId === undefined && pageId === undefined) {
    throw new RelayError('prerequisite_missing', 'The account has neither a WhatsApp Business Account id nor a Page id. Set metadata.wabaId or metadata.connectedFacebookPageId with PATCH /v1/admin/accounts/{id}.', {
      param: 'accountId',
      details: { missing: 'wabaId' },
    });
  }
  const { accountId: _account, conversationId: _id, phoneE164: _phone, testCode, ...event } = body;
  const item = toMessagingItem({ ...event, ctwaClid: conversation.ctwa.ctwa_clid, wabaId, pageId }, { nowMs });
  const { eventId } = body;
  return {
    platform: 'whatsapp',
    accountId: account.id,
    destinationId: datasetId,
    testCode,
    consent: undefined,
    events: item.kind === 'item' ? [{ index: 0, eventId, wire: item.wire, expiresAtMs: item.expiresAtMs }] : [],
    refused: item.kind === 'refused' ? [{ eventIndex: 0, eventId, code: item.code, message: item.message }] : [],
    eventsSubmitted: 1,
    eventNames: [body.eventName],
    conversationId: conversation.id,
    acceptedAtMs: nowMs,
    maxChunkEvents: whatsappMessaging.maxEvents,
    maxChunkBytes: whatsappMessaging.maxRequestBytes,
  };
}

function warningsOf(conversation: Attributable, eventTimeMs: number, repeated: boolean): object[] {
  const warnings: object[] = [];
  if (isPastAttribution(Date.parse(conversation.ctwa.ctwa_captured_at), eventTimeMs)) {
    warnings.push({ code: 'click_too_old', message: 'The click is more than 7 days old: Meta takes the event and does not attribute it to the ad.' });
  }
  if (repeated) warnings.push({ code: 'event_already_sent', message: 'This eventId was sent for this conversation before. Nothing was sent again; this is the state of the first send.' });
  return warnings;
}
