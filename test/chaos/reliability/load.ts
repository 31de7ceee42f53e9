import { setTimeout as sleep } from 'node:timers/promises';
import { actionOf, anEvent, PIXEL, PIXEL_2, PIXEL_3, RULE, RULE_2, toGoogle, toLinkedin, toMeta, toSecondMeta, type SendBody } from '../../e2e/events.ts';
import type { Chance } from './chance.ts';
import type { Platform, Stack } from './stack.ts';

/** How long a caller goes on sending the same request again before it gives up, ms. */
const GIVE_UP_MS = 120_000;

type Target = readonly [platform: Platform, body: (events: SendBody['events']) => SendBody];
/** Three platforms, four accounts, eleven destinations. */
const TARGETS: readonly Target[] = [
  ...[PIXEL, PIXEL_2, PIXEL_3].map((pixel): Target => ['metaads', (events) => toMeta(events, pixel)]),
  ...[PIXEL, PIXEL_2].map((pixel): Target => ['metaads', (events) => toSecondMeta(events, pixel)]),
  ...['111', '112', '113', '114'].map((id): Target => ['googleads', (events) => toGoogle(events, actionOf(id))]),
  ...[RULE, RULE_2].map((rule): Target => ['linkedinads', (events) => toLinkedin(events, rule)]),
];

export interface LoadOptions {
  readonly events: number;
  /** Events of one request, at most. */
  readonly perRequest: number;
  /** Callers that send at the same time, each to an api of its choice. */
  readonly callers: number;
  /** Each caller's pause between two requests, ms, at most. Default 0. */
  readonly pauseMs?: number;
  readonly targets?: readonly Target[];
}

export interface Load {
  /** Events of requests that were answered with a 200 or 202. */
  readonly accepted: ReadonlyMap<string, Platform>;
  /** 503 answers, and how many of them did not say when to come again. */
  readonly refused: { count: number; withoutRetryAfter: number };
  /** Answers that were neither success nor 503. */
  readonly unexpected: readonly string[];
  /** Requests that got no answer and were sent again. */
  readonly broken: { count: number };
  /** Resolves when all events are accepted. */
  readonly done: Promise<void>;
}

/**
 * Sends events the way a careful caller does: with an Idempotency-Key, and again, with the same key and body and to
 * whichever api, until the answer says that they are stored. Every event is then accepted exactly once.
 */
export function startLoad(stack: Pick<Stack, 'apis' | 'call'>, chance: Chance, prefix: string, options: LoadOptions): Load {
  const accepted = new Map<string, Platform>();
  const refused = { count: 0, withoutRetryAfter: 0 };
  const broken = { count: 0 };
  const unexpected: string[] = [];
  let left = options.events;
  let requests = 0;

  const sendUntilStored = async (body: SendBody, platform: Platform, key: string, own: Chance): Promise<void> => {
    const until = Date.now() + GIVE_UP_MS;
    const headers = { 'idempotency-key': key, prefer: 'respond-async' };
    while (Date.now() < until) {
      const answer = await stack.call('POST', '/v1/ads/conversions', body, headers, own.pick(stack.apis)).catch(() => undefined);
      if (answer?.status === 202 || answer?.status === 200) {
        for (const { eventId } of body.events) accepted.set(eventId, platform);
        return;
      }
      if (answer === undefined) broken.count += 1;
      else if (answer.status === 503) {
        refused.count += 1;
        if (!(Number(answer.retryAfter) > 0)) refused.withoutRetryAfter += 1;
      } else {
        unexpected.push(`${answer.status} ${JSON.stringify(answer.body)}`);
        if (answer.status < 500) break;
      }
      await sleep(own.between(50, 250));
    }
    throw new Error(`a request was not stored: ${unexpected.at(-1) ?? `no answer or 503 for ${GIVE_UP_MS} ms`}`);
  };
  const caller = async (own: Chance): Promise<void> => {
    while (left > 0) {
      const size = Math.min(own.between(1, options.perRequest), left);
      left -= size;
      requests += 1;
      const number = requests;
      const [platform, body] = own.pick(options.targets ?? TARGETS);
      const events = Array.from({ length: size }, (_, i) => anEvent(`${prefix}-${number}-${i}`));
      await sendUntilStored(body(events), platform, `${prefix}-${number}`, own);
      if (options.pauseMs !== undefined) await sleep(own.between(0, options.pauseMs));
    }
  };
  const done = Promise.all(Array.from({ length: options.callers }, (_, n) => caller(chance.fork(`caller ${n}`)))).then(() => undefined);
  done.catch(() => undefined); // Who awaits it hears of it.
  return { accepted, refused, unexpected, broken, done };
}

/** The load's platforms by the sandbox's names. */
export const SANDBOX_NAME = { metaads: 'meta', googleads: 'google', linkedinads: 'linkedin', whatsapp: 'meta' } as const;
