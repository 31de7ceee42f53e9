import { createLogger, createMetrics } from '@relay/runtime';
import type { InjectOptions } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { buildApi } from '../build-api.ts';
import { createAccessTokens } from '../management/access-tokens.ts';
import { callLimitsOf, type CallLimits } from '../management/call-limits.ts';
import { createRunOperation } from '../management/run-operation.ts';
import { T0, anAccount, fakeAccounts } from './fake-accounts.ts';
import { anApiKey, fakeApiKeys } from './fake-api-keys.ts';
import { aDeadLetter, fakeDeadLetters } from './fake-dead-letters.ts';
import { fakeDeliveries } from './fake-deliveries.ts';
import { fakeHealth } from './fake-health.ts';
import { aPlatform } from './fake-platform.ts';
import { fakeActionCache, fakeTokens } from './fake-upstream.ts';
import { fakeConversations, fakeLocks, fakeSend } from './fake-whatsapp.ts';

const TEST_ENDPOINTS: ApiDeps['endpoints'] = {
  metaGraphUrl: 'https://graph.test',
  metaGraphVersion: 'v25.0',
  metaAppSecret: undefined,
  googleDataManagerUrl: 'https://datamanager.test',
  googleAdsUrl: 'https://ads.test',
  googleOauthUrl: 'https://oauth.test/token',
  linkedinApiUrl: 'https://linkedin.test',
  linkedinOauthUrl: 'https://linkedin.test/oauth',
  linkedinVersion: '202609',
};

type Over = Partial<Omit<ApiDeps, 'config'>> & { readonly config?: Partial<ApiDeps['config']>; readonly limits?: Partial<CallLimits> };

/** The API over fakes, every answer checked against its schema. Keys: `root` (all), `shop` (bound to acc_meta), and one per scope. */
export async function openApi(over: Over = {}) {
  const accounts = fakeAccounts([
    anAccount({ id: 'acc_meta' }),
    anAccount({ id: 'acc_other' }),
    anAccount({ id: 'acc_google', platform: 'googleads' }),
    anAccount({ id: 'acc_linkedin', platform: 'linkedinads' }),
    anAccount({ id: 'acc_wa', platform: 'whatsapp' }),
    anAccount({ id: 'acc_off', status: 'disabled' }),
    anAccount({ id: 'acc_no_grant', credentials: { accessToken: 'planted-token', scopes: [] } }),
  ]);
  const apiKeys = fakeApiKeys([
    anApiKey({ id: 'root' }),
    anApiKey({ id: 'shop', accounts: ['acc_meta', 'acc_missing'] }),
    anApiKey({ id: 'sender', scopes: ['send'] }),
    anApiKey({ id: 'reader', scopes: ['read'] }),
  ]);
  const deliveries = fakeDeliveries();
  const health = fakeHealth();
  const deadLetters = fakeDeadLetters([aDeadLetter({ id: 'dead_1' }), aDeadLetter({ id: 'dead_2', accountId: 'acc_other', reason: 'expired', replayable: false, whyNot: 'The events are too old.' })]);
  const lines: string[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const { config, limits, ...parts } = over;
  const { send = fakeSend(), platforms = { metaads: aPlatform('metaads'), linkedinads: aPlatform('linkedinads') }, now = () => T0 } = parts;
  const accessTokens = createAccessTokens({ definitionOf: ({ platform }) => platforms[platform], endpoints: TEST_ENDPOINTS, tokens: fakeTokens(), send, requestTimeoutMs: 12_000, storeRefreshToken: async () => undefined, now });
  const app = await buildApi({
    accounts,
    apiKeys,
    deliveries,
    deadLetters,
    health,
    enqueue: deliveries.enqueue,
    newDeliveryId: () => 'dlv_1',
    conversations: fakeConversations(),
    locks: fakeLocks,
    send,
    endpoints: TEST_ENDPOINTS,
    runOperation: createRunOperation({ send, accessTokens, endpoints: TEST_ENDPOINTS, googleAdsVersion: 'v24', now, limits: { ...callLimitsOf(30_000), repeatAfterMs: 1, ...limits } }),
    actionCache: fakeActionCache(),
    webhooks: { metaAppSecret: 'app-secret-0123456789abcdef', metaVerifyToken: 'verify-me' },
    platforms,
    metrics,
    logger: createLogger({ level: 'debug', name: 'api', destination: { write: (line) => lines.push(line) } }),
    now,
    ...parts,
    config: { syncWaitMs: 1000, bodyLimitBytes: 1_000_000, eventIndexHours: 72, checkResponses: true, ...config },
  });

  /** Calls as the key of that name. An object is sent as JSON. */
  const call = async (method: NonNullable<InjectOptions['method']>, url: string, options: { as?: string; body?: unknown; headers?: Record<string, string> } = {}) => {
    const { as = 'root', body, headers = {} } = options;
    const reply = await app.inject({
      method,
      url,
      headers: { authorization: `Bearer rk_${as}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      // A copy of bytes: what comes over a socket is the API's own, and it frees it.
      ...(body === undefined ? {} : { payload: Buffer.isBuffer(body) ? Buffer.from(body) : typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: reply.statusCode, headers: reply.headers, text: reply.payload, body: (reply.payload.startsWith('{') ? reply.json() : undefined) as Record<string, unknown> };
  };
  return { app, call, accounts, apiKeys, deliveries, deadLetters, health, metrics, lines, [Symbol.asyncDispose]: () => app.close() };
}

export function anEvent(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventName: 'Purchase', eventTime: 1_795_000_000, eventId: 'order_1', user: { email: 'planted@example.com' }, ...over };
}

export function aRequest(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { accountId: 'acc_meta', destinationId: '123', events: [anEvent()], ...over };
}
