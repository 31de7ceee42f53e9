import { describe, expect, it } from 'vitest';
import { T0 } from '../testing/fake-accounts.ts';
import { anApiKey } from '../testing/fake-api-keys.ts';
import { openApi } from '../testing/open-api.ts';

const ACCOUNTS = '/v1/admin/accounts';
const KEYS = '/v1/admin/api-keys';

describe('accounts', () => {
  it('are listed and shown without their credentials', async () => {
    await using api = await openApi();
    api.accounts.held.set('acc_meta', 4);
    const list = await api.call('GET', ACCOUNTS);
    expect(list.status).toBe(200);
    expect(list.text).not.toContain('planted-token');
    const one = await api.call('GET', `${ACCOUNTS}/acc_meta`);
    expect(one.body).toEqual({ id: 'acc_meta', platform: 'metaads', metadata: {}, status: 'active', heldEvents: 4, createdAt: new Date(T0).toISOString(), updatedAt: new Date(T0).toISOString() });
    expect(list.body['accounts']).toContainEqual(one.body);
  });

  it('are kept to the binding of the key', async () => {
    await using api = await openApi();
    expect((await api.call('GET', ACCOUNTS, { as: 'shop' })).body['accounts']).toHaveLength(1);
    expect((await api.call('GET', `${ACCOUNTS}/acc_other`, { as: 'shop' })).status).toBe(403);
    expect((await api.call('GET', `${ACCOUNTS}/acc_nowhere`, { as: 'shop' })).status).toBe(403);
    expect((await api.call('GET', `${ACCOUNTS}/acc_nowhere`)).status).toBe(404);
    expect((await api.call('POST', ACCOUNTS, { body: { platform: 'metaads', credentials: { accessToken: 'x' } }, as: 'shop' })).status).toBe(403);
    expect((await api.call('GET', ACCOUNTS, { as: 'reader' })).body['code']).toBe('insufficient_scope');
  });

  it('are made, with an id of their own where none is given', async () => {
    await using api = await openApi();
    const body = { id: 'acc_new', platform: 'linkedinads', credentials: { accessToken: 'planted-new', unknown: 1 }, metadata: { shop: 'A' } };
    const reply = await api.call('POST', ACCOUNTS, { body });
    expect(reply.status).toBe(201);
    expect(reply.headers['location']).toBe('/v1/admin/accounts/acc_new');
    expect(reply.body).toMatchObject({ id: 'acc_new', platform: 'linkedinads', metadata: { shop: 'A' }, status: 'active', heldEvents: 0 });
    expect(reply.text).not.toContain('planted-new');
    expect(api.accounts.rows.get('acc_new')?.credentials).toEqual({ accessToken: 'planted-new' });
    const again = await api.call('POST', ACCOUNTS, { body });
    expect(again).toMatchObject({ status: 409, body: { type: 'invalid_request_error', code: 'conflict', param: 'id' } });
    const made = await api.call('POST', ACCOUNTS, { body: { platform: 'metaads', credentials: { accessToken: 'x' } } });
    expect(made.body['id']).toMatch(/^acc_[0-9a-f]{18}$/);
  });

  it('are taken as they are on a platform that is not served yet', async () => {
    await using api = await openApi();
    expect((await api.call('POST', ACCOUNTS, { body: { id: 'acc_wa2', platform: 'whatsapp', credentials: { accessToken: 'x', extra: 1 } } })).status).toBe(201);
    expect(api.accounts.rows.get('acc_wa2')?.credentials).toEqual({ accessToken: 'x', extra: 1 });
  });

  it.each([
    [{ platform: 'metaads', credentials: { accessToken: 5 } }, 400, 'credentials.accessToken'],
    [{ platform: 'metaads', credentials: {} }, 400, 'credentials.accessToken'],
    [{ platform: 'metaads' }, 400, 'credentials'],
    [{ platform: 'myspace', credentials: {} }, 400, 'platform'],
    [{ platform: 'metaads', credentials: { accessToken: 'x' }, id: 'a:b' }, 400, 'id'],
    [{ platform: 'metaads', credentials: { accessToken: 'x' }, status: 'active' }, 400, 'status'],
  ])('are refused as %j', async (body, status, param) => {
    await using api = await openApi();
    const reply = await api.call('POST', ACCOUNTS, { body });
    expect(reply.status).toBe(status);
    expect(reply.body['param']).toBe(param);
  });

  it('are changed: credentials replaced, metadata merged, held events released', async () => {
    await using api = await openApi();
    api.accounts.held.set('acc_meta', 4);
    await api.call('PATCH', `${ACCOUNTS}/acc_meta`, { body: { metadata: { a: 1, b: 2 } } });
    const reply = await api.call('PATCH', `${ACCOUNTS}/acc_meta`, { body: { credentials: { accessToken: 'planted-next' }, metadata: { b: null } } });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ id: 'acc_meta', metadata: { a: 1 }, releasedEvents: 4, heldEvents: 0, status: 'active' });
    expect(reply.text).not.toContain('planted-next');
    expect((await api.call('PATCH', `${ACCOUNTS}/acc_meta`, { body: { status: 'disabled' } })).body['status']).toBe('disabled');
  });

  it.each([
    [{ token: 'x' }, 400, 'token'],
    [{}, 400, undefined],
    [{ status: 'needs_reconnect' }, 400, 'status'],
    [{ credentials: { accessToken: '' } }, 400, 'credentials.accessToken'],
  ])('are not changed by %j', async (body, status, param) => {
    await using api = await openApi();
    const reply = await api.call('PATCH', `${ACCOUNTS}/acc_meta`, { body });
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ code: 'invalid_request' });
    expect(reply.body['param']).toBe(param);
  });

  it('are removed, unless events are waiting', async () => {
    await using api = await openApi();
    expect((await api.call('PATCH', `${ACCOUNTS}/acc_nowhere`, { body: { status: 'active' } })).status).toBe(404);
    expect((await api.call('DELETE', `${ACCOUNTS}/acc_other`)).status).toBe(204);
    expect((await api.call('DELETE', `${ACCOUNTS}/acc_other`)).status).toBe(404);
    api.accounts.held.set('acc_meta', 1);
    expect(await api.call('DELETE', `${ACCOUNTS}/acc_meta`)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });
});

