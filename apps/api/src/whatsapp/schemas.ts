import { z } from 'zod';
import { isoTime, named } from '../schemas/registry.ts';

/** E.164 without the plus: what Meta calls a wa_id. */
export const phoneField = z.string().regex(/^\d{5,20}$/, 'must be digits only, country code first, without + or spaces');
const text = (max: number) => z.string().max(max).refine((value) => value.isWellFormed(), 'contains a lone surrogate; send well-formed Unicode');
const id = text(512).min(1, 'must not be empty');

export const sendWhatsappSchema = z
  .object({
    accountId: id,
    eventName: id,
    eventId: id,
    eventTime: z.number().nonnegative().max(99_999_999_999, 'is in milliseconds; eventTime is in unix seconds').transform(Math.trunc).optional(),
    conversationId: id.optional(),
    phoneE164: phoneField.optional(),
    value: z.number().optional(),
    currency: text(512).optional(),
    contentIds: z.array(text(512)).max(1000).optional(),
    email: text(2048).optional(),
    externalId: text(2048).optional(),
    testCode: id.optional(),
  })
  .refine((body) => body.conversationId !== undefined || body.phoneE164 !== undefined, {
    path: ['conversationId'],
    error: 'is missing: send conversationId or phoneE164 (where both are given, conversationId wins)',
  });

export const whatsappRowsSchema = named(
  'RecentWhatsAppConversions',
  z.strictObject({
    events: z.array(
      z.strictObject({
        timestamp: isoTime,
        eventName: z.string(),
        conversationId: z.string().nullable(),
        eventsReceived: z.number().int(),
        eventsFailed: z.number().int(),
        traceId: z.string().nullable(),
        durationMs: z.number().nullable(),
        deliveryId: z.string(),
        status: z.string(),
      }),
    ),
  }),
);

export const datasetSchema = named('WhatsAppDataset', z.strictObject({ datasetId: z.string().nullable(), created: z.boolean().optional() }));

const ctwaFields = {
  ctwa_clid: text(2048).min(1).optional(),
  ctwa_captured_at: z.iso.datetime({ offset: true }).optional(),
  ctwa_source_id: text(512).optional(),
  ctwa_source_url: text(8192).optional(),
  ctwa_headline: text(1024).optional(),
  ctwa_source_type: text(512).optional(),
};

export const conversationSchema = named(
  'WhatsAppConversation',
  z.strictObject({
    id: z.string(),
    accountId: z.string(),
    phoneE164: z.string().nullable(),
    metadata: z.strictObject(ctwaFields),
    createdAt: isoTime,
    updatedAt: isoTime,
  }),
);
export const conversationsSchema = named('WhatsAppConversations', z.strictObject({ conversations: z.array(conversationSchema), nextCursor: z.string().nullable() }));

/** An empty `metadata` is a conversation without a click. */
export const putConversationSchema = z.object({
  accountId: id,
  phoneE164: phoneField.optional(),
  metadata: z.object(ctwaFields).default({}),
});

export const receivedSchema = named('WebhookReceived', z.strictObject({ received: z.literal(true) }));
