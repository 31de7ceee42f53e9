/**
 * Platforms quote what they were sent ("Malformed access token EAA…", "… is not hashed: jo@example.com"), and their
 * words end up in logs, answers and dead letters. Whatever could be a person or a secret is blotted out first.
 */

const MASK = '***';
/** Hashes of identifiers are personal data too. 32 and up: MD5, SHA-1, SHA-256, and a SHA-256 that was cut off. */
const LONG_HEX = /[0-9a-f]{32,}/gi;
/** Facebook and Google access tokens. */
const TOKENS = /\b(?:EAA[0-9A-Za-z]{8,}|ya29\.[\w.-]{8,})/g;
/** Only with a plus: bare digits are mostly ids of datasets and campaigns, which an operator needs to see. */
const PHONE = /\+\d(?:[ ().-]{0,2}\d){6,14}/g;
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
/** What cannot be a part of an address as a message would quote one. */
const ADDRESS_ENDS = ' \t\r\n"\'`<>()[]{},;:=|\\/';

/** `text` without e-mail addresses, hashes, access tokens, international phone numbers and IPv4 addresses. Linear in time. */
export function maskPersonal(text: string): string {
  return maskAddresses(text)
    .replace(LONG_HEX, MASK)
    .replace(TOKENS, MASK)
    .replace(PHONE, MASK)
    .replace(IPV4, MASK);
}

/** By hand, as `\S+@\S+` takes quadratic time on a long text without an `@`. */
function maskAddresses(text: string): string {
  let out = '';
  let done = 0;
  for (let at = nextAt(text, 0); at !== -1; at = nextAt(text, at + 1)) {
    if (at < done) continue;
    const signLength = text[at] === '@' ? 1 : 3;
    let from = at;
    while (from > done && !isAddressEnd(text, from - 1)) from -= 1;
    let to = at + signLength;
    while (to < text.length && !isAddressEnd(text, to)) to += 1;
    if (from === at || to === at + signLength) continue;
    out += text.slice(done, from) + MASK;
    done = to;
  }
  return out + text.slice(done);
}

function isAddressEnd(text: string, index: number): boolean {
  return ADDRESS_ENDS.includes(text.charAt(index));
}

function nextAt(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === '@' || (text[index] === '%' && text.startsWith('40', index + 1))) return index;
  }
  return -1;
}

/** Masked and at most `max` characters. Masking comes first: half an address or hash would slip through. */
export function maskedText(text: string, max = 500): string {
  const masked = maskPersonal(text.slice(0, max * 40)).trim();
  return masked.length <= max ? masked : `${masked.slice(0, max - 1).toWellFormed()}…`;
}
