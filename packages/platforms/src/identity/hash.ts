import { hash } from 'node:crypto';

/** SHA-256 of the UTF-8 bytes, lower-case hex. `crypto.hash` is the one-shot form: no Hash object per value. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** The value in lower case if a caller hashed it already (64 hex digits), else `undefined`. */
export function asSha256Hex(value: string): string | undefined {
  return value.length === 64 && SHA256_HEX.test(value) ? value.toLowerCase() : undefined;
}
