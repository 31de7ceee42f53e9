import { describe, expect, it } from 'vitest';
import { idInKey, restli, restliQuery, urnId, type RestliValue } from './restli.ts';

describe('Rest.li 2.0', () => {
  it.each<[RestliValue, string]>([
    ['plain', 'plain'],
    ['urn:li:sponsoredAccount:123', 'urn%3Ali%3AsponsoredAccount%3A123'],
    ["a (b), 'c' *!~-_.", 'a%20%28b%29%2C%20%27c%27%20%2A%21~-_.'],
    ['naïve+ä%/?&=#', 'na%C3%AFve%2B%C3%A4%25%2F%3F%26%3D%23'],
    ['', "''"],
    [7, '7'],
    [-1.5, '-1.5'],
    [true, 'true'],
    [[], 'List()'],
    [['a', 'b:c'], 'List(a,b%3Ac)'],
    [{ start: { year: 2026, month: 10, day: 1 } }, '(start:(year:2026,month:10,day:1))'],
    [{ status: { values: ['ACTIVE', 'PAUSED'] } }, '(status:(values:List(ACTIVE,PAUSED)))'],
    [{ 'a(b)': 'c' }, '(a%28b%29:c)'],
    [
      [{ campaign: 'urn:li:sponsoredCampaign:1', conversion: 'urn:lla:llaPartnerConversion:2' }],
      'List((campaign:urn%3Ali%3AsponsoredCampaign%3A1,conversion:urn%3Alla%3AllaPartnerConversion%3A2))',
    ],
    ['\ud800', '%EF%BF%BD'],
  ])('%j is %s', (value, text) => {
    expect(restli(value)).toBe(text);
  });

  it('joins parameters and leaves out what is not given', () => {
    expect(restliQuery({ q: 'account', account: 'urn:li:sponsoredAccount:1', start: 0, none: undefined })).toBe('q=account&account=urn%3Ali%3AsponsoredAccount%3A1&start=0');
  });

  it.each([
    ['urn:li:sponsoredAccount:123', '123'],
    ['urn:lla:llaPartnerConversion:9', '9'],
    ['123', '123'],
    [123, '123'],
    ['urn:li:person:abc', undefined],
    ['x123', undefined],
    ['', undefined],
    [null, undefined],
    [1.5, undefined],
  ])('the id of %j is %s', (urn, id) => {
    expect(urnId(urn)).toBe(id);
  });

  it.each([
    ['(campaign:urn%3Ali%3AsponsoredCampaign%3A12,conversion:urn%3Alla%3AllaPartnerConversion%3A34)', '12'],
    ['(campaign:urn:li:sponsoredCampaign:12,conversion:urn:lla:llaPartnerConversion:34)', '12'],
    ['(conversion:urn%3alla%3allaPartnerConversion%3a34,campaign:urn%3ali%3asponsoredCampaign%3a12)', '12'],
    ['12', undefined],
  ])('the campaign in %s is %s', (key, id) => {
    expect(idInKey(key, 'sponsoredCampaign')).toBe(id);
  });
});
