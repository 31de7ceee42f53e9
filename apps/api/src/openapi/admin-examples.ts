import type { Examples } from './operation-example.ts';

const at = '2026-11-20T12:00:00.000Z';
const account = { id: 'acc_meta', platform: 'metaads', metadata: { shop: 'north' }, status: 'active', heldEvents: 0, createdAt: at, updatedAt: at };
const apiKey = { id: 'key_shop', name: 'shop', scopes: ['send', 'read'], accounts: ['acc_meta'], createdAt: at, lastUsedAt: null };

export const ADMIN_EXAMPLES: Examples = {
  'GET /v1/admin/accounts': { answers: { 200: { accounts: [account] } } },
  'POST /v1/admin/accounts': {
    body: { id: 'acc_meta_south', platform: 'metaads', credentials: { accessToken: 'EAAB…' }, metadata: { shop: 'south' } },
    answers: { 201: { ...account, id: 'acc_meta_south', metadata: { shop: 'south' } } },
  },
  'GET /v1/admin/accounts/{id}': { path: { id: 'acc_meta' }, answers: { 200: account } },
  'PATCH /v1/admin/accounts/{id}': { path: { id: 'acc_meta' }, body: { credentials: { accessToken: 'EAAB…' } }, answers: { 200: { ...account, releasedEvents: 12 } } },
  'DELETE /v1/admin/accounts/{id}': { path: { id: 'acc_meta' }, answers: {} },
  'GET /v1/admin/api-keys': { answers: { 200: { apiKeys: [apiKey] } } },
  'POST /v1/admin/api-keys': { body: { name: 'shop', scopes: ['send', 'read'], accounts: ['acc_meta'] }, answers: { 201: { ...apiKey, key: 'rk_live_…' } } },
  'GET /v1/admin/api-keys/{id}': { path: { id: 'key_shop' }, answers: { 200: apiKey } },
  'PATCH /v1/admin/api-keys/{id}': { path: { id: 'key_shop' }, body: { scopes: ['send'] }, answers: { 200: { ...apiKey, scopes: ['send'] } } },
  'DELETE /v1/admin/api-keys/{id}': { path: { id: 'key_shop' }, answers: {} },
};
