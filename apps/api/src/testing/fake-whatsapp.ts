import type { InboundReply, OutboundRequest } from '@relay/contract';
import type { Capture, Conversation, ConversationStore, Locks, Send } from '@relay/delivery';
import { T0 } from './fake-accounts.ts';

export function fakeConversations(rows: readonly Conversation[] = []): ConversationStore & { readonly captured: Capture[] } {
  const byId = new Map(rows.map((row) => [`${row.accountId}:${row.id}`, row]));
  const captured: Capture[] = [];
  const withPhone = (accountId: string, phone: string) => [...byId.values()].filter((row) => row.accountId === accountId && row.phoneE164 === phone);
  return {
    captured,
    capture: async (captures) => void captured.push(...captures),
    get: async (accountId, id) => byId.get(`${accountId}:${id}`),
    findByPhone: async (accountId, phone) => withPhone(accountId, phone).filter((row) => row.ctwa !== undefined).at(-1),
    knowsPhone: async (accountId, phone) => withPhone(accountId, phone).length > 0,
    list: async (accountId, limit, offset) => [...byId.values()].filter((row) => row.accountId === accountId).slice(offset, offset + limit),
    put: async (id, input) => {
      const key = `${input.accountId}:${id}`;
      const before = byId.get(key);
      const conversation: Conversation = { id, createdAtMs: T0, updatedAtMs: T0, ...input, ...before };
      byId.set(key, conversation);
      return { conversation, created: before === undefined };
    },
  };
}

export const fakeLocks: Locks = { run: (_name, _ttlMs, work) => work() };

export type FakeReply = Partial<InboundReply> | 'timeout';

/** Answers calls to a platform in order, and keeps them. */
export function fakeSend(...replies: readonly FakeReply[]): Send & { readonly requests: OutboundRequest[] } {
  const requests: OutboundRequest[] = [];
  const send: Send = async (request) => {
    const reply = replies[requests.length];
    requests.push(request as OutboundRequest); // events are sent by workers
    if (reply === undefined || reply === 'timeout') return { kind: 'failed', code: 'timeout', message: 'The platform did not answer in time.', bodySent: true, tookMs: 1 };
    return { kind: 'reply', reply: { status: 200, headers: {}, body: '', receivedAtMs: T0, ...reply }, tookMs: 1 };
  };
  return Object.assign(send, { requests });
}
