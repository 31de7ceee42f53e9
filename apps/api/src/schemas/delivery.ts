import { PLATFORM_IDS } from '@relay/contract';
import { DELIVERY_STATUSES } from '@relay/delivery';
import { z } from 'zod';
import { isoTime, named, nextCursorSchema } from './registry.ts';

const codeSchema = z.union([z.string(), z.number()]);
const platformSchema = z.enum(PLATFORM_IDS);
const platformStatusSchema = z.enum(['processing', 'success', 'partial_success', 'failed']);
const countSchema = z.number().int().nonnegative();

const failureSchema = named(
  'Failure',
  z.strictObject({
    eventIndex: countSchema.meta({ description: 'Index in the submitted events' }),
    eventId: z.string(),
    message: z.string(),
    code: codeSchema,
  }),
);

const warningSchema = z.union([
  z.strictObject({
    code: z.literal('duplicate_event_id'),
    eventIds: z.array(z.string()).meta({ description: 'Ids that stand more than once in this request, the first 100' }),
  }),
  z.strictObject({ code: z.literal('web_context_missing'), count: countSchema.meta({ description: 'Events that it concerns' }), message: z.string() }),
  z.strictObject({ code: z.enum(['click_too_old', 'event_already_sent']), message: z.string() }),
]);

const sendFields = {
  platform: platformSchema,
  eventsReceived: countSchema.meta({ description: 'Events that the platform took' }),
  eventsFailed: countSchema.meta({ description: 'Events that were refused at once, or by the platform' }),
  failures: z.array(failureSchema).meta({ description: 'By eventIndex' }),
  traceId: z.string().optional().meta({ description: "Meta's fbtrace_id, Google's requestId" }),
  deliveryId: z.string(),
  warnings: z.array(warningSchema).optional(),
};

export const sentSchema = named('ConversionsSent', z.strictObject({ ...sendFields, status: z.enum(['delivered', 'partial', 'failed']) }));
export const pendingSchema = named('ConversionsPending', z.strictObject({ ...sendFields, status: z.enum(['queued', 'retrying', 'held']), statusUrl: z.string() }));

const chunkSchema = named(
  'Chunk',
  z.strictObject({
    chunk: countSchema,
    events: countSchema,
    status: z.enum(['queued', 'retrying', 'held', 'delivered', 'partial', 'dead']),
    attempts: countSchema,
    traceId: z.string().nullable(),
    lastAttemptAt: isoTime.nullable(),
    durationMs: z.number().nullable().meta({ description: 'Of the last platform request' }),
    code: z.string().nullable(),
    message: z.string().nullable(),
  }),
);

const reasonCountSchema = z.strictObject({ reason: z.string(), count: countSchema });
const groupStatusSchema = z.strictObject({
  status: platformStatusSchema,
  recordCount: countSchema.nullable(),
  errors: z.array(reasonCountSchema),
  warnings: z.array(reasonCountSchema),
});

export const deliverySchema = named(
  'Delivery',
  z.strictObject({
    deliveryId: z.string(),
    platform: platformSchema,
    accountId: z.string(),
    destinationId: z.string(),
    status: z.enum(DELIVERY_STATUSES),
    eventsSubmitted: countSchema,
    eventsReceived: countSchema,
    eventsFailed: countSchema,
    eventsPending: countSchema,
    eventsHeld: countSchema,
    eventNames: z.array(z.string()),
    eventIds: z.array(z.string()).optional().meta({ description: 'Of small requests only' }),
    failures: z.array(failureSchema),
    traceId: z.string().nullable(),
    attempts: countSchema,
    acceptedAt: isoTime,
    finishedAt: isoTime.nullable(),
    durationMs: z.number().nullable().meta({ description: 'From acceptance to the final answer' }),
    replays: countSchema,
    platformStatus: platformStatusSchema.nullable().meta({ description: 'What Google did with it later' }),
    platformStatusDetails: z.array(groupStatusSchema).optional(),
    chunks: z.array(chunkSchema),
  }),
);

const rowSchema = named(
  'ConversionLogRow',
  z.strictObject({
    timestamp: isoTime,
    deliveryId: z.string(),
    destinationId: z.string(),
    status: z.enum(DELIVERY_STATUSES),
    eventNames: z.array(z.string()),
    eventIds: z.array(z.string()).optional().meta({ description: 'Of small requests only' }),
    eventCount: countSchema,
    eventsReceived: countSchema,
    eventsFailed: countSchema,
    traceId: z.string().nullable(),
    durationMs: z.number().nullable(),
    attempts: countSchema,
    platformStatus: platformStatusSchema.nullable(),
  }),
);

export const recentSchema = named('RecentConversions', z.strictObject({ platform: platformSchema, conversions: z.array(rowSchema), nextCursor: nextCursorSchema }));

const eventStatusSchema = z.enum(['queued', 'retrying', 'held', 'delivered', 'dead', 'refused']);
export const eventSchema = named(
  'EventState',
  z.strictObject({
    eventId: z.string(),
    accountId: z.string(),
    platform: platformSchema,
    status: eventStatusSchema.meta({ description: 'In its newest delivery' }),
    deliveries: z.array(
      z.strictObject({
        deliveryId: z.string(),
        eventIndex: countSchema,
        destinationId: z.string(),
        status: eventStatusSchema,
        code: codeSchema.nullable(),
        message: z.string().nullable(),
        acceptedAt: isoTime,
        statusUrl: z.string(),
      }),
    ),
  }),
);
