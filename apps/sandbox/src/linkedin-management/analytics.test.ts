import { beforeEach, describe, expect, it } from 'vitest';

import { conversionsOn } from './analytics.ts';
import { ACCOUNT, aStage, call, FOREIGN, SECOND } from './testkit.ts';
import type { Json, Stage } from './testkit.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await aStage();
});

const FIELDS =
  'dateRange,pivotValues,externalWebsiteConversions,externalWebsitePostClickConversions,externalWebsitePostViewConversions,conversionValueInLocalCurrency,qualifiedLeads,costInLocalCurrency';

const day = (text: string) => {
  const [year, month, date] = text.split('-').map(Number);
  return `(year:${year},month:${month},day:${date})`;
};
const range = (start: string, end?: string) => `dateRange=(start:${day(start)}${end === undefined ? '' : `,end:${day(end)}`})`;
const address = (dates: string, { granularity = 'ALL', accounts = ACCOUNT, fields = FIELDS } = {}) =>
  `adAnalytics?q=analytics&pivot=CONVERSION&timeGranularity=${granularity}&${dates}&accounts=List(${accounts})&fields=${fields}`;
const get = async (path: string) => call(stage, 'GET', path);
const elementsOf = (json: Json) => json['elements'] as readonly Json[];

/** The sum over days, both inclusive, of the formula that README.md gives. */
function sumOf(ruleId: number, start: string, end: string): number {
  let sum = 0;
  for (let at = Date.parse(start); at <= Date.parse(end); at += 86_400_000) sum += (ruleId + at / 86_400_000) % 4;
  return sum;
}

