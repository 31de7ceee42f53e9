import { beforeEach, describe, expect, it } from 'vitest';

import { ACCOUNT, aStage, call, entityOf, keyOf, NOW_MS } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const [FIRST, SECOND, THIRD] = ['700000001', '700000002', '700000003'] as const;
const RULE = '50002';
const put = async (key: string, body: Json) => call(stage, 'PUT', `campaignConversions/${key}`, { body });
const list = (...keys: readonly string[]) => `campaignConversions?ids=List(${keys.join(',')})`;
const batch = async (campaigns: readonly string[], ruleId = RULE) =>
  call(stage, 'PUT', list(...campaigns.map((id) => keyOf(id, ruleId))), {
    body: { entities: Object.fromEntries(campaigns.map((id) => [keyOf(id, ruleId), entityOf(id, ruleId)])) },
  });

describe('one association', () => {
  it('is put, read, kept and deleted', async () => {
    const key = keyOf(FIRST, RULE);
    expect((await put(key, entityOf(FIRST, RULE))).status).toBe(204);
    stage.clock.nowMs += 5000;
    expect((await put(key, entityOf(FIRST, RULE))).status).toBe(204);
    expect((await call(stage, 'GET', `campaignConversions/${key}`)).json).toEqual({ ...entityOf(FIRST, RULE), associatedAt: NOW_MS });
    expect((await call(stage, 'GET', `conversions/${RULE}?account=${ACCOUNT}`)).json['campaigns']).toEqual([`urn:li:sponsoredCampaign:${FIRST}`]);
    expect((await call(stage, 'DELETE', `campaignConversions/${key}`)).status).toBe(204);
    expect((await call(stage, 'GET', `campaignConversions/${key}`)).status).toBe(404);
    expect((await call(stage, 'DELETE', `campaignConversions/${key}`)).status).toBe(404);
    stage.switches.set('linkedin.deleteMissingStatus', 204);
    expect((await call(stage, 'DELETE', `campaignConversions/${key}`)).status).toBe(204);
  });

  it.each<[string, string, Json, number]>([
    ['raw colons in the key', `(campaign:urn:li:sponsoredCampaign:${FIRST},conversion:urn:lla:llaPartnerConversion:${RULE})`, entityOf(FIRST, RULE), 400],
    ['an encoded structure', encodeURIComponent(keyOf(FIRST, RULE)), entityOf(FIRST, RULE), 400],
    ['half a key', `(campaign:urn%3Ali%3AsponsoredCampaign%3A${FIRST})`, entityOf(FIRST, RULE), 400],
    ['the wrong namespace', keyOf(FIRST, RULE).replace('lla%3Alla', 'li%3Alla'), entityOf(FIRST, RULE), 400],
    ['another entity', keyOf(FIRST, RULE), entityOf(SECOND, RULE), 400],
    ['an unknown rule', keyOf(FIRST, '1'), entityOf(FIRST, '1'), 404],
    ['an unknown campaign', keyOf('1', RULE), entityOf('1', RULE), 404],
    ['ends of two accounts', keyOf(FIRST, '50011'), entityOf(FIRST, '50011'), 400],
    ['an account to look at only', keyOf('700000021', '50021'), entityOf('700000021', '50021'), 403],
    ['an unknown member', keyOf(FIRST, RULE), { ...entityOf(FIRST, RULE), colour: 'red' }, 422],
  ])('refuses %s', async (_name, key, body, status) => {
    expect((await put(key, body)).status).toBe(status);
  });
});