describe('API keys', () => {
  it('are made, and show the key once', async () => {
    await using api = await openApi();
    const reply = await api.call('POST', KEYS, { body: { name: 'shop', scopes: ['send', 'send'], accounts: ['acc_meta', '*'] } });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ id: 'key_made_1', name: 'shop', scopes: ['send'], accounts: ['*'], lastUsedAt: null, key: 'rk_key_made_1' });
    expect((await api.call('GET', `${KEYS}/key_made_1`)).body).not.toHaveProperty('key');
    expect((await api.call('GET', KEYS)).text).not.toContain('rk_');
    expect(api.lines.join('')).not.toContain('rk_');
  });

  it.each([
    [{ scopes: ['send'], accounts: ['*'] }, 'name'],
    [{ name: 'a', scopes: [], accounts: ['*'] }, 'scopes'],
    [{ name: 'a', scopes: ['root'], accounts: ['*'] }, 'scopes[0]'],
    [{ name: 'a', scopes: ['send'], accounts: [] }, 'accounts'],
    [{ name: 'a', scopes: ['send'], accounts: ['*'], key: 'rk_x' }, 'key'],
  ])('are refused as %j', async (body, param) => {
    await using api = await openApi();
    expect(await api.call('POST', KEYS, { body })).toMatchObject({ status: 400, body: { param } });
  });

  it('of a bound caller stay within its binding', async () => {
    await using api = await openApi();
    expect(await api.call('POST', KEYS, { body: { name: 'a', scopes: ['send'], accounts: ['*'] }, as: 'shop' })).toMatchObject({ status: 403, body: { code: 'account_not_allowed' } });
    expect((await api.call('POST', KEYS, { body: { name: 'a', scopes: ['send'], accounts: ['acc_meta'] }, as: 'shop' })).status).toBe(201);
    const listed = (await api.call('GET', KEYS, { as: 'shop' })).body['apiKeys'] as { id: string }[];
    expect(listed.map((apiKey) => apiKey.id)).toEqual(['shop', 'key_made_1']);
    expect((await api.call('GET', `${KEYS}/root`, { as: 'shop' })).status).toBe(404);
    expect((await api.call('DELETE', `${KEYS}/root`, { as: 'shop' })).status).toBe(404);
    expect((await api.call('PATCH', `${KEYS}/shop`, { body: { accounts: ['*'] }, as: 'shop' })).status).toBe(403);
  });

  it('are changed and removed', async () => {
    await using api = await openApi();
    const patched = await api.call('PATCH', `${KEYS}/sender`, { body: { scopes: ['read'], accounts: ['acc_meta'] } });
    expect(patched).toMatchObject({ status: 200, body: { id: 'sender', name: 'sender', scopes: ['read'], accounts: ['acc_meta'] } });
    expect(await api.call('PATCH', `${KEYS}/sender`, { body: { scope: 'read' } })).toMatchObject({ status: 400, body: { param: 'scope' } });
    expect((await api.call('PATCH', `${KEYS}/nobody`, { body: { name: 'x' } })).body['code']).toBe('api_key_not_found');
    expect((await api.call('DELETE', `${KEYS}/sender`)).status).toBe(204);
    expect((await api.call('DELETE', `${KEYS}/sender`)).status).toBe(404);
  });

  it('keep the last that can manage everything', async () => {
    await using api = await openApi();
    expect(await api.call('DELETE', `${KEYS}/root`)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await api.call('PATCH', `${KEYS}/root`, { body: { scopes: ['send'] } })).status).toBe(409);
    expect((await api.call('PATCH', `${KEYS}/root`, { body: { accounts: ['acc_meta'] } })).status).toBe(409);
    expect((await api.call('PATCH', `${KEYS}/root`, { body: { name: 'renamed' } })).status).toBe(200);
    api.apiKeys.rows.set('second', anApiKey({ id: 'second' }));
    expect((await api.call('DELETE', `${KEYS}/root`)).status).toBe(204);
  });
});
