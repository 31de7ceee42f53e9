import { sha256Hex } from '../identity/hash.ts';
import { normaliseEmail } from './email.ts';
import { alreadyHashed, normaliseCountry, normaliseExternalId, normaliseGender, normaliseState, compactText } from './normalise.ts';

/** The hash of a value after its rule, or of what the caller hashed already; `undefined` if nothing usable is left. */
export function hashedBy(normalise: (value: string) => string | undefined, value: string): string | undefined {
  const known = alreadyHashed(value);
  if (known !== undefined) return known;
  const normal = normalise(value);
  return normal === undefined ? undefined : sha256Hex(normal);
}

/** `em` of one address; `undefined` if it is none. */
export function hashedEmail(value: string): string | undefined {
  return hashedBy(normaliseEmail, value);
}

export function hashedExternalId(value: string): string | undefined {
  return hashedBy(normaliseExternalId, value);
}

/**
 * Values that many people share are hashed once. Never e-mail, phone, name, zip or id: what identifies a person is not
 * kept in memory beyond its event. Bounded in entries and in bytes; emptied when full, which is simpler than an LRU and
 * as good where a few values make up nearly all.
 */
const MAX_ENTRIES = 2000;
const MAX_KEY_LENGTH = 64;

function remembered<Value>(compute: (value: string) => Value): (value: string) => Value {
  const known = new Map<string, Value>();
  return (value) => {
    if (value.length > MAX_KEY_LENGTH) return compute(value);
    const found = known.get(value);
    if (found !== undefined || known.has(value)) return found as Value;
    if (known.size >= MAX_ENTRIES) known.clear();
    const computed = compute(value);
    known.set(value, computed);
    return computed;
  };
}

/** City, and state outside the US: both follow the same rule. */
export const hashedPlace: (value: string) => string | undefined = remembered((value) => hashedBy(compactText, value));
/** State of the US or of a country that is not known. */
export const hashedUsState: (value: string) => string | undefined = remembered((value) => hashedBy(normaliseState, value));
export const hashedGender: (value: string) => string | undefined = remembered((value) => hashedBy(normaliseGender, value));
export const hashedCountry: (value: string) => string | undefined = remembered((value) => hashedBy(normaliseCountry, value));
/** The code behind a country, as the rules for zip and state need it; `undefined` also if the caller hashed it. */
export const countryCode: (value: string) => string | undefined = remembered(normaliseCountry);
