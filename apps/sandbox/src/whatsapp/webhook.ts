import { createHash, createHmac, randomBytes } from 'node:crypto';

/** Someone with a number taps an ad and writes. */
export interface Tap {
  readonly adId: string;
  readonly headline: string;
  readonly sourceUrl: string;
  readonly sourceType: string;
  readonly waId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly pageId: string;
  readonly name: string;
  readonly text: string;
  readonly wamid: string;
  /** `undefined`: the referral has none, as with ads in WhatsApp Status. */
  readonly ctwaClid: string | undefined;
  readonly withoutReferral: boolean;
  readonly withoutPhone: boolean;
  readonly timestampS: number;
}

export const newClid = () => `Aff-${randomBytes(66).toString('base64url')}`;
export const newWamid = () => `wamid.${randomBytes(36).toString('base64')}`;

/** Business-scoped user id: the same person stays the same. */
const userIdOf = (waId: string) => `DE.${BigInt(`0x${createHash('sha256').update(waId).digest('hex').slice(0, 15)}`)}`;

/** All that the page documents, and the members that newer payloads carry besides. */
function referralOf(tap: Tap): object {
  return {
    source_url: tap.sourceUrl,
    source_id: tap.adId,
    source_type: tap.sourceType,
    headline: tap.headline,
    body: 'Nur diese Woche: 20 % auf alles – schreib uns!',
    media_type: 'image',
    image_url: 'https://scontent.example/v/ad.jpg',
    ...(tap.ctwaClid !== undefined && { ctwa_clid: tap.ctwaClid }),
    welcome_message: { text: 'Hallo! Wie können wir helfen?' },
  };
}

function valueOf(tap: Tap): object {
  const userId = userIdOf(tap.waId);
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: tap.phoneNumberId },
    contacts: [{ profile: { name: tap.name }, ...(!tap.withoutPhone && { wa_id: tap.waId }), user_id: userId, country_code: 'DE' }],
    messages: [
      {
        ...(!tap.withoutPhone && { from: tap.waId }),
        from_user_id: userId,
        from_logical_id: `lid.${userId.slice(3)}`,
        id: tap.wamid,
        timestamp: String(tap.timestampS),
        type: 'text',
        text: { body: tap.text },
        ...(!tap.withoutReferral && { referral: referralOf(tap) }),
      },
    ],
  };
}

function statusesOf(tap: Tap): object {
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: tap.phoneNumberId },
    statuses: [{ id: newWamid(), status: 'delivered', timestamp: String(tap.timestampS), recipient_id: tap.waId, pricing: { billable: true, pricing_model: 'CBP', category: 'service' } }],
  };
}

/** One delivery: an entry per account, a change per message, the statuses of other messages among them if asked for. */
export function deliveryOf(taps: readonly Tap[], withStatuses: boolean): string {
  const byAccount = Map.groupBy(taps, (tap) => tap.wabaId);
  const entry = [...byAccount].map(([id, own]) => ({
    id,
    changes: own.flatMap((tap) => [...(withStatuses ? [statusesOf(tap)] : []), valueOf(tap)]).map((value) => ({ field: 'messages', value })),
  }));
  return escaped(JSON.stringify({ object: 'whatsapp_business_account', entry }));
}

/** Meta spells non-ASCII as `\u00e9`, in lower-case hex, and signs that. */
function escaped(json: string): string {
  return json.replace(/[\u0080-\uFFFF]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `wrong`: under another secret; `malformed`: no hex; `altered`: right for another body than the one that comes; `none`: no header. */
export const SIGNATURES = ['valid', 'wrong', 'malformed', 'altered', 'none'] as const;
export type Signature = (typeof SIGNATURES)[number];

export interface Delivery {
  readonly webhookUrl: string;
  readonly body: string;
  readonly signature: Signature;
  readonly appSecret: string;
}

const TIMEOUT_MS = 10_000;

/** Sends one delivery as Meta does, and answers with the status; 0 for no answer. */
export async function deliver({ webhookUrl, body, signature, appSecret }: Delivery): Promise<number> {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'facebookexternalua' };
  if (signature !== 'none') headers['x-hub-signature-256'] = headerOf(body, signature, appSecret);
  const sent = signature === 'altered' ? body.replace('"object"', '"Object"') : body;
  return fetch(webhookUrl, { method: 'POST', headers, body: sent, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    async (reply) => {
      await reply.arrayBuffer();
      return reply.status;
    },
    () => 0,
  );
}

function headerOf(body: string, signature: Signature, appSecret: string): string {
  if (signature === 'malformed') return 'sha256=not-a-signature';
  const key = signature === 'wrong' ? `${appSecret}-of-another-app` : appSecret;
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}
