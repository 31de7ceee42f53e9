import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySignature } from './signature.ts';

/** Vectors of the fact file, E.2. */
const SECRET = 'app-secret-0123456789abcdef';
const EMPTY = Buffer.from('{"object":"whatsapp_business_account","entry":[]}');
const EMPTY_SIGNATURE = 'sha256=1f1ddaf60129a405dae511085a1277c94455b2d955e1986bf5048cac89765e87';
const ESCAPED = Buffer.from(String.raw`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"x":"Caf\u00e9"}}]}]}`);
const ESCAPED_SIGNATURE = 'sha256=bd13db4ff095b88d8db1dd1815099e88b9c8b5b829db0e5701aa3356d5dfcb66';

describe('X-Hub-Signature-256', () => {
  it.each([
    ['an empty delivery', EMPTY, EMPTY_SIGNATURE],
    ['a body with escapes', ESCAPED, ESCAPED_SIGNATURE],
    ['upper-case hex', EMPTY, EMPTY_SIGNATURE.toUpperCase().replace('SHA256', 'sha256')],
    ['space around', EMPTY, ` ${EMPTY_SIGNATURE} `],
  ])('is right: %s', (_title, body, header) => {
    expect(verifySignature(body, header, SECRET)).toBe(true);
    expect(verifySignature(new Uint8Array(body), header, SECRET)).toBe(true);
  });

  it('is over the bytes as they came, not over what they parse to', () => {
    const respelt = Buffer.from(JSON.stringify(JSON.parse(ESCAPED.toString())));
    expect(respelt.equals(ESCAPED)).toBe(false);
    expect(verifySignature(respelt, ESCAPED_SIGNATURE, SECRET)).toBe(false);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['without scheme', EMPTY_SIGNATURE.slice(7)],
    ['of SHA-1', `sha1=${'a'.repeat(40)}`],
    ['cut', EMPTY_SIGNATURE.slice(0, -1)],
    ['too long', `${EMPTY_SIGNATURE}0`],
    ['no hex', `sha256=${'g'.repeat(64)}`],
    ['another', ESCAPED_SIGNATURE],
    ['two', `${EMPTY_SIGNATURE}, ${EMPTY_SIGNATURE}`],
    ['huge', `sha256=${'a'.repeat(1_000_000)}`],
  ])('is wrong: %s', (_title, header) => {
    expect(verifySignature(EMPTY, header, SECRET)).toBe(false);
  });

  it('is wrong under another secret, and always under none', () => {
    expect(verifySignature(EMPTY, EMPTY_SIGNATURE, `${SECRET}x`)).toBe(false);
    const underNone = `sha256=${createHmac('sha256', '').update(EMPTY).digest('hex')}`;
    expect(verifySignature(EMPTY, underNone, '')).toBe(false);
  });
});
