import { setTimeout as sleep } from 'node:timers/promises';
import { actionOf, anEvent, PIXEL, PIXEL_2, PIXEL_3, RULE, RULE_2, toGoogle, toLinkedin, toMeta, toSecondMeta, type SendBody } from '../../e2e/events.ts';
import type { Chance } from './chance.ts';
import type { Platform } from './ledgers.ts';
import type { Stack } from './stack.ts';

/** How long a caller goes on sending the same request again before it gives up, ms. */
const GIVE_UP_MS = 120_000;
/** Between two WhatsApp conversions, ms, at most: each is a request of its own to Meta, and they go out two at a time. */
const WHATSAPP_PAUSE_MS = 400;

type Target = readonly [platform: Platform, body: (events: SendBody['events']) => SendBody];
/** Three platforms, four accounts, eleven destinations. */
const TARGETS: readonly Target[] = [
  ...[PIXEL, PIXEL_2, PIXEL_3].map((pixel): Target => ['metaads', (events) => toMeta(events, pixel)]),
  ...[PIXEL, PIXEL_2].map((pixel): Target => ['metaads', (events) => toSecondMeta(events, pixel)]),
  ...['111', '112', '113', '114'].map((id): Target => ['googleads', (events) => toGoogle(events, actionOf(id))]),
  ...[RULE, RULE_2].map((rule): Target => ['linkedinads', (events) => toLinkedin(events, rule)]),
];

export interface LoadOptions {
  /** How many are sent; with `until`, at least so many. */
  readonly events: number;
  /** Callers go on until it is aborted, so that whatever happens before happens under load. */
  readonly until?: AbortSignal;
  /** Events of one request, at most. */
  readonly perRequest: number;
  /** Callers that send at the same time, each to an api of its choice. */
  readonly callers: number;
  /** Each caller's pause between two requests, ms, at most. Default 0. */
  readonly pauseMs?: number;
  readonly targets?: readonly Target[];
  /** A WhatsApp conversation: one caller more sends conversions of it. */
  readonly conversationId?: string;
}

/** A request that was answered with a 200 or 202. */
export interface Stored {
  readonly platform: Platform;
  /** `undefined`: of WhatsApp, where the account decides. */
  readonly destinationId: string | undefined;
  readonly deliveryId: string;
  readonly eventIds: readonly string[];
  /** When it was answered, unix ms. */
  readonly atMs: number;
}

export interface Load {
  /** Events of requests that were answered with a 200 or 202. */
  readonly accepted: ReadonlyMap<string, Platform>;
  readonly stored: readonly Stored[];
  /** 503 answers, and how many of them did not say when to come again. */
  readonly refused: { count: number; withoutRetryAfter: number };
  /** When each caller was last answered with a 503, unix ms; 0: never. */
  readonly refusedAt: readonly number[];
  /** Answers that were neither success nor 503. */
  readonly unexpected: readonly string[];
  /** Requests that got no answer and were sent again. */
  readonly broken: { count: number };
  /** Callers that are still at it. */
  readonly active: () => number;
  /** Resolves when all events are accepted. */
  readonly done: Promise<void>;
}

/** One request as a caller makes it. */
interface Outgoing {
  readonly platform: Platform;
  readonly path: string;
  readonly body: unknown;
  readonly destinationId: string | undefined;
  readonly eventIds: readonly string[];
}

/**
 * Sends events the way a careful caller does: with an Idempotency-Key, and again, with the same key and body and to
 * whichever api, until the answer says that they are stored. Every event is then accepted exactly once.
 */
export function startLoad(stack: Pick<Stack, 'apis' | 'call'>, chance: Chance, prefix: string, options: LoadOptions): Load {
  const accepted = new Map<string, Platform>();
  const stored: Stored[] = [];
  const refused = { count: 0, withoutRetryAfter: 0 };
  const refusedAt = Array.from({ length: options.callers + (options.conversationId === undefined ? 0 : 1) }, () => 0);
  const broken = { count: 0 };
  const unexpected: string[] = [];
  let left = options.events;
  let requests = 0;
  let active = refusedAt.length;
  const goesOn = () => left > 0 || options.until?.aborted === false;

  const sendUntilStored = async (caller: number, { platform, path, body, destinationId, eventIds }: Outgoing, key: string, own: Chance): Promise<void> => {
    const until = Date.now() + GIVE_UP_MS;
    const headers = { 'idempotency-key': key, prefer: 'respond-async' };
    while (Date.now() < until) {
      const answer = await stack.call('POST', path, body, headers, own.pick(stack.apis)).catch(() => undefined);
      if (answer?.status === 202 || answer?.status === 200) {
        for (const eventId of eventIds) accepted.set(eventId, platform);
        stored.push({ platform, destinationId, eventIds, deliveryId: answer.body.deliveryId as string, atMs: Date.now() });
        return;
      }
      if (answer === undefined) broken.count += 1;
      else if (answer.status === 503) {
        refused.count += 1;
        refusedAt[caller] = Date.now();
        if (!(Number(answer.retryAfter) > 0)) refused.withoutRetryAfter += 1;
      } else {
        unexpected.push(`${answer.status} ${JSON.stringify(answer.body)}`);
        if (answer.status < 500) break;
      }
      await sleep(own.between(50, 250));
    }
    throw new Error(`a request was not stored: ${unexpected.at(-1) ?? `no answer or 503 for ${GIVE_UP_MS} ms`}`);
  };
  const numbered = (): string => `${prefix}-${(requests += 1)}`;
  const nextAds = (name: string, own: Chance): Outgoing => {
    const size = Math.min(own.between(1, options.perRequest), Math.max(left, options.until === undefined ? 1 : options.perRequest));
    left -= size;
    const [platform, toBody] = own.pick(options.targets ?? TARGETS);
    const eventIds = Array.from({ length: size }, (_, i) => `${name}-${i}`);
    const body = toBody(eventIds.map((id) => anEvent(id)));
    return { platform, path: '/v1/ads/conversions', body, destinationId: body.destinationId, eventIds };
  };
  const nextConversion = (eventId: string): Outgoing => {
    const body = { accountId: 'acc_wa', eventName: 'LeadSubmitted', conversationId: options.conversationId, eventId };
    return { platform: 'whatsapp', path: '/v1/whatsapp/conversions', body, destinationId: undefined, eventIds: [eventId] };
  };
  const call = async (caller: number, own: Chance, pauseMs: number, next: (name: string) => Outgoing): Promise<void> => {
    while (goesOn()) {
      const name = numbered();
      await sendUntilStored(caller, next(name), name, own);
      if (pauseMs > 0) await sleep(own.between(0, pauseMs));
    }
  };
  const callers = Array.from({ length: options.callers }, (_, n) => {
    const own = chance.fork(`caller ${n}`);
    return call(n, own, options.pauseMs ?? 0, (name) => nextAds(name, own));
  });
  if (options.conversationId !== undefined) callers.push(call(options.callers, chance.fork('whatsapp'), WHATSAPP_PAUSE_MS, nextConversion));
  const ended = callers.map(async (one) => one.finally(() => (active -= 1)));
  const done = Promise.all(ended).then(() => undefined);
  done.catch(() => undefined); // Who awaits it hears of it.
  return { accepted, stored, refused, refusedAt, unexpected, broken, active: () => active, done };
}

/** The load's platforms by the sandbox's names. */
export const SANDBOX_NAME = { metaads: 'meta', googleads: 'google', linkedinads: 'linkedin', whatsapp: 'meta' } as const;
