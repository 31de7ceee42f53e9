import { ONCE } from '../context.ts';
import { unreadable } from '../errors.ts';
import { sortedDestinations, type DestinationManagement, type DestinationRef } from '../management.ts';
import type { LinkedinCredentials } from '../../linkedin/index.ts';
import { addAssociations, listAssociations, removeAssociations } from './associations.ts';
import { linkedinCall, type LinkedinContext } from './call.ts';
import { getMetrics } from './metrics.ts';
import { changedRule, checkWindowType, newRule, wantsLongWindow } from './rule-settings.ts';
import { accountIdOf, accountUrn, allRules, createdRule, findRule, ruleIdOf, toDestination } from './rules.ts';

/** Conversion rules. https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversion-tracking (read 2026-11) */
export const linkedinManagement: DestinationManagement<LinkedinCredentials> = {
  async listDestinations(ctx) {
    const { items, warnings } = await allRules(ctx);
    return { destinations: sortedDestinations(items.filter(({ isEnabled }) => isEnabled).map(toDestination)), warnings };
  },

  /** Two calls make two rules, so it is never repeated, not even after an unclear end. */
  async createDestination(ctx, input) {
    const adAccountId = accountIdOf(input.adAccountId);
    const body = newRule(input, accountUrn(adAccountId));
    const reply = await linkedinCall(ctx, { method: 'POST', path: 'conversions', body, traits: ONCE });
    const rule = createdRule(reply, body, adAccountId);
    if (rule === undefined) throw unreadable('linkedinads', reply, ctx.accessToken, 'the id of the rule that it made');
    return { destination: toDestination(rule), created: true };
  },

  async getDestination(ctx, ref) {
    return toDestination(await findRule(ctx, ref));
  },

  async updateDestination(ctx, ref, patch) {
    const changes = changedRule(patch);
    const located = await locate(ctx, ref);
    if (wantsLongWindow(patch)) checkWindowType(patch, (await findRule(ctx, located)).type);
    await setRule(ctx, located, changes);
    return toDestination(await findRule(ctx, located));
  },

  /** There is no hard delete. */
  async deleteDestination(ctx, ref) {
    await setRule(ctx, await locate(ctx, ref), { enabled: false });
  },

  listAssociations,
  addAssociations,
  removeAssociations,
  getMetrics,
};

interface Located {
  readonly destinationId: string;
  readonly adAccountId: string;
}

/** With the ad account, which LinkedIn wants for every call. */
async function locate(ctx: LinkedinContext, ref: DestinationRef): Promise<Located> {
  const destinationId = ruleIdOf(ref.destinationId);
  const given = ref.adAccountId?.trim();
  return { destinationId, adAccountId: given ? accountIdOf(given) : (await findRule(ctx, ref)).adAccountId };
}

/** Setting the same values twice changes nothing, so it may be repeated. Answers 204. */
async function setRule(ctx: LinkedinContext, { destinationId, adAccountId }: Located, changes: Readonly<Record<string, unknown>>): Promise<void> {
  await linkedinCall(ctx, {
    method: 'POST',
    path: `conversions/${destinationId}`,
    query: { account: accountUrn(adAccountId) },
    body: { patch: { $set: changes } },
    restliMethod: 'PARTIAL_UPDATE',
  });
}
