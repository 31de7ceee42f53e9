import { createHmac } from 'node:crypto';
import { SEED } from '@relay/sandbox';
import type { Zernio } from '@zernio/node';
import type { Answer, CallOptions, Json, Relay } from './harness.ts';
import type { Tap, Tapped } from './sandbox-control.ts';

export const { wabaId: WABA, phoneNumberId: NUMBER, pageId: PAGE, appSecret: APP_SECRET, accessToken: WA_TOKEN } = SEED.meta.whatsapp;
export const ACCOUNT = 'acc_wa';

let phones = 0;
/** A number that nobody else of this process has. */
export const aPhone = (): string => `49151${String((phones += 1)).padStart(7, '0')}`;

export type Conversion = Readonly<Record<string, unknown>>;

/** What the tests do with a relay's WhatsApp side. */
export function withWhatsapp(relay: Relay) {
  const webhookUrl = `${relay.url}/webhooks/whatsapp`;
  const conversations = async (accountId: string = ACCOUNT): Promise<Json[]> => (await relay.call('GET', `/v1/whatsapp/conversations?accountId=${accountId}&limit=200`)).body.conversations;
  return {
    webhookUrl,
    /** Someone taps an ad and writes; the webhook goes to the relay. */
    tap: (tap: Partial<Tap> = {}): Promise<Tapped & { readonly phone: string }> => {
      const phone = tap.waId ?? aPhone();
      return relay.sandbox.tap({ webhookUrl, ...tap, waId: phone }).then((tapped) => ({ ...tapped, phone }));
    },
    conversations,
    conversationOf: async (phone: string): Promise<Json> => (await conversations()).find(({ phoneE164 }) => phoneE164 === phone),
    /** A webhook of any body, signed as Meta signs. */
    post: (body: string, secret: string = APP_SECRET): Promise<Response> =>
      fetch(webhookUrl, { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }, body }),
    provision: (accountId: string = ACCOUNT): Promise<Answer> => relay.call('POST', '/v1/whatsapp/dataset', { body: { accountId } }),
    convert: (body: Conversion, headers: CallOptions['headers'] = {}): Promise<Answer> =>
      relay.call('POST', '/v1/whatsapp/conversions', { body: { accountId: ACCOUNT, eventName: 'LeadSubmitted', ...body }, headers }),
    /** Queued, not waited for. */
    async queueConversion(body: Conversion): Promise<string> {
      const answer = await relay.call('POST', '/v1/whatsapp/conversions', { body: { accountId: ACCOUNT, eventName: 'LeadSubmitted', ...body }, headers: { prefer: 'respond-async' } });
      if (answer.status !== 202) throw new Error(`not queued: ${answer.status} ${answer.text}`);
      return answer.body.deliveryId as string;
    },
    letterOf: async (deliveryId: string): Promise<Json> => (await relay.deadLetters('platform=whatsapp&limit=200')).find((letter) => letter.deliveryId === deliveryId),
    /** How often Meta took the event. */
    taken: async (eventId: string): Promise<number> => (await relay.sandbox.accepted({ platform: 'meta', eventId, limit: 0 })).total,
    /** Requests with events that Meta saw, whatever became of them. */
    asked: async (): Promise<number> => (await relay.sandbox.requests('meta')).filter(({ route }) => route.endsWith('/events')).length,
  };
}
export type Whatsapp = ReturnType<typeof withWhatsapp>;

/** The public client's WhatsApp part; what it answers is looked into freely. */
export function clientOf(zernio: Zernio) {
  const data = async (call: Promise<unknown>): Promise<Json> => ((await call) as { data: Json }).data;
  return {
    createDataset: (accountId: string = ACCOUNT) => data(zernio.whatsapp.createWhatsAppDataset({ body: { accountId } })),
    getDataset: (accountId: string = ACCOUNT) => data(zernio.whatsapp.getWhatsAppDataset({ query: { accountId } })),
    send: (body: Conversion) => data(zernio.whatsapp.sendWhatsAppConversion({ body: { accountId: ACCOUNT, ...body } as never })),
    list: (query: { readonly limit?: number } = {}) => data(zernio.whatsapp.listWhatsAppConversions({ query: { accountId: ACCOUNT, ...query } })),
  };
}
