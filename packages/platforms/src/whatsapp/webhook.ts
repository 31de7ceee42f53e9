import { asList, asObject, type JsonObject } from '../http/json.ts';

/**
 * What a webhook tells about one inbound message, as far as attribution needs it: never its text, never a name.
 * https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/text (read 2026-09-12)
 */
export interface WebhookMessage {
  /** The WhatsApp Business Account (`entry[].id`). */
  readonly wabaId: string | undefined;
  /** The business's number that was written to. */
  readonly phoneNumberId: string | undefined;
  /** Unique per message; repeated deliveries carry the same one. */
  readonly wamid: string;
  /** The sender's number, digits only, as the message has it. `undefined`: Meta shows none (people with a username). */
  readonly from: string | undefined;
  /** The sender's WhatsApp id, digits only; may differ from `from` (Brazil, Mexico, Argentina). */
  readonly waId: string | undefined;
  /** Business-scoped user id such as `US.13491208655302741918`: the one that is there without a phone number. */
  readonly userId: string | undefined;
  /** When it was written, unix seconds. */
  readonly timestampS: number | undefined;
  /** Only on a message that came from an ad or a post. */
  readonly referral: WebhookReferral | undefined;
}

/** At least one is there. Texts are bounded, and well-formed Unicode. */
export interface WebhookReferral {
  /** Left out by Meta for ads in WhatsApp Status, and on some numbers. */
  readonly ctwaClid: string | undefined;
  readonly sourceId: string | undefined;
  readonly sourceUrl: string | undefined;
  /** `ad` or `post`. */
  readonly sourceType: string | undefined;
  readonly headline: string | undefined;
}

const MAX_ID_LENGTH = 512;
const MAX_CLID_LENGTH = 2048;
const MAX_URL_LENGTH = 8192;
const MAX_HEADLINE_LENGTH = 1024;

/** The inbound messages of one delivery, in its order. Total: what is no such delivery, or no message, is passed over. */
export function parseWebhook(body: unknown): WebhookMessage[] {
  const root = asObject(body);
  if (root?.['object'] !== 'whatsapp_business_account') return [];
  return asList(root['entry']).flatMap((entry) => {
    const { id, changes } = asObject(entry) ?? {};
    return asList(changes).flatMap((change) => messagesOf(asObject(change), idOf(id)));
  });
}

function messagesOf(change: JsonObject | undefined, wabaId: string | undefined): readonly WebhookMessage[] {
  const value = asObject(change?.['value']);
  if (change?.['field'] !== 'messages' || value === undefined) return [];
  const phoneNumberId = idOf(asObject(value['metadata'])?.['phone_number_id']);
  const contacts = asList(value['contacts']).map(asObject);
  const messages = asList(value['messages']).map(asObject).filter((message) => message !== undefined);
  const isOneSender = new Set(messages.map((message) => `${digitsOf(message['from'])} ${idOf(message['from_user_id'])}`)).size === 1;
  const lone = isOneSender && contacts.length === 1 ? contacts[0] : undefined;
  return messages.flatMap((message) => {
    const wamid = idOf(message['id']);
    if (wamid === undefined) return [];
    const timestampS = secondsOf(message['timestamp']);
    return [{ wabaId, phoneNumberId, wamid, ...senderOf(message, contacts, lone), timestampS, referral: referralOf(message['referral']) }];
  });
}

/** @param lone the only contact there is, where all messages are of one sender: it is that sender's, also if it names another number. */
function senderOf(message: JsonObject, contacts: readonly (JsonObject | undefined)[], lone: JsonObject | undefined): Pick<WebhookMessage, 'from' | 'waId' | 'userId'> {
  const from = digitsOf(message['from']);
  const fromUserId = idOf(message['from_user_id']);
  const contact = contactOf(contacts, from, fromUserId) ?? lone;
  return { from, waId: digitsOf(contact?.['wa_id']), userId: fromUserId ?? idOf(contact?.['user_id']) };
}

/** Contacts are not tied to messages by position: the one that says who it is. */
function contactOf(contacts: readonly (JsonObject | undefined)[], from: string | undefined, userId: string | undefined): JsonObject | undefined {
  return contacts.find((contact) => (from !== undefined && digitsOf(contact?.['wa_id']) === from) || (userId !== undefined && contact?.['user_id'] === userId));
}

function referralOf(given: unknown): WebhookReferral | undefined {
  const referral = asObject(given);
  if (referral === undefined) return undefined;
  const read: WebhookReferral = {
    ctwaClid: textOf(referral['ctwa_clid'], MAX_CLID_LENGTH),
    sourceId: idOf(referral['source_id']),
    sourceUrl: textOf(referral['source_url'], MAX_URL_LENGTH),
    sourceType: textOf(referral['source_type'], MAX_ID_LENGTH),
    headline: headlineOf(referral['headline']),
  };
  return Object.values(read).some((part) => part !== undefined) ? read : undefined;
}

/** Byte for byte; `undefined` for what is blank, and for what is so long that cutting it would make it another one. */
function textOf(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value.trim() !== '' && value.length <= maxLength ? value.toWellFormed() : undefined;
}

function headlineOf(value: unknown): string | undefined {
  return typeof value === 'string' ? textOf(value.slice(0, MAX_HEADLINE_LENGTH), MAX_HEADLINE_LENGTH) : undefined;
}

/** Ids are texts; some gateways turn them into numbers. */
function idOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  return textOf(value, MAX_ID_LENGTH);
}

/** The digits of a phone number, with or without `+` and spaces; `undefined` for what has letters, and for an odd length. */
function digitsOf(value: unknown): string | undefined {
  const text = idOf(value)?.replace(/[\s()+.-]/g, '');
  return text !== undefined && /^\d{5,20}$/.test(text) ? text : undefined;
}

/** `"1790000000"`, or the number. */
function secondsOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,11}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 && number <= 99_999_999_999 ? number : undefined;
}
