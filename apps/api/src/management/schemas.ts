import { ADS_PLATFORM_IDS } from '@relay/contract';
import { GRANULARITIES, MAX_CAMPAIGNS } from '@relay/platforms';
import { z } from 'zod';
import { isoTime, named } from '../schemas/registry.ts';

const text = (max: number) => z.string().max(max).refine((value) => value.isWellFormed(), 'contains a lone surrogate; send well-formed Unicode');
const filled = (max: number) => text(max).min(1, 'must not be empty');

export const accountIdField = z.string().min(1).max(512);
const destinationIdField = filled(512).meta({ description: 'As listed; percent-encoded, since the ids of Google hold slashes' });
const adAccountIdField = filled(512);
/** Found by itself where it is left out, at the price of a call per ad account. */
const adAccountIdOptional = adAccountIdField.optional().meta({ description: 'Digits, or urn:li:sponsoredAccount:{digits}. Looked for where it is left out, which takes a call per ad account' });

export const accountParams = z.object({ accountId: accountIdField });
export const destinationParams = z.object({ accountId: accountIdField, destinationId: destinationIdField });
export const adAccountQuery = z.object({ adAccountId: adAccountIdOptional });

const platform = z.enum(ADS_PLATFORM_IDS);
const destination = named(
  'ConversionDestination',
  z.strictObject({
    id: z.string().meta({ description: 'Pixel id, resource name of a conversion action, or id of a conversion rule' }),
    name: z.string(),
    type: z.string().optional().meta({ description: 'Absent where events of any name go to it (Meta)' }),
    status: z.enum(['active', 'inactive']).optional(),
    adAccountId: z.string().optional().meta({ description: 'LinkedIn only; give it back with every call for this destination' }),
  }),
);
export const destinationsSchema = named('ConversionDestinations', z.strictObject({ platform, destinations: z.array(destination) }));
export const oneDestinationSchema = named('OneConversionDestination', z.strictObject({ platform, destination }));

const money = z.object({ currencyCode: text(16).optional(), amount: text(64).optional().meta({ description: 'Decimal text, such as "49.99"' }) });
/** Which values are possible is the platform's matter, and is said field by field. */
const ruleFields = {
  attributionType: text(64).optional().meta({ description: 'LinkedIn: LAST_TOUCH_BY_CAMPAIGN (default) or LAST_TOUCH_BY_CONVERSION' }),
  postClickAttributionWindowSize: z.number().optional().meta({ description: 'LinkedIn: 1, 7, 30 (default), 90, 365 days; 365 for some types only' }),
  viewThroughAttributionWindowSize: z.number().optional().meta({ description: 'LinkedIn: 1, 7 (default), 30, 90, 365 days; 365 for some types only' }),
  valueType: text(64).optional().meta({ description: 'LinkedIn: DYNAMIC (default), FIXED, NO_VALUE' }),
  value: money.optional().meta({ description: 'LinkedIn, with FIXED' }),
};
export const createDestinationSchema = z.object({
  adAccountId: adAccountIdField.meta({ description: 'LinkedIn: digits or urn:li:sponsoredAccount:{digits}. Google: 10 digits or customers/{digits}' }),
  name: filled(1000),
  type: filled(200).meta({ description: 'A standard event name such as Purchase, or a type of the platform; others go to it as they are' }),
  ...ruleFields,
  autoAssociationType: text(64).optional().meta({ description: 'LinkedIn: ALL_CAMPAIGNS (default), OBJECTIVE_BASED, NONE' }),
  countingType: text(64).optional().meta({ description: 'Google: MANY_PER_CLICK (default) or ONE_PER_CLICK' }),
  primaryForGoal: z.boolean().optional().meta({ description: 'Google: true steers bidding at once. Default false' }),
});
export const patchDestinationSchema = z.object({
  adAccountId: adAccountIdOptional,
  name: text(1000).optional(),
  enabled: z.boolean().optional().meta({ description: 'false is what DELETE does' }),
  ...ruleFields,
  type: z.unknown().optional().meta({ description: 'Refused: it is fixed when the rule is made' }),
});
/** The ad account stands in the query or in here. */
export const deleteDestinationBody = z.object({ adAccountId: adAccountIdOptional }).nullish();

