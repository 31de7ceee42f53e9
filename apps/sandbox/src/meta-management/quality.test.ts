import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { buildSandbox } from '../build-sandbox.ts';
import { metaEmulator } from '../meta/index.ts';
import { SEED } from '../seed.ts';
import { metaManagementEmulator } from './index.ts';

let app: FastifyInstance;
beforeEach(() => {
  app = buildSandbox({ emulators: [metaEmulator(), metaManagementEmulator()], logLevel: 'silent' }).app;
});
afterEach(() => app.close());

const TOKEN = SEED.meta.accessToken;
const FIELDS = 'web{event_name,event_match_quality{composite_score,match_key_feedback{identifier,coverage{percentage}}},event_coverage{percentage,goal_percentage}}';

async function quality(query: Record<string, string>, path = 'dataset_quality') {
  const reply = await app.inject({ url: `/meta/v25.0/${path}?${new URLSearchParams(query).toString()}`, headers: { authorization: `Bearer ${TOKEN}` } });
  return { status: reply.statusCode, json: reply.json() };
}

const control = async (path: string, payload: object) => app.inject({ method: 'PUT', url: `/_control/${path}`, payload });
const [FIRST, SECOND, THIRD] = SEED.meta.pixels;

describe('dataset quality', () => {
  it('answers one entry per event, in any state of fullness', async () => {
    expect((await quality({ dataset_id: FIRST, fields: FIELDS })).json).toEqual({
      web: [
        {
          event_name: 'Purchase',
          event_match_quality: {
            composite_score: 6.2,
            match_key_feedback: [
              { identifier: 'email', coverage: { percentage: 84.5 } },
              { identifier: 'ip_address', coverage: { percentage: 98 } },
              { identifier: 'user_agent', coverage: { percentage: 100 } },
              { identifier: 'external_id', coverage: { percentage: 41.25 } },
            ],
          },
          event_coverage: { percentage: 71.3, goal_percentage: 75 },
        },
        { event_name: 'Lead', event_match_quality: { composite_score: 4.9, match_key_feedback: [{ identifier: 'email', coverage: { percentage: 100 } }] } },
        { event_name: 'AddToCart', event_match_quality: { composite_score: 3 }, event_coverage: { percentage: 12 } },
        { event_name: 'ViewContent' },
      ],
    });
    expect((await quality({ dataset_id: SECOND, fields: FIELDS, agent_name: 'relay' })).json).toEqual({ web: [] });
    expect((await quality({ dataset_id: THIRD, fields: FIELDS })).json).toEqual({});
  });

  it('leaves sub-objects out on demand', async () => {
    await control('switches', { 'meta.qualityWithout': 'event_match_quality,goal_percentage' });
    expect((await quality({ dataset_id: FIRST, fields: FIELDS })).json.web[0]).toEqual({ event_name: 'Purchase', event_coverage: { percentage: 71.3 } });
  });

  it.each<[string, Record<string, string>, number, object]>([
    ['no dataset', { fields: FIELDS }, 400, { code: 100, message: '(#100) The parameter dataset_id is required' }],
    ['an unknown dataset', { dataset_id: '42', fields: FIELDS }, 400, { code: 2044055 }],
    ['the misspelt field', { dataset_id: FIRST, fields: 'web{dedup_key_feedback}' }, 400, { code: 100 }],
    ['an unknown field deep down', { dataset_id: FIRST, fields: 'web{event_match_quality{score}}' }, 400, { code: 100 }],
  ])('refuses %s', async (_name, query, status, error) => {
    const reply = await quality(query);
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatchObject(error);
  });

  it('has the number of the unknown dataset in either member', async () => {
    await control('switches', { 'meta.qualityUnknownAs': 'subcode' });
    expect((await quality({ dataset_id: '42' })).json.error).toMatchObject({ code: 100, error_subcode: 2044055 });
  });

  it('is no edge of the dataset', async () => {
    expect((await quality({ fields: FIELDS }, `${FIRST}/dataset_quality`)).json.error).toMatchObject({ code: 2500 });
  });

  it('answers code 10 without the permission, of the app or on one dataset', async () => {
    await control('switches', { 'meta.qualityForbidden': `${SECOND}, ${THIRD}` });
    expect((await quality({ dataset_id: FIRST, fields: FIELDS })).status).toBe(200);
    expect((await quality({ dataset_id: THIRD, fields: FIELDS })).json.error).toMatchObject({ code: 10 });
    await control('tokens', { platform: 'meta', token: TOKEN, state: 'no_scope' });
    expect((await quality({ dataset_id: FIRST, fields: FIELDS })).json.error).toMatchObject({ code: 10 });
  });
});
