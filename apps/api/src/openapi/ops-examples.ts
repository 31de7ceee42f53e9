import type { Examples } from './operation-example.ts';

export const OPS_EXAMPLES: Examples = {
  'GET /healthz': { answers: { 200: { status: 'ok' } } },
  'GET /readyz': {
    answers: {
      200: { status: 'ready', redis: { pingMs: 0.4 }, platforms: [{ platform: 'metaads', pending: 2, held: 0, oldestEventAgeSeconds: 7 }] },
      503: { error: 'Redis does not answer.', type: 'api_error', code: 'storage_unavailable', details: { reason: 'redis' } },
    },
  },
  'GET /metrics': {
    answers: { 200: '# HELP relay_ledger_imbalance Accepted events that are in no other state; must be 0\n# TYPE relay_ledger_imbalance gauge\nrelay_ledger_imbalance{platform="metaads"} 0\n' },
  },
};