describe('batches', () => {
  it('tell each key its own result', async () => {
    stage.poison.set(THIRD, { code: 'CAMPAIGN_LOCKED' });
    const { status, json } = await batch([FIRST, '1', THIRD]);
    expect(status).toBe(200);
    expect(json).toEqual({
      results: { [keyOf(FIRST, RULE)]: { status: 204 } },
      errors: {
        [keyOf('1', RULE)]: { status: 404, code: 'NOT_FOUND', message: 'The campaign urn:li:sponsoredCampaign:1 does not exist' },
        [keyOf(THIRD, RULE)]: { status: 400, code: 'CAMPAIGN_LOCKED', message: expect.any(String) },
      },
    });
  });

  it('take entities under raw keys, and answer them, only where told', async () => {
    const raw = `(campaign:urn:li:sponsoredCampaign:${FIRST},conversion:urn:lla:llaPartnerConversion:${RULE})`;
    const send = async () => call(stage, 'PUT', list(keyOf(FIRST, RULE)), { body: { entities: { [raw]: entityOf(FIRST, RULE) } } });
    expect((await send()).status).toBe(400);
    stage.switches.set('linkedin.entityKeys', 'any');
    stage.switches.set('linkedin.resultKeys', 'raw');
    expect((await send()).json).toEqual({ results: { [raw]: { status: 204 } }, errors: {} });
  });

  it.each<[string, string, Json]>([
    ['more ids than entities', list(keyOf(FIRST, RULE), keyOf(SECOND, RULE)), { entities: { [keyOf(FIRST, RULE)]: entityOf(FIRST, RULE) } }],
    ['an entity under another key', list(keyOf(FIRST, RULE)), { entities: { [keyOf(FIRST, RULE)]: entityOf(SECOND, RULE) } }],
    ['no entities', list(keyOf(FIRST, RULE)), {}],
    ['an empty list', 'campaignConversions?ids=List()', { entities: {} }],
    ['an encoded list', `campaignConversions?ids=${encodeURIComponent(`List(${keyOf(FIRST, RULE)})`)}`, { entities: { [keyOf(FIRST, RULE)]: entityOf(FIRST, RULE) } }],
  ])('refuse %s', async (_name, path, body) => {
    expect((await call(stage, 'PUT', path, { body })).status).toBe(400);
  });

  it('read and delete, what is missing among the errors', async () => {
    await batch([FIRST, SECOND]);
    const three = list(keyOf(FIRST, RULE), keyOf(SECOND, RULE), keyOf(THIRD, RULE));
    expect((await call(stage, 'GET', three)).json).toEqual({
      results: {
        [keyOf(FIRST, RULE)]: { ...entityOf(FIRST, RULE), associatedAt: NOW_MS },
        [keyOf(SECOND, RULE)]: { ...entityOf(SECOND, RULE), associatedAt: NOW_MS },
      },
      statuses: { [keyOf(FIRST, RULE)]: 200, [keyOf(SECOND, RULE)]: 200 },
      errors: { [keyOf(THIRD, RULE)]: expect.objectContaining({ status: 404 }) },
    });
    const { status, json } = await call(stage, 'DELETE', three, { headers: { 'x-restli-method': 'BATCH_DELETE' } });
    expect(status).toBe(200);
    expect(json).toEqual({
      results: { [keyOf(FIRST, RULE)]: { status: 204 }, [keyOf(SECOND, RULE)]: { status: 204 } },
      errors: { [keyOf(THIRD, RULE)]: expect.objectContaining({ status: 404 }) },
    });
  });
});

describe('finder', () => {
  it('goes by campaigns; there is none by rule', async () => {
    await batch([FIRST, SECOND]);
    const { json } = await call(stage, 'GET', `campaignConversions?q=campaigns&campaigns=List(urn%3Ali%3AsponsoredCampaign%3A${FIRST},urn%3Ali%3AsponsoredCampaign%3A${SECOND})`);
    expect((json['elements'] as readonly Json[]).map(({ campaign, conversion }) => [campaign, conversion])).toEqual([
      [`urn:li:sponsoredCampaign:${FIRST}`, 'urn:lla:llaPartnerConversion:50001'],
      [`urn:li:sponsoredCampaign:${FIRST}`, `urn:lla:llaPartnerConversion:${RULE}`],
      [`urn:li:sponsoredCampaign:${SECOND}`, `urn:lla:llaPartnerConversion:${RULE}`],
    ]);
    expect((await call(stage, 'GET', 'campaignConversions?q=conversion&campaigns=List()')).status).toBe(400);
    expect((await call(stage, 'GET', 'campaignConversions?q=campaigns&campaigns=List(urn%3Ali%3AsponsoredCampaign%3A1)')).status).toBe(404);
  });
});
