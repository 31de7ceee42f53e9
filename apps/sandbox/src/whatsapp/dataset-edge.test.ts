import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { control, metaSandbox } from '../meta/meta-testing.ts';
import { aDataset, edge, TOKEN, WABA } from './whatsapp-testing.ts';

let app = metaSandbox();
beforeEach(() => {
  app = metaSandbox();
});
afterEach(() => app.close());

const switches = (values: object) => control(app, 'PUT', 'switches', values);

it('is empty first, then holds the one that was created', async () => {
  expect(await edge(app, 'GET')).toEqual({ status: 200, json: { data: [] } });
  const created = await edge(app, 'POST');
  expect(created).toEqual({ status: 200, json: { id: expect.stringMatching(/^\d{16}$/) } });
  expect((await edge(app, 'GET')).json.data).toEqual([{ id: created.json.id, name: expect.any(String) }]);
});

it('creates once, however many ask', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => aDataset(app)));
  expect(new Set(ids).size).toBe(1);
});

it('gives every account its own', async () => {
  await switches({ 'meta.wabas': '2000000000000002, 2000000000000003' });
  const second = await edge(app, 'POST', { waba: '2000000000000002' });
  expect(second.json.id).not.toBe(await aDataset(app));
  expect((await edge(app, 'GET', { waba: '2000000000000003' })).json).toEqual({ data: [] });
});

it('may answer bare', async () => {
  await switches({ 'meta.bareDataset': true });
  expect((await edge(app, 'GET')).json).toEqual({ data: [] });
  const id = await aDataset(app);
  expect((await edge(app, 'GET')).json).toEqual({ id });
});

it('takes the token in a JSON body, as the other calls do', async () => {
  const reply = await app.inject({ method: 'POST', url: `/meta/v25.0/${WABA}/dataset`, payload: { access_token: TOKEN } });
  expect(reply.statusCode).toBe(200);
});

describe('refuses', () => {
  it.each<[string, 'GET' | 'POST', object, object, number, object]>([
    ['an unverified business', 'POST', { 'meta.unverifiedBusiness': true }, {}, 400, { code: 100, message: '(#100) Invalid parameter' }],
    ['a missing permission', 'GET', { 'meta.noManageEvents': true }, {}, 403, { code: 200, type: 'OAuthException' }],
    ['a missing permission, by its other code', 'POST', { 'meta.noManageEvents': true, 'meta.permissionCode': 10 }, {}, 403, { code: 10 }],
    ['an unknown account', 'GET', {}, { waba: '2999' }, 400, { code: 100, error_subcode: 33 }],
    ['an alias', 'POST', {}, { waba: 'my-account' }, 404, { code: 803 }],
    ['an unknown token', 'GET', {}, { token: 'x' }, 401, { code: 190 }],
    ['an old version', 'GET', {}, { version: 'v19.0' }, 400, { code: 2635 }],
    ['a missing proof', 'GET', { 'meta.appSecret': 's' }, {}, 400, { code: 100, type: 'GraphMethodException' }],
  ])('%s', async (_title, method, values, over, status, error) => {
    await switches(values);
    const reply = await edge(app, method, over);
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatchObject(error);
  });

  it('an unverified business only what it would create', async () => {
    await switches({ 'meta.unverifiedBusiness': true });
    expect((await edge(app, 'GET')).json).toEqual({ data: [] });
  });

  it.each(['expired', 'revoked', 'no_scope'])('a token that is %s', async (state) => {
    await control(app, 'PUT', 'tokens', { platform: 'meta', token: TOKEN, state });
    expect((await edge(app, 'POST')).status).toBeGreaterThanOrEqual(400);
  });

  it('other methods', async () => {
    const reply = await app.inject({ method: 'DELETE', url: `/meta/v25.0/${WABA}/dataset`, headers: { authorization: `Bearer ${TOKEN}` } });
    expect(reply.json().error).toMatchObject({ code: 100, error_subcode: 33 });
  });
});

it('is throttled by a fault that names the account', async () => {
  await control(app, 'POST', 'faults', { platform: 'meta', match: { destinationId: WABA, path: '/dataset' }, times: 1, fault: { kind: 'rate_limit', variant: '80008', regainMinutes: 3 } });
  expect((await edge(app, 'GET')).json.error).toMatchObject({ code: 80008 });
  expect((await edge(app, 'GET')).status).toBe(200);
});

it('is noted', async () => {
  await aDataset(app);
  expect((await control(app, 'GET', 'requests?platform=meta')).json.requests).toMatchObject([{ route: '/meta/:version/:datasetId/dataset', status: 200, events: 0 }]);
});
