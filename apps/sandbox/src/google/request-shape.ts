import { message } from './json-shape.ts';
import type { Spec } from './json-shape.ts';

/** `google.ads.datamanager.v1.IngestEventsRequest` as JSON, from the protos 0.3.0 and the discovery document. */

const text: Spec = { kind: 'string' };
const double: Spec = { kind: 'double' };
const int64: Spec = { kind: 'int64' };
const bool: Spec = { kind: 'bool' };
const timestamp: Spec = { kind: 'timestamp' };
/** Accepted without a look inside: the relay never sends it and its layout is not in the fact file. */
const any: Spec = { kind: 'any' };
const list = (of: Spec): Spec => ({ kind: 'list', of });
const oneOf = (name: string, ...values: readonly string[]): Spec => ({ kind: 'enum', name, values: new Set(values) });

const consentStatus = oneOf('ConsentStatus', 'CONSENT_STATUS_UNSPECIFIED', 'CONSENT_GRANTED', 'CONSENT_DENIED');
const consent = message('Consent', { adUserData: consentStatus, adPersonalization: consentStatus });

const accountType = oneOf(
  'ProductAccount.AccountType',
  'ACCOUNT_TYPE_UNSPECIFIED',
  'GOOGLE_ADS',
  'DISPLAY_VIDEO_PARTNER',
  'DISPLAY_VIDEO_ADVERTISER',
  'DATA_PARTNER',
  'GOOGLE_ANALYTICS_PROPERTY',
  'GOOGLE_AD_MANAGER_AUDIENCE_LINK',
  'FLOODLIGHT_CONFIG',
);
const product = oneOf('Product', 'PRODUCT_UNSPECIFIED', 'GOOGLE_ADS', 'DISPLAY_VIDEO_PARTNER', 'DISPLAY_VIDEO_ADVERTISER', 'DATA_PARTNER');
const productAccount = message('ProductAccount', { accountId: text, accountType, product });
const destination = message('Destination', {
  reference: text,
  loginAccount: productAccount,
  linkedAccount: productAccount,
  operatingAccount: productAccount,
  productDestinationId: text,
});

const address = message('AddressInfo', {
  givenName: text,
  familyName: text,
  regionCode: text,
  postalCode: text,
  addressLine: text,
  city: text,
  administrativeArea: text,
});
const userIdentifier = message('UserIdentifier', { emailAddress: text, phoneNumber: text, address }, ['emailAddress', 'phoneNumber', 'address']);
const userData = message('UserData', { userIdentifiers: list(userIdentifier) });

const deviceInfo = message('DeviceInfo', {
  userAgent: text,
  ipAddress: text,
  category: text,
  languageCode: text,
  screenHeight: int64,
  screenWidth: int64,
  operatingSystem: text,
  operatingSystemVersion: text,
  model: text,
  brand: text,
  browser: text,
  browserVersion: text,
});
const adIdentifiers = message('AdIdentifiers', {
  gclid: text,
  gbraid: text,
  wbraid: text,
  dclid: text,
  sessionAttributes: text,
  impressionId: text,
  matchId: text,
  encryptedUserIds: list(any),
  mobileDeviceId: text,
  landingPageDeviceInfo: deviceInfo,
});

const customVariable = message('CustomVariable', { variable: text, value: text, destinationReferences: list(text) });
const item = message('Item', {
  merchantProductId: text,
  quantity: int64,
  unitPrice: double,
  itemId: text,
  conversionValue: double,
  additionalItemParameters: list(message('ItemParameter', { parameterName: text, value: text })),
  merchantId: text,
  merchantFeedLabel: text,
  merchantFeedLanguageCode: text,
  customVariables: list(customVariable),
});
const cartData = message('CartData', {
  merchantId: text,
  merchantFeedLabel: text,
  merchantFeedLanguageCode: text,
  transactionDiscount: double,
  couponCodes: list(text),
  items: list(item),
});

const userProperties = message('UserProperties', {
  customerType: oneOf('CustomerType', 'CUSTOMER_TYPE_UNSPECIFIED', 'NEW', 'RETURNING', 'REENGAGED'),
  customerValueBucket: oneOf('CustomerValueBucket', 'CUSTOMER_VALUE_BUCKET_UNSPECIFIED', 'LOW', 'MEDIUM', 'HIGH'),
  additionalUserProperties: list(message('UserProperty', { propertyName: text, value: text })),
});
const eventLocation = message('EventLocation', {
  storeId: text,
  city: text,
  subdivisionCode: text,
  regionCode: text,
  subcontinentCode: text,
  continentCode: text,
});

const event = message('Event', {
  destinationReferences: list(text),
  transactionId: text,
  eventTimestamp: timestamp,
  lastUpdatedTimestamp: timestamp,
  userData,
  thirdPartyUserData: userData,
  consent,
  adIdentifiers,
  currency: text,
  conversionValue: double,
  conversionCount: int64,
  eventSource: oneOf('EventSource', 'EVENT_SOURCE_UNSPECIFIED', 'WEB', 'APP', 'IN_STORE', 'PHONE', 'MESSAGE', 'OTHER'),
  eventDeviceInfo: deviceInfo,
  cartData,
  customVariables: list(customVariable),
  experimentalFields: list(message('ExperimentalField', { field: text, value: text })),
  userProperties,
  eventName: text,
  clientId: text,
  userId: text,
  appInstanceId: text,
  additionalEventParameters: list(message('EventParameter', { parameterName: text, value: text })),
  eventLocation,
});

export const ingestRequestSpec = message('IngestEventsRequest', {
  destinations: list(destination),
  events: list(event),
  consent,
  validateOnly: bool,
  encoding: oneOf('Encoding', 'ENCODING_UNSPECIFIED', 'HEX', 'BASE64'),
  encryptionInfo: any,
});

/** The checked request, as far as the service rules look at it. */
export interface IngestRequest {
  readonly destinations?: readonly DestinationInput[];
  readonly events?: readonly EventInput[];
  readonly validateOnly?: boolean;
  readonly encoding?: 'ENCODING_UNSPECIFIED' | 'HEX' | 'BASE64';
}

export interface AccountInput {
  readonly accountId?: string;
  readonly accountType?: string;
  readonly product?: string;
}

export interface DestinationInput {
  readonly reference?: string;
  readonly loginAccount?: AccountInput;
  readonly linkedAccount?: AccountInput;
  readonly operatingAccount?: AccountInput;
  readonly productDestinationId?: string;
}

export interface IdentifierInput {
  readonly emailAddress?: string;
  readonly phoneNumber?: string;
  readonly address?: {
    readonly givenName?: string;
    readonly familyName?: string;
    readonly regionCode?: string;
    readonly postalCode?: string;
  };
}

export interface EventInput {
  readonly destinationReferences?: readonly string[];
  readonly transactionId?: string;
  readonly eventTimestamp?: string;
  readonly userData?: { readonly userIdentifiers?: readonly IdentifierInput[] };
  readonly adIdentifiers?: { readonly [name in 'gclid' | 'gbraid' | 'wbraid' | 'dclid' | 'sessionAttributes']?: string };
  readonly currency?: string;
  readonly eventSource?: string;
  readonly eventDeviceInfo?: { readonly ipAddress?: string };
  readonly cartData?: { readonly items?: readonly { readonly merchantProductId?: string; readonly unitPrice?: number }[] };
}
