/** LinkedIn's rules; `undefined`: no usable identifier, it is left out and the event stays. */

const WHITESPACE = /\s/;
const ALL_WHITESPACE = /\s+/g;

/** Lower case without any whitespace, and no rules for Gmail: the hash of such an address is not the one that Google wants. */
export function normaliseEmail(raw: string): string | undefined {
  const trimmed = raw.trim().toLowerCase();
  const email = WHITESPACE.test(trimmed) ? trimmed.replace(ALL_WHITESPACE, '') : trimmed;
  const at = email.indexOf('@');
  return at < 1 || at === email.length - 1 || email.includes('@', at + 1) ? undefined : email;
}

/** For `hashedFirstName` and `hashedLastName` of 202609. LinkedIn's rule was not to be read: trim and lower case are assumed. */
export function normaliseHashedName(raw: string): string | undefined {
  const name = raw.trim().toLowerCase();
  return name === '' ? undefined : name;
}

/** A lead that LinkedIn knows by URN, e.g. `urn:li:leadGenFormResponse:…`. Other platforms' lead ids are bare numbers. */
export function leadUrn(raw: string): string | undefined {
  const urn = raw.trim();
  return urn.startsWith('urn:li:') && urn.length > 'urn:li:'.length && !WHITESPACE.test(urn) ? urn : undefined;
}

/** A number as LinkedIn's decimal text, without an exponent. */
export function decimalText(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  if (Math.abs(value) >= 1) return BigInt(value).toString();
  // 20 places are all that `toFixed` gives on every engine; smaller amounts are nothing in any currency.
  const fixed = value.toFixed(20).replace(/\.?0+$/, '');
  return fixed === '-0' ? '0' : fixed;
}
