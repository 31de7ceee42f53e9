import { connect } from 'node:net';
import { waitFor } from '@relay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACTION, anEvent, freshIds, now, PIXEL, RULE, toGoogle, toLinkedin, toMeta, type SendBody } from './events.ts';
import { BALANCED, KEYS, startRelay, type Json, type Platform, type Relay } from './harness.ts';

const BODY_LIMIT = 1024 * 1024;

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ env: { BODY_LIMIT_BYTES: String(BODY_LIMIT) } });
});
afterAll(() => relay?.stop());

const ADS = ['metaads', 'googleads', 'linkedinads'] as const satisfies readonly Platform[];
const ledgers = () => Promise.all(ADS.map((platform) => relay.ledger(platform)));
/** Everything that an accepted request would leave behind. */
const stored = async () => ({ ledgers: await ledgers(), keys: (await relay.redis.keys('{relay}:*')).filter((key) => /:(dlvs?|log|ev|idem|metaads|googleads|linkedinads)[:.]/.test(key) && !/:(stalled-check|events|marker|meta)$/.test(key)).toSorted((a, b) => a.localeCompare(b)) });

const body = (changes: Record<string, unknown> = {}, event: Record<string, unknown> = {}): Record<string, unknown> => ({ ...toMeta([]), events: [{ ...anEvent('e-1'), ...event }], ...changes });
const text = (value: unknown, from: string, to: string): string => JSON.stringify(value).replace(from, to);

interface Row {
  readonly name: string;
  readonly send?: Record<string, unknown> | string;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
  readonly key?: string | null;
  readonly status: number;
  readonly code?: string;
  readonly param?: string;
  /** Every bad path, in any order. */
  readonly paths?: readonly string[];
  readonly says?: RegExp;
}

