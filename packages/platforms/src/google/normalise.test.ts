import { describe, expect, it } from 'vitest';
import type { ConversionEvent } from '@relay/contract';
import { sha256Hex } from '../identity/hash.ts';
import { adIdentifiers, sendableIp, userIdentifiers } from './identifiers.ts';
import {
  normaliseEmail,
  normaliseFamilyName,
  normaliseGivenName,
  normalisePhone,
  normalisePostalCode,
} from './normalise.ts';

// Made by running Google's own formatter (googleads/data-manager-node util/src/formatter.ts); most are asserted in its tests.
const EMAILS = [
  ['alexz@example.com', 'alexz@example.com', '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a'],
  ['  ALEXZ@example.com   ', 'alexz@example.com', '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a'],
  ['QuinnY@EXAMPLE.com', 'quinny@example.com', 'd00d0a7c6d491b3782fd78b410748048859e16467faa0651f060978d4bb343cc'],
  ['user.name+NYC@Example.com', 'user.name+nyc@example.com', 'f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac'],
  ['jefferson.Loves.hiking@gmail.com', 'jeffersonloveshiking@gmail.com', '515d2f967f73864e76937ab2b897210a86fd286016903b1b08c3da07c75f513e'],
  ['j.e.f..ferson.Loves.hiking@gmail.com', 'jeffersonloveshiking@gmail.com', '515d2f967f73864e76937ab2b897210a86fd286016903b1b08c3da07c75f513e'],
  ['jefferson.Loves.hiking@googlemail.com', 'jeffersonloveshiking@googlemail.com', '2824967181c781aced84c32bf8bb51fc6401202eeff88263776f63c99df9314c'],
  ['Cloudy.SanFrancisco+shopping@gmail.com', 'cloudysanfrancisco@gmail.com', '223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4'],
  ['Cloudy.SanFrancisco+shopping@googlemail.com', 'cloudysanfrancisco@googlemail.com', '332ed5427d17deb381928a719533e85046d68d7e45553abb805852b7d631fcb7'],
  ['first.last@outlook.com', 'first.last@outlook.com', 'a0abd3fe9215d746b3b41b945557993da5fc81d11aec8295abbe80b4c88461b5'],
  ['TEST.User@GMail.Com', 'testuser@gmail.com', 'dae9c7c55697ba170d6b494c458649bd469af525520280d0dcfc98d74d13b17e'],
  ['\tjane@example.com\n', 'jane@example.com', '8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d'],
  ['名前@example.jp', '名前@example.jp', '4279c3eb8a7357b60677dbf7db8a82bbfd6a05291c678b1710fce69d813d329a'],
] as const;

