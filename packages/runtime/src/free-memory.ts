/**
 * Gives the memory of a large buffer back now. V8 would with its next full collection, and it begins one for every 40 to
 * 64 MB of buffers that have come: two or three a second where some forty bodies of a megabyte do, and each takes as long
 * as the whole heap has it take.
 *
 * Only for what nobody looks at any more (from now on it has no bytes, and so has every other view of the same memory), and
 * never for what was given to a socket or a file: these read the memory itself, as long as they take.
 */
export function freeMemory(bytes: Uint8Array): void {
  const memory = bytes.buffer;
  // Node's pool has many users, each with a part of it.
  const mayBePool = memory.byteLength <= Buffer.poolSize && bytes.byteLength < memory.byteLength;
  if (memory instanceof ArrayBuffer && bytes.byteLength > 0 && !mayBePool) memory.transfer(0);
}
