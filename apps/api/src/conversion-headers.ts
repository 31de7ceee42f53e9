import { RelayError } from '@relay/contract';

/** The longest wait a caller can ask for, seconds. */
export const MAX_WAIT_SECONDS = 120;

export interface Preference {
  readonly waitMs: number;
  /** For `Preference-Applied` on an answer that came at once or after the wait; `undefined`: nothing was preferred. */
  readonly applied: string | undefined;
}

/**
 * `Prefer` (RFC 7240): `respond-async`, `wait=N`, or both (wait up to N, then answer 202). The first of a kind counts;
 * what is unknown or malformed is ignored, as the RFC demands.
 */
export function readPreference(header: string | string[] | undefined, defaultWaitMs: number): Preference {
  if (header === undefined) return { waitMs: defaultWaitMs, applied: undefined };
  if (header === 'respond-async') return ASYNC; // what senders of many requests say
  let isAsync = false;
  let waitSeconds: number | undefined;
  for (const part of [header].flat().join(',').split(',')) {
    const { name, value } = preferenceOf(part);
    if (name === 'respond-async') isAsync = true;
    if (name === 'wait' && /^\d{1,9}$/.test(value)) waitSeconds ??= Math.min(Number(value), MAX_WAIT_SECONDS);
  }
  const applied = [isAsync ? 'respond-async' : '', waitSeconds === undefined ? '' : `wait=${waitSeconds}`].filter((text) => text !== '');
  const unsaidMs = isAsync ? 0 : defaultWaitMs;
  return {
    waitMs: waitSeconds === undefined ? unsaidMs : waitSeconds * 1000,
    applied: applied.length === 0 ? undefined : applied.join(', '),
  };
}

const ASYNC: Preference = { waitMs: 0, applied: 'respond-async' };

/** `wait = "10"; foo=bar` is the preference `wait` of 10; its parameters are not for us. */
function preferenceOf(part: string): { readonly name: string; readonly value: string } {
  const [name = '', value = ''] = (part.split(';', 1)[0] ?? '').split('=', 2).map((text) => text.trim());
  return { name: name.toLowerCase(), value: value.replace(/^"(.*)"$/, '$1') };
}

/** `Idempotency-Key`: 1 to 255 visible ASCII characters. Two headers arrive joined by a comma and a space, and are refused. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new RelayError('invalid_header', 'Idempotency-Key must be one value of 1 to 255 visible ASCII characters, without spaces.', { param: 'Idempotency-Key' });
}
