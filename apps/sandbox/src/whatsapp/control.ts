import { randomInt } from 'node:crypto';

import type { FastifyInstance } from 'fastify';

import { asObject, ControlInputError, readCode, readNumber, readString } from '../core/parse-fault.ts';
import type { SandboxCore } from '../core/types.ts';
import { SEED } from '../seed.ts';
import { deliver, deliveryOf, newClid, newWamid, SIGNATURES } from './webhook.ts';
import type { Delivery, Signature, Tap } from './webhook.ts';
import type { WhatsappWorld } from './world.ts';

type Json = Readonly<Record<string, unknown>>;

const { wabaId: SEED_WABA, phoneNumberId: SEED_NUMBER, pageId: SEED_PAGE, appSecret: SEED_SECRET, verifyToken: SEED_VERIFY } = SEED.meta.whatsapp;

const TAP_MEMBERS = new Set([
  'adId', 'headline', 'sourceUrl', 'sourceType', 'waId', 'phoneNumberId', 'wabaId', 'pageId', 'name', 'text', 'wamid', 'ctwaClid',
  'withoutClid', 'withoutReferral', 'withoutPhone', 'secondsAgo',
]);
const SENDING_MEMBERS = new Set(['webhookUrl', 'times', 'together', 'signature', 'withStatuses']);
const BATCH_MEMBERS = new Set([...SENDING_MEMBERS, 'clicks', 'as', 'order']);

/** A misspelt member would make a test pass that tests nothing. */
function refuseUnknown(given: Json, ...known: readonly ReadonlySet<string>[]): void {
  const unknown = Object.keys(given).filter((key) => !known.some((members) => members.has(key)));
  if (unknown.length > 0) throw new ControlInputError(`there is no member ${unknown.join(', ')}`);
}

function readFlag(value: unknown, name: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new ControlInputError(`${name} must be true or false`);
}

function readDigits(value: unknown, name: string): string {
  const digits = readCode(value, name) ?? '';
  if (/^\d+$/.test(digits)) return digits;
  throw new ControlInputError(`${name} must be digits`);
}

function readOneOf<T extends string>(value: unknown, name: string, known: readonly [T, ...T[]]): T {
  if (value === undefined) return known[0];
  const found = known.find((one) => one === value);
  if (found === undefined) throw new ControlInputError(`${name} must be one of ${known.join(', ')}`);
  return found;
}

function readTap(given: Json, nowMs: number): Tap {
  const withoutReferral = readFlag(given['withoutReferral'], 'withoutReferral');
  const withoutClid = readFlag(given['withoutClid'], 'withoutClid') || withoutReferral;
  const secondsAgo = given['secondsAgo'] === undefined ? 0 : readNumber(given['secondsAgo'], 'secondsAgo', 0);
  const text = (name: string, byDefault: string) => (given[name] === undefined ? byDefault : readString(given[name], name));
  const digits = (name: string, byDefault: string) => (given[name] === undefined ? byDefault : readDigits(given[name], name));
  return {
    // An organic message came from no ad.
    adId: withoutReferral ? digits('adId', '0') : readDigits(given['adId'], 'adId'),
    headline: text('headline', 'Schöne Möbel – jetzt anfragen'),
    sourceUrl: text('sourceUrl', 'https://fb.me/sandbox'),
    sourceType: text('sourceType', 'ad'),
    waId: readDigits(given['waId'], 'waId'),
    phoneNumberId: digits('phoneNumberId', SEED_NUMBER),
    wabaId: digits('wabaId', SEED_WABA),
    pageId: digits('pageId', SEED_PAGE),
    name: text('name', 'Zoë Sandkasten'),
    text: text('text', '¡Hola! Más información, por favor 🎯'),
    wamid: text('wamid', newWamid()),
    ctwaClid: withoutClid ? undefined : text('ctwaClid', newClid()),
    withoutReferral,
    withoutPhone: readFlag(given['withoutPhone'], 'withoutPhone'),
    timestampS: Math.floor(nowMs / 1000) - Math.floor(secondsAgo),
  };
}

interface Sending {
  /** `undefined`: the click happens, and no webhook tells of it. */
  readonly webhookUrl: string | undefined;
  readonly times: number;
  readonly together: boolean;
  readonly signature: Signature;
  readonly withStatuses: boolean;
}

