import { SEED as SANDBOX } from '@relay/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, freshIds, PIXEL, PIXEL_2, toMeta } from '../../e2e/events.ts';
import { startRelay, type Answer, type Json, type Relay } from '../../e2e/harness.ts';

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly examples: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}
/** Ids by the name of the field they stand in; `id` by what the path is about. */
type Ids = Readonly<Record<string, string>>;

let relay: Relay;
let operations: readonly Operation[];
/** A key that may do everything, on one account of its own. */
let key: string;
let foreign: Ids;
/** What the foreign account's owner would not want to be seen. */
let needles: readonly string[];

/** Of the same shapes, of nobody. */
const NOBODY: Ids = {
  accountId: 'acc_nobody', deliveryId: 'dlv_0mwp8u7qenlrqoljwp99', eventId: 'nobody', conversationId: 'conv_nobody', destinationId: PIXEL_2,
  letter: 'dl_jmwp8u7suhtls0wsqtyy_0_metaads', account: 'acc_nobody', key: 'key_mwp8u7suhtls0wsqtyy',
};

beforeAll(async () => {
  relay = await startRelay();
  const must = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const answer = await relay.call(method, path, { body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  for (const id of ['acc_own', 'acc_own_wa']) {
    const whatsapp = id.endsWith('_wa');
    await must('POST', '/v1/admin/accounts', { id, platform: whatsapp ? 'whatsapp' : 'metaads', credentials: { accessToken: SANDBOX.meta.accessToken }, ...(whatsapp && { metadata: { wabaId: SANDBOX.meta.whatsapp.wabaId } }) });
  }
  key = (await must('POST', '/v1/admin/api-keys', { name: 'own', scopes: ['send', 'read', 'manage', 'admin'], accounts: ['acc_own', 'acc_own_wa'] })).key;
  const foreignKey = await must('POST', '/v1/admin/api-keys', { name: 'foreign key name', scopes: ['send'], accounts: ['acc_meta'] });
  await must('PATCH', '/v1/admin/accounts/acc_meta', { metadata: { note: 'foreign note' } });

  const [good, dead, replayed] = freshIds('foreign', 3);
  await relay.sandbox.poison('meta', [dead!, replayed!]);
  const { deliveryId } = (await relay.send(toMeta([anEvent(good!), anEvent(dead!)]))).body;
  await relay.send(toMeta([anEvent(replayed!)]));
  const letters = await relay.deadLetters('accountId=acc_meta');
  const letter = letters.find(({ eventIds }) => eventIds[0] === dead);
  await must('POST', `/v1/dead-letters/${letters.find(({ eventIds }) => eventIds[0] === replayed).id}/replay`);
  await must('PUT', '/v1/whatsapp/conversations/conv_foreign', { accountId: 'acc_wa', phoneE164: '40746123456', metadata: { ctwa_clid: 'foreign-clid' } });
  foreign = { accountId: 'acc_meta', deliveryId, eventId: good!, conversationId: 'conv_foreign', destinationId: PIXEL, letter: letter.id, account: 'acc_meta', key: foreignKey.id };
  needles = ['foreign key name', 'foreign note', 'foreign-clid', '40746123456', deliveryId, good!, dead!, replayed!, letter.id, foreignKey.id, PIXEL, 'acc_meta', 'acc_wa', 'acc_google'];
  operations = await readOperations();
});
afterAll(() => relay?.stop());

async function readOperations(): Promise<Operation[]> {
  const { paths } = (await relay.call('GET', '/openapi.json')).body;
  const keyed = Object.entries<Json>(paths).filter(([path]) => path.startsWith('/v1/'));
  return keyed.flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, { parameters = [], requestBody }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      query: parameters.filter((parameter: Json) => parameter.in === 'query' && (parameter.required === true || parameter.name === 'accountId')).map(({ name }: Json) => name),
      examples: Object.fromEntries(parameters.map((parameter: Json) => [parameter.name, parameter.example === undefined ? undefined : String(parameter.example)])),
      body: requestBody?.content?.['application/json']?.example,
    })),
  );
}

/** The id that an `id` of this path is one of. */
const idFor = (path: string, ids: Ids): string => ids[path.includes('dead-letters') ? 'letter' : path.includes('api-keys') ? 'key' : 'account']!;

