import { beforeEach, describe, expect, it } from 'vitest';
import { SEED } from '../seed.ts';
import { aStage, anEvent, post, postToken, refreshForm } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

async function issued(): Promise<string> {
  return String((await postToken(stage, refreshForm())).json<Json>()['access_token']);
}

async function answer(token: string | undefined) {
  const reply = await post(stage, anEvent(), { authorization: token === undefined ? undefined : `Bearer ${token}` });
  return { status: reply.statusCode, body: reply.body === '' ? undefined : reply.json<Json>() };
}

describe('the token endpoint', () => {
  it('answers a refresh with both tokens', async () => {
    const reply = await postToken(stage, refreshForm());
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toEqual({
      access_token: expect.stringMatching(/^sandbox-li-/),
      expires_in: 5_184_000,
      refresh_token: SEED.linkedin.refreshToken,
      refresh_token_expires_in: 31_536_000,
      scope: 'r_ads,r_ads_reporting,rw_conversions',
    });
  });

  const refusals: readonly (readonly [string, Readonly<Record<string, string>>, number, string])[] = [
    ['an unknown client', { client_id: 'x' }, 401, 'invalid_client'],
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client'],
    ['an unknown refresh token', { refresh_token: 'x' }, 400, 'invalid_grant'],
    ['another grant type', { grant_type: 'authorization_code' }, 400, 'unsupported_grant_type'],
    ['a missing field', { client_id: '' }, 400, 'invalid_request'],
  ];
  it.each(refusals)('refuses %s', async (_name, change, status, error) => {
    const reply = await postToken(stage, refreshForm(change));
    expect(reply.statusCode).toBe(status);
    expect(reply.json()).toMatchObject({ error, error_description: expect.any(String) });
  });

  it.each(['revoked', 'expired'] as const)('refuses a %s refresh token, under either code', async (state) => {
    stage.tokens.set(SEED.linkedin.refreshToken, state);
    expect((await postToken(stage, refreshForm())).json()).toEqual({ error: 'invalid_grant', error_description: `The provided refresh token is ${state}` });
    stage.switches.set('linkedin.deadRefreshError', 'invalid_request');
    expect((await postToken(stage, refreshForm())).json()).toMatchObject({ error: 'invalid_request' });
  });

  it('takes form-encoded bodies only', async () => {
    expect((await postToken(stage, '{}', 'application/json')).json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('access tokens', () => {
  const invalid = { status: 401, serviceErrorCode: 65600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' };

  it.each([
    ['missing', undefined, { status: 401, code: 'EMPTY_ACCESS_TOKEN' }],
    ['unknown', 'made-up', invalid],
    ['without the scope', SEED.linkedin.accessTokenWithoutScope, { status: 403, code: 'USER_NOT_AUTHORIZED' }],
  ])('%s', async (_name, token, body) => {
    expect(await answer(token)).toMatchObject({ status: body.status, body });
  });

  it.each([
    ['revoked', { status: 401, serviceErrorCode: 65601, code: 'REVOKED_ACCESS_TOKEN', message: 'The token used in the request has been revoked by the user' }],
    ['expired', { status: 401, serviceErrorCode: 65602, code: 'EXPIRED_ACCESS_TOKEN' }],
    ['no_scope', { status: 403, code: 'USER_NOT_AUTHORIZED' }],
  ] as const)('scripted as %s', async (state, body) => {
    stage.tokens.set(SEED.linkedin.accessToken, state);
    expect(await answer(SEED.linkedin.accessToken)).toMatchObject({ status: body.status, body });
    expect(stage.accepted).toEqual([]);
  });

  it('unconfirmed codes can be switched', async () => {
    stage.switches.set('linkedin.forbiddenCode', 'ACCESS_DENIED').set('linkedin.expiredServiceErrorCode', 65999);
    expect((await answer(SEED.linkedin.accessTokenWithoutScope)).body).toMatchObject({ code: 'ACCESS_DENIED', serviceErrorCode: 100 });
    stage.tokens.set(SEED.linkedin.accessToken, 'expired');
    expect((await answer(SEED.linkedin.accessToken)).body).toMatchObject({ serviceErrorCode: 65999 });
  });

  it('from the endpoint work until they expire or are forgotten', async () => {
    stage.switches.set('linkedin.tokenLifetimeSeconds', 10);
    const token = await issued();
    expect((await answer(token)).status).toBe(201);
    stage.clock.nowMs += 10_000;
    const late = anEvent();
    expect((await post(stage, late, { authorization: `Bearer ${token}` })).json()).toMatchObject({ code: 'EXPIRED_ACCESS_TOKEN' });
    stage.reset();
    expect((await answer(token)).body).toEqual(invalid);
  });

  it('from a grant without the scope lack it', async () => {
    stage.tokens.set(SEED.linkedin.refreshToken, 'no_scope');
    expect((await answer(await issued())).status).toBe(403);
  });
});

it('answers unknown paths in the envelope', async () => {
  const reply = await stage.app.inject({ method: 'GET', url: '/linkedin/rest/nope' });
  expect(reply.statusCode).toBe(404);
  expect(reply.json()).toMatchObject({ status: 404 });
});
