import { RelayError } from '@relay/contract';
import type { Conversation, CtwaMetadata } from '@relay/delivery';
import { z } from 'zod';
import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { answerOf, errorAnswers } from '../schemas/error.ts';
import { limitField } from '../schemas/registry.ts';
import { conversationSchema, conversationsSchema, putConversationSchema } from './schemas.ts';
import { whatsappAccountOf } from './whatsapp-account.ts';

type Needs = Pick<ApiDeps, 'accounts' | 'conversations' | 'now'>;

export function getConversations(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Captured WhatsApp conversations',
    description: 'Newest activity first. Texts and names of messages are never stored.',
    tags: ['WhatsApp'],
    querystring: z.object({ accountId: z.string().min(1).max(512), limit: limitField(50, 200), cursor: z.string().regex(/^\d{1,9}$/).optional() }),
    response: { 200: answerOf(conversationsSchema), ...errorAnswers(404, 405) },
  };
  app.get('/whatsapp/conversations', { config: { scope: 'read' }, schema }, async (request) => {
    const { accountId, limit, cursor } = request.query;
    await whatsappAccountOf(deps, callerOf(request), accountId);
    const offset = Number(cursor ?? 0);
    const rows = await deps.conversations.list(accountId, limit, offset);
    return { conversations: rows.map(present), nextCursor: rows.length < limit ? null : String(offset + limit) };
  });
}

export function putConversation(app: ApiApp, deps: Needs): void {
  const schema = {
    summary: 'Import a conversation',
    description: "For a conversation that was captured elsewhere. A click that is already there stays. Ids are each account's own.",
    tags: ['WhatsApp'],
    params: z.object({ conversationId: z.string().min(1).max(512) }),
    body: putConversationSchema,
    response: { 200: answerOf(conversationSchema, 'It was there'), 201: answerOf(conversationSchema, 'Created'), ...errorAnswers(404, 405, 413, 415) },
  };
  app.put('/whatsapp/conversations/:conversationId', { config: { scope: 'manage' }, schema }, async (request, reply) => {
    const { accountId, phoneE164, metadata } = request.body;
    await whatsappAccountOf(deps, callerOf(request), accountId);
    requirePast(metadata.ctwa_captured_at, deps.now());
    const hasClick = Object.values(metadata).some((value) => value !== undefined);
    const ctwa: CtwaMetadata | undefined = hasClick ? { ...metadata, ctwa_captured_at: metadata.ctwa_captured_at ?? new Date(deps.now()).toISOString() } : undefined;
    const { conversation, created } = await deps.conversations.put(request.params.conversationId, { accountId, phoneE164, ctwa });
    return reply.code(created ? 201 : 200).send(present(conversation));
  });
}

/** Clocks differ; more than this is a mistake, and would make the click the newest of its number for good. */
const MAX_AHEAD_MS = 300_000;

function requirePast(capturedAt: string | undefined, nowMs: number): void {
  if (capturedAt === undefined || Date.parse(capturedAt) <= nowMs + MAX_AHEAD_MS) return;
  const message = 'metadata.ctwa_captured_at is in the future.';
  throw new RelayError('invalid_request', message, { param: 'metadata.ctwa_captured_at', details: [{ path: 'metadata.ctwa_captured_at', message: 'is in the future' }] });
}

function present(conversation: Conversation) {
  return {
    id: conversation.id,
    accountId: conversation.accountId,
    phoneE164: conversation.phoneE164 ?? null,
    metadata: conversation.ctwa ?? {},
    createdAt: new Date(conversation.createdAtMs).toISOString(),
    updatedAt: new Date(conversation.updatedAtMs).toISOString(),
  };
}
