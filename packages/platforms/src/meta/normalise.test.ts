import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../identity/hash.ts';
import { normaliseDob } from './dob.ts';
import { normaliseEmail } from './email.ts';
import {
  alreadyHashed,
  compactText,
  normaliseClientIp,
  normaliseCountry,
  normaliseExternalId,
  normaliseGender,
  normalisePhone,
  normaliseState,
  normaliseZip,
} from './normalise.ts';
import { userDataOf } from './user-data.ts';
import { AGREED, DECIDED, FIELD_OF, type HashedKey } from './vectors.test-kit.ts';

const RULES: Readonly<Record<HashedKey, (value: string) => string | undefined>> = {
  em: normaliseEmail,
  ph: normalisePhone,
  fn: compactText,
  ln: compactText,
  ct: compactText,
  st: normaliseState,
  zp: normaliseZip,
  country: normaliseCountry,
  db: normaliseDob,
  ge: normaliseGender,
  external_id: normaliseExternalId,
};

describe("Meta's vectors", () => {
  it.each(AGREED.filter(([, , , normalised]) => normalised !== undefined))('%s %s %j becomes %j', (_name, key, input, normalised, hash) => {
    expect(RULES[key](input)).toBe(normalised);
    expect(sha256Hex(normalised ?? '')).toBe(hash);
  });

  it.each(AGREED)('%s %s %j reaches the wire as its hash', (_name, key, input, _normalised, hash) => {
    expect(userDataOf({ [FIELD_OF[key]]: input })).toEqual({ [key]: [hash] });
  });

  it.each(DECIDED)('%s %s %j becomes %j', (_name, key, input, normalised, hash) => {
    expect(RULES[key](input)).toBe(normalised);
    expect(userDataOf({ [FIELD_OF[key]]: input })).toEqual(hash === undefined ? {} : { [key]: [hash] });
  });
});

describe('zip', () => {
  it('A32 with country us is cut to the five digits of the area', () => {
    expect(userDataOf({ zip: '940251234', country: 'us' }).zp).toEqual(['b9a9cf3cd3723a2e91b7c23ecf68456e872b6e5d86e5cab7f3d45a7302da32c7']);
    expect(normaliseZip('94025 1234', 'us')).toBe('94025');
  });
  it.each(['', ' ', '-', '-1234', ' 1 '])('%j is no zip', (zip) => {
    expect(normaliseZip(zip)).toBeUndefined();
  });
});

describe('state', () => {
  it('is abbreviated unless the country is known to be another', () => {
    expect(normaliseState('Montana', 'us')).toBe('mt');
    expect(normaliseState('Montana', 'bg')).toBe('montana');
    expect(userDataOf({ state: 'Montana', country: 'Bulgaria' }).st).toEqual([sha256Hex('montana')]);
    expect(userDataOf({ state: 'Montana', country: 'nowhere' }).st).toEqual([sha256Hex('mt')]);
  });
});

describe('country', () => {
  it.each([
    ['Côte d’Ivoire', 'ci'],
    ["Côte d'Ivoire", 'ci'],
    ['Deutschland', 'de'],
    ['DEU', 'de'],
    ['U.S.A.', 'us'],
    ['South Korea', 'kr'],
    ['Türkiye', 'tr'],
    ['The Netherlands', 'nl'],
    ['Viet Nam', 'vn'],
    ['Congo, The Democratic Republic of the', 'cd'],
  ])('%s is %s', (name, code) => {
    expect(normaliseCountry(name)).toBe(code);
  });
  it.each(['xx', 'eu', 'constructor', '__proto__', '', ' ', '1'])('%j is none', (name) => {
    expect(normaliseCountry(name)).toBeUndefined();
  });
});

describe('text', () => {
  it.each([
    ['', undefined],
    [' \t\n', undefined],
    ['.-\'"', undefined],
    ['a\u00a0b\u3000c\u2028d\ufeffe\u2003f', 'abcdef'],
    ['a\u0000b\u007fc', 'abc'],
    ['𝒜 🎯', '𝒜🎯'],
    ['R2-D2', 'r2d2'],
  ])('%j becomes %j', (text, compact) => {
    expect(compactText(text)).toBe(compact);
  });
});

describe('e-mail', () => {
  it.each(['@example.com', 'a@', 'a@b', 'a@b.', 'a@.b', 'a@b..c', 'a@-b.c', 'a@b-.c', 'a@b.c-', '.a@b.c', 'a.@b.c', 'a..b@b.c', 'a@b@c.d', 'a,b@c.d', '<a@b.c>', '"a"@b.c', 'a@b_c.d', 'a\u0000@b.c'])('%j is none', (text) => {
    expect(normaliseEmail(text)).toBeUndefined();
  });
  it.each(['a.b-c+d_e@x-y.z9', "o'neil@example.co.uk", 'x!#$%&*/=?^`{|}~@1.2'])('%j is one', (text) => {
    expect(normaliseEmail(text)).toBe(text);
  });
  it('takes linear time', () => {
    expect(normaliseEmail(`${'a.'.repeat(500_000)}@b.c`)).toBeUndefined();
    expect(normaliseEmail(`a@${'b-'.repeat(500_000)}`)).toBeUndefined();
  });
});

describe('date of birth', () => {
  it.each([
    ['1997/16/2', '19970216'],
    ['1997.2.16', '19970216'],
    ['2 16 1997', '19970216'],
    ['16–2–1997 (dd-mm-yyyy)', '19970216'],
    ['2/1997/16', '19970216'],
    ['18000101', '18000101'],
    ['17991231', undefined],
    ['21010101', undefined],
    ['19971301', undefined],
    ['19970132', undefined],
    ['19970100', undefined],
    ['1997021', undefined],
    ['1997', undefined],
    ['1997-02', undefined],
    ['', undefined],
    ['99999999999999999999-1-1', undefined],
  ])('%j becomes %j', (text, dob) => {
    expect(normaliseDob(text)).toBe(dob);
  });
});

describe('IP address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    [' 2001:DB8::1\n', '2001:db8::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['203.0.113.7.AQ', '203.0.113.7'],
    ['2001:db8::1.AQQCAQMC', '2001:db8::1'],
    ['203.0.113', undefined],
    ['10.0.0.1, 203.0.113.7', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('%j becomes %j', (value, ip) => {
    expect(normaliseClientIp(value)).toBe(ip);
  });
});

describe('hashes made by the caller', () => {
  const hash = sha256Hex('someone');
  it.each([hash, hash.toUpperCase(), ` ${hash}\n`, `${hash}.AQ`, `${hash}.AQQCAQMC`])('%j is taken as it is', (value) => {
    expect(alreadyHashed(value)).toBe(hash);
    expect(userDataOf({ gender: value, city: value, state: value, country: value })).toEqual({ ge: [hash], ct: [hash], st: [hash], country: [hash] });
  });
  it.each([hash.slice(1), `${hash}0`, `${hash}.ABC`, `${hash}.A!`, `g${hash.slice(1)}`])('%j is not one', (value) => {
    expect(alreadyHashed(value)).toBeUndefined();
  });
});
