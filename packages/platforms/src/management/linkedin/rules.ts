import type { InboundReply } from '@relay/contract';
import { asObject, asText, readJson, type JsonObject } from '../../http/json.ts';
import { parseDestination } from '../../linkedin/destination.ts';
import { LocalRuleError, PlatformCallError } from '../errors.ts';
import { gather, mapLimited, type Listing, type Source } from '../gather.ts';
import { CALLS_AT_ONCE, MAX_PARENTS } from '../limits.ts';
import { compareIds, type ConversionDestination, type DestinationRef } from '../management.ts';
import { linkedinJson, pagedAsTold, pagedByStart, type LinkedinContext } from './call.ts';
import { urnId } from './restli.ts';

/** A conversion rule of the Conversions API. */
export interface Rule {
  readonly id: string;
  readonly adAccountId: string;
  readonly name: string;
  readonly type: string;
  readonly isEnabled: boolean;
  /** As LinkedIn gave it. */
  readonly raw: JsonObject;
}

const ACCOUNT_PREFIX = 'urn:li:sponsoredAccount:';

export function accountUrn(adAccountId: string): string {
  return ACCOUNT_PREFIX + adAccountId;
}

/** Digits, or the URN around them. */
export function accountIdOf(adAccountId: string): string {
  const trimmed = adAccountId.trim();
  const id = trimmed.startsWith(ACCOUNT_PREFIX) ? trimmed.slice(ACCOUNT_PREFIX.length) : trimmed;
  if (!/^\d{1,19}$/.test(id)) throw new LocalRuleError('adAccountId', `adAccountId has to be the id of a LinkedIn ad account: its digits, or ${ACCOUNT_PREFIX}{digits}.`);
  return id;
}

export function ruleIdOf(destinationId: string): string {
  const parsed = parseDestination(destinationId);
  if (!parsed.ok) throw new LocalRuleError('destinationId', parsed.message, 'invalid_destination');
  return parsed.destinationId;
}

/** Every ad account that the token has a role in, whichever role: a viewer reads rules too. */
export async function adAccountsOf(ctx: LinkedinContext): Promise<Listing<string>> {
  const { items, warnings } = await pagedAsTold(ctx, 'adAccountUsers', { q: 'authenticatedUser' });
  const ids = new Set(items.map((entry) => urnId(entry['account'])).filter((id) => id !== undefined));
  return { items: [...ids].sort(compareIds), warnings };
}

/** Rules of all accounts, also the inactive ones. */
export async function allRules(ctx: LinkedinContext): Promise<Listing<Rule>> {
  const accounts = await adAccountsOf(ctx);
  const rules = await gather(accounts.items.map((id): Source<Rule> => ({ name: `ad account ${id}`, list: () => rulesOfAccount(ctx, id) })));
  return { items: rules.items, warnings: [...accounts.warnings, ...rules.warnings] };
}

async function rulesOfAccount(ctx: LinkedinContext, adAccountId: string): Promise<Listing<Rule>> {
  const { items, warnings } = await pagedByStart(ctx, 'conversions', { q: 'account', account: accountUrn(adAccountId) });
  return { items: items.map((raw) => readRule(raw, adAccountId)).filter((rule) => rule !== undefined), warnings };
}

/** One rule, active or not. Without an ad account the accounts of the token are searched for it. */
export async function findRule(ctx: LinkedinContext, ref: DestinationRef): Promise<Rule> {
  const ruleId = ruleIdOf(ref.destinationId);
  const given = ref.adAccountId?.trim();
  if (!given) return searchRule(ctx, ruleId);
  const adAccountId = accountIdOf(given);
  const raw = await linkedinJson(ctx, { method: 'GET', path: `conversions/${ruleId}`, query: { account: accountUrn(adAccountId) } });
  const rule = readRule(raw, adAccountId);
  if (rule === undefined) throw notFound(ruleId, `of ad account ${adAccountId}`);
  return rule;
}

/** LinkedIn wants the account with every call for a rule; the client's DELETE and old callers may leave it out. */
async function searchRule(ctx: LinkedinContext, ruleId: string): Promise<Rule> {
  const accounts = await adAccountsOf(ctx);
  let found: Rule | undefined;
  await mapLimited(accounts.items.slice(0, MAX_PARENTS), CALLS_AT_ONCE, async (adAccountId) => {
    if (found !== undefined) return;
    const { items } = await rulesOfAccount(ctx, adAccountId).catch(ignoreRefusal);
    found ??= items.find(({ id }) => id === ruleId);
  });
  if (found === undefined) throw notFound(ruleId, 'in any ad account of this token');
  return found;
}

/** An account that may not be read cannot be said to hold the rule. */
function ignoreRefusal(error: unknown): Listing<Rule> {
  if (error instanceof PlatformCallError && (error.kind === 'permission' || error.kind === 'not_found' || error.kind === 'invalid')) return { items: [], warnings: [] };
  throw error;
}

function notFound(ruleId: string, where: string): PlatformCallError {
  return new PlatformCallError({
    platform: 'linkedinads',
    kind: 'not_found',
    code: 'rule_not_found',
    message: `LinkedIn has no Conversions API rule ${ruleId} ${where}.`,
  });
}

/** `undefined`: not of the Conversions API. Rules of the Insight Tag stand in the same lists, and take no events from here. */
export function readRule(raw: JsonObject, adAccountId: string): Rule | undefined {
  const id = urnId(raw['id']);
  if (id === undefined || raw['conversionMethod'] !== 'CONVERSIONS_API') return undefined;
  return {
    id,
    adAccountId: urnId(raw['account']) ?? adAccountId,
    name: asText(raw['name']) ?? id,
    type: asText(raw['type']) ?? 'OTHER',
    isEnabled: raw['enabled'] !== false,
    raw,
  };
}

/** The rule that an answer to a creation speaks of: its body, else the id in a header. `undefined`: neither. */
export function createdRule(reply: InboundReply, sent: Readonly<Record<string, unknown>>, adAccountId: string): Rule | undefined {
  const body = asObject(readJson(reply.body)) ?? {};
  const id = urnId(body['id']) ?? urnId(reply.headers['x-restli-id']) ?? /(\d{1,19})(?:\?.*)?$/.exec(reply.headers['location'] ?? '')?.[1];
  return id === undefined ? undefined : readRule({ ...sent, ...body, id }, adAccountId);
}

export function toDestination({ id, name, type, isEnabled, adAccountId }: Rule): ConversionDestination {
  return { id, name, type, status: isEnabled ? 'active' : 'inactive', adAccountId };
}
