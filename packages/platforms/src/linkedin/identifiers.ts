import type { ConversionEvent } from '@relay/contract';
import { asSha256Hex, sha256Hex } from '../identity/hash.ts';
import { isIpv4, normaliseIp } from '../identity/ip.ts';
import { isoCountry } from '../identity/iso.ts';
import { IDENTITY_CHOICES, type IdentityChoices } from './choices.ts';
import { leadUrn, normaliseEmail, normaliseHashedName } from './normalise.ts';

type User = ConversionEvent['user'];

export interface WireUser {
  /** Always there, even if empty: leaving it out is a 422. */
  readonly userIds: { readonly idType: string; readonly idValue: string }[];
  userInfo?: Readonly<Record<string, string>>;
  /** One is all that LinkedIn reads. */
  externalIds?: readonly [string];
  lead?: string;
}

/**
 * Who it was, in LinkedIn's terms; `undefined` if nothing is left that LinkedIn matches by. Phone numbers have no id type in
 * any public document, so they are never sent.
 */
export function wireUser(user: User, choices: IdentityChoices = IDENTITY_CHOICES): WireUser | undefined {
  const wire: WireUser = { userIds: userIds(user, choices) };
  const userInfo = userInfoOf(user, choices);
  if (userInfo !== undefined) wire.userInfo = userInfo;
  const externalId = user.externalId?.trim();
  if (externalId) wire.externalIds = [externalId];
  const lead = user.leadId === undefined ? undefined : leadUrn(user.leadId);
  if (lead !== undefined) wire.lead = lead;
  const isMatchable = wire.userIds.length > 0 || userInfo !== undefined || externalId || lead !== undefined;
  return isMatchable ? wire : undefined;
}

function userIds(user: User, choices: IdentityChoices): WireUser['userIds'] {
  const ids: WireUser['userIds'] = [];
  const email = user.email === undefined ? undefined : emailHash(user.email);
  if (email !== undefined) ids.push({ idType: 'SHA256_EMAIL', idValue: email });
  const clickId = user.clickIds?.li_fat_id?.trim();
  if (clickId) ids.push({ idType: 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', idValue: clickId });
  if (choices.ip !== undefined && user.ipAddress !== undefined) {
    const ip = normaliseIp(user.ipAddress);
    if (ip !== undefined && isIpv4(ip)) ids.push({ idType: choices.ip, idValue: choices.ip === 'SHA256_IP_ADDRESS' ? sha256Hex(ip) : ip });
  }
  return ids;
}

/** A value that a caller hashed already (64 hex digits) passes in lower case. */
function emailHash(raw: string): string | undefined {
  const given = asSha256Hex(raw.trim());
  if (given !== undefined) return given;
  const email = normaliseEmail(raw);
  return email === undefined ? undefined : sha256Hex(email);
}

/** First and last name are required together; half of them fails the whole request. */
function userInfoOf(user: User, choices: IdentityChoices): Readonly<Record<string, string>> | undefined {
  const firstName = user.firstName?.trim();
  const lastName = user.lastName?.trim();
  if (!firstName || !lastName) return undefined;
  const countryCode = user.country === undefined ? undefined : isoCountry(user.country);
  const names = choices.names === 'plain' ? { firstName, lastName } : hashedNames(firstName, lastName);
  return countryCode === undefined ? names : { ...names, countryCode };
}

function hashedNames(firstName: string, lastName: string): Readonly<Record<string, string>> {
  return {
    hashedFirstName: sha256Hex(normaliseHashedName(firstName) ?? firstName),
    hashedLastName: sha256Hex(normaliseHashedName(lastName) ?? lastName),
  };
}
