import type { Examples } from './operation-example.ts';

const deliveryId = 'dlv_0mhyk3q80a1b2c3d4e5f';
const statusUrl = `/v1/deliveries/${deliveryId}`;
const at = '2026-11-20T12:00:00.000Z';
const finishedAt = '2026-11-20T12:00:00.412Z';
const failure = { eventIndex: 1, eventId: 'order-4712', message: 'The event is older than 7 days.', code: 'event_too_old' };
const event = {
  eventName: 'Purchase',
  eventTime: 1_795_176_000,
  eventId: 'order-4711',
  value: 49.99,
  currency: 'EUR',
  user: { email: 'jane@example.com', userAgent: 'Mozilla/5.0', country: 'DE', clickIds: { fbc: 'fb.1.1795172400000.AbCdEf' } },
  items: [{ id: 'sku-1', quantity: 1, price: 49.99 }],
  sourceUrl: 'https://shop.example/thanks',
  actionSource: 'web',
};
const counts = { eventsReceived: 1, eventsFailed: 1 };
const row = { deliveryId, destinationId: '1000000000000001', status: 'partial', eventNames: ['Purchase'], eventIds: ['order-4711', 'order-4712'], traceId: 'AbCdEfGhIjK', durationMs: 412, attempts: 1, platformStatus: null };
const adjusted = { platform: 'googleads', adjustmentsReceived: 1, adjustmentsFailed: 0, failures: [], deliveryId };
const letter = {
  id: 'dl_mhyk3q80a1b2c3d4e5f',
  platform: 'metaads',
  accountId: 'acc_meta',
  destinationId: '1000000000000001',
  deliveryId,
  reason: 'rejected',
  code: '100/2804019',
  message: 'The value of the event is not a number.',
  eventIds: ['order-4713'],
  eventCount: 1,
  attempts: 1,
  firstAttemptAt: at,
  lastAttemptAt: at,
  replayable: true,
  replayedAt: null,
};
const replayed = { id: letter.id, replayed: true, events: 1, accountId: 'acc_meta' };

export const CONVERSION_EXAMPLES: Examples = {
  'POST /v1/ads/conversions': {
    body: { accountId: 'acc_meta', destinationId: '1000000000000001', events: [event] },
    answers: {
      200: { platform: 'metaads', ...counts, failures: [failure], traceId: row.traceId, deliveryId, status: 'partial' },
      202: { platform: 'metaads', eventsReceived: 0, eventsFailed: 0, failures: [], deliveryId, status: 'queued', statusUrl },
    },
  },
  'GET /v1/ads/conversions': {
    query: { accountId: 'acc_meta', limit: '50', status: 'partial' },
    answers: { 200: { platform: 'metaads', conversions: [{ timestamp: at, ...row, eventCount: 2, ...counts }], nextCursor: null } },
  },
  'POST /v1/ads/conversions/adjustments': {
    body: {
      accountId: 'acc_google',
      destinationId: 'customers/1234567890/conversionActions/111',
      adjustments: [{ adjustmentType: 'RESTATEMENT', adjustmentTime: 1_795_176_000, orderId: 'order-4711', restatementValue: 39.99, currency: 'EUR' }],
    },
    answers: { 200: { ...adjusted, status: 'delivered' }, 202: { ...adjusted, adjustmentsReceived: 0, status: 'queued', statusUrl } },
  },
  'GET /v1/deliveries/{deliveryId}': {
    path: { deliveryId },
    answers: {
      200: {
        ...row,
        platform: 'metaads',
        accountId: 'acc_meta',
        eventsSubmitted: 2,
        ...counts,
        eventsPending: 0,
        eventsHeld: 0,
        failures: [failure],
        acceptedAt: at,
        finishedAt,
        replays: 0,
        chunks: [{ chunk: 0, events: 1, status: 'delivered', attempts: 1, traceId: row.traceId, lastAttemptAt: finishedAt, durationMs: 380, code: null, message: null }],
      },
    },
  },
  'GET /v1/events/{eventId}': {
    path: { eventId: 'order-4711' },
    query: { accountId: 'acc_meta' },
    answers: {
      200: {
        eventId: 'order-4711',
        accountId: 'acc_meta',
        platform: 'metaads',
        status: 'delivered',
        deliveries: [{ deliveryId, eventIndex: 0, destinationId: row.destinationId, status: 'delivered', code: null, message: null, acceptedAt: at, statusUrl }],
      },
    },
  },
  'GET /v1/dead-letters': { query: { platform: 'metaads', accountId: 'acc_meta', reason: 'rejected', limit: '50' }, answers: { 200: { deadLetters: [letter], nextCursor: null } } },
  'GET /v1/dead-letters/{id}': { path: { id: letter.id }, answers: { 200: letter } },
  'DELETE /v1/dead-letters/{id}': { path: { id: letter.id }, answers: {} },
  'POST /v1/dead-letters/{id}/replay': { path: { id: letter.id }, body: { force: false }, answers: { 200: replayed } },
  'POST /v1/dead-letters/replay': {
    body: { accountId: 'acc_meta', reason: 'rejected' },
    answers: { 200: { replayed: 1, refused: 0, events: 1, results: [{ id: letter.id, result: 'replayed', events: 1 }], more: false, nextCursor: null } },
  },
};