describe('reports', () => {
  it('hold one row per rule, with what was asked for only', async () => {
    const { status, json } = await get(address(range('2026-10-01', '2026-10-31')));
    expect(status).toBe(200);
    expect(elementsOf(json).map((row) => row['pivotValues'])).toEqual(['50001', '50002', '50003', '50004', '50009'].map((id) => [`urn:lla:llaPartnerConversion:${id}`]));
    const total = sumOf(50_001, '2026-10-01', '2026-10-31');
    const [first] = elementsOf(json);
    expect(first).toEqual({
      dateRange: { start: { year: 2026, month: 10, day: 1 }, end: { year: 2026, month: 10, day: 31 } },
      pivotValues: ['urn:lla:llaPartnerConversion:50001'],
      externalWebsiteConversions: total,
      externalWebsitePostClickConversions: expect.any(Number),
      externalWebsitePostViewConversions: expect.any(Number),
      conversionValueInLocalCurrency: (total * 12.5).toFixed(2),
      qualifiedLeads: 0,
      costInLocalCurrency: '0.00',
    });
    expect(elementsOf((await get(address(range('2026-10-01'), { fields: 'clicks' }))).json)[0]).toEqual({ clicks: 0 });
  });

  it('are cut into days, months and years', async () => {
    const rows = async (dates: string, granularity: string) =>
      elementsOf((await get(address(dates, { granularity }))).json)
        .filter((row) => String(row['pivotValues']).endsWith(':50001'))
        .map((row) => [row['dateRange'], row['externalWebsiteConversions']]);
    const daily = await rows(range('2026-10-01', '2026-10-04'), 'DAILY');
    expect(daily).toHaveLength([0, 1, 2, 3].filter((shift) => conversionsOn('50001', Date.parse('2026-10-01') / 86_400_000 + shift).conversions > 0).length);
    expect(await rows(range('2026-09-15', '2026-10-10'), 'MONTHLY')).toEqual([
      [{ start: { year: 2026, month: 9, day: 15 }, end: { year: 2026, month: 9, day: 30 } }, sumOf(50_001, '2026-09-15', '2026-09-30')],
      [{ start: { year: 2026, month: 10, day: 1 }, end: { year: 2026, month: 10, day: 10 } }, sumOf(50_001, '2026-10-01', '2026-10-10')],
    ]);
    expect(await rows(range('2025-12-01', '2026-01-31'), 'YEARLY')).toHaveLength(2);
  });

  it('go back as far as data is kept, without a word or with one', async () => {
    const old = address(range('2026-01-01', '2026-02-01'), { granularity: 'DAILY' });
    expect(elementsOf((await get(old)).json)).toEqual([]);
    expect(elementsOf((await get(address(range('2020-01-01', '2021-01-01'), { granularity: 'YEARLY' }))).json)).toEqual([]);
    const [all] = elementsOf((await get(address(range('2026-02-10', '2026-03-10')))).json);
    expect(all?.['dateRange']).toEqual({ start: { year: 2026, month: 2, day: 1 }, end: { year: 2026, month: 3, day: 31 } });
    stage.switches.set('linkedin.retention', 'refused');
    expect((await get(old)).status).toBe(400);
  });

  it('say nothing about accounts out of reach, and sum up several', async () => {
    expect(elementsOf((await get(address(range('2026-10-01'), { accounts: FOREIGN }))).json)).toEqual([]);
    expect(elementsOf((await get(address(range('2026-10-01'), { accounts: 'urn%3Ali%3AsponsoredAccount%3A1' }))).json)).toEqual([]);
    expect(elementsOf((await get(address(range('2026-10-01'), { accounts: `${ACCOUNT},${SECOND}` }))).json)).toHaveLength(7);
  });

  it('follow campaigns, and the two open questions of this pivot', async () => {
    const byCampaign = address(range('2026-10-01')).replace(`accounts=List(${ACCOUNT})`, 'campaigns=List(urn%3Ali%3AsponsoredCampaign%3A700000001)');
    expect(elementsOf((await get(byCampaign)).json)).toHaveLength(1);
    stage.switches.set('linkedin.pivotNamespace', 'li:llaPartnerConversion');
    stage.switches.set('linkedin.pivotCost', 'values');
    const [row] = elementsOf((await get(byCampaign)).json);
    expect(row).toMatchObject({ pivotValues: ['urn:li:llaPartnerConversion:50001'] });
    expect(Number(row?.['costInLocalCurrency'])).toBeGreaterThan(0);
    stage.switches.set('linkedin.pivotCost', 'refused');
    expect((await get(byCampaign)).status).toBe(400);
  });

  it('show new rules nothing, and need their scope', async () => {
    await call(stage, 'POST', 'conversions', { body: { name: 'n', account: 'urn:li:sponsoredAccount:500000002', conversionMethod: 'CONVERSIONS_API', type: 'LEAD' } });
    expect(elementsOf((await get(address(range('2026-10-01'), { accounts: SECOND }))).json)).toHaveLength(2);
    stage.switches.set('linkedin.grantedScopes', 'rw_conversions,r_ads');
    expect((await get(address(range('2026-10-01')))).status).toBe(403);
  });

  it.each([
    ['an impossible date', address(range('2026-02-30'))],
    ['an end before the start', address(range('2026-10-02', '2026-10-01'))],
    ['no range', address('')],
    ['a range with encoded structure', address(`dateRange=${encodeURIComponent(range('2026-10-01').slice(10))}`)],
    ['an unknown granularity', address(range('2026-10-01'), { granularity: 'WEEKLY' })],
    ['an unknown field', address(range('2026-10-01'), { fields: 'dateRange,colour' })],
    ['no facet', address(range('2026-10-01')).replace(`&accounts=List(${ACCOUNT})`, '')],
    ['a facet by rule', `${address(range('2026-10-01'))}&conversions=List(urn%3Alla%3AllaPartnerConversion%3A50001)`],
    ['a bare account', address(range('2026-10-01')).replace(`List(${ACCOUNT})`, ACCOUNT)],
  ])('refuse %s', async (_name, path) => {
    expect((await get(path)).status).toBe(400);
  });
});
