import { connect } from 'node:net';
import { RelayError } from '@relay/contract';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { anAccount } from '../testing/fake-accounts.ts';
import type { Scripted } from '../testing/fake-upstream.ts';
import { EXAMPLES } from './add-examples.ts';
import { exampleRequest, openWorld, PLANTED, readDocument, urlOf, type DocumentedOperation, type ExampleRequest } from './open-world.test-kit.ts';

const { operations, faultOf } = await readDocument();
type World = Awaited<ReturnType<typeof openWorld>>;

describe('examples', () => {
  it('are there for every operation, and for no other', () => {
    expect(operations.length).toBeGreaterThan(30);
    expect(Object.keys(EXAMPLES).sort()).toEqual(operations.map(({ name }) => name).sort());
  });

  it.each(operations.map((operation) => [operation.name, operation] as const))('%s: are whole and fit their schemas', (_name, { operation }) => {
    const examples: [schema: object, value: unknown, of: string][] = [];
    // Query values are texts: only their presence is looked at here, and the calls below send them.
    const needed = (operation.parameters ?? []).filter((parameter) => parameter.required === true && parameter.example === undefined);
    expect(needed.map((parameter) => parameter.name)).toEqual([]);
    const body = operation.requestBody?.content['application/json'];
    expect(operation.requestBody?.required === true && body?.example === undefined).toBe(false);
    if (body?.example !== undefined) examples.push([body.schema, body.example, 'body']);
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      const [answer] = Object.values(content);
      if (answer === undefined) continue;
      const values = answer.examples === undefined ? [answer.example] : Object.values(answer.examples).map(({ value }) => value);
      for (const value of values) {
        expect(value, `no example of ${status}`).toBeDefined();
        examples.push([answer.schema, value, status]);
      }
    }
    expect(examples.map(([schema, value, of]) => [of, faultOf(schema, value)])).toEqual(examples.map(([, , of]) => [of, undefined]));
  });
});

interface Ask extends ExampleRequest {
  readonly as?: string;
}

const sendTo = (world: World, operation: DocumentedOperation, ask: Ask) =>
  world.call(operation.method, urlOf(operation, ask), { ...(ask.as !== undefined && { as: ask.as }), ...(ask.body !== undefined && { body: ask.body }), ...(ask.headers !== undefined && { headers: { ...ask.headers } }) });

