import { SEED } from '../seed.ts';

/** A conversion rule, shared by the route that takes events for it and the routes that manage it. */
export interface Rule {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly conversionMethod: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly attributionType: string;
  readonly postClickAttributionWindowSize: number;
  readonly viewThroughAttributionWindowSize: number;
  readonly valueType: string;
  readonly value?: unknown;
  readonly autoAssociationType: string;
  readonly urlRules: readonly unknown[];
  /** Unix ms. */
  readonly created: number;
  readonly lastModified: number;
}

export interface RuleBook {
  find(id: string): Rule | undefined;
  /** In the order of their making. */
  list(accountId: string): readonly Rule[];
  add(rule: Omit<Rule, 'id'>): Rule;
  replace(rule: Rule): void;
  reset(): void;
}

/** LinkedIn's defaults for what a create leaves out. */
export const RULE_DEFAULTS = {
  enabled: true,
  attributionType: 'LAST_TOUCH_BY_CAMPAIGN',
  postClickAttributionWindowSize: 30,
  viewThroughAttributionWindowSize: 7,
  valueType: 'DYNAMIC',
  urlRules: [],
} as const;

const FIRST_NEW_ID = 90_000_001;
const TYPES = ['PURCHASE', 'LEAD', 'SIGN_UP'] as const;
/** Long enough ago for reports of two years. */
const SEEDED_MS = Date.parse('2024-01-15T09:00:00Z');

function seededRules(): readonly Rule[] {
  const inactive: readonly string[] = SEED.linkedin.inactiveRules;
  const tags: readonly string[] = SEED.linkedin.insightTagRules;
  return SEED.linkedin.adAccounts.flatMap(({ id: accountId, rules }) =>
    rules.map((id, index): Rule => {
      const type = TYPES[index % TYPES.length] ?? 'PURCHASE';
      const tag = tags.includes(id);
      return {
        ...RULE_DEFAULTS,
        id,
        accountId,
        name: `Sandbox ${tag ? 'site visit' : type.toLowerCase().replace('_', ' ')} ${id}`,
        conversionMethod: tag ? 'INSIGHT_TAG_URL_MATCH_RULES' : 'CONVERSIONS_API',
        type: tag ? 'KEY_PAGE_VIEW' : type,
        enabled: !inactive.includes(id),
        autoAssociationType: 'NONE',
        urlRules: tag ? [{ matchValue: 'example.com/thanks', type: 'STARTS_WITH' }] : [],
        created: SEEDED_MS,
        lastModified: SEEDED_MS,
      };
    }),
  );
}

export function createRuleBook(): RuleBook {
  const rules = new Map<string, Rule>();
  let nextId = FIRST_NEW_ID;

  function reset(): void {
    rules.clear();
    nextId = FIRST_NEW_ID;
    for (const rule of seededRules()) rules.set(rule.id, rule);
  }

  reset();
  return {
    find: (id) => rules.get(id),
    list: (accountId) => [...rules.values()].filter((rule) => rule.accountId === accountId),
    add(given) {
      const rule = { ...given, id: String(nextId) };
      nextId += 1;
      rules.set(rule.id, rule);
      return rule;
    },
    replace: (rule) => void rules.set(rule.id, rule),
    reset,
  };
}
