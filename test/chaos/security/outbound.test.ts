import { join } from 'node:path';
import fc from 'fast-check';
import { PLATFORMS, datasetCreateRequest, datasetGetRequest, whatsappMessaging } from '@relay/platforms';
import { readWorkerConfig } from '@relay/runtime';
import { SEED as SANDBOX } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { PLATFORM_IDS, type AnyRequest, type DeliveryPlatform } from '@relay/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACTION, anEvent, PIXEL, RULE } from '../../e2e/events.ts';
import { startRelay, type Relay } from '../../e2e/harness.ts';
import { SEED } from '../input/run.ts';

/** Everything that has ever led a URL astray. */
const HOSTILE = [
  'evil.example', '@evil.example', 'x@evil.example', ':80@evil.example/', '//evil.example', '///evil.example', '/\\evil.example', '\\\\evil.example', 'http://evil.example/', 'https:evil.example', '.evil.example', '#', '#@evil.example', '?x=', '?@evil.example', '&access_token=x',
  '.', '..', '../', '../..', '/..', '/../', '/../../', '..%2f', '%2e%2e', '%2e%2e%2f', '%2e.', '.%2e/', '%252e%252e%252f', '..;/', '..\\', '%5c..', '..%00/', '%00', '\0', '\r\nHost: evil.example\r\n', '%0d%0aHost: evil.example', '\t', '\n', ' ', '\u2024\u2024/', '．．／', '∕..∕', '\ufeff..', '169.254.169.254', '[::1]', '0x7f000001', 'localhost:6379',
  '1/../2', '1#', '1?', '1;', '1%2f..', '1@evil.example', '123456789012345/../../me/accounts', `${PIXEL}/../../me/accounts`, `customers/../../v1/x`, `customers/1234567890/conversionActions/../1`, `${ACTION}/../x`, `${ACTION}#`, `urn:lla:llaPartnerConversion:../1`, 'urn:li:sponsoredAccount:1/../2', 'List(1)', '(a:b)', "')", 'a,b', '１２３４５６',
] as const;

describe('addresses as the platforms make them', () => {
  const endpoints = readWorkerConfig({
    RELAY_SECRET_KEY: Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 73) % 251)).toString('base64'), NODE_ENV: 'development',
    META_GRAPH_URL: 'https://meta.test/graph', GOOGLE_DATA_MANAGER_URL: 'https://dm.test/x', GOOGLE_ADS_URL: 'https://ads.test/x', GOOGLE_OAUTH_URL: 'https://oauth.test/token', LINKEDIN_API_URL: 'https://linkedin.test/x', LINKEDIN_OAUTH_URL: 'https://linkedin.test/oauth',
  }).endpoints;
  const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.toWellFormed()), fc.array(fc.constantFrom(...HOSTILE, PIXEL, RULE, ACTION), { minLength: 2, maxLength: 4 }).map((parts) => parts.join('')));
  /** Where a request would go that should stay below one of these; as the HTTP client reads it, after the dots are resolved. */
  const strayOf = ({ url }: AnyRequest, bases: readonly string[]): string | undefined => {
    const { href, username, password, hash } = new URL(url);
    return bases.some((base) => href.startsWith(base)) && `${username}${password}${hash}` === '' ? undefined : href;
  };
  const definitions: readonly DeliveryPlatform[] = [...Object.values(PLATFORMS), whatsappMessaging] as const;
  const BASES: Readonly<Record<string, readonly string[]>> = {
    metaads: ['https://meta.test/graph/v25.0/'], whatsapp: ['https://meta.test/graph/v25.0/'], googleads: ['https://dm.test/x/v1/', 'https://oauth.test/token'], linkedinads: ['https://linkedin.test/x/rest/', 'https://linkedin.test/oauth'],
  };

  test.each(definitions.map((definition) => [definition.id, definition] as const))('%s: whatever the destination, token and credentials, host and path prefix stay', (id, definition) => {
    fc.assert(
      fc.property(text, text, text, text, (destinationId, accessToken, secret, item) => {
        const credentials = { accessToken, clientId: secret, clientSecret: secret, refreshToken: secret, loginCustomerId: secret } as never;
        // Only what passes here is ever queued.
        const parsed = definition.parseDestination(destinationId);
        const canonical = parsed.ok ? parsed.destinationId : undefined;
        const requests = [
          canonical === undefined ? undefined : definition.toRequest({ groups: [{ destinationId: canonical, items: [Buffer.from(JSON.stringify({ item }))] }], testCode: item, consent: undefined, accessToken, credentials }, endpoints),
          definition.tokens?.refreshRequest(credentials, endpoints),
          definition.status?.toRequest(secret, { credentials, accessToken }, endpoints),
        ];
        expect(requests.flatMap((request) => (request === undefined ? [] : (strayOf(request, BASES[id]!) ?? [])))).toEqual([]);
        expect(canonical ?? '').toMatch(/^[\w:/]*$/);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('the dataset of any business account id that is digits', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{1,20}$/), text, (wabaId, token) => {
        const requests = [datasetGetRequest(wabaId, token, endpoints), datasetCreateRequest(wabaId, token, endpoints)];
        expect(requests.flatMap((request) => strayOf(request, [`https://meta.test/graph/v25.0/${wabaId}/dataset`]) ?? [])).toEqual([]);
      }),
      { seed: SEED },
    );
  });
});