function ask({ method, path, query, examples, body }: Operation, ids: Ids, mount = ''): Promise<Answer> {
  const valueOf = (name: string): string => (name === 'id' ? idFor(path, ids) : (ids[name] ?? examples[name] ?? 'x'));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(valueOf(name)));
  const search = query.map((name) => `${name}=${encodeURIComponent(valueOf(name))}`).join('&');
  return relay.call(method, `${mount}${filled}${search === '' ? '' : `?${search}`}`, { key, headers: { prefer: 'respond-async' }, ...(body === undefined ? {} : { body: ownedBy(path, body, ids) }) });
}

/** The documented example, about these ids. */
function ownedBy(path: string, body: unknown, ids: Ids): unknown {
  if (path === '/v1/admin/accounts') return { ...(body as object), id: ids['account'] };
  if (path.startsWith('/v1/admin/api-keys')) return { ...(body as object), accounts: [ids['account']] };
  if (path === '/v1/dead-letters/replay') return { ids: [ids['letter']] };
  const { accountId, conversationId } = body as Readonly<Record<string, unknown>>;
  return { ...(body as object), ...(accountId !== undefined && { accountId: ids['accountId'] }), ...(conversationId !== undefined && { conversationId: ids['conversationId'] }) };
}

const everything = async (): Promise<unknown> => {
  const accounts = (await relay.call('GET', '/v1/admin/accounts')).body.accounts as Json[];
  const keys = (await relay.call('GET', '/v1/admin/api-keys')).body.apiKeys as Json[];
  return {
    accounts: accounts.filter(({ id }) => !String(id).startsWith('acc_own')),
    keys: keys.map(({ lastUsedAt: _used, ...rest }) => rest),
    letters: await relay.deadLetters('limit=200'),
    conversations: (await relay.call('GET', '/v1/whatsapp/conversations?accountId=acc_wa')).body,
    ledgers: [await relay.ledger('metaads'), await relay.ledger('whatsapp')],
  };
};

/** Told from what an answer shows to its caller; not those of the caller's own ids that it repeats. */
const shown = (answer: Answer): string[] => needles.filter((needle) => answer.text.includes(needle));

