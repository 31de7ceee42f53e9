import type { Examples } from './operation-example.ts';

const at = '2026-11-20T12:00:00.000Z';
const deliveryId = 'dlv_0mhyk3q80f5e4d3c2b1a';
const answer = { platform: 'metaads', eventsFailed: 0, failures: [], deliveryId };
const query = { accountId: 'acc_wa' };
const datasetId = '900000000000900';
const metadata = { ctwa_clid: 'ARAkLkA8rmlFeiCktEJQ', ctwa_captured_at: at, ctwa_source_id: '120200000000000001' };
const conversation = { id: 'conv_1', accountId: 'acc_wa', phoneE164: '4915112345678', metadata, createdAt: at, updatedAt: at };

const notification = {
  object: 'whatsapp_business_account',
  entry: [
    {
      id: '200',
      changes: [
        {
          field: 'messages',
          value: {
            messaging_product: 'whatsapp',
            metadata: { display_phone_number: '4930123456', phone_number_id: '300' },
            contacts: [{ wa_id: '4915112345678' }],
            messages: [
              {
                from: '4915112345678',
                id: 'wamid.HBgNNDkxNTExMjM0NTY3OA',
                timestamp: '1795176000',
                type: 'text',
                referral: { source_type: 'ad', source_id: '120200000000000001', ctwa_clid: 'ARAkLkA8rmlFeiCktEJQ' },
              },
            ],
          },
        },
      ],
    },
  ],
};

export const WHATSAPP_EXAMPLES: Examples = {
  'GET /webhooks/whatsapp': {
    query: { 'hub.mode': 'subscribe', 'hub.verify_token': 'verify-me', 'hub.challenge': '1158201444' },
    answers: {
      200: '1158201444',
      403: { error: 'hub.verify_token is not the one of this relay (META_VERIFY_TOKEN), or hub.mode is not subscribe.', type: 'permission_error', code: 'verify_token_mismatch' },
      501: { error: 'META_VERIFY_TOKEN is not set on this relay, so it takes no webhooks.', type: 'api_error', code: 'not_implemented' },
    },
  },
  'POST /webhooks/whatsapp': {
    // Of this very body, without blanks, under the secret `app-secret-0123456789abcdef`.
    header: { 'X-Hub-Signature-256': 'sha256=3da1df44893e984468cb2551ce0350ba6cca14f29a6b658286c3b99f640ead3a' },
    body: notification,
    answers: {
      200: { received: true },
      401: { error: 'Unauthorized', type: 'authentication_error', code: 'invalid_signature' },
      413: { error: 'The request body is larger than 4194304 bytes. Send the events in several requests.', type: 'invalid_request_error', code: 'body_too_large', details: { limitBytes: 4_194_304 } },
      501: { error: 'META_APP_SECRET is not set on this relay, so it cannot check who sends webhooks.', type: 'api_error', code: 'not_implemented' },
    },
  },
  'POST /v1/whatsapp/conversions': {
    body: { accountId: 'acc_wa', eventName: 'Purchase', eventId: 'order-4711', conversationId: 'conv_1', value: 49.99, currency: 'EUR' },
    answers: {
      200: { ...answer, eventsReceived: 1, traceId: 'AbCdEfGhIjK', status: 'delivered' },
      202: { ...answer, eventsReceived: 0, status: 'queued', statusUrl: `/v1/deliveries/${deliveryId}` },
    },
  },
  'GET /v1/whatsapp/conversions': {
    query: { ...query, limit: '50' },
    answers: {
      200: { events: [{ timestamp: at, eventName: 'Purchase', conversationId: 'conv_1', eventsReceived: 1, eventsFailed: 0, traceId: 'AbCdEfGhIjK', durationMs: 412, deliveryId, status: 'delivered' }] },
    },
  },
  'GET /v1/whatsapp/dataset': { query, answers: { 200: { datasetId } } },
  'POST /v1/whatsapp/dataset': { body: query, answers: { 200: { datasetId, created: true } } },
  'GET /v1/whatsapp/conversations': { query: { ...query, limit: '50' }, answers: { 200: { conversations: [conversation], nextCursor: null } } },
  'PUT /v1/whatsapp/conversations/{conversationId}': {
    path: { conversationId: 'conv_2' },
    body: { accountId: 'acc_wa', phoneE164: '4915112345678', metadata },
    answers: { 200: { ...conversation, id: 'conv_2' }, 201: { ...conversation, id: 'conv_2' } },
  },
};
