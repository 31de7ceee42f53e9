import type { Examples } from './operation-example.ts';

const at = '2026-11-20T12:00:00.000Z';
const deliveryId = 'dlv_0mhyk3q80f5e4d3c2b1a';
const answer = { platform: 'metaads', eventsFailed: 0, failures: [], deliveryId };
const query = { accountId: 'acc_wa' };
const datasetId = '900000000000900';
const metadata = { ctwa_clid: 'ARAkLkA8rmlFeiCktEJQ', ctwa_captured_at: at, ctwa_source_id: '120200000000000001' };
const conversation = { id: 'conv_1', accountId: 'acc_wa', phoneE164: '4915112345678', metadata, createdAt: at, updatedAt: at };

export const WHATSAPP_EXAMPLES: Examples = {
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
