import type { IdentifierInput } from './request-shape.ts';

/** Adds a violation at a path below the event, e.g. `.user_data.user_identifiers[1]`. */
export type Report = (path: string, description: string, reason: string) => void;

export interface IdentifierRules {
  readonly encoding: 'HEX' | 'BASE64' | undefined;
  /** Whether a bad hash is named by its identifier or by the field inside it. */
  readonly identifierPath: 'identifier' | 'field';
}

const MAX_IDENTIFIERS = 10;
const LIST = '.user_data.user_identifiers';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function checkIdentifiers(identifiers: readonly IdentifierInput[], rules: IdentifierRules, report: Report): void {
  if (identifiers.length > MAX_IDENTIFIERS) {
    report(LIST, `At most ${MAX_IDENTIFIERS} user identifiers are allowed.`, 'TOO_MANY_USER_IDENTIFIERS');
  }
  for (let index = 0; index < identifiers.length; index += 1) {
    checkIdentifier(identifiers[index] ?? {}, { rules, report, index });
  }
}

interface Place {
  readonly rules: IdentifierRules;
  readonly report: Report;
  readonly index: number;
}

function checkIdentifier(identifier: IdentifierInput, place: Place): void {
  if (identifier.emailAddress !== undefined) checkHash(identifier.emailAddress, 'email_address', place);
  else if (identifier.phoneNumber !== undefined) checkHash(identifier.phoneNumber, 'phone_number', place);
  else if (identifier.address !== undefined) checkAddress(identifier.address, place);
  else place.report(`${LIST}[${place.index}]`, 'A required field is missing.', 'REQUIRED_FIELD_MISSING');
}

/** All four parts or none: a partial address fails the request. */
function checkAddress(address: NonNullable<IdentifierInput['address']>, place: Place): void {
  const path = `${LIST}[${place.index}].address`;
  const lack = (name: string): void => place.report(`${path}.${name}`, 'A required field is missing.', 'REQUIRED_FIELD_MISSING');
  if (address.givenName) checkHash(address.givenName, 'address.given_name', place);
  else lack('given_name');
  if (address.familyName) checkHash(address.familyName, 'address.family_name', place);
  else lack('family_name');
  const region = address.regionCode;
  if (!region) lack('region_code');
  // The list has INVALID_REGION_CODE as well; that one belongs to eventLocation, as far as the documents tell.
  else if (!/^[A-Z]{2}$/.test(region)) place.report(`${path}.region_code`, 'The country code is invalid.', 'INVALID_COUNTRY_CODE');
  if (!address.postalCode) lack('postal_code');
  else if (!isPostalCode(address.postalCode, region)) place.report(`${path}.postal_code`, 'The postal code is invalid.', 'INVALID_POSTAL_CODE');
}

/** 5 or 5+4 digits for the US; only the alphabet elsewhere, since the documents give no other rule. */
function isPostalCode(code: string, region: string | undefined): boolean {
  return region === 'US' ? /^\d{5}(?:-?\d{4})?$/.test(code) : /^[A-Za-z0-9][A-Za-z0-9 -]{0,11}$/.test(code);
}

function checkHash(value: string, field: string, place: Place): void {
  const fault = hashFault(value, place.rules.encoding);
  if (fault === undefined) return;
  const inside = place.rules.identifierPath === 'field' ? `.${field}` : '';
  place.report(`${LIST}[${place.index}]${inside}`, fault.description, fault.reason);
}

function hashFault(value: string, encoding: 'HEX' | 'BASE64' | undefined): { description: string; reason: string } | undefined {
  if (encoding === undefined) return undefined; // the missing encoding is the request's fault, reported once
  if (encoding === 'HEX') {
    // Google's own formatters give lower case (Node, Python) or upper case (Java): both are taken.
    if (!/^[0-9a-fA-F]+$/.test(value) || value.length % 2 === 1) return { description: 'The HEX encoded value is malformed.', reason: 'INVALID_HEX_ENCODING' };
    return value.length === 64 ? undefined : notSha256;
  }
  if (value === '' || !BASE64.test(value)) return { description: 'The BASE64 encoded value is malformed.', reason: 'INVALID_BASE64_ENCODING' };
  return value.length === 44 && value.endsWith('=') ? undefined : notSha256;
}

const notSha256 = { description: 'The value is not a SHA-256 hash.', reason: 'INVALID_SHA256_FORMAT' };
