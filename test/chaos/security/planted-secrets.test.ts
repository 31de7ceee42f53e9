import { SEED as SANDBOX } from '@relay/sandbox';
import { provideRedis, waitFor, type ProvidedRedis } from '@relay/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACTION, anEvent, freshIds, PIXEL, RULE, toGoogle, toLinkedin, toMeta } from '../../e2e/events.ts';
import { KEYS, OPS, SECRET_KEY, startRelay, type Json, type Relay } from '../../e2e/harness.ts';
import { found, readAll } from '../../e2e/planted.ts';

const { meta, google, linkedin } = SANDBOX;
/** A LinkedIn account whose token is refreshed, and whose refresh token is new each time. */
const ROTATING = { accessToken: 'planted-linkedin-expired-token', clientId: linkedin.clientId, clientSecret: linkedin.clientSecret, refreshToken: linkedin.refreshToken };
const PLANTED = {
  metaToken: meta.accessToken, whatsappToken: meta.whatsapp.accessToken, appSecret: meta.whatsapp.appSecret, verifyToken: meta.whatsapp.verifyToken,
  googleSecret: google.clientSecret, googleRefresh: google.refreshToken, developerToken: google.developerToken,
  linkedinToken: linkedin.accessToken, linkedinSecret: linkedin.clientSecret, linkedinRefresh: linkedin.refreshToken, expiredToken: ROTATING.accessToken,
  opsPassword: OPS.password, secretKey: SECRET_KEY, ...KEYS,
} as const;
/** As they are, and as they may have been written: encoded for an address, in base64, in hex. */
const spellings = (secret: string): string[] => [...new Set([secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex')])];

const parts = new AsyncDisposableStack();
let redis: ProvidedRedis;
let relay: Relay;
/** Secrets that came up on the way: a key that was made, tokens that were refreshed. */
const grown: string[] = [];
const answers: string[] = [];
const needles = (): string[] => [...Object.values(PLANTED), ...grown].flatMap(spellings);

const noted = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Json> => {
  const answer = await relay.call(method, path, { body, headers });
  answers.push(`${method} ${path}: ${answer.status} ${answer.text} ${JSON.stringify(Object.fromEntries(answer.headers))}`);
  return answer.body;
};

beforeAll(async () => {
  redis = await provideRedis({ docker: false });
  parts.defer(() => redis.stop());
  relay = await startRelay({ redisUrl: redis.url, tap: true, env: { MAX_ATTEMPTS: '2', LOG_LEVEL: 'trace' } });
  parts.defer(() => relay.stop());
  await use();
}, 90_000);
afterAll(() => parts.disposeAsync());

/** Every secret is used for what it is for, refused, quoted back by a platform, and written where it does not belong. */
async function use(): Promise<void> {
  await relay.sandbox.token('linkedin', ROTATING.accessToken, 'expired');
  const rotating = { id: 'acc_rotating', platform: 'linkedinads', credentials: ROTATING };
  await noted('POST', '/v1/admin/accounts', rotating);
  const made = await relay.call('POST', '/v1/admin/api-keys', { body: { name: 'made', scopes: ['read'], accounts: ['acc_meta'] } });
  grown.push(made.body.key as string);
  await noted('GET', '/v1/ads/conversions?accountId=acc_meta', undefined, { authorization: `Bearer ${made.body.key}` });
  await noted('POST', '/v1/admin/accounts', rotating); // once more: refused
  // Bodies that are refused with the secrets in them.
  const text = JSON.stringify({ credentials: { ...ROTATING, other: google.clientSecret, another: google.refreshToken } });
  for (const body of [text.slice(0, -1), `${text}x`, text.replace('"credentials"', '"credentialz"'), text.replace('}}', ',"accessToken":5}}'), JSON.stringify({ credentials: [ROTATING.refreshToken] }), JSON.stringify({ credentials: PLANTED, status: google.clientSecret })]) await noted('PATCH', '/v1/admin/accounts/acc_rotating', body);
  // Keys where they do not belong.
  for (const secret of Object.values(PLANTED)) {
    const query = encodeURIComponent(secret);
    await noted('GET', `/v1/ads/conversions?accountId=acc_meta&access_token=${query}&api_key=${query}`);
    await noted('GET', `/v1/${query}`);
    await noted('GET', `/metrics?token=${query}`);
    await noted('GET', '/v1/admin/accounts', undefined, { authorization: `Basic ${btoa(`x:${secret}`)}`, cookie: `key=${query}`, 'x-api-key': secret });
  }
  answers.length = 0; // What a caller sends it knows already; below is what it is told.

  // Sent with: delivered, refused, held, refreshed, and quoted by the platform.
  for (const body of [toMeta([anEvent(freshIds('s', 1)[0]!)]), toGoogle([anEvent(freshIds('s', 1)[0]!)]), toLinkedin([anEvent(freshIds('s', 1)[0]!)])]) await noted('POST', '/v1/ads/conversions', body);
  const says = (words: string) => `You sent ${words}.`;
  await relay.sandbox.fault({ platform: 'meta', match: { path: '/events' }, times: 1, fault: { kind: 'status', status: 400, body: { error: { message: says(meta.accessToken), error_user_msg: says(meta.accessToken), type: 'OAuthException', code: 100, error_subcode: 2804003 } } } });
  await noted('POST', '/v1/ads/conversions', toMeta([anEvent(freshIds('s', 1)[0]!)]));
  await relay.sandbox.fault({ platform: 'linkedin', match: { path: 'conversionEvents' }, times: 1, fault: { kind: 'status', status: 422, body: { status: 422, message: says(linkedin.accessToken) } } });
  await noted('POST', '/v1/ads/conversions', toLinkedin([anEvent(freshIds('s', 1)[0]!)]));
  // Taken, or taken in part, with the token in the words and in the id of the answer.
  await relay.sandbox.fault({ platform: 'meta', match: { path: '/events' }, times: 1, fault: { kind: 'status', status: 200, body: { events_received: 1, messages: [says(meta.accessToken)], fbtrace_id: meta.accessToken } } });
  await noted('POST', '/v1/ads/conversions', toMeta([anEvent(freshIds('s', 1)[0]!)]));
  await relay.sandbox.fault({ platform: 'linkedin', match: { path: 'conversionEvents' }, times: 1, fault: { kind: 'status', status: 200, body: { elements: [{ status: 400, error: { message: says(linkedin.accessToken) } }] } } });
  await noted('POST', '/v1/ads/conversions', toLinkedin([anEvent(freshIds('s', 1)[0]!)]));
  await noted('POST', '/v1/ads/conversions', { accountId: 'acc_rotating', destinationId: RULE, events: [anEvent(freshIds('s', 1)[0]!)] }, { prefer: 'wait=3' });
  await relay.sandbox.fault({ platform: 'meta', match: { path: 'adaccounts' }, times: 1, fault: { kind: 'status', status: 400, body: { error: { message: says(meta.accessToken), type: 'OAuthException', code: 190, error_subcode: 463 } } } });
  await noted('GET', '/v1/accounts/acc_meta/conversion-destinations');
  // A token endpoint that quotes the form it was sent.
  await relay.sandbox.fault({ platform: 'google', match: { path: 'token' }, times: 2, fault: { kind: 'status', status: 400, body: { error: 'invalid_grant', error_description: says(`${google.refreshToken} of ${google.clientSecret}`) } } });
  await relay.redis.del('{relay}:token:acc_google');
  await noted('POST', '/v1/ads/conversions', toGoogle([anEvent(freshIds('s', 1)[0]!)]), { prefer: 'wait=3' });
  await noted('GET', `/v1/ads/conversions/actions?accountId=acc_google&adAccountId=${google.customerId}`);
  await noted('PATCH', '/v1/admin/accounts/acc_wa', { metadata: { wabaId: meta.whatsapp.wabaId } });
  await noted('POST', '/v1/whatsapp/dataset', { accountId: 'acc_wa' });
  await waitFor(async () => (await relay.books()).pending === 0, { what: 'everything to have its end' });
  for (const { body } of relay.wire()) for (const [token] of body.matchAll(/ya29\.[\w.-]+/g)) grown.push(token);
  for (const { headers } of relay.wire()) if (typeof headers.authorization === 'string') grown.push(headers.authorization.replace(/^Bearer /, ''));
}

/** Every GET of the document, with ids that exist, and what stands beside the document. */
async function readEverything(): Promise<string> {
  const { paths } = (await relay.call('GET', '/openapi.json')).body;
  const letters = await relay.deadLetters('limit=200');
  const keyIds: string[] = (await relay.call('GET', '/v1/admin/api-keys')).body.apiKeys.map(({ id }: Json) => id);
  const texts: string[] = [];
  for (const [path, methods] of Object.entries<Json>(paths)) {
    if (methods.get === undefined) continue;
    const query: string[] = (methods.get.parameters ?? []).filter((parameter: Json) => parameter.in === 'query' && parameter.name !== 'cursor').map(({ name }: Json) => name);
    for (const accountId of ['acc_meta', 'acc_google', 'acc_linkedin', 'acc_rotating', 'acc_wa']) {
      const rows = (await relay.call('GET', `/v1/ads/conversions?accountId=${accountId}`)).body.conversions ?? [];
      const ids: Record<string, readonly string[]> = { accountId: [accountId], deliveryId: rows.map(({ deliveryId }: Json) => deliveryId), eventId: rows.flatMap(({ eventIds }: Json) => eventIds), destinationId: [PIXEL, ACTION, RULE], id: path.includes('dead-letters') ? letters.map(({ id }) => id) : path.includes('api-keys') ? keyIds : [accountId] };
      const name = /\{(\w+)\}$/.exec(path)?.[1] ?? 'accountId';
      for (const id of ids[name] ?? ['x']) {
        const filled = path.replaceAll(/\{(\w+)\}/g, (_all, own: string) => encodeURIComponent(own === name ? id : (ids[own]?.[0] ?? 'x')));
        const search = query.includes('accountId') ? `?accountId=${accountId}${query.includes('destinationId') ? `&destinationId=${PIXEL}` : ''}` : '';
        const answer = await relay.call('GET', `${filled}${search}`);
        texts.push(answer.text, JSON.stringify(Object.fromEntries(answer.headers)));
      }
    }
  }
  for (const path of ['/openapi.json', '/docs', '/docs/json', '/metrics', '/readyz', '/healthz']) texts.push((await relay.call('GET', path, { key: null })).text);
  for (const worker of relay.workers) for (const path of ['/metrics', '/readyz', '/healthz']) texts.push(await (await fetch(`${worker.url}${path}`)).text());
  const login = { authorization: `Basic ${btoa(`${OPS.user}:${OPS.password}`)}` };
  for (const queue of ['metaads', 'googleads', 'linkedinads', 'whatsapp'].flatMap((name) => [name, `${name}.dead`])) {
    for (const status of ['latest', 'delayed', 'waiting', 'failed', 'completed']) {
      const page = await (await fetch(`${relay.url}/admin/queues/api/queues?activeQueue=${queue}&status=${status}&page=1&jobsPerPage=50`, { headers: login })).text();
      texts.push(page);
      for (const { id } of (JSON.parse(page).queues as Json[]).find(({ name }) => name === queue).jobs as Json[]) {
        texts.push(await (await fetch(`${relay.url}/admin/queues/api/queues/${queue}/${id}`, { headers: login })).text(), await (await fetch(`${relay.url}/admin/queues/api/queues/${queue}/${id}/logs`, { headers: login })).text());
      }
    }
  }
  texts.push(await (await fetch(`${relay.url}/admin/queues/api/redis/stats`, { headers: login })).text(), await (await fetch(`${relay.url}/admin/queues`, { headers: login })).text());
  return texts.join('\n');
}

describe('secrets that were used for what they are for', () => {
  test('went over the wire: there is something to find', () => {
    const wire = relay.wire().map(({ headers, body }) => `${JSON.stringify(headers)} ${body}`).join('\n');
    const used = [PLANTED.metaToken, PLANTED.googleSecret, PLANTED.googleRefresh, PLANTED.linkedinToken, PLANTED.linkedinRefresh, PLANTED.linkedinSecret, PLANTED.whatsappToken];
    expect(found(wire, used)).toEqual(used);
    expect(grown.length).toBeGreaterThan(2);
  });

  test('are in no address: proxies write those down', () => {
    expect(found(relay.wire().map(({ path }) => path).join('\n'), needles())).toEqual([]);
  });

  test('are in no answer, whatever the platform quoted', () => {
    expect(answers.length).toBeGreaterThan(10);
    expect(found(answers.join('\n'), needles())).toEqual([]);
  });

  test('are in nothing that can be read: no route, no metric, no page, no queue', async () => {
    const everything = await readEverything();
    expect(everything.length).toBeGreaterThan(100_000);
    expect(found(everything, needles())).toEqual([]);
  });

  test('are in no line of the log, down to trace', () => {
    const lines = relay.logs().map(({ text }) => text).join('\n');
    expect(lines.length).toBeGreaterThan(10_000);
    expect(found(lines, needles())).toEqual([]);
  });

  test('are nowhere in Redis nor in its files', async () => {
    await relay.redis.call('CONFIG', 'SET', 'appendfsync', 'always');
    await relay.redis.set('flushed', 'now');
    expect(found(await readAll(relay.redis), needles())).toEqual([]);
    expect(found(await redis.persisted(), needles())).toEqual([]);
  });
});
