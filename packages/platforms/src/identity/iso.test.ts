import { expect, it } from 'vitest';
import { isCurrency, isoCountry } from './iso.ts';

it.each([['us', 'US'], [' US ', 'US'], [' De ', 'DE'], ['gb', 'GB'], ['uk', 'GB']])('country %j is %s', (input, country) => {
  expect(isoCountry(input)).toBe(country);
});

it.each(['u', 'usa', 'u s', 'u2', '', 'ÄÖ'])('%j is no country', (input) => {
  expect(isoCountry(input)).toBeUndefined();
});

it.each([['EUR', true], ['VED', true], ['eur', false], ['XYZ', false], ['', false]])('whether %j is a currency: %s', (code, expected) => {
  expect(isCurrency(code)).toBe(expected);
});
