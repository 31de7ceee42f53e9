import type { ConversionEvent } from '@relay/contract';
import { normaliseDob } from './dob.ts';
import { countryCode, hashedBy, hashedCountry, hashedEmail, hashedExternalId, hashedGender, hashedPlace, hashedUsState } from './hashed.ts';
import { compactText, normaliseClientIp, normalisePhone, normaliseZip } from './normalise.ts';

/** Meta's `user_data`. Hashed keys are lists, as in Meta's own examples; the others are single texts. */
export interface UserData {
  em?: readonly string[];
  ph?: readonly string[];
  fn?: readonly string[];
  ln?: readonly string[];
  db?: readonly string[];
  ge?: readonly string[];
  ct?: readonly string[];
  st?: readonly string[];
  zp?: readonly string[];
  country?: readonly string[];
  external_id?: readonly string[];
  client_ip_address?: string;
  client_user_agent?: string;
  fbc?: string;
  fbp?: string;
  lead_id?: string;
}

/** What can be known of the person: what is malformed is left out, so that the rest still counts. */
export function userDataOf(user: ConversionEvent['user']): UserData {
  const data: UserData = {};
  addIdentity(data, user);
  addPlace(data, user);
  addPlain(data, user);
  return data;
}

function addIdentity(data: UserData, user: ConversionEvent['user']): void {
  const em = user.email === undefined ? undefined : hashedEmail(user.email);
  if (em !== undefined) data.em = [em];
  const ph = user.phone === undefined ? undefined : hashedBy(normalisePhone, user.phone);
  if (ph !== undefined) data.ph = [ph];
  const fn = user.firstName === undefined ? undefined : hashedBy(compactText, user.firstName);
  if (fn !== undefined) data.fn = [fn];
  const ln = user.lastName === undefined ? undefined : hashedBy(compactText, user.lastName);
  if (ln !== undefined) data.ln = [ln];
  const db = user.dob === undefined ? undefined : hashedBy(normaliseDob, user.dob);
  if (db !== undefined) data.db = [db];
  const externalId = user.externalId === undefined ? undefined : hashedExternalId(user.externalId);
  if (externalId !== undefined) data.external_id = [externalId];
}

function addPlace(data: UserData, user: ConversionEvent['user']): void {
  const ge = user.gender === undefined ? undefined : hashedGender(user.gender);
  if (ge !== undefined) data.ge = [ge];
  const ct = user.city === undefined ? undefined : hashedPlace(user.city);
  if (ct !== undefined) data.ct = [ct];
  const code = user.country === undefined ? undefined : countryCode(user.country);
  const st = user.state === undefined ? undefined : hashedState(user.state, code);
  if (st !== undefined) data.st = [st];
  const zp = user.zip === undefined ? undefined : hashedBy(code === 'us' ? normaliseUsZip : normaliseZip, user.zip);
  if (zp !== undefined) data.zp = [zp];
  const country = user.country === undefined ? undefined : hashedCountry(user.country);
  if (country !== undefined) data.country = [country];
}

function hashedState(state: string, code: string | undefined): string | undefined {
  return code === undefined || code === 'us' ? hashedUsState(state) : hashedPlace(state);
}

function normaliseUsZip(value: string): string | undefined {
  return normaliseZip(value, 'us');
}

function addPlain(data: UserData, user: ConversionEvent['user']): void {
  const ip = user.ipAddress === undefined ? undefined : normaliseClientIp(user.ipAddress);
  if (ip !== undefined) data.client_ip_address = ip;
  if (isFilled(user.userAgent)) data.client_user_agent = user.userAgent;
  // Byte for byte: the click id in it is case-sensitive, and Meta's own code appends a suffix that must survive.
  if (isFilled(user.clickIds?.fbc)) data.fbc = user.clickIds.fbc;
  if (isFilled(user.clickIds?.fbp)) data.fbp = user.clickIds.fbp;
  const leadId = user.leadId?.trim();
  if (leadId !== undefined && isLeadId(leadId)) data.lead_id = leadId;
}

function isFilled(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

/**
 * A number of 15 to 17 digits: that is beyond a double's 53 bits, so it goes as text, as in Meta's SDK. What is no lead id
 * fails the whole batch without a hint at the event (100/2804036).
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/guides/conversions-api-crm-for-platforms (read 2026-09-12)
 */
function isLeadId(value: string): boolean {
  if (value.length < 15 || value.length > 17) return false;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

/**
 * Meta's minimum: an event whose keys all lie within one of these sets fails its whole batch (100/2804050).
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/best-practices (read 2026-09-12)
 */
const TOO_LITTLE: readonly ReadonlySet<string>[] = [
  new Set(['ct', 'country', 'st', 'zp', 'ge', 'client_user_agent']),
  new Set(['db', 'client_user_agent']),
  new Set(['fn', 'ge']),
  new Set(['ln', 'ge']),
];

/** Any of these alone is enough, which spares nearly every event the walk over the sets. */
export function isEnoughToMatch(data: UserData): boolean {
  if (data.em !== undefined || data.ph !== undefined || data.external_id !== undefined) return true;
  const keys = Object.keys(data);
  return keys.length > 0 && TOO_LITTLE.every((set) => !keys.every((key) => set.has(key)));
}