const PHONES = [
  ['+1 800-555-0100', '+18005550100', 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30'],
  ['1 800 555 0100', '+18005550100', 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30'],
  ['18005550100', '+18005550100', 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30'],
  ['441134960987', '+441134960987', '0fac52d27ec377f8ad2f9de75d1f9bace693237e31868ae6f4616b8bbd0e94fb'],
  ['+44-113-496-0987', '+441134960987', '0fac52d27ec377f8ad2f9de75d1f9bace693237e31868ae6f4616b8bbd0e94fb'],
  ['+1 (650) 253-0000', '+16502530000', '3ad9f10d73829a714b1383221691d4dbf08484f3ceeae884f53053a1c7bb0a92'],
  ['+44 20 7031 3000', '+442070313000', 'f3d7e96c73fb0de1b66acfce541d7af758fbd4f3fa3af0ea4e10110000d3625e'],
] as const;

const ALEX = '4135aa9dc1b842a653dea846903ddb95bfb8c5a10c504a7fa16e10bc31d1fdf0';
const GIVEN = [
  ['GivenName', 'givenname', '128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814'],
  [' Alex   ', 'alex', ALEX],
  [' Mr. Alex', 'alex', ALEX],
  [' Mrs. Alex', 'alex', ALEX],
  [' Dr. Alex', 'alex', ALEX],
  [' Mralex', 'mralex', '36965a2dc9bbd814e8558a77040c54225c75bdeb80c52c54b1a15f2bb6fc3637'],
  ['José', 'josé', 'd994e1d001886fe5b45b1267bd1fa2b752ac50742579bd3dad7b2a2aa0ed6866'],
  ['Mary-Ann', 'mary-ann', 'ed4bdd3a7368920a4d1f4e692201f7a4aee19278a930c824649af01bbc38c63f'],
] as const;

const QUINN = 'c512ca0c5c1e71be19f3356821e56732b5fb3ac894b0dbc5846d0b6920106fb3';
const FAMILY = [
  ['FamilyName', 'familyname', '77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574'],
  [' Quinn ', 'quinn', QUINN],
  [' Quinn, Jr. ', 'quinn', QUINN],
  [' Quinn,Jr.', 'quinn', QUINN],
  [' Quinn Sr.', 'quinn', QUINN],
  ['quinn, jr. dds', 'quinn', QUINN],
  ['quinn, jr., dds', 'quinn', QUINN],
  ['Quinn-Alex', 'quinn-alex', '91581930b788bf2fd4ea63d8783c8c3b4c7ac8575461e033d18ee7def6cd49a9'],
  ['Boardds', 'boardds', 'ed2ce2a4fb1081fcf78fb168f1b7ddd1fa60e5b148b16e58c52ddc668e0b5e8a'],
  ['lacparm', 'lacparm', '6793ef6c5c3f5a5204d862785be3a48410b5b1762c9cc9e852989a5687d01f90'],
  ["O'Brien", "o'brien", '65b87174be3b1b122e2b0929f0b84888637d31a4a83bb96a860bcff411f5e668'],
  ['Müller', 'müller', '2dbd218072117713f2d5996a726a9b216ed791ffd0783b6ba4ab6d61b8333192'],
  ['van der Berg', 'van der berg', 'a6fe68a719fbd8e4466cb6992d9a64dd1f6837e26dfc5a024f1393f51d3737c0'],
  ['Smith III', 'smith', '6627835f988e2c5e50533d491163072d3f4f41f5c8b04630150debb3722ca2dd'],
] as const;

type Vectors = readonly (readonly [input: string, normalised: string, hash: string])[];
const KINDS: readonly (readonly [string, (raw: string) => string | undefined, Vectors])[] = [
  ['e-mail', normaliseEmail, EMAILS],
  ['phone', normalisePhone, PHONES],
  ['given name', normaliseGivenName, GIVEN],
  ['family name', normaliseFamilyName, FAMILY],
];

describe.each(KINDS)('%s', (_, normalise, vectors) => {
  it.each(vectors)('%j is %j', (input, normalised, hash) => {
    expect(normalise(input)).toBe(normalised);
    expect(sha256Hex(normalised)).toBe(hash);
  });
});

describe('what is no identifier', () => {
  it.each(['@example.com', 'quinn', 'a b@example.com', 'x@@y.com', '++@gmail.com', '...@gmail.com', '', ' ', 'a@', 'a\u00A0b@example.com'])('e-mail %j', (email) => {
    expect(normaliseEmail(email)).toBeUndefined();
  });
  it.each(['++++', '+abc-DEF', '', '555-010', '0650 2530000', '1234567890123456', '٠١٢٣٤٥٦٧'])('phone %j', (phone) => {
    expect(normalisePhone(phone)).toBeUndefined();
  });
  it.each([' Mr. ', '', '  '])('given name %j', (name) => {
    expect(normaliseGivenName(name)).toBeUndefined();
  });
  it.each([', Jr. ', ',Jr.,DDS', '', ' '])('family name %j', (name) => {
    expect(normaliseFamilyName(name)).toBeUndefined();
  });
});

describe('beyond the formatter', () => {
  it('reads 00 as plus', () => {
    expect(normalisePhone('0044 113 496 0987')).toBe('+441134960987');
  });
  it('leaves no blank behind a suffix', () => {
    expect(normaliseFamilyName('Quinn , Jr.')).toBe('quinn');
  });
  it('takes no time over long runs of blanks', () => {
    expect(normaliseFamilyName(`a${' '.repeat(200_000)}b`)).toHaveLength(200_002);
  });
});

describe('postal code', () => {
  it.each([
    [' 94045 ', 'US', '94045'],
    ['94045-1234', 'US', '94045-1234'],
    ['1229-076', 'PT', '1229-076'],
    ['9404', 'US', undefined],
    [' ', 'DE', undefined],
  ])('postal code %j in %s is %s', (input, region, code) => {
    expect(normalisePostalCode(input, region)).toBe(code);
  });
});

describe('identifiers', () => {
  const address: ConversionEvent['user'] = { firstName: ' Mr. Alex', lastName: 'Quinn, Jr.', country: 'us', zip: ' 94045 ' };

  it('are also right in BASE64, so the bytes are', () => {
    const base64 = (text: string) => Buffer.from(sha256Hex(text), 'hex').toString('base64');
    expect(base64('alexz@example.com')).toBe('UJ6TMBm7KFoTSpM0uLtnnf950M4CPVKa9L10TUe0/Yo=');
    expect(base64('+18005550100')).toBe('+09zpuxf23B31WTN0iw1VLQ85JFoVQw7EsVHt4xRezA=');
  });

  it('hold an address only when all four parts are there', () => {
    expect(userIdentifiers(address)).toEqual([{ address: { givenName: ALEX, familyName: QUINN, regionCode: 'US', postalCode: '94045' } }]);
    for (const part of Object.keys(address)) expect(userIdentifiers({ ...address, [part]: undefined })).toEqual([]);
    expect(userIdentifiers({ ...address, zip: 'x' })).toEqual([]);
    expect(userIdentifiers({ ...address, lastName: ', Jr.' })).toEqual([]);
  });

  it('pass what is hashed already, in lower case', () => {
    expect(userIdentifiers({ email: ALEX.toUpperCase(), phone: QUINN })).toEqual([{ emailAddress: ALEX }, { phoneNumber: QUINN }]);
  });

  it.each([
    [{ gclid: ' G ', gbraid: 'B', wbraid: 'W' }, { gclid: 'G' }],
    [{ gclid: ' ', gbraid: 'B', wbraid: 'W' }, { gbraid: 'B' }],
    [{ wbraid: 'W' }, { wbraid: 'W' }],
    [{ fbc: 'x' }, undefined],
  ])('%j gives the click id %j', (clickIds, expected) => {
    expect(adIdentifiers({ clickIds })).toEqual(expected);
  });

  it.each([
    ['US', '203.0.113.7'],
    [undefined, '203.0.113.7'],
    ['Germany', '203.0.113.7'],
    ['de', undefined],
    ['NO', undefined],
    ['uk', undefined],
    ['GB', undefined],
    ['CH', undefined],
    ['RE', undefined],
  ])('with country %s the IP address is %s', (country, ip) => {
    expect(sendableIp({ country, ipAddress: '::ffff:203.0.113.7' })).toBe(ip);
  });
});
