import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { freeMemory } from './free-memory.ts';

const externalBytes = (): number => process.memoryUsage().arrayBuffers;

test('a large buffer gives its memory back at once', () => {
  const before = externalBytes();
  const bytes = Buffer.alloc(64 * 2 ** 20);
  expect(externalBytes() - before).toBeGreaterThan(60 * 2 ** 20);
  freeMemory(bytes);
  expect(externalBytes() - before).toBeLessThan(4 * 2 ** 20);
  expect(bytes.length).toBe(0);
});

test('one that has its memory to itself need not be larger than the pool', () => {
  const bytes = Buffer.allocUnsafeSlow(Buffer.poolSize);
  freeMemory(bytes);
  expect(bytes.length).toBe(0);
});

test('a view stands for all of its memory, as where zlib took more than it needed', () => {
  const unpacked = zstdDecompressSync(zstdCompressSync(Buffer.alloc(100_000)), { chunkSize: 100_001 });
  expect(unpacked.buffer.byteLength).toBeGreaterThan(unpacked.length);
  freeMemory(unpacked.subarray(7, 9));
  expect(unpacked.length).toBe(0);
});

test.each([
  ['of the pool', Buffer.from('a small text')],
  ['of no bytes', Buffer.alloc(0)],
  ['shared between threads', Buffer.from(new SharedArrayBuffer(100_000))],
])('one %s is left alone', (_what, bytes) => {
  const { length } = bytes;
  freeMemory(bytes);
  expect(bytes.length).toBe(length);
});

test('twice is as good as once', () => {
  const bytes = Buffer.alloc(100_000);
  freeMemory(bytes);
  freeMemory(bytes);
  expect(bytes.length).toBe(0);
});
