import { message } from '../google/json-shape.ts';
import type { Spec } from '../google/json-shape.ts';

/** The requests of the Google Ads API as JSON, from the v24 protos: what the front end checks before the service looks. */

const text: Spec = { kind: 'string' };
const double: Spec = { kind: 'double' };
const int64: Spec = { kind: 'int64' };
const bool: Spec = { kind: 'bool' };
const list = (of: Spec): Spec => ({ kind: 'list', of });
const oneOf = (name: string, values: string): Spec => ({ kind: 'enum', name, values: new Set(['UNSPECIFIED', 'UNKNOWN', ...values.split(' ')]) });

/** `pageSize` still parses, and is then refused by the service. */
export const searchSpec = message('SearchGoogleAdsRequest', {
  query: text,
  pageToken: text,
  pageSize: int64,
  validateOnly: bool,
  searchSettings: { kind: 'any' },
});

const conversionAction = message('ConversionAction', {
  resourceName: text,
  id: int64,
  name: text,
  status: oneOf('ConversionActionStatus', 'ENABLED REMOVED HIDDEN'),
  type: oneOf(
    'ConversionActionType',
    'AD_CALL CLICK_TO_CALL WEBPAGE WEBSITE_CALL UPLOAD_CALLS UPLOAD_CLICKS STORE_SALES STORE_VISITS SALESFORCE WEBPAGE_CODELESS FLOODLIGHT_ACTION SMART_CAMPAIGN_TRACKED_CALLS',
  ),
  origin: text,
  primaryForGoal: bool,
  category: oneOf(
    'ConversionActionCategory',
    'DEFAULT PAGE_VIEW PURCHASE SIGNUP DOWNLOAD ADD_TO_CART BEGIN_CHECKOUT SUBSCRIBE_PAID PHONE_CALL_LEAD IMPORTED_LEAD SUBMIT_LEAD_FORM BOOK_APPOINTMENT ' +
      'REQUEST_QUOTE GET_DIRECTIONS OUTBOUND_CLICK CONTACT ENGAGEMENT STORE_VISIT STORE_SALE QUALIFIED_LEAD CONVERTED_LEAD YOUTUBE_FOLLOW_ON_VIEWS',
  ),
  ownerCustomer: text,
  includeInConversionsMetric: bool,
  clickThroughLookbackWindowDays: int64,
  viewThroughLookbackWindowDays: int64,
  valueSettings: message('ValueSettings', { defaultValue: double, defaultCurrencyCode: text, alwaysUseDefaultValue: bool }),
  countingType: oneOf('ConversionActionCountingType', 'ONE_PER_CLICK MANY_PER_CLICK'),
  attributionModelSettings: { kind: 'any' },
  tagSnippets: list({ kind: 'any' }),
  phoneCallDurationSeconds: int64,
  appId: text,
});

const operation = message('ConversionActionOperation', { create: conversionAction, update: conversionAction, remove: text, updateMask: text }, ['create', 'update', 'remove']);

export const mutateSpec = message('MutateConversionActionsRequest', {
  operations: list(operation),
  partialFailure: bool,
  validateOnly: bool,
  responseContentType: oneOf('ResponseContentType', 'RESOURCE_NAME_ONLY MUTABLE_RESOURCE'),
});

const userIdentifier = message(
  'UserIdentifier',
  {
    userIdentifierSource: oneOf('UserIdentifierSource', 'FIRST_PARTY THIRD_PARTY'),
    hashedEmail: text,
    hashedPhoneNumber: text,
    mobileId: text,
    thirdPartyUserId: text,
    addressInfo: { kind: 'any' },
  },
  ['hashedEmail', 'hashedPhoneNumber', 'mobileId', 'thirdPartyUserId', 'addressInfo'],
);

export const adjustmentsSpec = message('UploadConversionAdjustmentsRequest', {
  conversionAdjustments: list(
    message('ConversionAdjustment', {
      gclidDateTimePair: message('GclidDateTimePair', { gclid: text, conversionDateTime: text }),
      orderId: text,
      conversionAction: text,
      adjustmentDateTime: text,
      restatementValue: message('RestatementValue', { adjustedValue: double, currencyCode: text }),
      userIdentifiers: list(userIdentifier),
      userAgent: text,
      adjustmentType: oneOf('ConversionAdjustmentType', 'RETRACTION RESTATEMENT ENHANCEMENT'),
    }),
  ),
  partialFailure: bool,
  validateOnly: bool,
  jobId: int64,
});

export interface ActionInput {
  readonly resourceName?: string;
  readonly id?: string;
  readonly name?: string;
  readonly status?: string;
  readonly type?: string;
  readonly category?: string;
  readonly countingType?: string;
  readonly primaryForGoal?: boolean;
  readonly clickThroughLookbackWindowDays?: string | number;
  readonly viewThroughLookbackWindowDays?: string | number;
  readonly valueSettings?: { readonly defaultValue?: number; readonly defaultCurrencyCode?: string; readonly alwaysUseDefaultValue?: boolean };
  readonly ownerCustomer?: string;
  readonly tagSnippets?: readonly unknown[];
}

export interface MutateRequest {
  readonly operations?: readonly { readonly create?: ActionInput; readonly update?: ActionInput; readonly remove?: string }[];
  readonly partialFailure?: boolean;
  readonly validateOnly?: boolean;
  readonly responseContentType?: string;
}

export interface AdjustmentInput {
  readonly gclidDateTimePair?: { readonly gclid?: string; readonly conversionDateTime?: string };
  readonly orderId?: string;
  readonly conversionAction?: string;
  readonly adjustmentDateTime?: string;
  readonly restatementValue?: { readonly adjustedValue?: number; readonly currencyCode?: string };
  readonly userIdentifiers?: readonly {
    readonly hashedEmail?: string;
    readonly hashedPhoneNumber?: string;
    readonly mobileId?: string;
    readonly thirdPartyUserId?: string;
    readonly addressInfo?: unknown;
  }[];
  readonly userAgent?: string;
  readonly adjustmentType?: string;
}

export interface AdjustmentsRequest {
  readonly conversionAdjustments?: readonly AdjustmentInput[];
  readonly partialFailure?: boolean;
  readonly validateOnly?: boolean;
  readonly jobId?: string | number;
}

export interface SearchRequest {
  readonly query?: string;
  readonly pageToken?: string;
  readonly pageSize?: number | string;
  readonly validateOnly?: boolean;
}
