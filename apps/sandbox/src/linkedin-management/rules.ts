import type { Answer } from '../linkedin/answer.ts';
import { RULE_DEFAULTS } from '../linkedin/rule-book.ts';
import type { Rule } from '../linkedin/rule-book.ts';
import { accountFor, badRequest, notFound, readBody, required, textParam, urnId } from './call.ts';
import type { Call } from './call.ts';
import { startPage } from './paging.ts';
import { checkFields, checkRule } from './rule-input.ts';
import { accountUrn, campaignUrn, ruleUrn } from './world.ts';

type Fields = Readonly<Record<string, unknown>>;

const IMMUTABLE = ['account', 'conversionMethod', 'type'] as const;

/** The rule as LinkedIn shows it; associations belong to it. */
function bodyOf({ id, accountId, ...rule }: Rule, { world }: Call): Fields {
  const associated = world.ofRule(id);
  return {
    id: Number(id),
    ...rule,
    account: accountUrn(accountId),
    campaigns: associated.map(({ campaignId }) => campaignUrn(campaignId)),
    associatedCampaigns: associated.map(({ campaignId, associatedAt }) => ({ campaign: campaignUrn(campaignId), conversion: ruleUrn(id), associatedAt })),
  };
}

const accountParam = (call: Call): string => urnId(required(textParam(call, 'account'), 'account'), 'li:sponsoredAccount');

/** The rule of the path, which must belong to the account that is named beside it. */
function ruleOf(call: Call, mode: 'read' | 'write'): Rule {
  const accountId = accountParam(call);
  accountFor(call, accountId, mode);
  const rule = call.rules.find(call.key);
  if (rule === undefined || rule.accountId !== accountId) throw notFound(`The conversion ${ruleUrn(call.key)} does not exist in account ${accountUrn(accountId)}`);
  return rule;
}

/** `POST /rest/conversions`. Not idempotent: the same twice makes two rules. */
export function createRule(call: Call): Answer {
  const body = readBody(call);
  checkFields(body, 'create', call);
  const accountId = urnId(body['account'], 'li:sponsoredAccount');
  accountFor(call, accountId, 'write');
  const now = call.core.now();
  const { account: _account, ...fields } = body;
  // The schema check has just passed: the members are what a rule has, and the required ones are there.
  const given = { autoAssociationType: call.settings.defaultAutoAssociation, ...RULE_DEFAULTS, ...fields, accountId, created: now, lastModified: now } as unknown as Omit<Rule, 'id'>;
  checkRule(given);
  const rule = call.rules.add(valued(given));
  call.world.autoAssociate(rule, now);
  return {
    status: 201,
    headers: { location: `/conversions/${rule.id}`, 'x-restli-id': rule.id },
    ...(call.settings.createAnswersBody ? { body: bodyOf(rule, call) } : {}),
  };
}

/** A rule without a value keeps none. */
function valued<T extends { readonly valueType: string; readonly value?: unknown }>(rule: T): T {
  if (rule.valueType !== 'NO_VALUE') return rule;
  const { value: _value, ...rest } = rule;
  return rest as T; // `value` is optional
}

/** `GET /rest/conversions/{id}?account=`. */
export const getRule = (call: Call): Answer => ({ status: 200, body: bodyOf(ruleOf(call, 'read'), call) });

/** `GET /rest/conversions?q=account&account=`: every rule of the account, whatever its method, enabled or not. */
export function findRules(call: Call): Answer {
  if (textParam(call, 'q') !== 'account') throw badRequest("Finder 'account' is the only one of conversions", 'PARAM_INVALID');
  const accountId = accountParam(call);
  accountFor(call, accountId, 'read');
  const rules = call.rules.list(accountId).map((rule) => bodyOf(rule, call));
  return { status: 200, body: startPage(call, rules, { totalKnown: !call.settings.unknownTotal, most: call.settings.maxPageSize }) };
}

/** `POST /rest/conversions/{id}?account=` with `PARTIAL_UPDATE`. */
export function updateRule(call: Call): Answer {
  const rule = ruleOf(call, 'write');
  const { set, unset } = readPatch(call);
  checkFields(set, 'update', call);
  const current: Record<string, unknown> = { ...rule, ...set };
  for (const name of unset) delete current[name];
  // The rule's own members come back over what a patch must not touch.
  const changed = valued({ ...(current as unknown as Rule), id: rule.id, accountId: rule.accountId, type: rule.type, conversionMethod: rule.conversionMethod, lastModified: call.core.now() });
  const { account: _account, ...kept } = changed as Rule & { readonly account?: unknown };
  checkRule(kept);
  call.rules.replace(kept);
  return { status: 204 };
}

function readPatch(call: Call): { readonly set: Fields; readonly unset: readonly string[] } {
  const { patch, ...others } = readBody(call);
  if (typeof patch !== 'object' || patch === null || Object.keys(others).length > 0) throw badRequest("A partial update needs a body of the form {\"patch\":{\"$set\":{}}}");
  const { $set: set = {}, $delete: unset = [], ...unknown } = patch as { readonly $set?: Fields; readonly $delete?: readonly string[] };
  if (Object.keys(unknown).length > 0 || typeof set !== 'object' || !Array.isArray(unset)) throw badRequest('Invalid patch');
  const touched = IMMUTABLE.find((name) => set[name] !== undefined || unset.includes(name));
  if (touched === undefined) return { set, unset };
  if (call.settings.immutableRuleFields === 'refuse') throw badRequest(`Field ${touched} cannot be changed`, 'FIELD_VALUE_IMMUTABLE');
  return {
    set: Object.fromEntries(Object.entries(set).filter(([name]) => !(IMMUTABLE as readonly string[]).includes(name))),
    unset: unset.filter((name) => !(IMMUTABLE as readonly string[]).includes(name)),
  };
}
