/**
 * Google's rules for identifiers, as its own formatters apply them: `UserDataFormatter` in googleads/data-manager-node
 * `util/src/formatter.ts`, and https://developers.google.com/data-manager/api/devguides/concepts/formatting.
 * `undefined`: no usable identifier; it is left out, the event stays.
 */

const WHITESPACE = /\s/;

export function normaliseEmail(raw: string): string | undefined {
  const email = raw.trim().toLowerCase();
  const at = email.indexOf('@');
  if (at < 1 || at === email.length - 1 || email.includes('@', at + 1)) return undefined;
  // The guide removes inner whitespace, the formatters refuse it; what has a gap in it is more likely not an address.
  if (WHITESPACE.test(email)) return undefined;
  const domain = email.slice(at + 1);
  // `googlemail.com` stays what it is: the formatters do not rewrite it.
  if (domain !== 'gmail.com' && domain !== 'googlemail.com') return email;
  const plus = email.indexOf('+');
  const local = email.slice(0, plus === -1 || plus > at ? at : plus).replaceAll('.', '');
  return local === '' ? undefined : `${local}@${domain}`;
}

const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;
/** E.164 ends at 15; with fewer than 7 digits there is hardly a country code in it. */
const MIN_PHONE_DIGITS = 7;
const MAX_PHONE_DIGITS = 15;

/**
 * `+` and the digits, as the formatter does. On top of it: the dialling prefix `00` is a plus, and a number that then
 * starts with 0 is refused, as no country code does (a national number would hash to a stranger's).
 */
export function normalisePhone(raw: string): string | undefined {
  let digits = '';
  for (let index = 0; index < raw.length; index += 1) {
    const char = raw.charCodeAt(index);
    if (char >= DIGIT_ZERO && char <= DIGIT_NINE) digits += raw[index];
  }
  if (digits.startsWith('00')) digits = digits.slice(2);
  if (digits.startsWith('0') || digits.length < MIN_PHONE_DIGITS || digits.length > MAX_PHONE_DIGITS) return undefined;
  return `+${digits}`;
}

const GIVEN_PREFIX = /^(?:mr|mrs|ms|dr)\.(?:\s|$)/;

export function normaliseGivenName(raw: string): string | undefined {
  const name = raw.trim().toLowerCase();
  // Only a name with a dot can have one of the prefixes: most are spared the pattern.
  const bare = name.includes('.') ? name.replace(GIVEN_PREFIX, '').trim() : name;
  return bare === '' ? undefined : bare;
}

/** Behind a comma or whitespace, which the loop below cuts off as well. */
const FAMILY_SUFFIXES: ReadonlySet<string> = new Set(
  ['jr', 'jr.', 'sr', 'sr.', '2nd', '3rd', 'ii', 'iii', 'iv', 'v', 'vi', 'cpa', 'dc', 'dds', 'vm', 'jd', 'md', 'phd'],
);

/**
 * By hand: the formatter's pattern starts a search at every blank of a run, quadratic time for a long one. Other than the
 * formatter, no blank is left at the end of "Quinn , Jr.".
 */
export function normaliseFamilyName(raw: string): string | undefined {
  let name = raw.trim().toLowerCase();
  for (let end = suffixCut(name); end !== -1; end = suffixCut(name)) name = name.slice(0, end).trimEnd();
  return name === '' ? undefined : name;
}

/** Where to cut the last word off, with the comma before it, if it is a suffix behind a separator; else -1. */
function suffixCut(name: string): number {
  let start = name.length;
  while (start > 0 && !isSeparator(name.charAt(start - 1))) start -= 1;
  if (start === 0 || !FAMILY_SUFFIXES.has(name.slice(start))) return -1;
  while (start > 0 && WHITESPACE.test(name.charAt(start - 1))) start -= 1;
  return start > 0 && name.charAt(start - 1) === ',' ? start - 1 : start;
}

function isSeparator(char: string): boolean {
  return char === ',' || char === ' ' || WHITESPACE.test(char);
}

const US_ZIP = /^\d{5}(?:-?\d{4})?$/;

/** Trimmed. Not hashed. The guide's form for the US is held, as `INVALID_POSTAL_CODE` would fail the whole request. */
export function normalisePostalCode(raw: string, region: string): string | undefined {
  const code = raw.trim();
  if (code === '' || (region === 'US' && !US_ZIP.test(code))) return undefined;
  return code;
}