const withAccount = (ask: ExampleRequest, accountId: string): ExampleRequest => ({
  path: 'accountId' in ask.path ? { ...ask.path, accountId } : ask.path,
  query: 'accountId' in ask.query ? { ...ask.query, accountId } : ask.query,
  body: typeof ask.body === 'object' && ask.body !== null && 'accountId' in ask.body ? { ...ask.body, accountId } : ask.body,
});
const namesAccount = ({ path, query, body }: ExampleRequest): boolean => [path, query, body].some((part) => typeof part === 'object' && part !== null && 'accountId' in part);
const isWhatsapp = ({ path }: DocumentedOperation): boolean => path.startsWith('/v1/whatsapp');
const isActions = ({ path }: DocumentedOperation): boolean => path.endsWith('/actions');

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** How to get an answer of that status out of any operation that documents it. */
const WAYS: Readonly<Record<string, (world: World, operation: DocumentedOperation, ask: Ask) => Promise<Reply>>> = {
  200: (world, operation, ask) => sendTo(world, operation, ask),
  201: (world, operation, ask) => sendTo(world, operation, ask),
  204: (world, operation, ask) => sendTo(world, operation, ask),
  202: (world, operation, ask) => {
    world.deliveries.onEnqueue = undefined;
    return sendTo(world, operation, { ...ask, headers: { prefer: 'respond-async' } });
  },
  400: (world, operation, ask) => {
    if (operation.operation.requestBody !== undefined) return sendTo(world, operation, { ...ask, body: '"text"' });
    const [first] = (operation.operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
    if (first !== undefined) return sendTo(world, operation, { ...ask, query: { ...ask.query, [first.name]: '' } });
    return malformed(world, operation, ask);
  },
  401: (world, operation, ask) => sendTo(world, operation, { ...ask, headers: { authorization: 'Bearer rk_nobody' } }),
  403: (world, operation, ask) => sendTo(world, operation, { ...ask, as: 'powerless' }),
  404: (world, operation, ask) => {
    if (namesAccount(ask)) return sendTo(world, operation, { ...ask, ...withAccount(ask, 'acc_nowhere') });
    return sendTo(world, operation, { ...ask, path: Object.fromEntries(Object.keys(ask.path).map((name) => [name, 'nowhere'])) });
  },
  405: (world, operation, ask) => sendTo(world, operation, { ...ask, ...withAccount(ask, isWhatsapp(operation) ? 'acc_meta' : 'acc_wa') }),
  413: (world, operation, ask) => sendTo(world, operation, { ...ask, body: JSON.stringify({ ...(ask.body as object), padding: 'x'.repeat(1_000_001) }) }),
  415: (world, operation, ask) => sendTo(world, operation, { ...ask, body: 'text', headers: { 'content-type': 'text/plain' } }),
  409: (world, operation, ask) => upstream(world, operation, ask, { status: 409, body: { message: 'It is there', status: 409 } }),
  422: (world, operation, ask) => upstream(world, operation, ask, { status: 400, body: { message: 'No', status: 400, error: { code: 100, message: 'No', type: 'OAuthException', status: 'INVALID_ARGUMENT' } } }),
  429: (world, operation, ask) => upstream(world, operation, ask, { status: 429, body: { message: 'Slow down', status: 429, error: { code: 4, message: 'Limit', status: 'RESOURCE_EXHAUSTED' } } }),
  501: (world, operation, ask) => sendTo(world, operation, { ...ask, ...(isActions(operation) && withAccount(ask, 'acc_meta')) }),
  502: (world, operation, ask) => upstream(world, operation, ask, 'connection_reset'),
  503: (world, operation, ask) => {
    world.apiKeys.authenticate = async () => {
      throw new RelayError('storage_unavailable', 'The queue cannot be reached. Send the same request again later.');
    };
    return sendTo(world, operation, ask);
  },
  504: (world, operation, ask) => upstream(world, operation, ask, 'timeout'),
};

function upstream(world: World, operation: DocumentedOperation, ask: Ask, answer: Scripted) {
  world.platform.answer = () => answer;
  return sendTo(world, operation, ask);
}

/** HTTP that is broken is answered with a 400 whatever the route. */
async function malformed({ app }: World, operation: DocumentedOperation, ask: Ask): Promise<Reply> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${operation.method} ${urlOf(operation, ask)} HTTP/1.1\r\nhost: relay\r\nbroken header\r\n\r\n`);
  let raw = '';
  for await (const part of socket) raw += String(part);
  const headers = { 'content-type': /^content-type: (.*)\r$/im.exec(raw)?.[1] };
  return { status: Number(/^HTTP\/1.1 (\d{3})/.exec(raw)?.[1]), headers, text: raw.slice(raw.indexOf('\r\n\r\n') + 4) };
}

/** Where an operation needs more than the way that all others take. */
const OWN_WAYS: typeof WAYS = {
  'POST /v1/accounts/{accountId}/conversion-destinations 200': (world, operation, ask) =>
    sendTo(world, operation, { ...ask, path: { accountId: 'acc_google' }, body: { adAccountId: '1234567890', name: 'Checkout', type: 'Purchase' } }),
  'PUT /v1/whatsapp/conversations/{conversationId} 200': (world, operation, ask) => sendTo(world, operation, { ...ask, path: { conversationId: 'conv_1' } }),
  'PUT /v1/whatsapp/conversations/{conversationId} 404': (world, operation, ask) => sendTo(world, operation, { ...ask, ...withAccount(ask, 'acc_nowhere') }),
  'POST /v1/ads/conversions 422': (world, operation, ask) => reuseKey(world, operation, ask),
  'POST /v1/ads/conversions/adjustments 422': (world, operation, ask) => reuseKey(world, operation, ask),
  'POST /v1/ads/conversions 501': withoutPlatforms,
  'GET /v1/events/{eventId} 501': async (_world, operation, ask) => {
    await using off = await openWorld({ config: { eventIndexHours: 0 } });
    return sendTo(off, operation, ask);
  },
  'POST /v1/dead-letters/{id}/replay 422': async (world, operation, ask) => {
    await sendTo(world, operation, ask);
    return sendTo(world, operation, ask);
  },
  'POST /v1/admin/accounts 409': async (world, operation, ask) => {
    await sendTo(world, operation, ask);
    return sendTo(world, operation, ask);
  },
  'PATCH /v1/admin/accounts/{id} 409': (world, operation, ask) => {
    world.accounts.rows.set('acc_elsewhere', anAccount({ id: 'acc_elsewhere', platform: 'whatsapp' }));
    return sendTo(world, operation, { ...ask, as: 'foreign', path: { id: 'acc_elsewhere' }, body: { metadata: { wabaId: '200' } } });
  },
  'DELETE /v1/admin/accounts/{id} 409': (world, operation, ask) => {
    world.accounts.held.set('acc_meta', 3);
    return sendTo(world, operation, ask);
  },
  'PATCH /v1/admin/api-keys/{id} 409': (world, operation, ask) => sendTo(world, operation, { ...ask, path: { id: 'root' } }),
  'DELETE /v1/admin/api-keys/{id} 409': (world, operation, ask) => sendTo(world, operation, { ...ask, path: { id: 'root' } }),
  'POST /v1/whatsapp/conversions 409': async (world, operation, ask) => {
    const headers = { 'idempotency-key': 'again' };
    await sendTo(world, operation, { ...ask, headers });
    world.deliveries.get = async () => undefined;
    return sendTo(world, operation, { ...ask, headers });
  },
  'POST /v1/ads/conversions/actions 409': (world, operation, ask) => {
    const failure = { '@type': 'type.googleapis.com/google.ads.googleads.v24.errors.GoogleAdsFailure', errors: [{ errorCode: { conversionActionError: 'DUPLICATE_NAME' }, message: 'Taken.' }] };
    return upstream(world, operation, ask, { status: 400, body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'No', details: [failure] } } });
  },
  'POST /v1/whatsapp/conversions 422': (world, operation, ask) => sendTo(world, operation, { ...ask, ...withAccount(ask, 'acc_wa_bare'), body: { ...(ask.body as object), accountId: 'acc_wa_bare', conversationId: undefined, phoneE164: '4915100000000' } }),
  'POST /v1/whatsapp/dataset 409': async (_world, operation, ask) => {
    const run = async () => {
      throw new RelayError('conflict', 'The same thing is being done by another request. Try again later.');
    };
    await using busy = await openWorld({ locks: { run } });
    return sendTo(busy, operation, ask);
  },
  'GET /readyz 503': (world, operation, ask) => {
    world.health.ping = () => Promise.reject(new Error('away'));
    return sendTo(world, operation, ask);
  },
  'GET /webhooks/whatsapp 403': (world, operation, ask) => sendTo(world, operation, { ...ask, query: { ...ask.query, 'hub.verify_token': 'another' } }),
  'GET /webhooks/whatsapp 501': withoutSecrets,
  'POST /webhooks/whatsapp 501': withoutSecrets,
  'POST /webhooks/whatsapp 413': (world, operation, ask) => sendTo(world, operation, { ...ask, body: 'x'.repeat(4 * 1024 * 1024 + 1) }),
  'POST /webhooks/whatsapp 503': (world, operation, ask) => {
    world.conversations.capture = async () => {
      throw new RelayError('storage_unavailable', 'The queue cannot be reached. Send the same request again later.');
    };
    return sendTo(world, operation, ask);
  },
  'POST /v1/whatsapp/dataset 422': (world, operation) => sendTo(world, operation, { path: {}, query: {}, body: { accountId: 'acc_wa_bare' } }),
};

async function withoutSecrets(_world: World, operation: DocumentedOperation, ask: Ask) {
  await using bare = await openWorld({ webhooks: { metaAppSecret: undefined, metaVerifyToken: undefined } });
  return sendTo(bare, operation, ask);
}

async function withoutPlatforms(_world: World, operation: DocumentedOperation, ask: Ask) {
  await using bare = await openWorld({ platforms: {} });
  return sendTo(bare, operation, ask);
}

async function reuseKey(world: World, operation: DocumentedOperation, ask: Ask) {
  const headers = { 'idempotency-key': 'once' };
  await sendTo(world, operation, { ...ask, headers });
  return sendTo(world, operation, { ...ask, headers, body: { ...(ask.body as object), testCode: 'other' } });
}

const cases = operations.flatMap((operation) => Object.keys(operation.operation.responses).map((status) => [operation.name, status, operation] as const));

describe('every documented answer can be had, and fits its schema', () => {
  it.each(cases)('%s %s', async (name, status, operation) => {
    await using world = await openWorld();
    const general = status === '501' && !isActions(operation) ? withoutPlatforms : WAYS[status];
    const way = OWN_WAYS[`${name} ${status}`] ?? general;
    expect(way, `no way to ${status}`).toBeDefined();
    const reply = await way!(world, operation, exampleRequest(operation));
    expect([reply.status, reply.text]).toEqual([Number(status), reply.text]);
    const [type, answer] = Object.entries(operation.operation.responses[status]?.content ?? {})[0] ?? [];
    const told = answer === undefined ? { fault: reply.text } : { type: String(reply.headers['content-type']).split(';', 1)[0], fault: faultOf(answer.schema, type === 'application/json' ? JSON.parse(reply.text) : reply.text) };
    expect(told).toEqual(answer === undefined ? { fault: '' } : { type, fault: undefined });
  });
});

describe('a key that is bound to another account', () => {
  const EMPTY_REPLAY = { replayed: 0, refused: 0, events: 0, results: [], more: false, nextCursor: null };
  /** Operations on all that the key may see, where nothing is named that it may not: there is nothing. */
  const OWN_LISTS: Readonly<Record<string, object>> = {
    'GET /v1/admin/accounts': { accounts: [] },
    'GET /v1/admin/api-keys': { apiKeys: [expect.objectContaining({ id: 'foreign' })] },
    'GET /v1/dead-letters': { deadLetters: [], nextCursor: null },
    'POST /v1/dead-letters/replay': EMPTY_REPLAY,
  };

  const keyed = operations.filter(({ path }) => path.startsWith('/v1/'));
  it.each(keyed.map((operation) => [operation.name, operation] as const))('%s: sees and touches nothing', async (name, operation) => {
    await using world = await openWorld();
    const rows = () => JSON.stringify([...world.accounts.rows, ...world.deadLetters.rows, ...world.deliveries.rows, ...world.apiKeys.rows]);
    const before = rows();
    const ask = { ...exampleRequest(operation), as: 'foreign' };
    const isList = name in OWN_LISTS;
    const all = isList ? await sendTo(world, operation, { ...ask, query: {}, body: ask.body === undefined ? undefined : {} }) : undefined;
    expect(all?.body).toEqual(OWN_LISTS[name]);
    const reply = await sendTo(world, operation, ask);
    expect(isList && !namesAccount(ask) ? [200] : [403, 404]).toContain(reply.status);
    for (const text of [reply.text, all?.text ?? '']) expect(text).not.toMatch(new RegExp(`${PLANTED}|token-of|key_shop|root`));
    expect(rows()).toBe(before);
    expect(world.send.requests).toEqual([]);
    expect(world.deliveries.requests).toEqual([]);
  });

  it('sees its own', async () => {
    await using world = await openWorld();
    world.accounts.rows.set('acc_elsewhere', anAccount({ id: 'acc_elsewhere', platform: 'linkedinads', credentials: { accessToken: 'another-token' } }));
    const reply = await world.call('GET', '/v1/accounts/acc_elsewhere/conversion-destinations', { as: 'foreign' });
    expect(reply).toMatchObject({ status: 200, body: { destinations: [{ id: '50001' }] } });
  });
});
