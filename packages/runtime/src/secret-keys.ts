import { z } from 'zod';

/** Shown wherever a key is missing or refused. */
const HOW = 'make one with: openssl rand -base64 32';
const KEY_BYTES = 32;
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * `RELAY_SECRET_KEY`: comma-separated base64 keys of 32 bytes. The first seals, all open.
 * No fault text repeats any part of the value.
 */
export function secretKeysField(allowWeak: boolean) {
  return z
    .string({ error: `is not set; ${HOW}` })
    .transform((list, context): readonly Uint8Array[] => {
      const keys: Uint8Array[] = [];
      for (const [position, raw] of list.split(',').entries()) {
        const fault = keyFault(raw.trim(), allowWeak);
        if (fault === undefined) keys.push(Buffer.from(raw.trim(), 'base64'));
        else context.addIssue({ code: 'custom', message: `key ${position + 1} of the list ${fault}; ${HOW}` });
      }
      const distinct = new Set(keys.map((key) => Buffer.from(key).toString('hex')));
      if (distinct.size < keys.length) context.addIssue({ code: 'custom', message: 'holds the same key twice; name each key once' });
      return keys;
    });
}

function keyFault(text: string, allowWeak: boolean): string | undefined {
  if (text === '') return 'is empty';
  if (!BASE64_OF_32_BYTES.test(text)) return `is not ${KEY_BYTES} bytes in base64`;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES) return `is not ${KEY_BYTES} bytes in base64`;
  if (!allowWeak && isDefault(bytes)) return 'is the base64 of an example or a default, and not of random bytes';
  if (!allowWeak && isWeak(bytes)) return 'is not random (the same or counted bytes) and is only let through with NODE_ENV=development';
  return undefined;
}

const DEFAULTS = /change|default|example|secret|password|relay/i;

/** A text such as stands in examples: 32 random bytes are all printable once in 10^14 keys. */
function isDefault(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f) && DEFAULTS.test(Buffer.from(bytes).toString('latin1'));
}

/** All equal, a repeated pattern or a sequence. 32 random bytes hold fewer than 16 values once in 10^15 keys. */
function isWeak(bytes: Uint8Array): boolean {
  const steps = new Set<number>();
  for (let at = 1; at < bytes.length; at += 1) steps.add((bytes[at]! - bytes[at - 1]! + 256) % 256);
  return new Set(bytes).size < 16 || steps.size < 4;
}
