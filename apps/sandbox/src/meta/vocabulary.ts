/**
 * Names that Meta's pages and SDKs list; every other key in an event, its user data and its contents is refused.
 * https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/{server-event,customer-information-parameters,custom-data}
 */

export type Kind = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'strings' | 'array' | 'id';

export const EVENT_FIELDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['event_name', 'string'],
  ['event_time', 'integer'],
  ['action_source', 'string'],
  ['user_data', 'object'],
  ['event_source_url', 'string'],
  ['event_id', 'string'],
  ['custom_data', 'object'],
  ['opt_out', 'boolean'],
  ['referrer_url', 'string'],
  ['data_processing_options', 'strings'],
  ['data_processing_options_country', 'integer'],
  ['data_processing_options_state', 'integer'],
  ['messaging_channel', 'string'],
  ['app_data', 'object'],
  ['original_event_data', 'object'],
  ['customer_segmentation', 'string'],
  ['attribution_data', 'object'],
  ['advanced_measurement_table', 'string'],
  ['advertiser_tracking_enabled', 'boolean'],
]);

export const REQUIRED_EVENT_FIELDS = ['event_name', 'event_time', 'action_source', 'user_data'] as const;

export const ACTION_SOURCES: ReadonlySet<string> = new Set([
  'email',
  'website',
  'app',
  'phone_call',
  'chat',
  'physical_store',
  'system_generated',
  'business_messaging',
  'other',
]);

const SEGMENT_TARGETS = ['business', 'business_line', 'product_area', 'medium'];
export const CUSTOMER_SEGMENTS: ReadonlySet<string> = new Set([
  ...SEGMENT_TARGETS.map((target) => `new_customer_to_${target}`),
  ...SEGMENT_TARGETS.map((target) => `existing_customer_to_${target}`),
  'customer_in_loyalty_program',
]);

/** 0 asks Meta to geolocate; 1000..1013 are the fourteen US states. */
export const isLduState = (state: unknown) => state === 0 || (typeof state === 'number' && state >= 1000 && state <= 1013);

/** Keys that may be a string or a list of strings. */
export const MULTI_VALUE_KEYS: ReadonlySet<string> = new Set([
  'em', 'ph', 'fn', 'ln', 'db', 'ge', 'ct', 'st', 'zp', 'country', 'external_id',
]);

const SDK_HASHED_KEYS = ['f5first', 'f5last', 'fi', 'dobd', 'dobm', 'doby'];

/** `external_id` is not among them: its hash is recommended, plaintext is legal. `app_user_id` belongs to the SDK's hashed extras. */
export const HASHED_KEYS: ReadonlySet<string> = new Set([
  ...[...MULTI_VALUE_KEYS].filter((key) => key !== 'external_id'),
  ...SDK_HASHED_KEYS,
  'app_user_id',
]);

/** Integers on Meta's pages, strings in its SDK: both are taken. */
export const ID_KEYS: ReadonlySet<string> = new Set(['lead_id', 'fb_login_id']);

const SINGLE_KEYS = [
  'client_ip_address', 'client_user_agent', 'fbc', 'fbp', 'subscription_id', 'madid', 'anon_id', 'page_id', 'page_scoped_user_id',
  'ctwa_clid', 'whatsapp_business_account_id', 'ig_account_id', 'instagram_business_account_id', 'ig_sid',
];

/** One bit per key: whether an event has enough keys is decided by masks, a thousand times a request. */
export const USER_KEY_BITS: ReadonlyMap<string, number> = (() => {
  const weak = ['ct', 'country', 'st', 'zp', 'ge', 'client_user_agent', 'db', 'fn', 'ln'];
  const others = [...MULTI_VALUE_KEYS, ...HASHED_KEYS, ...ID_KEYS, ...SINGLE_KEYS].filter((key) => !weak.includes(key));
  // No strong key is weak in any combination, so one bit stands for all of them.
  return new Map([...weak.map((key, at) => [key, 1 << at] as const), ...others.map((key) => [key, 1 << weak.length] as const)]);
})();

const maskOf = (...keys: readonly string[]) => keys.reduce((mask, key) => mask | (USER_KEY_BITS.get(key) ?? 0), 0);

/** An event whose keys are all within one of these sets is refused with 2804050. */
export const INSUFFICIENT_MASKS: readonly number[] = [
  maskOf('ct', 'country', 'st', 'zp', 'ge', 'client_user_agent'),
  maskOf('db', 'client_user_agent'),
  maskOf('fn', 'ge'),
  maskOf('ln', 'ge'),
];

/** Known members of `custom_data`; any other key is a custom property and passes. */
export const CUSTOM_FIELDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['content_ids', 'array'],
  ['content_type', 'string'],
  ['num_items', 'integer'],
  ['order_id', 'id'],
  ['content_name', 'string'],
  ['content_category', 'string'],
  ['search_string', 'string'],
  ['delivery_category', 'string'],
  ['store_data', 'object'],
  ['lead_event_source', 'string'],
  ['event_source', 'string'],
]);

export const CONTENT_KEYS: ReadonlySet<string> = new Set([
  'id', 'quantity', 'item_price', 'delivery_category', 'title', 'description', 'brand', 'category', 'price',
]);
export const CONTENT_TYPES: ReadonlySet<string> = new Set(['product', 'product_group']);
export const DELIVERY_CATEGORIES: ReadonlySet<string> = new Set(['in_store', 'curbside', 'home_delivery']);
