import { hash, timingSafeEqual } from 'node:crypto';
import { RelayError } from '@relay/contract';
import type { Account, Capture } from '@relay/delivery';
import { parseWebhook, verifySignature, type WebhookMessage } from '@relay/platforms';
import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { noteFacts } from '../plugins/note-facts.ts';
import { answerOf, errorAnswersOnly, textAnswer } from '../schemas/error.ts';
import { KEYLESS } from '../schemas/registry.ts';
import { receivedSchema } from './schemas.ts';
import { metadataText } from './whatsapp-account.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'conversations' | 'webhooks' | 'now'>;

/** Meta sends up to 3 MB (meta.md E.2). */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
/** Messages written in one step: keeps the one blocking script short. */
const CAPTURE_BATCH = 200;

// What Meta sends is read by hand, before any schema: it stands in `openapi/by-hand.ts`.
const CHALLENGE = {
  summary: "Answer Meta's challenge",
  description: 'Meta asks once, when the webhook is subscribed. `hub.verify_token` has to be `META_VERIFY_TOKEN`.',
  tags: ['WhatsApp'],
  security: KEYLESS,
  response: { 200: textAnswer('`hub.challenge`, as it came'), ...errorAnswersOnly(403, 501) },
};
const MESSAGES = {
  summary: "Take Meta's messages",
  description: 'Signed with `META_APP_SECRET`. Captures who wrote and which ad brought them, once a message; never text or name. Answers 200 once that is stored, so that Meta sends again what is not.',
  tags: ['WhatsApp'],
  security: KEYLESS,
  response: { 200: answerOf(receivedSchema, 'Stored, or not for this relay'), ...errorAnswersOnly(401, 413, 501, 503) },
};

/**
 * Meta's webhook: the challenge, and signed message events. Answers 200 once what matters of them is stored, so that Meta
 * sends again what is not. Installed outside the API's own prefixes: the signature is the authentication.
 */
export async function installWebhook(app: FastifyInstance, deps: Needs): Promise<void> {
  await app.register(async (scope) => {
    // The signature is over the raw bytes, so nothing is parsed before it holds.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (_request, raw, done) => done(null, raw));

    scope.get('/webhooks/whatsapp', { schema: CHALLENGE }, (request, reply) => {
      const query = request.query as Readonly<Record<string, unknown>>;
      const { metaVerifyToken } = deps.webhooks;
      if (metaVerifyToken === undefined) throw new RelayError('not_implemented', 'META_VERIFY_TOKEN is not set on this relay, so it takes no webhooks.');
      const challenge = query['hub.challenge'];
      if (query['hub.mode'] !== 'subscribe' || typeof challenge !== 'string' || !isSame(query['hub.verify_token'], metaVerifyToken)) {
        throw new RelayError('verify_token_mismatch', 'hub.verify_token is not the one of this relay (META_VERIFY_TOKEN), or hub.mode is not subscribe.');
      }
      return reply.type('text/plain; charset=utf-8').send(challenge);
    });

    scope.post('/webhooks/whatsapp', { schema: MESSAGES, bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
      const { metaAppSecret } = deps.webhooks;
      if (metaAppSecret === undefined) throw new RelayError('not_implemented', 'META_APP_SECRET is not set on this relay, so it cannot check who sends webhooks.');
      const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const signature = request.headers['x-hub-signature-256'];
      if (!verifySignature(raw, typeof signature === 'string' ? signature : undefined, metaAppSecret)) {
        throw new RelayError('invalid_signature', 'Unauthorized');
      }
      const messages = parseWebhook(parse(raw));
      // Most webhooks tell of messages that were delivered and read, which are not for us.
      const captures = messages.length === 0 ? [] : capturesOf(messages, await deps.accounts.list(), deps.now());
      for (let at = 0; at < captures.length; at += CAPTURE_BATCH) await deps.conversations.capture(captures.slice(at, at + CAPTURE_BATCH));
      noteFacts(request, { messages: messages.length, captured: captures.length });
      return reply.code(200).send({ received: true });
    });
  });
}

function isSame(given: unknown, wanted: string): boolean {
  return typeof given === 'string' && timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', wanted, 'buffer'));
}

/** Signed by Meta and still no JSON: nothing in it is for us, and sending it again would not help. */
function parse(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return undefined;
  }
}

function capturesOf(messages: readonly WebhookMessage[], accounts: readonly Account[], nowMs: number): Capture[] {
  const whatsapp = accounts.filter((account) => account.platform === 'whatsapp');
  return messages.flatMap((message) => {
    const account = accountFor(message, whatsapp);
    const identities = [...new Set([message.from, message.waId, message.userId].filter((identity) => identity !== undefined))];
    if (account === undefined || identities.length === 0) return [];
    return [{ accountId: account.id, messageId: message.wamid, identities, phoneE164: message.from ?? message.waId, ctwa: ctwaOf(message, nowMs) }];
  });
}

/**
 * By the number that was written to. Else by the business account: the account that names no number takes those of all its
 * numbers, and so does one that names another, as long as it is the only one. Of several there is no telling whose they are.
 */
function accountFor({ phoneNumberId, wabaId }: WebhookMessage, accounts: readonly Account[]): Account | undefined {
  const byNumber = accounts.find((account) => phoneNumberId !== undefined && metadataText(account, 'phoneNumberId') === phoneNumberId);
  if (byNumber !== undefined) return byNumber;
  const byBusiness = accounts.filter((account) => wabaId !== undefined && metadataText(account, 'wabaId') === wabaId);
  return byBusiness.find((account) => metadataText(account, 'phoneNumberId') === undefined) ?? (byBusiness.length === 1 ? byBusiness[0] : undefined);
}

function ctwaOf({ referral, timestampS }: WebhookMessage, nowMs: number): Capture['ctwa'] {
  if (referral === undefined) return undefined;
  // A message cannot be newer than now; a clock that says so is wrong.
  const capturedAtMs = timestampS === undefined ? nowMs : Math.min(timestampS * 1000, nowMs);
  return {
    ...(referral.ctwaClid !== undefined && { ctwa_clid: referral.ctwaClid }),
    ctwa_captured_at: new Date(capturedAtMs).toISOString(),
    ...(referral.sourceId !== undefined && { ctwa_source_id: referral.sourceId }),
    ...(referral.sourceUrl !== undefined && { ctwa_source_url: referral.sourceUrl }),
    ...(referral.headline !== undefined && { ctwa_headline: referral.headline }),
    ...(referral.sourceType !== undefined && { ctwa_source_type: referral.sourceType }),
  };
}
