import type { AdsPlatformId, PlatformDefinition } from '@relay/contract';
import { googleAds } from './google/index.ts';
import { linkedinAds } from './linkedin/index.ts';
import { metaAds } from './meta/index.ts';

/** The platforms that `POST /v1/ads/conversions` serves, by the id that an account carries. */
export const PLATFORMS: Readonly<Record<AdsPlatformId, PlatformDefinition>> = {
  metaads: metaAds,
  googleads: googleAds,
  linkedinads: linkedinAds,
};

export { googleAds, linkedinAds, metaAds };
export type { GoogleCredentials } from './google/index.ts';
export { oldVersion as oldLinkedinVersion, type LinkedinCredentials } from './linkedin/index.ts';
export {
  ATTRIBUTION_WINDOW_MS,
  datasetCreateRequest,
  datasetGetRequest,
  explainEventName,
  isMessagingEventName,
  isOutcomeUnknown,
  isPastAttribution,
  MESSAGING_EVENT_NAMES,
  parseWebhook,
  readDatasetReply,
  toMessagingItem,
  verifySignature,
  whatsappMessaging,
  type DatasetReply,
  type DatasetTrouble,
  type MessagingContext,
  type MessagingConversion,
  type MessagingEventName,
  type WebhookMessage,
  type WebhookReferral,
  type WhatsappCredentials,
} from './whatsapp/index.ts';
export {
  ADJUSTMENT_TYPES,
  ADJUSTMENT_WAIT_MS,
  ALREADY_ADJUSTED_CODES,
  GOOGLE_ADS_VERSION,
  GRANULARITIES,
  LocalRuleError,
  MANAGEMENT,
  MAX_ADJUSTMENTS,
  MAX_CAMPAIGNS,
  PlatformCallError,
  adjustmentIdentity,
  adjustmentToItem,
  adjustmentsRequest,
  createConversionAction,
  createGoogleAdjustments,
  getQuality,
  listConversionActions,
  readAdjustmentsReply,
  type AdjustmentAccess,
  type AdjustmentContext,
  type AdjustmentItemResult,
  type Association,
  type AssociationChange,
  type CallTraits,
  type ConversionAction,
  type ConversionAdjustment,
  type ConversionDestination,
  type CreateActionInput,
  type CreateDestinationInput,
  type DestinationList,
  type DestinationManagement,
  type DestinationMetrics,
  type DestinationPatch,
  type DestinationRef,
  type Granularity,
  type ListActionsInput,
  type LocalRuleCode,
  type ManagementContext,
  type MetricsQuery,
  type PlatformCallKind,
  type QualityRow,
  type QuotaScope,
} from './management/index.ts';
