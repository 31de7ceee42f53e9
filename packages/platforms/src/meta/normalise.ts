import { asSha256Hex } from '../identity/hash.ts';
import { normaliseIp } from '../identity/ip.ts';
import { countryCodeOf } from './countries.ts';
import { usStateOf } from './us-states.ts';

/**
 * What Meta wants hashed, per key of `user_data`. Meta's documents and its two SDK generations disagree; the rules here
 * are those of Meta's current code (`capi-param-builder` 1.3.2) save where that destroys letters. See README.md.
 * Each answers `undefined` for what could never match: such a key is left out, never sent as a hash of rubbish.
 */

/** Lower case, without ASCII punctuation, ASCII control characters and white space. Letters of any script stay. */
export function compactText(value: string): string | undefined {
  const lower = value.toLowerCase();
  let out = '';
  let from = 0;
  for (let index = 0; index < lower.length; index += 1) {
    if (isWordChar(lower.charCodeAt(index))) continue;
    if (from < index) out += lower.slice(from, index);
    from = index + 1;
  }
  if (from === 0) return lower === '' ? undefined : lower;
  out += lower.slice(from);
  return out === '' ? undefined : out;
}

function isWordChar(code: number): boolean {
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
  return !isWideSpace(code);
}

/** White space beyond ASCII, as `\s` has it. */
function isWideSpace(code: number): boolean {
  if (code === 0xa0) return true;
  return code >= 0x1680 && (code === 0x1680 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000 || code === 0xfeff);
}

/** Only digits, no leading zeros; 7..15 of them (E.164), else nobody could be called on it. No country code is invented. */
export function normalisePhone(value: string): string | undefined {
  let digits = '';
  let from = 0;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    const isFirst = digits === '' && from === index;
    if (code >= 0x30 && code <= 0x39 && !(code === 0x30 && isFirst)) continue;
    if (from < index) digits += value.slice(from, index);
    from = index + 1;
  }
  digits += value.slice(from);
  return digits.length >= 7 && digits.length <= 15 ? digits : undefined;
}

const WHITE_SPACE = /\s/;

/** Any text, without white space, in lower case. */
export function normaliseExternalId(value: string): string | undefined {
  const compact = (WHITE_SPACE.test(value) ? value.replace(/\s+/g, '') : value).toLowerCase();
  return compact === '' ? undefined : compact;
}

/** Lower case, no white space, cut at a dash; for the US only the five digits of the area. */
export function normaliseZip(value: string, country?: string): string | undefined {
  const compact = normaliseExternalId(value) ?? '';
  const dash = compact.indexOf('-');
  const whole = dash === -1 ? compact : compact.slice(0, dash);
  const zip = country === 'us' ? whole.slice(0, 5) : whole;
  return zip.length >= 2 ? zip : undefined;
}

/** Names of US states become their abbreviations, unless the country is known to be another one. */
export function normaliseState(value: string, country?: string): string | undefined {
  const compact = compactText(value);
  if (compact === undefined || (country !== undefined && country !== 'us')) return compact;
  return usStateOf(compact) ?? compact;
}

/** ISO 3166-1 alpha-2 in lower case, from a code or an English name. */
export function normaliseCountry(value: string): string | undefined {
  const compact = compactText(value);
  return compact === undefined ? undefined : countryCodeOf(compact);
}

const GENDERS: ReadonlyMap<string, 'm' | 'f'> = new Map([
  ...['m', 'male', 'man', 'boy', 'mr', 'sir', 'gentleman', 'he', 'him', 'his'].map((word) => [word, 'm'] as const),
  ...['f', 'female', 'woman', 'girl', 'mrs', 'ms', 'miss', 'madam', 'lady', 'she', 'her', 'hers'].map((word) => [word, 'f'] as const),
]);

/** Meta knows `m` and `f` alone; the words are those a form would offer, out of the long list of Meta's own code. */
export function normaliseGender(value: string): 'm' | 'f' | undefined {
  const compact = compactText(value);
  return compact === undefined ? undefined : GENDERS.get(compact);
}

/** Meta's Parameter Builder, which sites run in the browser, hangs this on hashes and addresses; the relay takes it off. */
const BUILDER_SUFFIX = /\.(?:[\w-]{2}|[\w-]{8})$/;

/** An IPv4 or IPv6 address; Meta takes only valid ones ("no spaces"). */
export function normaliseClientIp(value: string): string | undefined {
  return normaliseIp(value) ?? normaliseIp(value.trim().replace(BUILDER_SUFFIX, ''));
}

/** A hash of 64 hex digits that a caller made already. */
export function alreadyHashed(value: string): string | undefined {
  if (value.length < 64) return undefined;
  const trimmed = value.trim();
  if (trimmed.length === 64) return asSha256Hex(trimmed);
  return trimmed[64] === '.' ? asSha256Hex(trimmed.replace(BUILDER_SUFFIX, '')) : undefined;
}
