import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer, SEALED_HEAD_BYTES, SealError } from './sealer.ts';

const key = randomBytes(32);
const plain = Buffer.from('jane@example.com and 700 more bytes');

describe('sealer', () => {
  it('opens what it sealed and shows nothing of it', () => {
    const sealer = createSealer([key]);
    const sealed = sealer.seal(plain, 'job');
    expect(sealed.includes('jane')).toBe(false);
    expect(sealer.open(sealed, 'job')).toEqual(plain);
  });

  it('never uses a nonce twice, over more values than the pool holds', () => {
    const sealer = createSealer([key]);
    const nonces = new Set(Array.from({ length: 1000 }, () => sealer.seal(plain, 'x').toString('hex', 5, 17)));
    expect(nonces.size).toBe(1000);
  });

  it('opens with any key of the list and seals with the first', () => {
    const old = createSealer([key]);
    const next = randomBytes(32);
    const rotated = createSealer([next, key]);
    expect(rotated.open(old.seal(plain, 'a'), 'a')).toEqual(plain);
    expect(() => old.open(rotated.seal(plain, 'a'), 'a')).toThrow(SealError);
    const head = (sealed: Buffer) => sealed.subarray(0, SEALED_HEAD_BYTES);
    expect([rotated.hasKeyOf(head(old.seal(plain, 'a'))), old.hasKeyOf(head(rotated.seal(plain, 'a'))), old.hasKeyOf(Buffer.alloc(0))]).toEqual([true, false, false]);
  });

  it('refuses another context, a changed byte and a cut value', () => {
    const sealer = createSealer([key]);
    const sealed = sealer.seal(plain, 'acc_1');
    expect(() => sealer.open(sealed, 'acc_2')).toThrow(SealError);
    for (const at of [0, 3, 8, 20, 40]) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => sealer.open(changed, 'acc_1')).toThrow(SealError);
    }
    expect(() => sealer.open(sealed.subarray(0, 10), 'acc_1')).toThrow(SealError);
  });

  it('seals an empty value', () => {
    const sealer = createSealer([key]);
    expect(sealer.open(sealer.seal(Buffer.alloc(0), 'a'), 'a')).toHaveLength(0);
  });

  it('gives one lookup hash a key, the sealing key first, apart by purpose', () => {
    const next = randomBytes(32);
    const [old] = createSealer([key]).lookupHashes('40746123456', 'phone');
    const rotated = createSealer([next, key]).lookupHashes('40746123456', 'phone');
    expect(rotated).toHaveLength(2);
    expect(rotated[1]).toBe(old);
    expect(rotated[0]).not.toBe(old);
    expect(createSealer([key]).lookupHashes('40746123456', 'wamid')[0]).not.toBe(old);
  });
});
