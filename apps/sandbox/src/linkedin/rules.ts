import { isIPv4 } from 'node:net';
import type { RuleBook } from './rule-book.ts';

/** What the Conversions API itself checks of an event that fits the schema. */

/** An event as the schema check leaves it. */
export interface ConversionEvent {
  readonly conversion: string;
  readonly conversionHappenedAt: number;
  readonly eventId?: string;
  readonly user: {
    readonly userIds: readonly { readonly idType: string; readonly idValue: string }[];
    readonly userInfo?: { readonly hashedFirstName?: string; readonly hashedLastName?: string };
    readonly externalIds?: readonly string[];
    readonly lead?: string;
  };
}

export type Finding = 'urn_format' | 'rule_unknown' | 'rule_method' | 'time' | 'identifier';

export interface RuleClock {
  readonly nowMs: number;
  readonly maxAgeDays: number;
}

const DAY_MS = 86_400_000;
/** Namespace `lla`, not `li`. */
const RULE_URN = /^urn:lla:llaPartnerConversion:(\d+)$/;
const HEX64 = /^[0-9a-fA-F]{64}$/;

export function ruleIdOf(urn: string): string | undefined {
  return RULE_URN.exec(urn)?.[1];
}

/** The first thing wrong with the event, in the order in which the answers take precedence. */
export function findingOf(event: ConversionEvent, { clock, rules }: { readonly clock: RuleClock; readonly rules: RuleBook }): Finding | undefined {
  const ruleId = ruleIdOf(event.conversion);
  if (ruleId === undefined) return 'urn_format';
  const rule = rules.find(ruleId);
  if (rule === undefined) return 'rule_unknown';
  if (rule.conversionMethod !== 'CONVERSIONS_API') return 'rule_method';
  const ageMs = clock.nowMs - event.conversionHappenedAt;
  if (ageMs < 0 || ageMs > clock.maxAgeDays * DAY_MS) return 'time';
  return identifiesSomebody(event.user) ? undefined : 'identifier';
}

/** Every identifier well formed, and at least one way to find the person. */
function identifiesSomebody({ userIds, userInfo, externalIds, lead }: ConversionEvent['user']): boolean {
  if (!userIds.every(({ idType, idValue }) => isWellFormed(idType, idValue))) return false;
  if (userInfo && ![userInfo.hashedFirstName, userInfo.hashedLastName].every((hash) => hash === undefined || HEX64.test(hash))) return false;
  if (lead !== undefined && !/^urn:li:\w+:\S+$/.test(lead)) return false;
  return userIds.length > 0 || userInfo !== undefined || (externalIds?.length ?? 0) > 0 || lead !== undefined;
}

function isWellFormed(idType: string, idValue: string): boolean {
  if (idType.startsWith('SHA256_')) return HEX64.test(idValue);
  return idType === 'PLAINTEXT_IP_ADDRESS' ? isIPv4(idValue) : idValue.trim() !== '';
}
