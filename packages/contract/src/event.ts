import { z } from 'zod';

/**
 * The request of `POST /v1/ads/conversions`, field by field as the public client `@zernio/node` types it.
 * Shape faults are a 400 naming every path; what a platform is certain to refuse (too old, no match key, unknown
 * currency) is not a matter of shape and is answered per event, by the platform's `toItem`.
 * Unknown keys are dropped, so that a newer client keeps working against an older relay.
 */

/** Lone surrogates are found once for the whole body, by the HTTP edge: a check per field would double the cost of parsing. */
const text = (max: number) => z.string().max(max);
const id = (max: number) => text(max).min(1, 'must not be empty');

/** Longest accepted texts. The platforms publish no limits for ids; these keep one event from being megabytes. */
export const MAX_ID_LENGTH = 512;
export const MAX_TEXT_LENGTH = 2048;
/** Web addresses with click ids get long; 8 KiB is what common servers accept for a request line. */
export const MAX_URL_LENGTH = 8192;
/** Most events one request may carry. 32 MiB bodies hold about 60,000 real ones; chunks follow the platform caps. */
export const MAX_EVENTS_PER_REQUEST = 100_000;
export const MAX_ITEMS_PER_EVENT = 1000;

export const clickIdsSchema = z.object({
  fbc: text(MAX_TEXT_LENGTH).optional(),
  fbp: text(MAX_TEXT_LENGTH).optional(),
  gclid: text(MAX_TEXT_LENGTH).optional(),
  gbraid: text(MAX_TEXT_LENGTH).optional(),
  wbraid: text(MAX_TEXT_LENGTH).optional(),
  li_fat_id: text(MAX_TEXT_LENGTH).optional(),
});

export const userSchema = z.object({
  email: text(MAX_TEXT_LENGTH).optional(),
  phone: text(MAX_TEXT_LENGTH).optional(),
  firstName: text(MAX_TEXT_LENGTH).optional(),
  lastName: text(MAX_TEXT_LENGTH).optional(),
  externalId: text(MAX_TEXT_LENGTH).optional(),
  ipAddress: text(MAX_TEXT_LENGTH).optional(),
  userAgent: text(MAX_TEXT_LENGTH).optional(),
  country: text(MAX_TEXT_LENGTH).optional(),
  city: text(MAX_TEXT_LENGTH).optional(),
  state: text(MAX_TEXT_LENGTH).optional(),
  zip: text(MAX_TEXT_LENGTH).optional(),
  dob: text(MAX_TEXT_LENGTH).optional(),
  gender: text(MAX_TEXT_LENGTH).optional(),
  leadId: text(MAX_TEXT_LENGTH).optional(),
  clickIds: clickIdsSchema.optional(),
});

export const itemSchema = z.object({
  id: text(MAX_TEXT_LENGTH).optional(),
  name: text(MAX_TEXT_LENGTH).optional(),
  price: z.number().optional(),
  quantity: z.number().optional(),
  category: text(MAX_TEXT_LENGTH).optional(),
});

export const ACTION_SOURCES = ['web', 'app', 'offline', 'crm', 'phone_call', 'system_generated'] as const;
export type ActionSource = (typeof ACTION_SOURCES)[number];

/** Unix seconds. A fraction is cut off: clients that divide milliseconds send one. */
export const eventTimeSchema = z
  .number()
  .nonnegative()
  .max(99_999_999_999, 'is in milliseconds; eventTime is in unix seconds')
  .transform(Math.trunc);

export const conversionEventSchema = z.object({
  eventName: id(MAX_ID_LENGTH),
  eventTime: eventTimeSchema,
  eventId: id(MAX_ID_LENGTH),
  value: z.number().optional(),
  currency: text(MAX_ID_LENGTH).optional(),
  user: userSchema,
  items: z.array(itemSchema).max(MAX_ITEMS_PER_EVENT).optional(),
  sourceUrl: text(MAX_URL_LENGTH).optional(),
  actionSource: z.enum(ACTION_SOURCES).optional(),
  platformData: z.record(z.string(), z.unknown()).optional(),
});
export type ConversionEvent = z.infer<typeof conversionEventSchema>;

export const consentSchema = z.object({
  adUserData: z.enum(['GRANTED', 'DENIED']).optional(),
  adPersonalization: z.enum(['GRANTED', 'DENIED']).optional(),
});
export type Consent = z.infer<typeof consentSchema>;

export const sendConversionsSchema = z.object({
  accountId: id(MAX_ID_LENGTH),
  destinationId: id(MAX_ID_LENGTH),
  events: z.array(conversionEventSchema).min(1, 'needs at least one event').max(MAX_EVENTS_PER_REQUEST),
  testCode: id(MAX_ID_LENGTH).optional(),
  consent: consentSchema.optional(),
});
export type SendConversions = z.infer<typeof sendConversionsSchema>;