describe('a key with every scope, bound to an account of its own', () => {
  // The client's base address ends with /api; both names lead to the same routes.
  test.each(['', '/api'])('gets nothing of another account by any operation under "%s/v1" and any id, cannot tell what exists, and changes nothing', async (mount) => {
    expect(operations.length).toBeGreaterThan(30);
    const before = await everything();
    const rows: unknown[] = [];
    for (const operation of operations) {
      const [there, nowhere] = [await ask(operation, foreign, mount), await ask(operation, NOBODY, mount)];
      const open = isListing(operation) ? [200] : [403, 404];
      rows.push({ name: operation.name, refused: open.includes(there.status), shown: shown(there), sameAsNobody: [there.status, there.body?.code].join() === [nowhere.status, nowhere.body?.code].join() });
    }
    expect(rows).toEqual(operations.map(({ name }) => ({ name, refused: true, shown: name === 'POST /v1/dead-letters/replay' ? [foreign['letter']] : [], sameAsNobody: true })));
    expect(await everything()).toEqual(before);
  });

  test('is told of no letter when it names one to be replayed', async () => {
    const answer = await relay.call('POST', '/v1/dead-letters/replay', { key, body: { ids: [foreign['letter'], NOBODY['letter']], force: true } });
    expect(answer.body).toMatchObject({ replayed: 0, refused: 2, events: 0, results: [{ why: 'There is no dead letter with this id.' }, { why: 'There is no dead letter with this id.' }] });
  });

  const isListing = ({ method, path }: Operation): boolean => (method === 'GET' && ['/v1/admin/accounts', '/v1/admin/api-keys'].includes(path)) || path === '/v1/dead-letters/replay';

  test('replays nothing of others without naming it', async () => {
    const before = await everything();
    for (const body of [{}, { platform: 'metaads' }, { reason: 'rejected', force: true }, { destinationId: PIXEL }]) {
      expect((await relay.call('POST', '/v1/dead-letters/replay', { key, body })).body).toMatchObject({ replayed: 0, events: 0 });
    }
    for (const query of ['', '?platform=metaads', `?destinationId=${PIXEL}`, '?limit=200&reason=rejected']) expect((await relay.call('GET', `/v1/dead-letters${query}`, { key })).body.deadLetters).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  test('with ids of others where its own account is named: they are unknown there', async () => {
    expect((await relay.call('GET', `/v1/events/${foreign['eventId']}?accountId=acc_own`, { key })).status).toBe(404);
    const send = await relay.call('POST', '/v1/whatsapp/conversions', { key, body: { accountId: 'acc_own_wa', eventName: 'LeadSubmitted', eventId: 'x', conversationId: 'conv_foreign' } });
    expect([send.status, send.body.code]).toEqual([404, 'conversation_not_found']);
    const byPhone = await relay.call('POST', '/v1/whatsapp/conversions', { key, body: { accountId: 'acc_own_wa', eventName: 'LeadSubmitted', eventId: 'x', phoneE164: '40746123456' } });
    expect([byPhone.status, byPhone.body.code]).toEqual([422, 'nothing_to_attribute']);
    expect((await relay.call('GET', '/v1/whatsapp/conversations?accountId=acc_own_wa', { key })).body.conversations).toEqual([]);
    // The ids of conversations are each account's own: that another has one cannot be found out.
    const own = await relay.call('PUT', '/v1/whatsapp/conversations/conv_foreign', { key, body: { accountId: 'acc_own_wa', phoneE164: '40700000000' } });
    expect([own.status, own.body.metadata]).toEqual([201, {}]);
  });

  test('cannot have the webhooks of others by naming their number or business account', async () => {
    const { wabaId, phoneNumberId } = SANDBOX.meta.whatsapp;
    await relay.call('PATCH', '/v1/admin/accounts/acc_wa', { body: { metadata: { wabaId, phoneNumberId } } });
    await relay.call('PATCH', '/v1/admin/accounts/acc_own_wa', { body: { metadata: { wabaId: null } } });
    for (const metadata of [{ wabaId }, { phoneNumberId }, { wabaId: ` ${wabaId}` }, { phoneNumberId: Number(phoneNumberId) }]) {
      const answer = await relay.call('PATCH', '/v1/admin/accounts/acc_own_wa', { key, body: { metadata } });
      expect([answer.status, answer.body.code, shown(answer)]).toEqual([409, 'conflict', []]);
    }
    expect((await relay.call('PATCH', '/v1/admin/accounts/acc_own_wa', { key, body: { metadata: { wabaId: '2000000000000077', phoneNumberId: '3000000000000077' } } })).status).toBe(200);
    // Whoever may use both may let them share one.
    expect((await relay.call('PATCH', '/v1/admin/accounts/acc_own_wa', { body: { metadata: { wabaId } } })).status).toBe(200);
  });

  test("another key's Idempotency-Key is another key", async () => {
    const headers = { 'idempotency-key': 'the-same-for-both' };
    const theirs = await relay.call('POST', '/v1/ads/conversions', { body: toMeta([anEvent(freshIds('idem', 1)[0]!)]), headers });
    const own = await relay.call('POST', '/v1/ads/conversions', { key, body: { accountId: 'acc_own', destinationId: PIXEL, events: [anEvent(freshIds('idem', 1)[0]!)] }, headers });
    expect([theirs.status, own.status]).toEqual([200, 200]);
    expect(own.headers.get('idempotent-replayed')).toBeNull();
    expect(own.body.deliveryId).not.toBe(theirs.body.deliveryId);
  });

  test('cannot widen itself', async () => {
    const own = ((await relay.call('GET', '/v1/admin/api-keys', { key })).body.apiKeys as Json[]).map(({ id }) => id as string);
    expect(own).toHaveLength(1);
    for (const accounts of [['*'], ['acc_own', 'acc_meta']]) {
      expect((await relay.call('PATCH', `/v1/admin/api-keys/${own[0]}`, { key, body: { accounts } })).status).toBe(403);
      expect((await relay.call('POST', '/v1/admin/api-keys', { key, body: { name: 'wider', scopes: ['admin'], accounts } })).status).toBe(403);
    }
    // The dashboard shows all accounts, so no API key opens it.
    expect((await fetch(`${relay.url}/admin/queues`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);
  });
});
