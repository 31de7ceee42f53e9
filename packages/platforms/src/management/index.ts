import type { AdsPlatformId } from '@relay/contract';
import { googleManagement } from './google/destinations.ts';
import { linkedinManagement } from './linkedin/destinations.ts';
import type { DestinationManagement } from './management.ts';
import { metaManagement } from './meta/destinations.ts';

/** What can be done with the destinations of an account, by its platform. */
export const MANAGEMENT: Readonly<Record<AdsPlatformId, DestinationManagement>> = {
  metaads: metaManagement,
  googleads: googleManagement,
  linkedinads: linkedinManagement,
};

export type { CallTraits, ManagementContext } from './context.ts';
export { LocalRuleError, PlatformCallError, type LocalRuleCode, type PlatformCallKind, type QuotaScope } from './errors.ts';
export {
  GRANULARITIES,
  type Association,
  type AssociationChange,
  type ConversionDestination,
  type CreateDestinationInput,
  type DestinationList,
  type DestinationManagement,
  type DestinationMetrics,
  type DestinationPatch,
  type DestinationRef,
  type Granularity,
  type MetricsQuery,
} from './management.ts';
export { createConversionAction, listConversionActions, type ConversionAction, type CreateActionInput, type ListActionsInput } from './google/actions.ts';
export { ADJUSTMENT_TYPES, adjustmentIdentity, adjustmentToItem, type AdjustmentContext, type AdjustmentItemResult, type ConversionAdjustment } from './google/adjustment-item.ts';
export { MAX_ADJUSTMENTS, adjustmentsRequest, readAdjustmentsReply, type AdjustmentAccess } from './google/adjustment-reply.ts';
export { createGoogleAdjustments } from './google/adjustments.ts';
export { ADJUSTMENT_WAIT_MS, ALREADY_ADJUSTED_CODES } from './google/ads-codes.ts';
export { GOOGLE_ADS_VERSION } from './google/version.ts';
export { getQuality, type QualityRow } from './meta/quality.ts';
export { MAX_CAMPAIGNS } from './limits.ts';
