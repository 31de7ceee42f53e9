import type { Answer } from '../linkedin/answer.ts';
import type { Rule } from '../linkedin/rule-book.ts';
import { badRequest, readParam, required, textParam, urnListParam } from './call.ts';
import type { Call } from './call.ts';
import { bucketsOf, DAY_MS, dateOf, parseDateRange } from './date-range.ts';
import type { Bucket, Granularity } from './date-range.ts';
import { stringsIn } from './restli.ts';

const GRANULARITIES: readonly string[] = ['ALL', 'DAILY', 'MONTHLY', 'YEARLY'] satisfies Granularity[];
const MAX_METRICS = 20;
const DEFAULT_FIELDS = ['impressions', 'clicks'];
/** Worth of one sandbox conversion, in local currency. */
const VALUE_EACH = 12.5;
const COST_EACH = 3.2;
/** Facets that exist; only the first two are evaluated. */
const FACETS = ['accounts', 'campaigns', 'campaignGroups', 'creatives', 'companies', 'shares'] as const;

interface Totals {
  readonly conversions: number;
  readonly postClick: number;
}

/**
 * How often a rule converted on a day (of the epoch, UTC): (rule id + day) modulo 4, half of it by click. Made up, but always the same,
 * so that a test can compute it.
 */
export function conversionsOn(ruleId: string, day: number): Totals {
  const conversions = (Number(ruleId) + day) % 4;
  return { conversions, postClick: Math.ceil(conversions / 2) };
}

type Metric = (totals: Totals, call: Call) => unknown;

const whole = ({ settings }: Call) => settings.pivotCost === 'values';
const money = (amount: number) => amount.toFixed(2);

const METRICS: Readonly<Record<string, Metric>> = {
  impressions: () => 0,
  clicks: () => 0,
  externalWebsiteConversions: ({ conversions }) => conversions,
  externalWebsitePostClickConversions: ({ postClick }) => postClick,
  externalWebsitePostViewConversions: ({ conversions, postClick }) => conversions - postClick,
  conversionValueInLocalCurrency: ({ conversions }) => money(conversions * VALUE_EACH),
  // With this pivot these two may be nothing or refused.
  qualifiedLeads: ({ postClick }, call) => (whole(call) ? postClick : 0),
  costInLocalCurrency: ({ conversions }, call) => money(whole(call) ? conversions * COST_EACH : 0),
};

/** `GET /rest/adAnalytics?q=analytics&pivot=CONVERSION`. No access to an account looks like no data. */
export function findAnalytics(call: Call): Answer {
  if (textParam(call, 'q') !== 'analytics') throw badRequest("Finder 'analytics' is expected", 'PARAM_INVALID');
  const pivot = required(textParam(call, 'pivot'), 'pivot');
  if (pivot !== 'CONVERSION') return { status: 501, body: { sandboxError: 'adAnalytics knows the pivot CONVERSION only' } };
  const granularity = granularityOf(call);
  const fields = fieldsOf(call);
  const range = parseDateRange(required(readParam(call, 'dateRange'), 'dateRange'), call.core.now());
  const buckets = bucketsOf(range, granularity, { nowMs: call.core.now(), refuseOld: call.settings.retention === 'refused' });
  const elements = rulesOf(call).flatMap((rule) => buckets.flatMap((bucket) => elementOf(rule, bucket, { fields, call })));
  return { status: 200, body: { paging: { start: 0, count: 10, links: [] }, elements } };
}

function granularityOf(call: Call): Granularity {
  const text = required(textParam(call, 'timeGranularity'), 'timeGranularity');
  if (!GRANULARITIES.includes(text)) throw badRequest(`Invalid value for parameter 'timeGranularity': ${text}`, 'PARAM_INVALID');
  return text as Granularity;
}

function fieldsOf(call: Call): readonly string[] {
  const raw = call.query.get('fields');
  if (raw === undefined) return DEFAULT_FIELDS;
  const fields = raw.split(',');
  const unknown = fields.find((name) => name !== 'dateRange' && name !== 'pivotValues' && METRICS[name] === undefined);
  if (unknown !== undefined) throw badRequest(`Invalid value for parameter 'fields': ${unknown}`, 'PARAM_INVALID');
  if (fields.length > MAX_METRICS) throw badRequest(`At most ${MAX_METRICS} fields may be requested`, 'PARAM_INVALID');
  const refused = call.settings.pivotCost === 'refused' ? fields.find((name) => name === 'qualifiedLeads' || name === 'costInLocalCurrency') : undefined;
  if (refused !== undefined) throw badRequest(`Metric ${refused} is not supported for pivot CONVERSION`, 'PARAM_INVALID');
  return fields;
}

/** The rules behind the facets; what the member may not see is left out without a word. */
function rulesOf(call: Call): readonly Rule[] {
  if (!FACETS.some((facet) => call.query.has(facet))) throw badRequest('At least one facet is required', 'PARAM_MISSING');
  const accounts = urnListParam(call, 'accounts', 'li:sponsoredAccount');
  const campaigns = urnListParam(call, 'campaigns', 'li:sponsoredCampaign');
  for (const facet of FACETS.slice(2)) if (call.query.has(facet) && stringsIn(readParam(call, facet)) === undefined) throw badRequest(`Invalid value for parameter '${facet}'`, 'PARAM_INVALID');
  const visible = call.world.accounts.filter(({ id }) => accounts === undefined || accounts.includes(id)).flatMap(({ id }) => call.rules.list(id));
  if (campaigns === undefined) return accounts === undefined ? [] : visible;
  return visible.filter(({ id }) => call.world.ofRule(id).some(({ campaignId }) => campaigns.includes(campaignId)));
}

function elementOf(rule: Rule, { start, end, days }: Bucket, { fields, call }: { readonly fields: readonly string[]; readonly call: Call }): readonly Record<string, unknown>[] {
  let conversions = 0;
  let postClick = 0;
  for (let day = Math.max(days.first, Math.ceil(rule.created / DAY_MS)); day <= days.last; day += 1) {
    const totals = conversionsOn(rule.id, day);
    conversions += totals.conversions;
    postClick += totals.postClick;
  }
  if (conversions === 0) return []; // a rule without conversions has no row
  const element: Record<string, unknown> = {};
  for (const field of fields) {
    if (field === 'dateRange') element[field] = { start: dateOf(start), end: dateOf(end) };
    else if (field === 'pivotValues') element[field] = [`urn:${call.settings.pivotNamespace}:${rule.id}`];
    else element[field] = METRICS[field]?.({ conversions, postClick }, call);
  }
  return [element];
}
