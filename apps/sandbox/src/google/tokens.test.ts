import { beforeEach, describe, expect, it } from 'vitest';
import { SEED } from '../seed.ts';
import { aRequest, aStage, aToken, detail, ingest, postToken, refreshForm, status } from './testkit.ts';
import type { ErrorBody, Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

describe('the token endpoint', () => {
  it('answers a refresh', async () => {
    const reply = await postToken(stage, refreshForm());
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toEqual({
      access_token: expect.stringMatching(/^ya29\.sandbox-/),
      expires_in: 3599,
      scope: 'https://www.googleapis.com/auth/adwords https://www.googleapis.com/auth/datamanager',
      token_type: 'Bearer',
    });
  });

  const refusals: readonly (readonly [string, Readonly<Record<string, string>>, number, string])[] = [
    ['an unknown client', { client_id: 'x' }, 401, 'invalid_client'],
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client'],
    ['an unknown refresh token', { refresh_token: 'x' }, 400, 'invalid_grant'],
    ['another grant type', { grant_type: 'authorization_code' }, 400, 'unsupported_grant_type'],
    ['a missing field', { refresh_token: '' }, 400, 'invalid_request'],
  ];
  it.each(refusals)('refuses %s', async (_name, change, code, error) => {
    const reply = await postToken(stage, refreshForm(change));
    expect(reply.statusCode).toBe(code);
    expect(reply.json()).toMatchObject({ error });
  });

  it.each(['revoked', 'expired'] as const)('answers invalid_grant for a %s grant', async (state) => {
    stage.tokens.set(SEED.google.refreshToken, state);
    const reply = await postToken(stage, refreshForm());
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toEqual({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' });
  });

  it('takes form-encoded bodies only', async () => {
    expect((await postToken(stage, '{}', 'application/json')).json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('access tokens', () => {
  async function answer(token: string): Promise<{ code: number; reason: unknown; error: ErrorBody['error'] }> {
    const reply = await ingest(stage, aRequest(), token);
    const body = reply.json<ErrorBody>();
    return { code: reply.statusCode, reason: detail(body, 'ErrorInfo')?.['reason'], error: body.error };
  }

  it('must have been issued', async () => {
    expect(await answer('ya29.made-up')).toMatchObject({ code: 401, reason: 'ACCESS_TOKEN_TYPE_UNSUPPORTED', error: { status: 'UNAUTHENTICATED' } });
    const bare = await stage.app.inject({ method: 'POST', url: '/google/datamanager/v1/events:ingest', body: {} });
    expect(bare.statusCode).toBe(401);
    expect(detail(bare.json<ErrorBody>(), 'ErrorInfo')).toMatchObject({ reason: 'CREDENTIALS_MISSING' });
  });

  it('end with their lifetime', async () => {
    stage.switches.set('google.tokenLifetimeSeconds', 10);
    const token = await aToken(stage);
    stage.clock.nowMs += 9_000;
    expect((await ingest(stage, aRequest(), token)).statusCode).toBe(200);
    stage.clock.nowMs += 1_000;
    expect(await answer(token)).toMatchObject({ code: 401, reason: 'ACCESS_TOKEN_EXPIRED' });
  });

  it('end with their grant unless switched off', async () => {
    const token = await aToken(stage);
    stage.tokens.set(SEED.google.refreshToken, 'revoked');
    expect((await answer(token)).code).toBe(401);
    stage.switches.set('google.revokeEndsAccessTokens', false);
    expect((await ingest(stage, aRequest(), token)).statusCode).toBe(200);
  });

  it('without the Data Manager scope are refused with 403', async () => {
    stage.tokens.set(SEED.google.refreshToken, 'no_scope');
    const token = await aToken(stage);
    expect(await answer(token)).toMatchObject({ code: 403, reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', error: { status: 'PERMISSION_DENIED' } });
  });

  it.each([
    ['expired', 401],
    ['revoked', 401],
    ['no_scope', 403],
  ] as const)('can be scripted one by one: %s', async (state, code) => {
    const token = await aToken(stage);
    stage.tokens.set(token, state);
    expect((await answer(token)).code).toBe(code);
  });

  it('are refused while the API is not enabled', async () => {
    stage.switches.set('google.serviceEnabled', false);
    const token = await aToken(stage);
    const { code, reason, error } = await answer(token);
    expect({ code, reason }).toEqual({ code: 403, reason: 'SERVICE_DISABLED' });
    expect(Object.keys((detail({ error }, 'ErrorInfo') as { metadata: object }).metadata)).toEqual(['consumer', 'service', 'serviceTitle', 'containerInfo', 'activationUrl']);
    expect(detail({ error }, 'Help')).toBeDefined();
    expect((await status(stage, 'x', token)).statusCode).toBe(403);
  });

  it('are forgotten on reset', async () => {
    const token = await aToken(stage);
    stage.reset();
    expect((await answer(token)).code).toBe(401);
  });
});

it('ignores a stray developer token header', async () => {
  const token = await aToken(stage);
  const headers = { authorization: `Bearer ${token}`, 'developer-token': 'x', 'content-type': 'application/json' };
  const reply = await stage.app.inject({ method: 'POST', url: '/google/datamanager/v1/events:ingest', headers, body: JSON.stringify(aRequest()) });
  expect(reply.statusCode).toBe(200);
});

it('answers unknown paths in JSON', async () => {
  const reply = await stage.app.inject({ method: 'GET', url: '/google/nope' });
  expect(reply.statusCode).toBe(404);
  expect(reply.json<Json>()).toEqual({ error: { code: 404, message: 'Requested entity was not found.', status: 'NOT_FOUND' } });
});
