import { z } from 'zod';
import { PLATFORM_IDS } from '@relay/contract';
import { DEAD_REASONS, type DeadLetter } from '@relay/delivery';

/**
 * The data of a dead letter: a job of the queue `<platform>.dead`, which no worker consumes. Names are written out, since
 * operators read them in Bull Board; everything about people is in `payload`, sealed.
 */
export const letterDataSchema = z.object({
  v: z.literal(1),
  platform: z.enum(PLATFORM_IDS),
  accountId: z.string(),
  destinationId: z.string(),
  deliveryId: z.string(),
  /** Chunk number in the delivery. */
  chunk: z.number().int(),
  /** Submitted indices as start, count, … */
  indices: z.array(z.number().int()),
  reason: z.enum(DEAD_REASONS),
  code: z.string(),
  message: z.string(),
  /** The first 100. */
  eventIds: z.array(z.string()),
  eventCount: z.number().int().positive(),
  attempts: z.number().int(),
  firstAttemptAt: z.number().optional(),
  lastAttemptAt: z.number().optional(),
  /** When an attempt first ended so that the platform may have taken the events all the same. */
  maybeTakenAt: z.number().optional(),
  acceptedAt: z.number(),
  /** When the last of the events expires. */
  expiresAt: z.number(),
  /** Kind of the events; none: conversions. */
  kind: z.literal('adjustment').optional(),
  testCode: z.string().optional(),
  consent: z.string().optional(),
  bytes: z.number(),
  payload: z.string(),
  /** The letter that this one's events were replayed from. */
  replayOf: z.string().optional(),
});
export type LetterData = z.infer<typeof letterDataSchema>;

/** Event ids that a letter shows in the clear. */
export const MAX_LETTER_EVENT_IDS = 100;

/** What a replay depends on besides the letter. */
export interface Circumstances {
  readonly nowMs: number;
  readonly dedupWindowMs: number | undefined;
  /** The delivery of a later request that sent the same event, which is good for one send. */
  readonly sentAnewBy: string | undefined;
}

/** Why a letter cannot be replayed (without force), or `undefined`. */
export function whyNotReplayable(letter: LetterData, { nowMs, dedupWindowMs, sentAnewBy }: Circumstances): { why: string; forcible: boolean } | undefined {
  if (letter.expiresAt <= nowMs) {
    return { why: 'The events are older than the platform accepts; they would be refused again.', forcible: false };
  }
  if (letter.maybeTakenAt !== undefined && dedupWindowMs !== undefined && nowMs - letter.maybeTakenAt > dedupWindowMs) {
    const hours = Math.round(dedupWindowMs / 3_600_000);
    return {
      why: `The platform may have taken these events more than ${hours} h ago, when an attempt ended without an answer; it would no longer recognise them as repeats and could count them twice. Use force to send them all the same.`,
      forcible: true,
    };
  }
  if (sentAnewBy !== undefined) {
    return {
      why: `The event was sent anew, with the same event id, by delivery ${sentAnewBy}, and the platform does not recognise repeats: it could be counted twice. Use force to send it all the same.`,
      forcible: true,
    };
  }
  if (letter.reason === 'unknown') {
    return {
      why: 'It is not known whether the platform took this event, and the platform does not recognise repeats: it could be counted twice. Use force to send it all the same.',
      forcible: true,
    };
  }
  return undefined;
}

/** The letter as the API shows it. */
export function toDeadLetter(id: string, letter: LetterData, circumstances: Circumstances & { readonly replayedAtMs: number | undefined }): DeadLetter {
  const { replayedAtMs } = circumstances;
  const whyNot = replayedAtMs === undefined ? whyNotReplayable(letter, circumstances)?.why : 'It was replayed already.';
  return {
    id,
    platform: letter.platform,
    accountId: letter.accountId,
    destinationId: letter.destinationId,
    deliveryId: letter.deliveryId,
    reason: letter.reason,
    code: letter.code,
    message: letter.message,
    eventIds: letter.eventIds,
    eventCount: letter.eventCount,
    attempts: letter.attempts,
    firstAttemptAtMs: letter.firstAttemptAt,
    lastAttemptAtMs: letter.lastAttemptAt,
    replayable: whyNot === undefined,
    whyNot,
    replayedAtMs,
  };
}
