import { PLATFORM_IDS } from '@relay/contract';
import { DEAD_REASONS } from '@relay/delivery';
import { z } from 'zod';
import { cursorField, isoTime, named, nextCursorSchema } from './registry.ts';

const count = z.number().int().nonnegative();
const idField = z.string().min(1).max(512);

export const deadLetterSchema = named(
  'DeadLetter',
  z.strictObject({
    id: z.string(),
    platform: z.enum(PLATFORM_IDS),
    accountId: z.string(),
    destinationId: z.string(),
    deliveryId: z.string(),
    reason: z.enum(DEAD_REASONS),
    code: z.string(),
    message: z.string(),
    eventIds: z.array(z.string()).meta({ description: 'The first 100' }),
    eventCount: count,
    attempts: count,
    firstAttemptAt: isoTime.nullable(),
    lastAttemptAt: isoTime.nullable(),
    replayable: z.boolean(),
    whyNot: z.string().optional().meta({ description: 'Why it cannot be replayed, or only with force, and what helps' }),
    replayedAt: isoTime.nullable(),
  }),
);
export const deadLettersSchema = named('DeadLetters', z.strictObject({ deadLetters: z.array(deadLetterSchema), nextCursor: nextCursorSchema }));

export const deadLetterFilterFields = {
  platform: z.enum(PLATFORM_IDS).optional(),
  accountId: idField.optional(),
  destinationId: idField.optional(),
  reason: z.enum(DEAD_REASONS).optional(),
};

export const replayOneBodySchema = z.strictObject({ force: z.boolean().default(false) }).nullish();
export const replayedOneSchema = named('Replayed', z.strictObject({ id: z.string(), replayed: z.literal(true), events: count, accountId: z.string() }));

/** Letters that one request names by id, and the most it replays. */
export const MAX_REPLAY_IDS = 1000;
export const replayManyBodySchema = z
  .strictObject({
    ids: z.array(idField).min(1).max(MAX_REPLAY_IDS).optional(),
    ...deadLetterFilterFields,
    cursor: cursorField.meta({ description: 'Of a filter: go on where an earlier request stopped' }),
    force: z.boolean().default(false).meta({ description: 'Also where the platform may count the events twice' }),
  })
  .meta({ description: 'Letters that fit every field that is given; without any, all letters' });
export type ReplayMany = z.output<typeof replayManyBodySchema>;

export const replayedManySchema = named(
  'ReplayedMany',
  z.strictObject({
    replayed: count.meta({ description: 'Letters that went out again' }),
    refused: count.meta({ description: 'Letters that did not' }),
    events: count.meta({ description: 'Events of the replayed letters' }),
    results: z
      .array(z.strictObject({ id: z.string(), result: z.enum(['replayed', 'refused']), events: count.optional(), why: z.string().optional() }))
      .meta({ description: 'The first 1000, refusals with the reason' }),
    more: z.boolean().meta({ description: 'Stopped before the end; send the same request again, with `nextCursor` as `cursor`' }),
    nextCursor: nextCursorSchema,
  }),
);
