import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, randomFillSync, type KeyObject } from 'node:crypto';

/**
 * AES-256-GCM under a list of keys: the first seals, all open, so keys rotate by putting a new one in front.
 *
 * Layout of a sealed value: version (1 byte, 1) | key id (4 bytes, start of the key's SHA-256) | nonce (12) | tag (16) | ciphertext.
 * `context` is authenticated, not stored: a value moved to another account or record does not open.
 */
export interface Sealer {
  seal(plain: Uint8Array, context: string): Buffer;
  /** @throws SealError when no key fits, or the value or its context was changed. */
  open(sealed: Uint8Array, context: string): Buffer;
  /** Whether the key that sealed it is there; told from the first `SEALED_HEAD_BYTES` bytes, without opening it. */
  hasKeyOf(sealed: Uint8Array): boolean;
  /**
   * Keyed hashes (HMAC-SHA-256, hex) under which a value can be looked up without being stored: one for each key, the
   * sealing key's first. Write under the first, look for all.
   */
  lookupHashes(value: string, purpose: string): readonly string[];
}

export class SealError extends Error {
  override readonly name = 'SealError';
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What `hasKeyOf` looks at. */
export const SEALED_HEAD_BYTES = 1 + KEY_ID_BYTES;
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;

/** @param keys 32 bytes each; the first seals, all open. */
export function createSealer(keys: readonly Uint8Array[]): Sealer {
  const first = keys[0];
  if (first === undefined) throw new SealError('at least one key is needed');
  // As key objects: given raw bytes, Node finds out with two errors, thrown and caught, that they are none, and that takes longer than the sealing.
  const keyObjects = keys.map((key) => {
    if (key.length !== 32) throw new SealError('a key must be 32 bytes');
    return createSecretKey(key);
  });
  const byId = new Map<string, KeyObject>(keys.map((key, i) => [keyIdOf(key).toString('hex'), keyObjects[i]!]));
  const firstKey = keyObjects[0]!;
  const firstId = keyIdOf(first);
  const keyOf = (value: Buffer) => byId.get(value.toString('hex', 1, SEALED_HEAD_BYTES));
  // Nonces come from a pool: one call into the random generator for many small values.
  const pool = Buffer.allocUnsafe(NONCE_BYTES * 256);
  let poolAt = pool.length;
  const nextNonce = (): Buffer => {
    if (poolAt === pool.length) {
      randomFillSync(pool);
      poolAt = 0;
    }
    poolAt += NONCE_BYTES;
    return pool.subarray(poolAt - NONCE_BYTES, poolAt);
  };

  return {
    seal(plain, context) {
      const out = Buffer.allocUnsafe(HEAD_BYTES + plain.length);
      const nonce = nextNonce();
      out[0] = VERSION;
      firstId.copy(out, 1);
      nonce.copy(out, 1 + KEY_ID_BYTES);
      const cipher = createCipheriv('aes-256-gcm', firstKey, nonce);
      cipher.setAAD(Buffer.from(context));
      // GCM is a stream mode: the ciphertext is exactly as long as the plaintext and update() gives all of it.
      cipher.update(plain).copy(out, HEAD_BYTES);
      cipher.final();
      cipher.getAuthTag().copy(out, 1 + KEY_ID_BYTES + NONCE_BYTES);
      return out;
    },
    open(sealed, context) {
      const value = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
      if (value.length < HEAD_BYTES || value[0] !== VERSION) throw new SealError('not a sealed value');
      const key = keyOf(value);
      if (key === undefined) throw new SealError('sealed under a key that is not in RELAY_SECRET_KEY');
      const nonceAt = SEALED_HEAD_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, value.subarray(nonceAt, nonceAt + NONCE_BYTES));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(value.subarray(nonceAt + NONCE_BYTES, HEAD_BYTES));
      const plain = decipher.update(value.subarray(HEAD_BYTES));
      try {
        decipher.final();
      } catch (cause) {
        throw new SealError('the sealed value or its context was changed', { cause });
      }
      return plain;
    },
    hasKeyOf: (sealed) => keyOf(Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)) !== undefined,
    lookupHashes: (value, purpose) => keyObjects.map((key) => createHmac('sha256', key).update(`${purpose}\0${value}`).digest('hex')),
  };
}

function keyIdOf(key: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', key, 'hex').slice(0, KEY_ID_BYTES * 2), 'hex');
}