function readUrl(value: unknown): string {
  const text = readString(value, 'webhookUrl');
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? '')) throw new ControlInputError('webhookUrl must be an http(s) address');
  return text;
}

function readSending(given: Json): Sending {
  return {
    webhookUrl: given['webhookUrl'] === undefined ? undefined : readUrl(given['webhookUrl']),
    times: given['times'] === undefined ? 1 : Math.floor(readNumber(given['times'], 'times', 1)),
    together: readFlag(given['together'], 'together'),
    signature: readOneOf(given['signature'], 'signature', SIGNATURES),
    withStatuses: readFlag(given['withStatuses'], 'withStatuses'),
  };
}

/** All deliveries `times` over: one after the other, or all at once. Statuses in the order of sending. */
async function sendAll(bodies: readonly string[], sending: Sending, appSecret: string): Promise<readonly number[]> {
  const { webhookUrl, times, together, signature } = sending;
  if (webhookUrl === undefined) return [];
  const deliveries: Delivery[] = bodies.flatMap((body) => Array.from({ length: times }, () => ({ webhookUrl, body, signature, appSecret })));
  if (together) return Promise.all(deliveries.map(deliver));
  const statuses: number[] = [];
  for (const delivery of deliveries) statuses.push(await deliver(delivery));
  return statuses;
}

/** `POST /_control/whatsapp/click`, `/batch` and `/verify`: "someone taps ad X and writes from number Y". */
export function registerWhatsappControl(app: FastifyInstance, world: WhatsappWorld, core: () => SandboxCore): void {
  const secret = () => core().switchOf<string>('meta.appSecret', SEED_SECRET);

  function happen(given: Json): Tap {
    const tap = readTap(given, core().now());
    if (tap.ctwaClid !== undefined) world.addClick(tap.ctwaClid, { adId: tap.adId, pageId: tap.pageId, wabaId: tap.wabaId });
    return tap;
  }
  const idsOf = ({ ctwaClid, wamid }: Tap) => ({ ctwaClid: ctwaClid ?? null, wamid });

  app.post('/_control/whatsapp/click', async (request) => {
    const given = asObject(request.body, 'body');
    refuseUnknown(given, TAP_MEMBERS, SENDING_MEMBERS);
    const sending = readSending(given);
    const tap = happen(given);
    const deliveredStatuses = await sendAll([deliveryOf([tap], sending.withStatuses)], sending, secret());
    return { ...idsOf(tap), deliveredStatus: deliveredStatuses.at(-1) ?? null, deliveredStatuses };
  });

  app.post('/_control/whatsapp/batch', async (request) => {
    const given = asObject(request.body, 'body');
    refuseUnknown(given, BATCH_MEMBERS);
    const sending = readSending(given);
    const as = readOneOf(given['as'], 'as', ['one', 'each']);
    const order = readOneOf(given['order'], 'order', ['given', 'reversed']);
    const { clicks } = given;
    if (!Array.isArray(clicks) || clicks.length === 0) throw new ControlInputError('clicks must be a non-empty array');
    const objects = clicks.map((click) => asObject(click, 'clicks[]'));
    for (const click of objects) refuseUnknown(click, TAP_MEMBERS);
    const taps = objects.map(happen);
    const ordered = order === 'reversed' ? taps.toReversed() : taps;
    const bodies = as === 'one' ? [deliveryOf(ordered, sending.withStatuses)] : ordered.map((tap) => deliveryOf([tap], sending.withStatuses));
    return { clicks: taps.map(idsOf), deliveredStatuses: await sendAll(bodies, sending, secret()) };
  });

  /** The handshake with which an app subscribes a webhook. */
  app.post('/_control/whatsapp/verify', async (request) => {
    const given = asObject(request.body, 'body');
    refuseUnknown(given, new Set(['webhookUrl', 'verifyToken', 'mode']));
    const url = new URL(readUrl(given['webhookUrl']));
    const challenge = String(randomInt(1_000_000_000, 2_000_000_000));
    url.searchParams.set('hub.mode', given['mode'] === undefined ? 'subscribe' : readString(given['mode'], 'mode'));
    url.searchParams.set('hub.challenge', challenge);
    url.searchParams.set('hub.verify_token', given['verifyToken'] === undefined ? SEED_VERIFY : readString(given['verifyToken'], 'verifyToken'));
    const reply = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
    const body = await reply?.text();
    return { status: reply?.status ?? 0, verified: reply?.status === 200 && body === challenge };
  });
}
