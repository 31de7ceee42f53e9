import { isIP } from 'node:net';

import { BAD_LEAD_ID, FEW_USER_KEYS, invalidFault, NOT_HASHED, pathOf, unexpectedKey } from './errors.ts';
import type { EventFault } from './errors.ts';
import { isAbsent } from './kinds.ts';
import type { Json } from './kinds.ts';
import { HASHED_KEYS, ID_KEYS, INSUFFICIENT_MASKS, MULTI_VALUE_KEYS, USER_KEY_BITS } from './vocabulary.ts';

/** Meta's parameter builder appends `.` and 2 or 8 base64url characters to what it hashes. */
const HASH = /^[a-f0-9]{64}(\.[A-Za-z0-9_-]{2}|\.[A-Za-z0-9_-]{8})?$/;
const BUILDER_SUFFIX = /\.([A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8})$/;
const LEAD_ID = /^\d{15,17}$/;

const isEmpty = (value: unknown) => isAbsent(value) || value === '' || (Array.isArray(value) && value.length === 0);

/** An address as the builder writes it may carry a suffix, which an IP parser does not know. */
const isAddress = (value: string) => isIP(value) !== 0 || isIP(value.replace(BUILDER_SUFFIX, '')) !== 0;

function valueFault(key: string, value: unknown, index: number, strictIp: boolean): EventFault | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'string') {
    if (key !== 'client_ip_address' || !strictIp || isAddress(value)) return undefined;
    return invalidFault(pathOf(index, 'user_data', key), 'a valid IPv4 or IPv6 address');
  }
  if (ID_KEYS.has(key)) {
    return Number.isInteger(value) ? undefined : invalidFault(pathOf(index, 'user_data', key), 'an integer');
  }
  const multi = MULTI_VALUE_KEYS.has(key);
  if (multi && Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return undefined;
  return invalidFault(pathOf(index, 'user_data', key), multi ? 'a string or a list of strings' : 'a string');
}

export function userShapeFault(userData: Json, index: number, strictIp: boolean): EventFault | undefined {
  for (const key in userData) {
    if (!USER_KEY_BITS.has(key)) return unexpectedKey(key, pathOf(index, 'user_data'));
    const fault = valueFault(key, userData[key], index, strictIp);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const isHash = (value: unknown) => typeof value === 'string' && HASH.test(value);

export function hashFault(userData: Json): EventFault | undefined {
  for (const key in userData) {
    if (!HASHED_KEYS.has(key)) continue;
    const value = userData[key];
    if (isAbsent(value)) continue;
    const hashed = Array.isArray(value) ? value.every(isHash) : isHash(value);
    if (!hashed) {
      return { subcode: NOT_HASHED, text: `The user parameter "${key}" is not hashed. Hash it with SHA-256 before you send it.` };
    }
  }
  return undefined;
}

/** The key sets that identify nobody; without any key an event is within all of them. */
export function fewKeysFault(userData: Json): EventFault | undefined {
  let mask = 0;
  for (const key in userData) if (!isEmpty(userData[key])) mask |= USER_KEY_BITS.get(key) ?? 0;
  for (const insufficient of INSUFFICIENT_MASKS) {
    if ((mask & ~insufficient) === 0) {
      return { subcode: FEW_USER_KEYS, text: 'This event has insufficient customer information parameter data to be matched.' };
    }
  }
  return undefined;
}

export function leadIdFault(userData: Json): EventFault | undefined {
  const leadId = userData['lead_id'];
  if (isEmpty(leadId) || LEAD_ID.test(String(leadId))) return undefined;
  return { subcode: BAD_LEAD_ID, text: 'The lead ID is not valid or the lead was deleted.' };
}
