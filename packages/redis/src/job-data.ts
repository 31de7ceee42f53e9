import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import type { Consent } from '@relay/contract';
import { freeMemory, SEALED_HEAD_BYTES, type Sealer } from '@relay/runtime';
import { joinLines, NEWLINE } from './lines.ts';

/**
 * The data of a delivery job, version 1: one chunk of events for one destination. Names are short since every job
 * carries them; everything about people is in `z`, compressed and sealed. Old jobs outlive deploys: `v` says how to read one.
 */
export const jobDataSchema = z.object({
  v: z.literal(1),
  /** Account and destination. */
  a: z.string(),
  d: z.string(),
  /** Test code. */
  t: z.string().optional(),
  /** Kind of the events; none: conversions. */
  j: z.literal('adjustment').optional(),
  /** Consent, two letters: ad user data, ad personalisation; G granted, D denied, - not said. */
  c: z.string().length(2).optional(),
  /** Events. */
  n: z.number().int().positive(),
  /** Bytes of the payload, unpacked. */
  b: z.number().int().nonnegative(),
  /** When the first of the events expires, unix ms. */
  x: z.number(),
  /** When the oldest of the events was accepted, unix ms. */
  at: z.number(),
  /** Whose events these are: delivery, chunk number in it, ranges of submitted indices as start, count, … */
  p: z.array(z.object({ d: z.string(), k: z.number().int(), r: z.array(z.number().int()) })),
  /** Payload: zstd, sealed, base64. */
  z: z.string(),
  /** The dead letter that this is a replay of. */
  rl: z.string().optional(),
});
/** A delivery job's name where a caller waits for the outcome of some of its events; of all others `deliver`. */
export const AWAITED = 'deliver.awaited';
export type JobData = z.infer<typeof jobDataSchema>;
export type JobPart = JobData['p'][number];

/**
 * The data as JSON, in UTF-8. What is sealed is by far the most of it, and base64 has nothing to escape: it is not looked
 * through again. As bytes, since ioredis copies a text three times over on its way to the socket.
 */
export function jobBytes({ z: sealed, ...rest }: JobData): Buffer {
  const head = Buffer.from(`${JSON.stringify(rest).slice(0, -1)},"z":"`);
  const bytes = Buffer.allocUnsafe(head.length + sealed.length + 2);
  bytes.set(head);
  const end = head.length + bytes.write(sealed, head.length, 'latin1');
  bytes.write('"}', end, 'latin1');
  return bytes;
}

/** What the payload holds, index by index. */
export interface JobPayload {
  readonly eventIds: readonly string[];
  readonly expiresAtMs: readonly number[];
  /** Wire JSON, one line each: as text where it was made, as UTF-8 where it was unpacked. */
  readonly wires: readonly (string | Uint8Array)[];
}
/** A payload taken out of its packing. */
export interface UnpackedPayload extends JobPayload {
  readonly wires: readonly Uint8Array[];
}

/** Level 1 costs half of level 3's time for a few per cent more bytes: half of a payload is hashes, which do not compress. */
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 };

/** Payload text: a line of event ids, a line of expiries (unix s), then one line of wire JSON an event. */
export function packPayload(payload: JobPayload, sealer: Sealer, context: string): { sealed: string; bytes: number } {
  const expiries = payload.expiresAtMs.map((ms) => Math.floor(ms / 1000));
  const plain = joinLines([JSON.stringify(payload.eventIds), JSON.stringify(expiries), ...payload.wires]);
  const bytes = plain.length;
  const packed = zstdCompressSync(plain, { params: ZSTD_PARAMS, pledgedSrcSize: bytes, chunkSize: mostPacked(bytes) });
  plain.fill(0); // the buffer is kept, and what it held of people is not
  const sealed = sealer.seal(packed, context).toString('base64');
  freeMemory(packed);
  return { sealed, bytes };
}

/**
 * The most that zstd makes of so many bytes, and a little more. With so much room it writes there directly; with less it goes by
 * way of buffers of its own and takes a fifth longer for a megabyte.
 * https://github.com/facebook/zstd/blob/v1.5.7/lib/zstd.h (`ZSTD_COMPRESSBOUND`)
 */
function mostPacked(bytes: number): number {
  return bytes + (bytes >> 8) + 128;
}

/**
 * @param bytes of the payload, unpacked, as `packPayload` told: unpacked into pieces it would have to be put together again.
 * @throws SealError when the payload was sealed under another key or moved to another account.
 */
export function unpackPayload(sealed: string, sealer: Sealer, context: string, bytes?: number): UnpackedPayload {
  const closed = Buffer.from(sealed, 'base64');
  const packed = sealer.open(closed, context);
  freeMemory(closed);
  const plain = zstdDecompressSync(packed, bytes === undefined ? {} : { chunkSize: Math.max(bytes + 1, MIN_CHUNK_BYTES) });
  freeMemory(packed);
  const ids = plain.indexOf(NEWLINE);
  const expiries = plain.indexOf(NEWLINE, ids + 1);
  const wires: Uint8Array[] = [];
  for (let start = expiries + 1; start <= plain.length; ) {
    const end = plain.indexOf(NEWLINE, start);
    wires.push(plain.subarray(start, end === -1 ? plain.length : end));
    if (end === -1) break;
    start = end + 1;
  }
  return {
    eventIds: JSON.parse(plain.toString('utf8', 0, ids)) as string[],
    expiresAtMs: (JSON.parse(plain.toString('latin1', ids + 1, expiries)) as number[]).map((s) => s * 1000),
    wires,
  };
}
/** Node takes no smaller ones. */
const MIN_CHUNK_BYTES = 64;

/** Whether the key that this payload was sealed under is there. Cheap: the payload is not opened. */
export function hasPayloadKey(sealed: string, sealer: Sealer): boolean {
  return sealer.hasKeyOf(Buffer.from(sealed.slice(0, Math.ceil(SEALED_HEAD_BYTES / 3) * 4), 'base64'));
}

/** What a payload is bound to: it opens only for the account and destination it was sealed for. */
export function payloadContext(accountId: string, destinationId: string): string {
  return `job:${accountId}:${destinationId}`;
}

const LETTER = { GRANTED: 'G', DENIED: 'D' } as const;

/** The two letters of a job's consent; `undefined` when nothing is said. */
export function encodeConsent(consent: Consent | undefined): string | undefined {
  if (consent === undefined) return undefined;
  const letter = (value: Consent['adUserData']) => (value === undefined ? '-' : LETTER[value]);
  const code = letter(consent.adUserData) + letter(consent.adPersonalization);
  return code === '--' ? undefined : code;
}

/** The consent behind the two letters. */
export function decodeConsent(code: string | undefined): Consent | undefined {
  if (code === undefined) return undefined;
  const value = (letter: string | undefined) =>
    letter === 'G' ? ('GRANTED' as const) : letter === 'D' ? ('DENIED' as const) : undefined;
  const adUserData = value(code[0]);
  const adPersonalization = value(code[1]);
  return { ...(adUserData && { adUserData }), ...(adPersonalization && { adPersonalization }) };
}
