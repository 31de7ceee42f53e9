import type { ManagementContext } from './context.ts';

/** A place that conversions can be sent to, in the client's shape. */
export interface ConversionDestination {
  readonly id: string;
  readonly name: string;
  /** Absent where events of any name go to it (Meta). */
  readonly type?: string;
  readonly status?: 'active' | 'inactive';
  /** Digits. LinkedIn only. */
  readonly adAccountId?: string;
}

export interface DestinationList {
  /** Sorted, without duplicates. */
  readonly destinations: readonly ConversionDestination[];
  /** What was left out and why, for the log. */
  readonly warnings: readonly string[];
}

export interface DestinationRef {
  readonly destinationId: string;
  /** `undefined`: looked up, which costs a call per ad account of the token. */
  readonly adAccountId?: string | undefined;
}

export interface MoneyInput {
  readonly currencyCode?: string | undefined;
  /** Decimal text such as `49.99`. */
  readonly amount?: string | undefined;
}

/** Values are checked here and named in a `LocalRuleError`, so that callers need not know the platforms' words. */
export interface RuleSettings {
  readonly attributionType?: string | undefined;
  readonly postClickAttributionWindowSize?: number | undefined;
  readonly viewThroughAttributionWindowSize?: number | undefined;
  readonly valueType?: string | undefined;
  readonly value?: MoneyInput | undefined;
}

export interface CreateDestinationInput extends RuleSettings {
  readonly adAccountId: string;
  readonly name: string;
  readonly type: string;
  /** LinkedIn. */
  readonly autoAssociationType?: string | undefined;
  /** Google. */
  readonly countingType?: string | undefined;
  /** Google. */
  readonly primaryForGoal?: boolean | undefined;
}

export interface DestinationPatch extends RuleSettings {
  readonly name?: string | undefined;
  readonly enabled?: boolean | undefined;
  /** Refused: what a destination counts is fixed when it is made. */
  readonly type?: unknown;
}

export interface Association {
  readonly campaignId: string;
  readonly conversionId: string;
  /** Unix ms; absent where the platform does not say. */
  readonly associatedAt?: number;
}

export interface AssociationChange {
  readonly succeeded: readonly string[];
  readonly failed: readonly { readonly campaignId: string; readonly reason: string }[];
}

export const GRANULARITIES = ['ALL', 'DAILY', 'MONTHLY', 'YEARLY'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

/** As it came in the query. */
export interface MetricsQuery {
  /** `YYYY-MM-DD`, inclusive, UTC. */
  readonly startDate?: string | undefined;
  /** `YYYY-MM-DD`, inclusive; `undefined`: today. */
  readonly endDate?: string | undefined;
  /** `undefined`: ALL. */
  readonly granularity?: string | undefined;
}

export interface DestinationMetrics {
  readonly granularity: Granularity;
  readonly rows: readonly { readonly start: string; readonly end: string; readonly metrics: Readonly<Record<string, number>> }[];
}

/**
 * What can be done with the destinations of an account. A platform that has no such thing lacks the member, which the API
 * answers with 405. All throw `LocalRuleError` and `PlatformCallError`, and let network faults of `call` through.
 */
export interface DestinationManagement<Credentials = unknown> {
  listDestinations(ctx: ManagementContext<Credentials>): Promise<DestinationList>;
  /** `created: false`: it was there already. */
  createDestination?(
    ctx: ManagementContext<Credentials>,
    input: CreateDestinationInput,
  ): Promise<{ readonly destination: ConversionDestination; readonly created: boolean }>;
  getDestination?(ctx: ManagementContext<Credentials>, ref: DestinationRef): Promise<ConversionDestination>;
  updateDestination?(ctx: ManagementContext<Credentials>, ref: DestinationRef, patch: DestinationPatch): Promise<ConversionDestination>;
  deleteDestination?(ctx: ManagementContext<Credentials>, ref: DestinationRef): Promise<void>;
  listAssociations?(ctx: ManagementContext<Credentials>, ref: DestinationRef): Promise<readonly Association[]>;
  addAssociations?(ctx: ManagementContext<Credentials>, ref: DestinationRef, campaignIds: readonly string[]): Promise<AssociationChange>;
  removeAssociations?(ctx: ManagementContext<Credentials>, ref: DestinationRef, campaignIds: readonly string[]): Promise<AssociationChange>;
  getMetrics?(ctx: ManagementContext<Credentials>, ref: DestinationRef, query: MetricsQuery): Promise<DestinationMetrics>;
}

/** By ad account, then id; digits by their value. The same list twice reads the same. */
export function sortedDestinations(destinations: readonly ConversionDestination[]): readonly ConversionDestination[] {
  const byId = new Map(destinations.map((destination) => [`${destination.adAccountId ?? ''}/${destination.id}`, destination]));
  return [...byId.values()].sort((one, other) => compareIds(one.adAccountId ?? '', other.adAccountId ?? '') || compareIds(one.id, other.id));
}

const DIGITS = /\d+/g;

/** `9` before `10`, without a collator: locales differ between machines. */
export function compareIds(one: string, other: string): number {
  const left = padded(one);
  const right = padded(other);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function padded(id: string): string {
  return id.replace(DIGITS, (digits) => digits.padStart(20, '0'));
}
