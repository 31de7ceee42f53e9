import type { Capture, Conversation, ConversationStore, CtwaMetadata } from '@relay/delivery';
import { SealError, type Sealer } from '@relay/runtime';
import { orUnavailable, type RedisConnection } from '../connect.ts';
import { GLOBAL_TAG, globals, newId } from '../keys.ts';
import { runImportConversation, runScript } from '../scripts.ts';

export interface ConversationsDeps {
  readonly connection: RedisConnection;
  readonly sealer: Sealer;
  /** How long a conversation is kept after its last message, days. */
  readonly retentionDays: number;
  readonly now: () => number;
}

/** Meta repeats a webhook for up to 7 days until it is answered with 200 (meta.md E.2). */
const SEEN_TTL_SECONDS = 8 * 86_400;
/** Conversations of one number that are looked through for one that is still kept. */
const MAX_CLICKS_READ = 20;

export function createConversationStore({ connection, sealer, retentionDays, now }: ConversationsDeps): ConversationStore {
  const ttl = retentionDays * 86_400;
  const seal = (value: unknown, accountId: string) => sealer.seal(Buffer.from(JSON.stringify(value)), contextOf(accountId)).toString('base64');
  /** `undefined`: sealed under a key that is no more in RELAY_SECRET_KEY, and as good as not there. */
  const unseal = (sealed: string | undefined, accountId: string): unknown => {
    if (sealed === undefined) return undefined;
    try {
      return JSON.parse(sealer.open(Buffer.from(sealed, 'base64'), contextOf(accountId)).toString());
    } catch (error) {
      if (error instanceof SealError) return undefined;
      throw error;
    }
  };
  const read = (id: string, row: Readonly<Record<string, string>>): Conversation | undefined => {
    const accountId = row['a'];
    if (accountId === undefined) return undefined;
    return {
      id,
      accountId,
      phoneE164: unseal(row['who'], accountId) as string | undefined,
      ctwa: unseal(row['ctwa'], accountId) as CtwaMetadata | undefined,
      createdAtMs: Number(row['created']),
      updatedAtMs: Number(row['updated']),
    };
  };
  const load = async (accountId: string, id: string): Promise<Conversation | undefined> => read(id, await connection.hgetall(globals.conversation(accountId, id)));
  const hashesOf = (writer: string) => sealer.lookupHashes(writer, 'whatsapp-writer');
  const seenKey = ({ accountId, messageId }: Capture) => globals.seenMessage(accountId, sealer.lookupHashes(messageId, 'whatsapp-message')[0]!.slice(0, 32));
  const numberFields = (accountId: string, phone: string | undefined) => (phone === undefined ? {} : { who: seal(phone, accountId), number: hashesOf(phone) });
  const clickFields = (accountId: string, ctwa: CtwaMetadata | undefined) =>
    ctwa === undefined ? {} : { ctwa: seal(ctwa, accountId), clid: (ctwa.ctwa_clid ?? '') !== '', at: Date.parse(ctwa.ctwa_captured_at) };

  return {
    capture: (captures) =>
      orUnavailable(async () => {
        if (captures.length === 0) return;
        const messages = captures.map((capture) => ({
          acct: capture.accountId,
          seen: seenKey(capture),
          id: newId('wac_', now()),
          hashes: capture.identities.map(hashesOf),
          ...numberFields(capture.accountId, capture.phoneE164),
          ...clickFields(capture.accountId, capture.ctwa),
        }));
        await runScript(connection, 'relayCapture', [`${GLOBAL_TAG}:wa`, JSON.stringify({ tag: GLOBAL_TAG, now: now(), ttl, seenTtl: SEEN_TTL_SECONDS, messages })]);
      }),

    get: (accountId, id) => orUnavailable(() => load(accountId, id)),

    findByPhone: (accountId, phone) =>
      orUnavailable(async () => {
        const found = await Promise.all(hashesOf(phone).map((hash) => connection.zrevrange(globals.clicks(accountId, hash), 0, MAX_CLICKS_READ - 1, 'WITHSCORES')));
        const capturedAt = new Map(found.flatMap(pairs).map(([id, at]) => [id, Number(at)]));
        // The newest click may be of a conversation that is not kept any more, since it was the last thing to happen in it.
        for (const [id] of [...capturedAt].sort(([, a], [, b]) => b - a)) {
          const conversation = await load(accountId, id);
          if (conversation?.ctwa !== undefined) return conversation;
        }
        return undefined;
      }),

    knowsPhone: (accountId, phone) =>
      orUnavailable(async () => (await Promise.all(hashesOf(phone).map((hash) => connection.exists(globals.writer(accountId, hash))))).includes(1)),

    list: (accountId, limit, offset) =>
      orUnavailable(async () => {
        const ids = await connection.zrevrange(globals.conversations(accountId), offset, offset + limit - 1);
        return (await Promise.all(ids.map((id) => load(accountId, id)))).filter((conversation) => conversation !== undefined);
      }),

    put: (id, { accountId, phoneE164, ctwa }) =>
      orUnavailable(async () => {
        const request = { tag: GLOBAL_TAG, now: now(), ttl, id, acct: accountId, ...numberFields(accountId, phoneE164), ...clickFields(accountId, ctwa) };
        const state = await runImportConversation(connection, [globals.conversation(accountId, id), JSON.stringify(request)]);
        return { conversation: (await load(accountId, id))!, created: state === 'created' };
      }),
  };
}

function contextOf(accountId: string): string {
  return `conversation:${accountId}`;
}

/** What Redis lists as member, score, member, score, … */
function pairs(row: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: row.length / 2 }, (_, i) => [row[i * 2]!, row[i * 2 + 1]!] as const);
}
