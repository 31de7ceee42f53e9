import type { RuleBook } from '../linkedin/rule-book.ts';
import { SEED } from '../seed.ts';

/** Ad accounts, campaigns and associations around the seeded member. */
export interface AdAccount {
  readonly id: string;
  readonly name: string;
  readonly currency: string;
  readonly role: string;
}

export interface Campaign {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly status: string;
  readonly objectiveType: string;
}

export interface Association {
  readonly campaignId: string;
  readonly ruleId: string;
  /** Unix ms. */
  readonly associatedAt: number;
}

export interface World {
  readonly accounts: readonly AdAccount[];
  accountOf(id: string): AdAccount | undefined;
  campaignOf(id: string): Campaign | undefined;
  campaignsOf(accountId: string): readonly Campaign[];
  association(campaignId: string, ruleId: string): Association | undefined;
  ofRule(ruleId: string): readonly Association[];
  ofCampaign(campaignId: string): readonly Association[];
  /** Keeps the time of an association that is there already. */
  associate(campaignId: string, ruleId: string, atMs: number): void;
  /** False if there was none. */
  dissociate(campaignId: string, ruleId: string): boolean;
  /** What the rule's `autoAssociationType` does when it is made. */
  autoAssociate(rule: { readonly id: string; readonly accountId: string; readonly autoAssociationType: string }, atMs: number): void;
  reset(): void;
}

const STATUSES = ['ACTIVE', 'PAUSED', 'DRAFT', 'ARCHIVED'] as const;
const OBJECTIVES = ['WEBSITE_CONVERSION', 'LEAD_GENERATION', 'BRAND_AWARENESS'] as const;
const FITTING: ReadonlySet<string> = new Set(['WEBSITE_CONVERSION', 'LEAD_GENERATION']);
const SEEDED_MS = Date.parse('2026-01-20T10:00:00Z');

const CAMPAIGNS: readonly Campaign[] = SEED.linkedin.adAccounts.flatMap(({ id: accountId, campaigns }) =>
  campaigns.map((id, index) => ({
    id,
    accountId,
    name: `Sandbox campaign ${id}`,
    status: STATUSES[index % STATUSES.length] ?? 'ACTIVE',
    objectiveType: OBJECTIVES[index % OBJECTIVES.length] ?? 'BRAND_AWARENESS',
  })),
);

export const accountUrn = (id: string) => `urn:li:sponsoredAccount:${id}`;
export const campaignUrn = (id: string) => `urn:li:sponsoredCampaign:${id}`;
export const ruleUrn = (id: string) => `urn:lla:llaPartnerConversion:${id}`;

/** The id behind a URN of that kind. */
export function idOfUrn(kind: 'li:sponsoredAccount' | 'li:sponsoredCampaign' | 'lla:llaPartnerConversion', urn: unknown): string | undefined {
  return typeof urn === 'string' ? new RegExp(`^urn:${kind}:(\\d+)$`).exec(urn)?.[1] : undefined;
}

export function createWorld(rules: RuleBook): World {
  const associations = new Map<string, Association>();
  const keyOf = (campaignId: string, ruleId: string) => `${campaignId} ${ruleId}`;

  const world: World = {
    accounts: SEED.linkedin.adAccounts,
    accountOf: (id) => SEED.linkedin.adAccounts.find((account) => account.id === id),
    campaignOf: (id) => CAMPAIGNS.find((campaign) => campaign.id === id),
    campaignsOf: (accountId) => CAMPAIGNS.filter((campaign) => campaign.accountId === accountId),
    association: (campaignId, ruleId) => associations.get(keyOf(campaignId, ruleId)),
    ofRule: (ruleId) => [...associations.values()].filter((association) => association.ruleId === ruleId),
    ofCampaign: (campaignId) => [...associations.values()].filter((association) => association.campaignId === campaignId),
    associate(campaignId, ruleId, atMs) {
      const key = keyOf(campaignId, ruleId);
      if (!associations.has(key)) associations.set(key, { campaignId, ruleId, associatedAt: atMs });
    },
    dissociate: (campaignId, ruleId) => associations.delete(keyOf(campaignId, ruleId)),
    autoAssociate({ id, accountId, autoAssociationType }, atMs) {
      if (autoAssociationType === 'NONE') return;
      for (const { id: campaignId, status, objectiveType } of world.campaignsOf(accountId)) {
        const wanted = autoAssociationType === 'ALL_CAMPAIGNS' || FITTING.has(objectiveType);
        if (status !== 'ARCHIVED' && wanted) world.associate(campaignId, id, atMs);
      }
    },
    reset() {
      associations.clear();
      for (const { id } of SEED.linkedin.adAccounts) {
        const [rule] = rules.list(id);
        const [campaign] = world.campaignsOf(id);
        if (rule !== undefined && campaign !== undefined) world.associate(campaign.id, rule.id, SEEDED_MS);
      }
    },
  };
  world.reset();
  return world;
}
