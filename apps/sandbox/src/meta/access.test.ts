import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { control, EVENTS_URL, events, metaSandbox, PIXEL, send } from './meta-testing.ts';

let app = metaSandbox();
beforeEach(() => {
  app = metaSandbox();
});
afterEach(() => app.close());

const body = { data: events(1) };
const TOKEN = 'sandbox-meta-token';

describe('tokens', () => {
  it('takes the token from the query, the body or the header', async () => {
    expect((await send(app, body, { token: '', url: `${EVENTS_URL}?access_token=${TOKEN}` })).status).toBe(200);
    expect((await send(app, { ...body, access_token: TOKEN }, { token: '' })).status).toBe(200);
    expect((await send(app, body)).status).toBe(200);
  });

  it.each([['none', ''], ['unknown', 'EAAwrong']])('%s is 401, code 190', async (_title, token) => {
    const { status, json } = await send(app, body, { token });
    expect(status).toBe(401);
    expect(json.error).toEqual({
      message: 'Invalid OAuth access token - Cannot parse access token',
      type: 'OAuthException',
      code: 190,
      fbtrace_id: expect.any(String),
    });
  });

  it.each<[string, object, number, object]>([
    ['expired', {}, 400, { code: 190, error_subcode: 463 }],
    ['revoked', {}, 400, { code: 190, error_subcode: 460 }],
    ['expired', { 'meta.tokenErrorStatus': 500 }, 500, { code: 190, error_subcode: 463 }],
    ['no_scope', {}, 403, { code: 200, type: 'OAuthException' }],
    ['no_scope', { 'meta.permissionCode': 10 }, 403, { code: 10 }],
  ])('%s with %o', async (state, switches, status, error) => {
    await control(app, 'PUT', 'tokens', { platform: 'meta', token: TOKEN, state });
    await control(app, 'PUT', 'switches', switches);
    const reply = await send(app, body);
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatchObject(error);
  });

  it('a revoked token may come without a subcode', async () => {
    await control(app, 'PUT', 'tokens', { platform: 'meta', token: TOKEN, state: 'revoked' });
    await control(app, 'PUT', 'switches', { 'meta.revokedSubcode': 0 });
    expect((await send(app, body)).json.error).not.toHaveProperty('error_subcode');
  });

  it('a new token can be made valid, and unset again', async () => {
    await control(app, 'PUT', 'tokens', { platform: 'meta', token: 'EAAnew', state: 'valid' });
    expect((await send(app, body, { token: 'EAAnew' })).status).toBe(200);
    await control(app, 'PUT', 'tokens', { platform: 'meta', token: 'EAAnew', state: 'unset' });
    expect((await send(app, body, { token: 'EAAnew' })).status).toBe(401);
  });
});

describe('appsecret_proof', () => {
  // Vector of the fact file: HMAC-SHA256 keyed with the app secret over the token.
  const secret = 'app-secret-0123456789abcdef';
  const token = 'EAATESTTOKEN123';
  const proof = '7138e864a7ed8b419ac5384a6c3103b095f9c9d7d49fd1d8bfdec4e255e027eb';
  beforeEach(async () => {
    await control(app, 'PUT', 'tokens', { platform: 'meta', token, state: 'valid' });
    await control(app, 'PUT', 'switches', { 'meta.appSecret': secret });
  });

  it('passes when right, in the query or the body', async () => {
    expect((await send(app, body, { token, url: `${EVENTS_URL}?appsecret_proof=${proof}` })).status).toBe(200);
    expect((await send(app, { ...body, appsecret_proof: proof }, { token })).status).toBe(200);
  });

  it.each([
    ['wrong', '?appsecret_proof=00', 'Invalid appsecret_proof provided in the API argument'],
    ['missing', '', 'API calls from the server require an appsecret_proof argument'],
  ])('%s is a GraphMethodException', async (_title, query, message) => {
    const { status, json } = await send(app, body, { token, url: `${EVENTS_URL}${query}` });
    expect(status).toBe(400);
    expect(json.error).toEqual({ message, type: 'GraphMethodException', code: 100, fbtrace_id: expect.any(String) });
  });

  it('may be left out where the app does not enforce it', async () => {
    await control(app, 'PUT', 'switches', { 'meta.requireProof': false });
    expect((await send(app, body, { token })).status).toBe(200);
  });
});

describe('paths', () => {
  it.each<[string, string, number, object]>([
    ['unknown dataset', '/meta/v25.0/999/events', 400, { code: 100, error_subcode: 33, type: 'GraphMethodException' }],
    ['alias for a dataset', '/meta/v25.0/my-pixel/events', 404, { code: 803 }],
    ['deprecated version', `/meta/v19.0/${PIXEL}/events`, 400, { code: 2635 }],
    ['no version', `/meta/${PIXEL}/events`, 400, { code: 2635 }],
    ['unknown version', `/meta/v99.0/${PIXEL}/events`, 400, { code: 2500, message: 'Unknown path components: /v99.0' }],
    ['unknown edge', `/meta/v25.0/${PIXEL}/dataset_quality`, 400, { code: 2500, message: 'Unknown path components: /dataset_quality' }],
    ['no edge', `/meta/v25.0/${PIXEL}`, 400, { code: 100, error_subcode: 33 }],
  ])('%s', async (_title, url, status, error) => {
    const reply = await send(app, body, { url });
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatchObject(error);
  });

  it('knows only POST on the edge', async () => {
    const reply = await app.inject({ method: 'GET', url: EVENTS_URL });
    expect(reply.statusCode).toBe(400);
    expect(reply.json().error).toMatchObject({ code: 100, error_subcode: 33 });
  });

  it('takes more datasets and versions by switch', async () => {
    await control(app, 'PUT', 'switches', { 'meta.pixels': '77,78', 'meta.versions': 'v25.0,v27.0' });
    expect((await send(app, body, { url: '/meta/v27.0/78/events' })).status).toBe(200);
    expect((await send(app, body, { url: '/meta/v26.0/78/events' })).json.error.code).toBe(2500);
  });

  it('asks the token before the dataset, and the dataset before the data', async () => {
    expect((await send(app, {}, { url: '/meta/v25.0/999/events', token: 'x' })).json.error.code).toBe(190);
    expect((await send(app, {}, { url: '/meta/v25.0/999/events' })).json.error.error_subcode).toBe(33);
  });
});
