import { SEED as SANDBOX } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { ACTION, anEvent, freshIds, now, PIXEL, PIXEL_2, RULE, toGoogle, toLinkedin, toMeta, toSecondMeta } from '../../e2e/events.ts';
import { KEYS, OPS, type Relay } from '../../e2e/harness.ts';
import type { World } from './request-arbitrary.ts';

const { whatsapp } = SANDBOX.meta;
/** Secrets of Meta's webhook, as the sandbox signs them. */
export const WEBHOOK_SECRETS = { META_APP_SECRET: whatsapp.appSecret, META_VERIFY_TOKEN: whatsapp.verifyToken } as const;

/** Accounts and keys that may be changed and removed without anything else coming to harm. */
const DISPOSABLE = Array.from({ length: 5 }, (_, n) => `acc_disposable_${n}`);

/** Something of every kind, so that a fuzzer finds more than 404. */
export async function furnish(relay: Relay): Promise<World> {
  const must = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await relay.call(method, path, { body, headers });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const metadata = { wabaId: whatsapp.wabaId, phoneNumberId: whatsapp.phoneNumberId, connectedFacebookPageId: whatsapp.pageId };
  await must('PATCH', '/v1/admin/accounts/acc_wa', { metadata });
  await must('POST', '/v1/whatsapp/dataset', { accountId: 'acc_wa' });
  await must('PUT', '/v1/whatsapp/conversations/conv_1', { accountId: 'acc_wa', phoneE164: '40746123456', metadata: { ctwa_clid: 'ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwLF4XvnO2E4Nx0-eM-GABDLOPaOdRMv-_zfUQ2a' } });
  for (const id of DISPOSABLE) await must('POST', '/v1/admin/accounts', { id, platform: 'metaads', credentials: { accessToken: 'disposable' } });
  const keyIds: string[] = [];
  for (const name of DISPOSABLE) keyIds.push((await must('POST', '/v1/admin/api-keys', { name, scopes: ['read'], accounts: [name] })).id as string);

  const [good, refused, poisoned, another] = freshIds('fuzz', 4);
  await relay.sandbox.poison('meta', [poisoned!, another!]);
  const { deliveryId } = await must('POST', '/v1/ads/conversions', toMeta([anEvent(good!), anEvent(poisoned!), anEvent(refused!, { eventTime: 1 })]), { prefer: 'wait=10' });
  await must('POST', '/v1/ads/conversions', toMeta([anEvent(another!)]), { prefer: 'wait=10' });
  const letters = await waitFor(async () => {
    const found = await relay.deadLetters('accountId=acc_meta');
    return found.length > 1 && found;
  });
  const { linkedin, google } = SANDBOX;
  // One that no event goes to: it is changed, removed and brought back.
  const rule = `/v1/accounts/acc_linkedin/conversion-destinations/${linkedin.rules[2]}`;
  const adAccount = `adAccountId=${linkedin.adAccountId}`;
  const day = (back: number): string => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);

  const accounts = ['acc_meta', 'acc_meta_2', 'acc_google', 'acc_linkedin', 'acc_linkedin_narrow', 'acc_wa', 'acc_nobody'];
  const destinations = [PIXEL, PIXEL_2, ACTION, RULE, '9999999999999999'];
  const user = { email: 'someone@example.com', phone: '+49 30 901820', firstName: 'Ada', lastName: 'Lovelace', externalId: 'x-1', ipAddress: '203.0.113.9', userAgent: 'Fuzz/1', country: 'DE', city: 'Kiel', zip: '24103', dob: '19700101', gender: 'f', clickIds: { fbc: 'fb.1.1700000000000.x', gclid: 'g', li_fat_id: '7a7a7a7a-7777-4777-8777-a7a7a7a7a7a7' } };
  const rich = { ...anEvent('rich', { user }), eventName: 'Purchase', value: 12.5, currency: 'EUR', sourceUrl: 'https://shop.example/x', actionSource: 'web', items: [{ id: 'sku', name: 'Tea', price: 2, quantity: 3, category: 'food' }], platformData: { a: { b: [1, 2] } } };
  const adjustment = { adjustmentType: 'RESTATEMENT', adjustmentTime: now(), orderId: 'seed-order-1', restatementValue: 5, currency: 'EUR', conversionTime: now() - 86_400 };
  const message = { accountId: 'acc_wa', eventName: 'Purchase', eventId: 'wa-1', eventTime: now(), conversationId: 'conv_1', value: 1, currency: 'EUR' };
  return {
    keys: { full: KEYS.full, others: [KEYS.bound, KEYS.reader] },
    login: `${OPS.user}:${OPS.password}`,
    dictionary: {
      accountId: accounts,
      destinationId: destinations,
      deliveryId: [deliveryId, 'dlv_0000000000000000000'],
      eventId: [good, refused, poisoned, 'nobody'],
      id: [letters[0].id, 'acc_meta', ...keyIds, 'nobody'],
      ids: [[letters[0].id], ['nobody']],
      conversationId: ['conv_1', 'nobody'],
      phoneE164: ['40746123456', '40746123457'],
      adAccountId: ['5123456', '507404993', '1234567890', '123-456-7890', 'urn:li:sponsoredAccount:507404993'],
      campaignIds: ['337643194', '1,2,3', ',,'],
      eventName: ['Purchase', 'Lead', 'LeadSubmitted'],
      eventTime: [now(), 0, now() + 10 ** 6],
      currency: ['EUR', 'eur', 'XXX', 'JPY'],
      cursor: ['0.1', '1.0', '1-1', '999999999999999-9999999999999999999', '99999.999999999999', '0'],
      accounts: [['acc_meta'], ['*'], ['nobody']],
      startDate: ['2026-01-01', '2026-02-30', '0001-01-01'],
      endDate: ['2026-01-31', '9999-12-31'],
      status: ['delivered', 'active', 'disabled'],
      platform: ['metaads', 'googleads', 'linkedinads', 'whatsapp'],
    },
    bodies: {
      'post /v1/ads/conversions': [
        toMeta([anEvent('a')]), toSecondMeta([anEvent('b'), anEvent('c')]), toGoogle([anEvent('d')]), toLinkedin([anEvent('e'), anEvent('f')]),
        { ...toMeta([rich]), testCode: 'TEST1', consent: { adUserData: 'GRANTED', adPersonalization: 'DENIED' } }, toGoogle([rich]), toLinkedin([rich]),
      ],
      'post /v1/ads/conversions/adjustments': [{ accountId: 'acc_google', destinationId: ACTION, adjustments: [adjustment] }],
      'post /v1/whatsapp/conversions': [message, { ...message, conversationId: undefined, phoneE164: '40746123456' }],
      'put /v1/whatsapp/conversations/{conversationId}': [{ accountId: 'acc_wa', phoneE164: '40746123458', metadata: { ctwa_clid: 'clid', ctwa_captured_at: '2026-10-01T10:00:00Z' } }],
      'post /v1/accounts/{accountId}/conversion-destinations': [{ adAccountId: linkedin.adAccountId, name: 'fuzz', type: 'Purchase', valueType: 'FIXED', value: { currencyCode: 'EUR', amount: '10.00' } }, { adAccountId: google.customerId, name: 'fuzz', type: 'Subscribe' }],
      'patch /v1/accounts/{accountId}/conversion-destinations/{destinationId}': [{ adAccountId: linkedin.adAccountId, name: 'fuzzed', enabled: true, viewThroughAttributionWindowSize: 30 }],
      'post /v1/accounts/{accountId}/conversion-destinations/{destinationId}/associations': [{ adAccountId: linkedin.adAccountId, campaignIds: [...linkedin.adAccounts[0].campaigns] }],
      'post /v1/ads/conversions/actions': [{ accountId: 'acc_google', adAccountId: google.customerId, name: 'fuzz', type: 'WEBPAGE' }],
      'post /v1/admin/accounts': [{ platform: 'metaads', credentials: { accessToken: 'x' }, metadata: { note: 'x' } }],
      'patch /v1/admin/accounts/{id}': [{ metadata: { a: 1, b: null } }, { credentials: { accessToken: 'y' } }, { status: 'disabled' }],
      'post /v1/admin/api-keys': [{ name: 'fuzz', scopes: ['read'], accounts: ['acc_meta'] }],
    },
    goodPaths: {
      'get /v1/dead-letters/{id}': [`/v1/dead-letters/${letters[0].id}`],
      'post /v1/dead-letters/{id}/replay': [`/v1/dead-letters/${letters[0].id}/replay`],
      'get /v1/accounts/{accountId}/conversion-destinations': ['acc_meta', 'acc_google', 'acc_linkedin'].map((id) => `/v1/accounts/${id}/conversion-destinations`),
      'post /v1/accounts/{accountId}/conversion-destinations': ['/v1/accounts/acc_linkedin/conversion-destinations', '/v1/accounts/acc_google/conversion-destinations'],
      'get /v1/accounts/{accountId}/conversion-destinations/{destinationId}': [`${rule}?${adAccount}`],
      'patch /v1/accounts/{accountId}/conversion-destinations/{destinationId}': [rule],
      'delete /v1/accounts/{accountId}/conversion-destinations/{destinationId}': [`${rule}?${adAccount}`],
      'get /v1/accounts/{accountId}/conversion-destinations/{destinationId}/associations': [`${rule}/associations?${adAccount}`],
      'post /v1/accounts/{accountId}/conversion-destinations/{destinationId}/associations': [`${rule}/associations`],
      'delete /v1/accounts/{accountId}/conversion-destinations/{destinationId}/associations': [`${rule}/associations?${adAccount}&campaignIds=${linkedin.adAccounts[0].campaigns[1]}`],
      'get /v1/accounts/{accountId}/conversion-destinations/{destinationId}/metrics': [`${rule}/metrics?${adAccount}&startDate=${day(10)}&endDate=${day(1)}&granularity=DAILY`],
      'get /v1/ads/conversions/actions': [`/v1/ads/conversions/actions?accountId=acc_google&adAccountId=${google.customerId}`],
      'get /v1/ads/conversions/quality': [`/v1/ads/conversions/quality?accountId=acc_meta&destinationId=${PIXEL}`],
    },
    pathIds: {
      'delete /v1/dead-letters/{id}': [letters[1].id, 'nobody'],
      'patch /v1/admin/accounts/{id}': [...DISPOSABLE, 'nobody'],
      'delete /v1/admin/accounts/{id}': [...DISPOSABLE.slice(3), 'nobody'],
      'patch /v1/admin/api-keys/{id}': [...keyIds, 'nobody'],
      'delete /v1/admin/api-keys/{id}': [...keyIds.slice(3), 'nobody'],
    },
    otherPaths: [
      '/', '/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.html', '/docs/static/nothing', '/webhooks/whatsapp', '/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=x&hub.challenge=y',
      '/admin/queues', '/admin/queues/', '/admin/queues/api/queues', '/admin/queues/api/queues/metaads/1', '/admin/queues/api/queues/nothing/1/logs', '/admin/queues/queue/metaads', '/admin/queues/static/nothing', '/admin', '/v1', '/v1/', '/api', '/v2/ads/conversions', '/favicon.ico', '/.env', '/server-status',
    ],
  };
}
