import type { Consent } from '@relay/contract';
import { createSealer, SealError } from '@relay/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeConsent, encodeConsent, jobDataSchema, packPayload, payloadContext, unpackPayload, type JobPayload } from './job-data.ts';

const sealer = createSealer([new Uint8Array(32).fill(1)]);
const CONTEXT = payloadContext('acc', 'dest');
/** Packed and unpacked, with and without being told the size; the wires as text again. */
const through = (payload: JobPayload) => {
  const { sealed, bytes } = packPayload(payload, sealer, CONTEXT);
  const unpacked = [unpackPayload(sealed, sealer, CONTEXT), unpackPayload(sealed, sealer, CONTEXT, bytes)].map(({ wires, ...rest }) => ({ ...rest, wires: wires.map((wire) => Buffer.from(wire).toString()) }));
  expect(unpacked[1]).toEqual(unpacked[0]);
  return unpacked[0]!;
};

/** Any text an id can be: unicode, line breaks, halves of a surrogate pair. */
const anId = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\n', '"\n[', '\u2028', '\uD83D', '🛒', ' '));
/** A wire event is one line of JSON, as `JSON.stringify` makes it. */
const aWire = fc.dictionary(anId, fc.oneof(anId, fc.double({ noNaN: true, noDefaultInfinity: true }))).map((fields) => JSON.stringify(fields));
const aPayload = fc
  .array(fc.record({ eventId: anId, wire: aWire, seconds: fc.integer({ min: 0, max: 99_999_999_999 }) }), { minLength: 1, maxLength: 50 })
  .map((events): JobPayload => ({
    eventIds: events.map(({ eventId }) => eventId),
    expiresAtMs: events.map(({ seconds }) => seconds * 1000),
    wires: events.map(({ wire }) => wire),
  }));

describe('a payload', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(aPayload, (payload) => {
        expect(through(payload)).toEqual(payload);
      }),
    );
  });

  it('comes back with 5000 events', () => {
    const numbers = Array.from({ length: 5_000 }, (_, i) => i);
    const payload = {
      eventIds: numbers.map((i) => (i % 7 === 0 ? '' : `öl-${i}-😀`)),
      expiresAtMs: numbers.map((i) => 1_700_000_000_000 + i * 1_000),
      wires: numbers.map((i) => JSON.stringify({ event_id: i, name: 'Käsespätzle 🧀'.repeat(i % 5) })),
    };
    expect(through(payload)).toEqual(payload);
  });

  it('takes bytes as well as text, and keeps nothing of a longer payload before it', () => {
    const long = { eventIds: ['long'], expiresAtMs: [1_000], wires: [JSON.stringify('x'.repeat(100_000))] };
    const short = { eventIds: ['a', 'b'], expiresAtMs: [1_000, 2_000], wires: ['{"a":"ü"}', '{"b":2}'] };
    expect(through(long)).toEqual(long);
    expect(through(short)).toEqual(short);
    expect(through({ ...short, wires: short.wires.map((wire) => Buffer.from(wire)) })).toEqual(short);
  });

  it('keeps payloads apart that are packed one after the other, small and large', () => {
    const payloads = Array.from({ length: 12 }, (_, i) => ({ eventIds: [`e${i}`], expiresAtMs: [i * 1_000], wires: [JSON.stringify(`${i}-`.repeat(i % 2 === 0 ? 60_000 : 10))] }));
    expect(payloads.map(through)).toEqual(payloads);
  });

  it('counts its bytes, not its characters', () => {
    const { bytes } = packPayload({ eventIds: ['é'], expiresAtMs: [1_000], wires: ['"€"'] }, sealer, CONTEXT);
    expect(bytes).toBe(Buffer.byteLength('["é"]\n[1]\n"€"'));
  });

  it('expires on the full second before, never later than it was told', () => {
    expect(through({ eventIds: ['a'], expiresAtMs: [1_999], wires: ['{}'] }).expiresAtMs).toEqual([1_000]);
  });

  it('shows nothing of its events', () => {
    const { sealed } = packPayload({ eventIds: ['order-4711'], expiresAtMs: [0], wires: ['{"email":"anna@example.org"}'] }, sealer, CONTEXT);
    const raw = Buffer.from(sealed, 'base64').toString('latin1');
    expect(sealed).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(raw).not.toContain('4711');
    expect(raw).not.toContain('anna');
  });

  it('opens only for its account and destination, with its key, and unchanged', () => {
    const { sealed } = packPayload({ eventIds: ['a'], expiresAtMs: [0], wires: ['{}'] }, sealer, CONTEXT);
    const changed = Buffer.from(sealed, 'base64');
    changed[changed.length - 1]! ^= 1;
    expect(() => unpackPayload(sealed, sealer, payloadContext('acc', 'other'))).toThrow(SealError);
    expect(() => unpackPayload(sealed, createSealer([new Uint8Array(32)]), CONTEXT)).toThrow(SealError);
    expect(() => unpackPayload(changed.toString('base64'), sealer, CONTEXT)).toThrow(SealError);
  });
});

describe('jobDataSchema', () => {
  const good = { v: 1, a: 'acc', d: 'dest', n: 1, b: 2, x: 3, at: 4, p: [{ d: 'dlv', k: 0, r: [0, 1] }], z: 'eA==' };

  it('takes what the API writes, with and without what is optional', () => {
    expect(jobDataSchema.safeParse(good).success).toBe(true);
    expect(jobDataSchema.safeParse({ ...good, t: 'T', c: 'G-', rl: 'letter' }).success).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a version it does not know', { ...good, v: 2 }],
    ['a version as text', { ...good, v: '1' }],
    ['no events', { ...good, n: 0 }],
    ['a part of an event', { ...good, n: 1.5 }],
    ['bytes below nothing', { ...good, b: -1 }],
    ['an expiry that is no number', { ...good, x: null }],
    ['consent of another length', { ...good, c: 'GGG' }],
    ['parts that are no list', { ...good, p: {} }],
    ['a part without a delivery', { ...good, p: [{ k: 0, r: [] }] }],
    ['ranges of text', { ...good, p: [{ d: 'd', k: 0, r: ['0', '1'] }] }],
    ['no payload', { ...good, z: undefined }],
    ['a list', [good]],
    ['nothing', null],
    ['text', 'job'],
  ])('refuses %s', (_name, junk) => {
    expect(jobDataSchema.safeParse(junk).success).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (junk) => {
        expect(jobDataSchema.safeParse(junk).success).toBe(false);
      }),
    );
  });
});

describe('consent codes', () => {
  const choice = fc.constantFrom('GRANTED' as const, 'DENIED' as const, undefined);

  it('come back as they were; nothing said is no code at all', () => {
    fc.assert(
      fc.property(choice, choice, (adUserData, adPersonalization) => {
        const consent: Consent = { ...(adUserData && { adUserData }), ...(adPersonalization && { adPersonalization }) };
        const code = encodeConsent(consent);
        expect(decodeConsent(code) ?? {}).toEqual(consent);
        expect(code === undefined).toBe(adUserData === undefined && adPersonalization === undefined);
      }),
    );
  });

  it('are two letters, the second for personalisation', () => {
    expect(encodeConsent({ adUserData: 'GRANTED', adPersonalization: 'DENIED' })).toBe('GD');
    expect(encodeConsent({ adPersonalization: 'GRANTED' })).toBe('-G');
    expect([encodeConsent(undefined), encodeConsent({}), decodeConsent(undefined)]).toEqual([undefined, undefined, undefined]);
  });

  it('never grant what is not understood', () => {
    expect(decodeConsent('gx')).toEqual({});
  });
});