const ROWS: readonly Row[] = [
  { name: 'broken JSON', send: '{"accountId": "acc_meta", ', status: 400, code: 'invalid_json', says: /position \d+/ },
  { name: 'an empty body', send: '', status: 400, code: 'invalid_json' },
  { name: 'null', send: 'null', status: 400, code: 'invalid_request' },
  { name: 'a list', send: '[]', status: 400, code: 'invalid_request' },
  { name: 'a text', send: '"hello"', status: 400, code: 'invalid_request' },
  { name: 'NaN', send: text(body({}, { value: 'QQ' }), '"QQ"', 'NaN'), status: 400, code: 'invalid_json' },
  { name: 'a comma too many', send: JSON.stringify(body()).replace(/\}$/, ',}'), status: 400, code: 'invalid_json' },
  { name: 'bytes that are no UTF-8', bytes: Buffer.concat([Buffer.from('{"accountId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), status: 400, code: 'invalid_json' },
  { name: 'another content type', send: JSON.stringify(body()), headers: { 'content-type': 'text/plain' }, status: 415, code: 'unsupported_media_type' },
  { name: 'a form', send: 'accountId=acc_meta', headers: { 'content-type': 'application/x-www-form-urlencoded' }, status: 415 },
  { name: 'a compressed body', send: JSON.stringify(body()), headers: { 'content-encoding': 'gzip' }, status: 415 },
  { name: 'another charset', send: JSON.stringify(body()), headers: { 'content-type': 'application/json; charset=latin1' }, status: 415 },
  {
    name: 'wrong types everywhere',
    send: {
      accountId: 5,
      destinationId: null,
      testCode: {},
      consent: { adUserData: 'MAYBE' },
      events: [
        anEvent('ok'),
        { eventName: 7, eventTime: 'soon', eventId: [], value: '10', currency: 5, user: 'me', items: {}, sourceUrl: 1, actionSource: 'shop', platformData: [] },
        { eventName: 'x', eventTime: 1, eventId: 'x', user: { email: 5, clickIds: { gclid: 5 } }, items: [{ price: '1' }, 5] },
        null,
      ],
    },
    status: 400,
    code: 'invalid_request',
    paths: [
      'accountId', 'destinationId', 'testCode', 'consent.adUserData', 'events[1].eventName', 'events[1].eventTime', 'events[1].eventId', 'events[1].value', 'events[1].currency', 'events[1].user',
      'events[1].items', 'events[1].sourceUrl', 'events[1].actionSource', 'events[1].platformData', 'events[2].user.email', 'events[2].user.clickIds.gclid', 'events[2].items[0].price', 'events[2].items[1]', 'events[3]',
    ],
  },
  { name: 'nothing at all', send: {}, status: 400, paths: ['accountId', 'destinationId', 'events'] },
  { name: 'no events', send: body({ events: [] }), status: 400, param: 'events', paths: ['events'] },
  { name: 'an event without anything', send: body({ events: [{}] }), status: 400, paths: ['events[0].eventName', 'events[0].eventTime', 'events[0].eventId', 'events[0].user'] },
  { name: 'more events than a request may carry', send: `{"accountId":"acc_meta","destinationId":"${PIXEL}","events":[${'{},'.repeat(100_000)}{}]}`, status: 400, says: /100000|100,000|more fields/ },
  { name: 'milliseconds', send: body({}, { eventTime: Date.now() }), status: 400, paths: ['events[0].eventTime'], says: /seconds/ },
  { name: 'a negative time', send: body({}, { eventTime: -1 }), status: 400, paths: ['events[0].eventTime'] },
  { name: '1e999', send: text(body({}, { value: 'QQ' }), '"QQ"', '1e999'), status: 400, paths: ['events[0].value'], says: /double/ },
  { name: '-1e999 deep in platformData', send: text(body({}, { platformData: { a: { b: [1, 'QQ'] } } }), '"QQ"', '-1e999'), status: 400, paths: ['events[0].platformData.a.b[1]'] },
  { name: 'a lone surrogate in an id', send: text(body({}, { eventId: 'QQ' }), 'QQ', String.raw`\ud800`), status: 400, paths: ['events[0].eventId'] },
  { name: 'a lone surrogate in an address', send: text(body({}, { user: { email: 'QQ' } }), 'QQ', String.raw`a\udc00@example.com`), status: 400, paths: ['events[0].user.email'] },
  { name: '__proto__', send: text(body({}, { platformData: { QQ: { polluted: true } } }), 'QQ', '__proto__'), status: 400, code: 'invalid_json' },
  { name: '__proto__ at the top', send: JSON.stringify(body()).replace('{', '{"__proto__":{"accountId":"acc_meta_2"},'), status: 400, code: 'invalid_json' },
  { name: 'a tree too deep', send: text(body({}, { platformData: 'QQ' }), '"QQ"', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`), status: 400, code: 'invalid_json' },
  { name: 'an id that is too long', send: body({}, { eventId: 'x'.repeat(513) }), status: 400, paths: ['events[0].eventId'] },
  { name: 'too many bytes', send: body({ padding: 'x'.repeat(BODY_LIMIT) }), status: 413, code: 'body_too_large' },
  { name: 'an unknown account', send: body({ accountId: 'acc_nobody' }), status: 404, code: 'account_not_found', param: 'accountId' },
  { name: 'an account id with a colon', send: body({ accountId: 'acc:meta' }), status: 404, code: 'account_not_found' },
  { name: 'a foreign account', send: { ...body(), accountId: 'acc_google', destinationId: ACTION }, key: KEYS.bound, status: 403, code: 'account_not_allowed', param: 'accountId' },
  { name: 'a foreign account that does not exist', send: body({ accountId: 'acc_nobody' }), key: KEYS.bound, status: 403, code: 'account_not_allowed' },
  { name: 'a key that may not send', send: body(), key: KEYS.reader, status: 403, code: 'insufficient_scope', says: /"send"/ },
  { name: 'no key', send: body(), key: null, status: 401, says: /^Unauthorized$/ },
  { name: 'an unknown key', send: body(), key: 'rk_test_nobody', status: 401, says: /^Unauthorized$/ },
  { name: 'a key of another kind', send: body(), key: null, headers: { authorization: 'Basic b3BlcmF0b3I6eA==' }, status: 401 },
  { name: 'a Meta pixel of another form', send: body({ destinationId: ACTION }), status: 400, code: 'invalid_destination', param: 'destinationId' },
  { name: 'a path as a Meta pixel', send: body({ destinationId: '../me/accounts' }), status: 400, code: 'invalid_destination', param: 'destinationId' },
  { name: 'a Google action of another form', send: body({ accountId: 'acc_google', destinationId: '111' }), status: 400, code: 'invalid_destination', param: 'destinationId' },
  { name: 'a LinkedIn rule of another form', send: body({ accountId: 'acc_linkedin', destinationId: `urn:li:rule:${RULE}` }), status: 400, code: 'invalid_destination', param: 'destinationId' },
  { name: 'a LinkedIn grant without rw_conversions', send: body({ accountId: 'acc_linkedin_narrow', destinationId: RULE }), status: 403, code: 'grant_insufficient', says: /[Rr]econnect/ },
];

describe('refused as a whole, with nothing left behind', () => {
  let before: Awaited<ReturnType<typeof stored>>;
  beforeEach(async () => {
    before = await stored();
  });

  test.each(ROWS)('$name', async ({ send, bytes, headers = {}, key, status, code, param, paths, says }) => {
    const raw = bytes ?? (typeof send === 'string' ? send : JSON.stringify(send));
    const response = await fetch(`${relay.url}/v1/ads/conversions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key ?? KEYS.full}` }), ...headers },
      body: raw,
    });
    const answer: Json = await response.json();
    const details: Json[] = Array.isArray(answer.details) ? answer.details : [];
    expect(answer.type).toMatch(/_error$|^not_found$/);
    expect(details.length).toBeLessThanOrEqual(100);
    const found = new Set(details.map(({ path }) => path));
    expect({ status: response.status, code: answer.code, param: answer.param, paths: found }).toEqual({
      status,
      code: code ?? answer.code,
      param: param ?? answer.param,
      paths: paths === undefined ? found : new Set(paths),
    });
    expect(answer.error).toMatch(says ?? /\S/);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(await stored()).toEqual(before);
  });
});

describe('refused event by event, never queued', () => {
  const DAY = 86_400;
  test.each([
    ['too old for Meta', toMeta, { eventTime: now() - 8 * DAY }, 'event_too_old'],
    ['too old for Google', toGoogle, { eventTime: now() - 91 * DAY }, 'event_too_old'],
    ['too old for LinkedIn', toLinkedin, { eventTime: now() - 91 * DAY }, 'event_too_old'],
    ['an hour ahead, Meta', toMeta, { eventTime: now() + 3600 }, 'event_in_future'],
    ['an hour ahead, Google', toGoogle, { eventTime: now() + 3600 }, 'event_in_future'],
    ['an hour ahead, LinkedIn', toLinkedin, { eventTime: now() + 3600 }, 'event_in_future'],
    ['nobody to match, Meta', toMeta, { user: { country: 'DE', city: 'Kiel' } }, 'no_match_keys'],
    ['nobody to match, Google', toGoogle, { user: { city: 'Kiel' } }, 'no_match_keys'],
    ['nobody to match, LinkedIn', toLinkedin, { user: { phone: '+49 30 23125 816' } }, 'no_match_keys'],
    ['an unknown currency, Meta', toMeta, { value: 5, currency: 'EURO' }, 'currency_invalid'],
    ['an unknown currency, Google', toGoogle, { value: 5, currency: 'XQX' }, 'currency_invalid'],
    ['an unknown currency, LinkedIn', toLinkedin, { value: 5, currency: '€' }, 'currency_invalid'],
    ['a purchase without money, Meta', toMeta, { eventName: 'Purchase' }, 'value_missing'],
    ['a value without currency, LinkedIn', toLinkedin, { value: 5 }, 'currency_missing'],
    ['an app event, Meta', toMeta, { actionSource: 'app' }, 'action_source_unsupported'],
  ] as const)('%s', async (_name, to, changes, code) => {
    await relay.sandbox.reset();
    const [id] = freshIds('refused', 1);
    const before = await ledgers();
    const answer = await relay.send(to([anEvent(id!, changes)]));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ eventsReceived: 0, eventsFailed: 1, status: 'failed', failures: [{ eventIndex: 0, eventId: id, code, message: expect.stringMatching(/\S{3,}/) }] });
    const after = await ledgers();
    expect(after.map(({ refused: _refused, ...row }) => row)).toEqual(before.map(({ refused: _refused, ...row }) => row));
    expect(after.reduce((sum, { refused }) => sum + refused, 0)).toBe(before.reduce((sum, { refused }) => sum + refused, 0) + 1);
    expect(await relay.sandbox.accepted({ eventId: id! })).toMatchObject({ total: 0 });
    const event = await relay.call('GET', `/v1/events/${id}?accountId=${answer.body.platform === 'metaads' ? 'acc_meta' : answer.body.platform === 'googleads' ? 'acc_google' : 'acc_linkedin'}`);
    expect(event.body).toMatchObject({ eventId: id, status: 'refused', deliveries: [{ code }] });
  });
});

describe('callers that leave', () => {
  const headOf = (length: number): string => `POST /v1/ads/conversions HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${KEYS.full}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  const dial = async () => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(relay.url).port) });
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
    });
    return socket;
  };

  test('in the middle of the body queue nothing', async () => {
    const before = await stored();
    const raw = JSON.stringify(toMeta([anEvent(freshIds('half', 1)[0]!)]));
    const sockets = await Promise.all(Array.from({ length: 20 }, dial));
    for (const socket of sockets) socket.write(headOf(raw.length) + raw.slice(0, raw.length / 2));
    await waitFor(() => sockets.every(({ bytesWritten }) => bytesWritten > 100));
    for (const socket of sockets) socket.resetAndDestroy();
    expect((await relay.send(toMeta([anEvent(freshIds('whole', 1)[0]!)]))).body.status).toBe('delivered');
    const after = await stored();
    expect(after.ledgers[0]!.accepted).toBe(before.ledgers[0]!.accepted + 1);
  });

  test('while they wait have their events delivered all the same', async () => {
    await relay.sandbox.reset();
    await relay.sandbox.fault({ platform: 'meta', fault: { kind: 'latency', ms: 500 } });
    const ids = freshIds('gone', 10);
    const sockets = await Promise.all(
      ids.map(async (id) => {
        const raw = JSON.stringify(toMeta([anEvent(id)]));
        const socket = await dial();
        socket.write(headOf(raw.length) + raw);
        return socket;
      }),
    );
    await waitFor(async () => (await relay.ledger('metaads')).pending === 10, { everyMs: 10 });
    for (const socket of sockets) socket.destroy();
    await waitFor(async () => (await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).total === 10);
    expect(await relay.sandbox.accepted({ platform: 'meta', limit: 0 })).toMatchObject({ total: 10, duplicates: 0 });
    const left = () => relay.logged('http.answered').filter(({ status }) => status === 499);
    await waitFor(() => left().length >= 10);
  });

  test.each([
    ['no HTTP', 'HELLO\r\n\r\n', 400],
    ['a header without end', `GET / HTTP/1.1\r\nHost: relay\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST /v1/ads/conversions HTTP/1.1\r\nHost: relay\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ])('that speak %s are answered in the same shape', async (_name, raw, status) => {
    const socket = await dial();
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
    });
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
    socket.write(raw);
    await closed;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ type: 'invalid_request_error', code: expect.any(String) });
  });
});

describe('other routes', () => {
  test.each<[method: string, path: string, status: number, code: string, body?: unknown, key?: string]>([
    ['PUT', '/v1/ads/conversions', 405, 'method_not_allowed'],
    ['GET', '/v1/nowhere', 404, 'route_not_found'],
    ['GET', '/v1/deliveries/dlv_nobody', 404, 'delivery_not_found'],
    ['GET', '/v1/deliveries/..%2f..%2fadmin', 404, 'delivery_not_found'],
    ['GET', '/v1/deliveries/%E0%A4%A', 400, 'invalid_request'],
    ['GET', '/v1/events/nobody?accountId=acc_meta', 404, 'event_not_found'],
    ['GET', '/v1/events/nobody', 400, 'invalid_request'],
    ['GET', '/v1/ads/conversions?accountId=acc_meta&limit=0', 400, 'invalid_request'],
    ['GET', '/v1/ads/conversions?accountId=acc_meta&limit=201', 400, 'invalid_request'],
    ['GET', '/v1/ads/conversions?accountId=acc_meta&cursor=nonsense', 400, 'invalid_cursor'],
    ['GET', '/v1/ads/conversions?accountId=acc_meta&status=done', 400, 'invalid_request'],
    ['GET', '/v1/ads/conversions?accountId=acc_google', 403, 'account_not_allowed', undefined, KEYS.bound],
    ['GET', '/v1/dead-letters?reason=bored', 400, 'invalid_request'],
    ['GET', '/v1/dead-letters/dl_nobody_0_metaads', 404, 'dead_letter_not_found'],
    ['POST', '/v1/dead-letters/dl_nobody_0_metaads/replay', 404, 'dead_letter_not_found'],
    ['POST', '/v1/dead-letters/dl_nobody_0_metaads/replay', 403, 'insufficient_scope', undefined, KEYS.bound],
    ['POST', '/v1/dead-letters/replay', 400, 'invalid_request', { ids: [] }],
    ['POST', '/v1/dead-letters/replay', 400, 'invalid_request', { acountId: 'acc_meta' }],
    ['PATCH', '/v1/admin/accounts/acc_nobody', 404, 'account_not_found', { metadata: {} }],
    ['PATCH', '/v1/admin/accounts/acc_meta', 400, 'invalid_request', {}],
    ['PATCH', '/v1/admin/accounts/acc_meta', 400, 'invalid_request', { credentials: { accessToken: '' } }],
    ['POST', '/v1/admin/accounts', 409, 'conflict', { id: 'acc_meta', platform: 'metaads', credentials: { accessToken: 'x' } }],
    ['GET', '/v1/admin/accounts', 403, 'insufficient_scope', undefined, KEYS.bound],
  ])('%s %s: %i %s', async (method, path, status, code, sent, key) => {
    const answer = await relay.call(method, path, { body: sent, ...(key === undefined ? {} : { key }) });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('allow') ?? '').toMatch(status === 405 ? /POST/ : /^$/);
  });
});

describe('through all of it', () => {
  afterEach(() => relay.sandbox.reset());

  test('the api serves, every platform still takes events, and nothing was logged as a fault', async () => {
    const bodies: SendBody[] = [toMeta([anEvent(freshIds('still', 1)[0]!)]), toGoogle([anEvent(freshIds('still', 1)[0]!)]), toLinkedin([anEvent(freshIds('still', 1)[0]!)])];
    for (const one of bodies) expect((await relay.send(one)).body.status).toBe('delivered');
    await expect.poll(() => relay.books()).toEqual(BALANCED);
    expect(relay.logs().filter(({ text: line }) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });
});