interface Documented {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly parameters?: readonly { readonly in: string; readonly name: string; readonly example?: unknown; readonly required?: boolean }[]; readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly example?: unknown }>> } }>>>>;
}

describe('every request that leaves the processes', () => {
  let relay: Relay;
  beforeAll(async () => {
    relay = await startRelay({ tap: true, env: { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'outbound-log.mjs')}`, SYNC_WAIT_MS: '500', MAX_ATTEMPTS: '1', LOG_LEVEL: 'info' } });
  });
  afterAll(() => relay?.stop());

  /** Paths below the tap, one for each thing that is asked of a platform, with nothing but ids where ids stand. */
  const SHAPES = [
    /^\/meta\/v25\.0\/\d{1,20}\/events$/, /^\/meta\/v25\.0\/\d{1,20}\/dataset$/, /^\/meta\/v25\.0\/(?:me|\w+)\/(?:adaccounts|adspixels|businesses|owned_pixels|client_pixels)$/, /^\/meta\/v25\.0\/dataset_quality$/,
    /^\/google\/datamanager\/v1\/(?:events:ingest|requestStatus:retrieve)$/, /^\/google\/oauth\/token$/, /^\/google\/ads\/v\d+\/customers:listAccessibleCustomers$/, /^\/google\/ads\/v\d+\/customers\/\d{10}(?:\/\w+:\w+|:\w+)$/,
    /^\/linkedin\/rest\/(?:conversionEvents|conversions|conversions\/\d{1,19}|adAnalytics|adAccounts|campaignConversions|[\w:%(),]+)$/, /^\/linkedin\/oauth\/accessToken$/,
  ];
  const accounts = [['acc_meta', PIXEL], ['acc_google', ACTION], ['acc_linkedin', RULE]] as const;

  test('goes to the configured addresses alone, with hostile values in every field of every route', { timeout: 120_000 }, async () => {
    const { paths } = (await relay.call('GET', '/openapi.json')).body as Documented;
    await relay.call('PATCH', '/v1/admin/accounts/acc_wa', { body: { metadata: { wabaId: SANDBOX.meta.whatsapp.wabaId, connectedFacebookPageId: SANDBOX.meta.whatsapp.pageId } } });
    await relay.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } });
    await relay.call('PUT', '/v1/whatsapp/conversations/conv_1', { body: { accountId: 'acc_wa', phoneE164: '40746123456', metadata: { ctwa_clid: 'TEST' } } });
    const asked: Promise<unknown>[] = [];
    let count = 0;
    for (const [path, methods] of Object.entries(paths)) {
      // What changes accounts and keys would only take the ground from under the rest; their credentials are tried below.
      if (path.includes('/admin/')) continue;
      for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
        for (const [accountId, destinationId] of path.includes('whatsapp') ? [['acc_wa', PIXEL] as const] : accounts) {
          const known: Readonly<Record<string, unknown>> = { accountId, destinationId, conversationId: 'conv_1' };
          const values = parameters.filter((parameter) => parameter.in !== 'header').map((parameter) => ({ ...parameter, value: asText(known[parameter.name] ?? parameter.example) }));
          const body = withKnown(requestBody?.content?.['application/json']?.example, known);
          const places = [...values.map(({ name }) => ({ query: name })), ...textsIn(body).map((at) => ({ body: at }))];
          for (const place of places) {
            for (const hostile of sample(HOSTILE, count)) {
              count += 1;
              const of = (name: string, value: string) => encodeURIComponent('query' in place && place.query === name ? hostile.toWellFormed() : value);
              const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => of(name, values.find((value) => value.name === name)?.value ?? 'x'));
              const query = values.filter((value) => value.in === 'query').map(({ name, value }) => `${name}=${of(name, value)}`).join('&');
              const sent = 'body' in place ? replaced(body, place.body, hostile) : body;
              asked.push(relay.call(method.toUpperCase(), `${filled}${query === '' ? '' : `?${query}`}`, { ...(sent === undefined ? {} : { body: sent }), headers: { prefer: 'respond-async' } }));
              // Few at a time: events that come together leave together, and it is requests that are looked at.
              if (asked.length >= 4) await Promise.all(asked.splice(0));
            }
          }
        }
      }
    }
    await Promise.all(asked);
    // Answered is queued: what is still to leave is looked at too.
    await waitFor(async () => (await Promise.all(PLATFORM_IDS.map((platform) => relay.ledger(platform)))).every(({ pending }) => pending === 0), { timeoutMs: 60_000, what: 'all events to have left' });
    console.log(JSON.stringify({ asked: count, left: relay.wire().length }));
    expect(count).toBeGreaterThan(1_000);
    expect(relay.wire().length).toBeGreaterThan(50);
    expect(strangers()).toEqual([]);
  });

  test('also where the account itself is hostile: its business account, dataset, page, customer and tokens', { timeout: 60_000 }, async () => {
    const before = relay.wire().length;
    for (const hostile of HOSTILE) {
      const metadata = { wabaId: hostile, phoneNumberId: hostile, metaCapiDatasetId: hostile, connectedFacebookPageId: hostile };
      await relay.call('PATCH', '/v1/admin/accounts/acc_wa', { body: { metadata } });
      const dataset = await relay.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } });
      expect([dataset.status, dataset.body.code]).toEqual([422, 'prerequisite_missing']);
      const sent = await relay.call('POST', '/v1/whatsapp/conversions', { body: { accountId: 'acc_wa', eventName: 'LeadSubmitted', eventId: `h-${hostile.length}`, conversationId: 'conv_1' } });
      expect(sent.status).toBe(422);
    }
    for (const [n, hostile] of HOSTILE.entries()) {
      const id = `acc_hostile_${n}`;
      const google = { clientId: hostile, clientSecret: hostile, refreshToken: hostile, developerToken: hostile };
      const made = [
        await relay.call('POST', '/v1/admin/accounts', { body: { id, platform: 'metaads', credentials: { accessToken: hostile } } }),
        await relay.call('POST', '/v1/admin/accounts', { body: { id: `${id}_g`, platform: 'googleads', credentials: google } }),
      ];
      const sends = [
        relay.call('POST', '/v1/ads/conversions', { body: { accountId: id, destinationId: PIXEL, events: [anEvent(id)], testCode: hostile }, headers: { prefer: 'respond-async' } }),
        relay.call('POST', '/v1/ads/conversions', { body: { accountId: `${id}_g`, destinationId: ACTION, events: [anEvent(id)] }, headers: { prefer: 'respond-async' } }),
        relay.call('GET', `/v1/accounts/${id}/conversion-destinations`),
        relay.call('GET', `/v1/accounts/${id}_g/conversion-destinations`),
      ];
      for (const { status } of [...made, ...(await Promise.all(sends))]) expect(status).not.toBe(500);
    }
    expect(relay.wire().length).toBeGreaterThan(before);
    expect(strangers()).toEqual([]);
  });

  /** Paths that nothing asks for, hosts that nobody configured, connections to elsewhere. */
  function strangers(): string[] {
    const paths = relay.wire().map(({ path }) => path.split('?', 1)[0] ?? '').filter((path) => !SHAPES.some((shape) => shape.test(path)) || new URL(path, 'http://x').pathname !== path);
    const hosts = relay.wire().map(({ headers }) => headers.host ?? 'none');
    const opened = relay.logs().flatMap(({ text }) => (text.startsWith('outbound ') ? [text.slice('outbound '.length)] : []));
    // Two addresses in all: Redis, and the tap, which stands for all platforms.
    const tap = hosts[0] ?? 'no request';
    return [...new Set([...paths, ...hosts.filter((host) => host !== tap), ...opened.filter((address) => address !== tap && address !== new URL(relay.redisUrl).host), ...(opened.includes(tap) ? [] : ['nothing was heard of the tap'])])];
  }

  test('that was still on its way went there too', async () => {
    await waitFor(async () => (await relay.books()).pending === 0, { timeoutMs: 30_000 });
    expect(strangers()).toEqual([]);
  });
});

/** A few of them, others each time, so that every place meets all sooner or later. */
function sample(list: readonly string[], from: number): string[] {
  return Array.from({ length: 4 }, (_, n) => list[(from + n * 17 + SEED) % list.length]!);
}

function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'x';
}

type Place = readonly (string | number)[];

function textsIn(value: unknown, at: Place = []): Place[] {
  if (typeof value === 'string') return [at];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...at, Array.isArray(value) ? Number(key) : key]));
}

function replaced(root: unknown, place: Place, value: string): unknown {
  const copy = { root: structuredClone(root) } as Record<string | number, unknown>;
  const path = ['root', ...place];
  const parent = path.slice(0, -1).reduce<Record<string | number, unknown>>((node, key) => node[key] as Record<string | number, unknown>, copy);
  parent[path.at(-1)!] = value;
  return copy['root'];
}

function withKnown(value: unknown, known: Readonly<Record<string, unknown>>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => withKnown(inner, known));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === 'eventTime' ? Math.floor(Date.now() / 1000) - 60 : (known[key] ?? withKnown(inner, known))]));
}
