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

/** What an earlier version shows of a letter of a later one, as after a step back; so these fields keep their names. */
const laterLetterSchema = letterDataSchema
  .pick({ platform: true, accountId: true, destinationId: true, deliveryId: true, reason: true, code: true, message: true, eventIds: true, eventCount: true, attempts: true, firstAttemptAt: true, lastAttemptAt: true })
  .extend({ v: z.number().int().gt(1).transform(() => 'later' as const) });
export type LaterLetter = z.infer<typeof laterLetterSchema>;

/** `undefined`: it does not even say whose it is. */
export function readLetterData(data: unknown): LetterData | LaterLetter | undefined {
  return letterDataSchema.safeParse(data).data ?? laterLetterSchema.safeParse(data).data;
}

/** Event ids that a letter shows in the clear. */
export const MAX_LETTER_EVENT_IDS = 100;

/** What a replay depends on besides the letter. */
export interface Circumstances {
  readonly nowMs: number;
  readonly dedupWindowMs: number | undefined;
  /** The delivery of a later request that sent the same event, which is good for one send. */
  readonly sentAnewBy: string | undefined;
  /** Whether the key that its events were sealed under is there. */
  readonly hasKey: boolean;
}

export const LATER = 'This letter was written by a later version of the relay, in a format that this one cannot read. Upgrade, then replay it.';
const NO_KEY = 'The events of this letter were sealed under a key that is not in RELAY_SECRET_KEY. Put the key back, then replay it.';
/** Found out only when they are opened. */
export const CHANGED = 'What is stored of the events does not open: it was changed since it was written. It can only be discarded.';

/** Why a letter cannot be replayed (without force), or `undefined`. */
export function whyNotReplayable(letter: LetterData, { nowMs, dedupWindowMs, sentAnewBy, hasKey }: Circumstances): { why: string; forcible: boolean } | undefined {
  if (letter.expiresAt <= nowMs) {
    return { why: 'The events are older than the platform accepts; they would be refused again.', forcible: false };
  }
  if (!hasKey) return { why: NO_KEY, forcible: false };
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
export function toDeadLetter(id: string, letter: LetterData | LaterLetter, circumstances: Circumstances & { readonly replayedAtMs: number | undefined }): DeadLetter {
  const { replayedAtMs } = circumstances;
  const obstacle = letter.v === 'later' ? LATER : whyNotReplayable(letter, circumstances)?.why;
  const whyNot = replayedAtMs === undefined ? obstacle : 'It was replayed already.';
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
