import type { ParsedDestination } from '@relay/contract';

/** The namespace is `lla`, not `li`. */
const URN_PREFIX = 'urn:lla:llaPartnerConversion:';
/** A 64-bit id. */
const RULE_ID = /^\d{1,19}$/;

/** A conversion rule by its bare id or its URN; canonical is the bare id, as the listing of destinations gives it. */
export function parseDestination(destinationId: string): ParsedDestination {
  const trimmed = destinationId.trim();
  const id = trimmed.startsWith(URN_PREFIX) ? trimmed.slice(URN_PREFIX.length) : trimmed;
  if (RULE_ID.test(id)) return { ok: true, destinationId: id };
  return {
    ok: false,
    message: `destinationId has to be the id of a LinkedIn conversion rule: its digits, or ${URN_PREFIX}{digits}.`,
  };
}

export function conversionUrn(destinationId: string): string {
  return URN_PREFIX + destinationId;
}
