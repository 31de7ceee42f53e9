import type { RelayClient } from '../http.ts';
import { asRecord, listIn, numberIn, textIn, type Json } from '../json.ts';
import { readMetrics, type Sample } from './prometheus.ts';
import type { SandboxControl } from './sandbox-control.ts';
import type { Stack } from './stack.ts';

export const WA_ACCOUNT = 'acc_wa';
/** What the demo plays through, and what has to come of it. */
export const WHATSAPP_PLAN = {
  people: 40,
  /** How often each message is delivered. */
  times: 2,
  /** Of the people, those whose conversion names their number; the others' name the conversation. */
  byPhone: 20,
} as const;

const AD = '120226305854810726';
const phoneOf = (n: number) => `491551234${String(n).padStart(4, '0')}`;
const INVENTED = { conversationId: 'demo-invented-click', eventId: 'wa-invented-click', clid: 'Aff-nobody-ever-tapped-this' } as const;
const AMBIGUOUS_ID = 'wa-ambiguous';
export const WA_FAULT = 'meta: one connection broken after the event was taken; Meta does not recognise repeats of these, so it is not sent again';

/** How one conversion was named, and what the relay answered. */
export interface Sent {
  readonly how: 'by phone' | 'by conversation' | 'an invented click' | 'no answer of Meta';
  readonly answer: Json;
}

export interface WhatsappOutcome {
  /** Answers to the webhook with all clicks, delivery by delivery. */
  readonly webhooks: readonly number[];
  readonly forged: readonly number[];
  readonly captured: number;
  /** Of the calls that asked for the dataset at the same time. */
  readonly datasets: readonly Json[];
  readonly sent: readonly Sent[];
  /** The answer to an event id that had been sent already. */
  readonly repeat: Json;
  /** The listing, newest first. */
  readonly rows: readonly Json[];
  readonly letters: readonly Json[];
  /** What the dataset took: `total`, `unique`, `duplicates`. */
  readonly taken: Json;
  readonly faults: readonly Json[];
  readonly samples: readonly Sample[];
}

/** Taps on ads, their webhooks, the dataset, conversions, the listing: once around. */
export async function playWhatsapp(stack: Stack, client: RelayClient, control: SandboxControl): Promise<WhatsappOutcome> {
  const webhookUrl = `${stack.apiUrl}/webhooks/whatsapp`;
  const taps = Array.from({ length: WHATSAPP_PLAN.people }, (_, n) => ({ adId: AD, waId: phoneOf(n), headline: 'Schöne Möbel – jetzt anfragen' }));
  const webhooks = await control.tapAds(taps, { webhookUrl, times: WHATSAPP_PLAN.times, withStatuses: true });
  const forged = await control.tapAds([{ adId: AD, waId: phoneOf(9999) }], { webhookUrl, signature: 'wrong' });
  const conversations = listIn((await client.call({ path: '/v1/whatsapp/conversations', query: { accountId: WA_ACCOUNT, limit: 200 } })).body, 'conversations');

  const provision = async () => asRecord((await client.call({ method: 'POST', path: '/v1/whatsapp/dataset', body: { accountId: WA_ACCOUNT } })).body);
  const datasets = await Promise.all([provision(), provision()]);
  const imported = { accountId: WA_ACCOUNT, phoneE164: phoneOf(8888), metadata: { ctwa_clid: INVENTED.clid } };
  await client.call({ method: 'PUT', path: `/v1/whatsapp/conversations/${INVENTED.conversationId}`, body: imported });
  await control.fault({ platform: 'meta', match: { eventId: AMBIGUOUS_ID }, times: 1, fault: { kind: 'reset', when: 'after' } });

  const sent = await sendAll(client, conversations);
  const repeat = await send(client, { ...conversionOf(0), phoneE164: phoneOf(0) });
  const datasetId = textIn(datasets[0], 'datasetId');
  const [listing, letters, taken, faults, api, worker] = await Promise.all([
    client.call({ path: '/v1/whatsapp/conversions', query: { accountId: WA_ACCOUNT, limit: 200 } }),
    client.call({ path: '/v1/dead-letters', query: { platform: 'whatsapp', limit: 100 } }),
    control.accepted(datasetId),
    control.faults(),
    readMetrics(stack.apiUrl),
    readMetrics(stack.workerUrl),
  ]);
  return {
    webhooks,
    forged,
    captured: conversations.length,
    datasets,
    sent,
    repeat,
    rows: listIn(listing.body, 'events'),
    letters: listIn(letters.body, 'deadLetters'),
    taken,
    faults,
    samples: [...api, ...worker],
  };
}

/** Everybody's conversion, and the two that go wrong; all at the same time. */
function sendAll(client: RelayClient, conversations: readonly Json[]): Promise<Sent[]> {
  const idOf = new Map(conversations.map((conversation) => [textIn(conversation, 'phoneE164'), textIn(conversation, 'id')]));
  const people = Array.from({ length: WHATSAPP_PLAN.people }, async (_, n): Promise<Sent> => {
    const byPhone = n < WHATSAPP_PLAN.byPhone;
    const whose = byPhone ? { phoneE164: phoneOf(n) } : { conversationId: idOf.get(phoneOf(n)) ?? 'not-captured' };
    return { how: byPhone ? 'by phone' : 'by conversation', answer: await send(client, { ...conversionOf(n), ...whose }) };
  });
  const invented = async (): Promise<Sent> => ({ how: 'an invented click', answer: await send(client, { eventName: 'LeadSubmitted', eventId: INVENTED.eventId, conversationId: INVENTED.conversationId }) });
  const ambiguous = async (): Promise<Sent> => ({ how: 'no answer of Meta', answer: await send(client, { eventName: 'LeadSubmitted', eventId: AMBIGUOUS_ID, phoneE164: phoneOf(0) }) });
  return Promise.all([...people, invented(), ambiguous()]);
}

function conversionOf(n: number): Json {
  const eventId = `wa-${n}`;
  return n % 2 === 0 ? { eventName: 'LeadSubmitted', eventId, email: `person${n}@example.com` } : { eventName: 'Purchase', eventId, value: 49.9 + n, currency: 'EUR', contentIds: ['sofa'] };
}

async function send(client: RelayClient, conversion: Json): Promise<Json> {
  return asRecord((await client.call({ method: 'POST', path: '/v1/whatsapp/conversions', body: { accountId: WA_ACCOUNT, ...conversion }, timeoutMs: 60_000 })).body);
}

export interface WhatsappTotals {
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
}

export function whatsappTotals({ sent }: Pick<WhatsappOutcome, 'sent'>): WhatsappTotals {
  const delivered = sent.reduce((sum, { answer }) => sum + numberIn(answer, 'eventsReceived'), 0);
  const dead = sent.reduce((sum, { answer }) => sum + numberIn(answer, 'eventsFailed'), 0);
  return { accepted: sent.length, delivered, dead };
}
