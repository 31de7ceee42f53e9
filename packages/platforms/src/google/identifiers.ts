import type { ConversionEvent } from '@relay/contract';
import { asSha256Hex, sha256Hex } from '../identity/hash.ts';
import { normaliseIp } from '../identity/ip.ts';
import { isoCountry } from '../identity/iso.ts';
import { normaliseEmail, normaliseFamilyName, normaliseGivenName, normalisePhone, normalisePostalCode } from './normalise.ts';

type User = ConversionEvent['user'];

export type UserIdentifier =
  | { readonly emailAddress: string }
  | { readonly phoneNumber: string }
  | { readonly address: { readonly givenName: string; readonly familyName: string; readonly regionCode: string; readonly postalCode: string } };

/**
 * EU members, Iceland, Liechtenstein, Norway; the United Kingdom; Switzerland. "Google Ads does not support IP address
 * matching for end users in the EEA, UK, or Switzerland. Add logic to conditionally exclude sharing IP addresses from
 * users from these regions": https://developers.google.com/data-manager/api/reference/rest/v1/DeviceInfo (read 2026-11).
 */
const NO_IP_REGIONS: ReadonlySet<string> = new Set(
  ('AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB CH ' +
    // Outermost regions of EU members and Åland have ISO codes of their own; EU law holds there. EL is the EU's Greece.
    'AX GF GP MF MQ RE YT EL').split(' '),
);

/** Hashed or plain as Google wants each; at most 3 of the 10 it takes. */
export function userIdentifiers(user: User): readonly UserIdentifier[] {
  const identifiers: UserIdentifier[] = [];
  const emailAddress = hashed(user.email, normaliseEmail);
  if (emailAddress !== undefined) identifiers.push({ emailAddress });
  const phoneNumber = hashed(user.phone, normalisePhone);
  if (phoneNumber !== undefined) identifiers.push({ phoneNumber });
  const address = addressOf(user);
  if (address !== undefined) identifiers.push({ address });
  return identifiers;
}

/** All four parts or nothing: a partial address fails the whole request. */
function addressOf(user: User) {
  if (user.firstName === undefined || user.lastName === undefined || user.zip === undefined || user.country === undefined) return undefined;
  const regionCode = isoCountry(user.country);
  if (regionCode === undefined) return undefined;
  const postalCode = normalisePostalCode(user.zip, regionCode);
  const givenName = hashed(user.firstName, normaliseGivenName);
  const familyName = hashed(user.lastName, normaliseFamilyName);
  if (postalCode === undefined || givenName === undefined || familyName === undefined) return undefined;
  return { givenName, familyName, regionCode, postalCode };
}

/** Values that a caller hashed already (64 hex digits) pass in lower case. */
function hashed(raw: string | undefined, normalise: (raw: string) => string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  const given = asSha256Hex(raw.trim());
  if (given !== undefined) return given;
  const normalised = normalise(raw);
  return normalised === undefined ? undefined : sha256Hex(normalised);
}

/** Exactly one, as Google refuses an event with several: the click id proper, else the ones for iOS. */
export function adIdentifiers(user: User): Readonly<Record<string, string>> | undefined {
  const { clickIds } = user;
  if (clickIds === undefined) return undefined;
  const gclid = clickIds.gclid?.trim();
  if (gclid) return { gclid };
  const gbraid = clickIds.gbraid?.trim();
  if (gbraid) return { gbraid };
  const wbraid = clickIds.wbraid?.trim();
  return wbraid ? { wbraid } : undefined;
}

/** The address to match by, unless the user is known to be where Google must not be told. */
export function sendableIp(user: User): string | undefined {
  if (user.ipAddress === undefined) return undefined;
  const region = user.country === undefined ? undefined : isoCountry(user.country);
  if (region !== undefined && NO_IP_REGIONS.has(region)) return undefined;
  return normaliseIp(user.ipAddress);
}
