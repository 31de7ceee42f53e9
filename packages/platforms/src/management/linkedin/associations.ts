import { asCount, asList, asObject, asText, type JsonObject } from '../../http/json.ts';
import { maskedText } from '../../identity/mask.ts';
import { conversionUrn } from '../../linkedin/destination.ts';
import { LocalRuleError, PlatformCallError } from '../errors.ts';
import { CAMPAIGNS_PER_CALL, MAX_CAMPAIGNS } from '../limits.ts';
import { compareIds, type Association, type AssociationChange, type DestinationRef } from '../management.ts';
import { linkedinJson, type LinkedinContext, type LinkedinRequest } from './call.ts';
import { idInKey, restli, urnId, type RestliValue } from './restli.ts';
import { findRule, ruleIdOf } from './rules.ts';

/**
 * Campaigns of a conversion rule, `campaignConversions`: a rule counts only for those that it is associated with.
 * https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversion-tracking (read 2026-11)
 */
const PATH = 'campaignConversions';
const CAMPAIGN_PREFIX = 'urn:li:sponsoredCampaign:';

function keyOf(campaignId: string, ruleId: string): Readonly<Record<string, RestliValue>> {
  return { campaign: CAMPAIGN_PREFIX + campaignId, conversion: conversionUrn(ruleId) };
}

/** No finder goes by rule: the rule names its campaigns, and a batch get tells since when. */
export async function listAssociations(ctx: LinkedinContext, ref: DestinationRef): Promise<readonly Association[]> {
  const { id: conversionId, raw } = await findRule(ctx, ref);
  const campaignIds = campaignsOf(raw).slice(0, MAX_CAMPAIGNS * 2);
  const associations: Association[] = [];
  for (const some of chunks(campaignIds)) {
    const body = await linkedinJson(ctx, { method: 'GET', path: PATH, query: { ids: some.map((campaignId) => keyOf(campaignId, conversionId)) } });
    // What LinkedIn does not give stopped being associated meanwhile.
    const found = byCampaign(body['results']);
    for (const campaignId of some) {
      const entry = found.get(campaignId);
      const associatedAt = asCount(entry?.['associatedAt']);
      if (entry !== undefined) associations.push({ campaignId, conversionId, ...(associatedAt !== undefined && { associatedAt }) });
    }
  }
  return associations;
}

/** Both lists that a rule may carry, as URNs, bare ids or objects. */
function campaignsOf(raw: JsonObject): readonly string[] {
  const named = [...asList(raw['campaigns']), ...asList(raw['associatedCampaigns'])].map((entry) => urnId(asObject(entry)?.['campaign'] ?? entry));
  return [...new Set(named.filter((id) => id !== undefined))].sort(compareIds);
}

/** Associating twice changes nothing, and an association that is there already is a success. */
export async function addAssociations(ctx: LinkedinContext, ref: DestinationRef, campaignIds: readonly string[]): Promise<AssociationChange> {
  const ruleId = ruleIdOf(ref.destinationId);
  return change(ctx, campaignIds, new Set([409]), (some) => ({
    method: 'PUT',
    path: PATH,
    query: { ids: some.map((campaignId) => keyOf(campaignId, ruleId)) },
    body: { entities: Object.fromEntries(some.map((campaignId) => [restli(keyOf(campaignId, ruleId)), keyOf(campaignId, ruleId)])) },
  }));
}

export async function removeAssociations(ctx: LinkedinContext, ref: DestinationRef, campaignIds: readonly string[]): Promise<AssociationChange> {
  const ruleId = ruleIdOf(ref.destinationId);
  return change(ctx, campaignIds, new Set(), (some) => ({
    method: 'DELETE',
    path: PATH,
    query: { ids: some.map((campaignId) => keyOf(campaignId, ruleId)) },
  }));
}

/** Chunk after chunk. Once some campaigns are done, a refusal of later ones is theirs, and does not hide what was done. */
async function change(
  ctx: LinkedinContext,
  given: readonly string[],
  harmless: ReadonlySet<number>,
  requestFor: (campaignIds: readonly string[]) => LinkedinRequest,
): Promise<AssociationChange> {
  const succeeded: string[] = [];
  const failed: { campaignId: string; reason: string }[] = [];
  for (const [index, some] of chunks(campaignIdsOf(given)).entries()) {
    try {
      const outcomes = readOutcomes(await linkedinJson(ctx, requestFor(some)), harmless);
      for (const campaignId of some) {
        const reason = outcomes.has(campaignId) ? outcomes.get(campaignId) : 'LinkedIn said nothing about this campaign.';
        if (reason === undefined) succeeded.push(campaignId);
        else failed.push({ campaignId, reason });
      }
    } catch (error) {
      if (index === 0 || !(error instanceof PlatformCallError)) throw error;
      failed.push(...some.map((campaignId) => ({ campaignId, reason: error.message })));
    }
  }
  return { succeeded, failed };
}

/** By campaign: why it failed, or `undefined` if it did not. `{"results": {key: {status}}, "errors": {key: {status, message}}}` */
function readOutcomes(body: JsonObject, harmless: ReadonlySet<number>): ReadonlyMap<string, string | undefined> {
  const outcomes = new Map<string, string | undefined>();
  for (const part of ['results', 'errors'] as const) {
    for (const [campaignId, entry] of byCampaign(body[part])) {
      const status = asCount(entry['status']) ?? (part === 'results' ? 204 : undefined);
      const isDone = status !== undefined && (status < 300 || harmless.has(status));
      outcomes.set(campaignId, isDone ? undefined : reasonOf(entry, status));
    }
  }
  return outcomes;
}

function reasonOf(entry: JsonObject, status: number | undefined): string {
  const said = asText(entry['message']) ?? asText(asObject(entry['error'])?.['message']);
  return maskedText(said ?? '') || `LinkedIn answered with status ${status ?? 'unknown'}.`;
}

/** The keys of an answer may be encoded in full, in part or not at all; the digits of the campaign stand in each. */
function byCampaign(value: unknown): ReadonlyMap<string, JsonObject> {
  const entries = Object.entries(asObject(value) ?? {}).map(([key, entry]) => [idInKey(key, 'sponsoredCampaign'), asObject(entry)] as const);
  return new Map(entries.filter((entry): entry is readonly [string, JsonObject] => entry[0] !== undefined && entry[1] !== undefined));
}

function campaignIdsOf(given: readonly string[]): readonly string[] {
  const ids = given.map((entry, index) => {
    const trimmed = entry.trim();
    const id = trimmed.startsWith(CAMPAIGN_PREFIX) ? trimmed.slice(CAMPAIGN_PREFIX.length) : trimmed;
    if (!/^\d{1,19}$/.test(id)) throw new LocalRuleError(`campaignIds[${index}]`, `campaignIds have to be ids of LinkedIn campaigns: digits, or ${CAMPAIGN_PREFIX}{digits}.`);
    return id;
  });
  const unique = [...new Set(ids)].sort(compareIds);
  if (unique.length === 0) throw new LocalRuleError('campaignIds', 'campaignIds needs at least one campaign.');
  if (unique.length > MAX_CAMPAIGNS) throw new LocalRuleError('campaignIds', `campaignIds may name ${MAX_CAMPAIGNS} campaigns at most, not ${unique.length}.`);
  return unique;
}

function chunks(ids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / CAMPAIGNS_PER_CALL) }, (_, index) => ids.slice(index * CAMPAIGNS_PER_CALL, (index + 1) * CAMPAIGNS_PER_CALL));
}
