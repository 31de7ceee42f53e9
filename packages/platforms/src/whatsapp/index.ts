import type { z } from 'zod';
import type { DeliveryPlatform } from '@relay/contract';
import { isOutcomeUnknown } from './outcome.ts';
import { MAX_REQUEST_BYTES, metaCredentialsSchema, metaRequest, parseMetaDestination, readMetaReply } from '../meta/index.ts';

/** A system user's token of the business that owns the WhatsApp Business Account; it cannot be refreshed. Unknown keys are dropped. */
export const whatsappCredentialsSchema = metaCredentialsSchema;
export type WhatsappCredentials = z.infer<typeof whatsappCredentialsSchema>;

/**
 * Conversions of click-to-WhatsApp ads, on the queue `whatsapp`: Meta's `/events` of the dataset that belongs to the WhatsApp
 * Business Account. Meta does not deduplicate these, so one event goes per request and `isOutcomeUnknown` tells when no
 * second one may follow by itself. Events are made by `toMessagingItem`. Facts, links and decisions: README.md beside this file.
 */
export const whatsappMessaging: DeliveryPlatform<WhatsappCredentials> = {
  id: 'whatsapp',
  maxEvents: 1,
  maxDestinations: 1,
  maxRequestBytes: MAX_REQUEST_BYTES,
  credentials: whatsappCredentialsSchema,
  dedupWindowMs: undefined,
  parseDestination: parseMetaDestination,
  checkGrant: ({ accessToken }) => (accessToken.trim() === '' ? TOKEN_MISSING : undefined),
  toRequest: metaRequest,
  readReply: readMetaReply,
  isOutcomeUnknown,
};

const TOKEN_MISSING = {
  code: 'access_token_missing',
  message:
    'The account has no access token; set credentials.accessToken to a system user token with whatsapp_business_management and whatsapp_business_manage_events.',
};

export { ATTRIBUTION_WINDOW_MS, isPastAttribution } from './attribution.ts';
export { datasetCreateRequest, datasetGetRequest, readDatasetReply, type DatasetReply, type DatasetTrouble } from './dataset.ts';
export { explainEventName, isMessagingEventName, MESSAGING_EVENT_NAMES, type MessagingEventName } from './event-names.ts';
export { toMessagingItem, type MessagingContext, type MessagingConversion } from './item.ts';
export { isOutcomeUnknown } from './outcome.ts';
export { verifySignature } from './signature.ts';
export { parseWebhook, type WebhookMessage, type WebhookReferral } from './webhook.ts';
