import type { Examples } from './operation-example.ts';

const path = { accountId: 'acc_linkedin', destinationId: '50001' };
const query = { adAccountId: '500000001' };
const rule = { id: '50001', name: 'Purchases', type: 'PURCHASE', status: 'active', adAccountId: '500000001' };
const one = { platform: 'linkedinads', destination: rule };
const ONE = 'GET /v1/accounts/{accountId}/conversion-destinations/{destinationId}';
const at = (method: string, rest = '') => ONE.replace('GET', method) + rest;

const action = {
  id: '987654321',
  name: 'Checkout',
  type: 'WEBPAGE',
  status: 'ENABLED',
  category: 'DEFAULT',
  tagSnippets: [{ type: 'WEBPAGE', pageFormat: 'HTML', globalSiteTag: "<script>gtag('config', 'AW-1');</script>", eventSnippet: "<script>gtag('event', 'conversion');</script>" }],
};

export const DESTINATION_EXAMPLES: Examples = {
  'GET /v1/accounts/{accountId}/conversion-destinations': { path: { accountId: 'acc_linkedin' }, answers: { 200: { platform: 'linkedinads', destinations: [rule] } } },
  'POST /v1/accounts/{accountId}/conversion-destinations': {
    path: { accountId: 'acc_linkedin' },
    body: { ...query, name: 'Purchases', type: 'Purchase', postClickAttributionWindowSize: 90, valueType: 'FIXED', value: { currencyCode: 'EUR', amount: '49.99' } },
    answers: {
      200: { platform: 'googleads', destination: { id: 'customers/1234567890/conversionActions/987654321', name: 'Orders', type: 'PURCHASE', status: 'active' } },
      201: one,
    },
  },
  [at('GET')]: { path, query, answers: { 200: one } },
  [at('PATCH')]: { path, body: { ...query, name: 'Orders', enabled: true }, answers: { 200: { platform: 'linkedinads', destination: { ...rule, name: 'Orders' } } } },
  [at('DELETE')]: { path, query, answers: {} },
  [at('GET', '/associations')]: { path, query, answers: { 200: { platform: 'linkedinads', associations: [{ campaignId: '700000001', conversionId: '50001', associatedAt: 1_763_640_000_000 }] } } },
  [at('POST', '/associations')]: {
    path,
    body: { ...query, campaignIds: ['700000001', '700000002'] },
    answers: { 200: { platform: 'linkedinads', succeeded: ['700000001'], failed: [{ campaignId: '700000002', reason: 'Campaign not found' }] } },
  },
  [at('DELETE', '/associations')]: { path, query: { ...query, campaignIds: '700000001,700000002' }, answers: { 200: { platform: 'linkedinads', succeeded: ['700000001', '700000002'], failed: [] } } },
  [at('GET', '/metrics')]: {
    path,
    query: { ...query, startDate: '2026-10-01', endDate: '2026-10-31', granularity: 'MONTHLY' },
    answers: {
      200: {
        platform: 'linkedinads',
        granularity: 'MONTHLY',
        rows: [{ start: '2026-10-01', end: '2026-10-31', metrics: { externalWebsiteConversions: 42, externalWebsitePostClickConversions: 30, externalWebsitePostViewConversions: 12, conversionValueInLocalCurrency: 2099.58, qualifiedLeads: 3, costInLocalCurrency: 310.2 } }],
      },
    },
  },
  'GET /v1/ads/conversions/quality': {
    query: { accountId: 'acc_meta', destinationId: '1000000000000001' },
    answers: {
      200: { platform: 'metaads', rows: [{ eventName: 'Purchase', compositeScore: 8.1, matchKeys: [{ identifier: 'email', coveragePercentage: 96.4 }], eventCoveragePercentage: 88 }] },
    },
  },
  'GET /v1/ads/conversions/actions': {
    query: { accountId: 'acc_google', adAccountId: '1234567890', type: 'WEBPAGE' },
    answers: { 200: { customerId: '1234567890', actions: [action], cachedAt: '2026-11-20T12:00:00.000Z', stale: false } },
  },
  'POST /v1/ads/conversions/actions': {
    body: { accountId: 'acc_google', adAccountId: '1234567890', name: 'Checkout', type: 'WEBPAGE', defaultValue: 25 },
    answers: { 201: { action } },
  },
};
