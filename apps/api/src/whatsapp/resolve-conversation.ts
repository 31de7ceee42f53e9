import { RelayError } from '@relay/contract';
import type { Account, Conversation, ConversationStore } from '@relay/delivery';

/** A conversation that a click was captured for. */
export type Attributable = Conversation & { readonly ctwa: NonNullable<Conversation['ctwa']> & { readonly ctwa_clid: string } };

interface Named {
  readonly conversationId?: string | undefined;
  readonly phoneE164?: string | undefined;
}

/**
 * The conversation a conversion belongs to. The id wins where both are given, and is one of the account's own.
 * @throws RelayError 404 unknown conversation (another account's is unknown here), 422 nothing to attribute.
 */
export async function resolveConversation(conversations: ConversationStore, account: Account, named: Named): Promise<Attributable> {
  const conversation = named.conversationId === undefined ? await byPhone(conversations, account, named.phoneE164!) : await conversations.get(account.id, named.conversationId);
  if (conversation === undefined) {
    throw new RelayError('conversation_not_found', 'There is no conversation with this id on this account.', { param: 'conversationId' });
  }
  if (!isAttributable(conversation)) {
    throw new RelayError(
      'nothing_to_attribute',
      'This conversation has no ctwa_clid: no message of it came from a click-to-WhatsApp ad (or Meta left the click id out, as it does for ads in WhatsApp Status). There is nothing that Meta could attribute.',
      { param: named.conversationId === undefined ? 'phoneE164' : 'conversationId' },
    );
  }
  return conversation;
}

async function byPhone(conversations: ConversationStore, account: Account, phone: string): Promise<Conversation> {
  const conversation = await conversations.findByPhone(account.id, phone);
  if (conversation !== undefined) return conversation;
  const known = await conversations.knowsPhone(account.id, phone);
  throw new RelayError(
    'nothing_to_attribute',
    known
      ? 'No conversation with this number has a ctwa_clid: none came from a click-to-WhatsApp ad (or Meta left the click id out, as it does for ads in WhatsApp Status). There is nothing that Meta could attribute.'
      : 'No conversation with this number was captured on this account. Is the webhook set up? Conversations captured elsewhere are imported with PUT /v1/whatsapp/conversations/{id}.',
    { param: 'phoneE164' },
  );
}

function isAttributable(conversation: Conversation): conversation is Attributable {
  return conversation.ctwa?.ctwa_clid !== undefined && conversation.ctwa.ctwa_clid !== '';
}