export const associationsSchema = named(
  'ConversionAssociations',
  z.strictObject({
    platform,
    associations: z.array(z.strictObject({ campaignId: z.string(), conversionId: z.string(), associatedAt: z.number().optional().meta({ description: 'Unix ms' }) })),
  }),
);
export const associationChangeSchema = named(
  'ConversionAssociationChange',
  z.strictObject({ platform, succeeded: z.array(z.string()), failed: z.array(z.strictObject({ campaignId: z.string(), reason: z.string() })) }),
);
const campaignList = z.array(filled(200)).min(1).max(MAX_CAMPAIGNS);
export const addAssociationsSchema = z.object({ adAccountId: adAccountIdOptional, campaignIds: campaignList });
/** A long list does not fit into an address; then it comes in the body. */
export const removeAssociationsQuery = z.object({
  adAccountId: adAccountIdOptional,
  campaignIds: z.union([text(16_384), z.array(text(16_384)).max(MAX_CAMPAIGNS)]).optional().meta({ description: 'Comma-separated. Here or in the body' }),
});
export const removeAssociationsBody = z.object({ adAccountId: adAccountIdOptional, campaignIds: z.union([text(16_384), campaignList]).optional() }).nullish();

export const metricsQuery = z.object({
  adAccountId: adAccountIdOptional,
  startDate: text(64).optional().meta({ description: 'Needed. YYYY-MM-DD, UTC, inclusive' }),
  endDate: text(64).optional().meta({ description: 'YYYY-MM-DD, UTC, inclusive. Default today' }),
  granularity: text(64).optional().meta({ description: `${GRANULARITIES.join(', ')}. Default ALL` }),
});
export const metricsSchema = named(
  'ConversionMetrics',
  z.strictObject({
    platform,
    granularity: z.enum(GRANULARITIES),
    rows: z.array(z.strictObject({ start: z.string(), end: z.string(), metrics: z.record(z.string(), z.number()).meta({ description: 'What the platform left out is left out' }) })),
  }),
);

export const qualityQuery = z.object({ accountId: accountIdField, destinationId: filled(512) });
export const qualitySchema = named(
  'ConversionsQuality',
  z.strictObject({
    platform,
    rows: z.array(
      z.strictObject({
        eventName: z.string(),
        compositeScore: z.number().optional().meta({ description: 'Event Match Quality, 0 to 10' }),
        matchKeys: z.array(z.strictObject({ identifier: z.string(), coveragePercentage: z.number().optional() })),
        eventCoveragePercentage: z.number().optional().meta({ description: 'Share of the events of the pixel that came through the API too' }),
      }),
    ),
  }),
);

const action = named(
  'ConversionAction',
  z.strictObject({
    id: z.string(),
    name: z.string(),
    type: z.string(),
    status: z.string(),
    category: z.string(),
    tagSnippets: z.array(z.strictObject({ type: z.string(), pageFormat: z.string().optional(), globalSiteTag: z.string().optional(), eventSnippet: z.string().optional() })),
  }),
);
const customerFields = {
  adAccountId: filled(64).optional().meta({ description: 'Google Ads customer id. May be left out where the account reaches only one' }),
  customerId: filled(64).optional().meta({ description: 'The same by an older name', deprecated: true }),
};
export const actionsQuery = z.object({ accountId: accountIdField, ...customerFields, type: filled(64).optional().meta({ description: 'Only actions of this type, such as WEBPAGE' }) });
export const actionsSchema = named(
  'ConversionActions',
  z.strictObject({
    customerId: z.string(),
    actions: z.array(action),
    cachedAt: isoTime.nullable().meta({ description: 'When Google was asked; null: just now' }),
    stale: z.boolean().meta({ description: 'Google could not be asked again; this is the last good answer' }),
  }),
);
export const createActionSchema = z.object({
  accountId: accountIdField,
  ...customerFields,
  name: filled(1000),
  type: filled(64).meta({ description: 'WEBPAGE' }),
  defaultValue: z.number().optional(),
  alwaysUseDefaultValue: z.boolean().optional().meta({ description: 'Default true where there is a defaultValue' }),
});
export const createdActionSchema = named('CreatedConversionAction', z.strictObject({ action }));
