import type { Conversation, ConversationStore, CtwaMetadata } from '@relay/delivery';
import type { Sealer } from '@relay/runtime';
import { orUnavailable, type RedisConnection } from '../connect.ts';
import { GLOBAL_TAG, newId } from '../keys.ts';
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

const keyOf = (id: string) => `${GLOBAL_TAG}:wa:conv:${id}`;
const listKey = (accountId: string) => `${GLOBAL_TAG}:wa:convs:${accountId}`;
const whoKey = (accountId: string, hash: string) => `${GLOBAL_TAG}:wa:who:${accountId}:${hash}`;
const clicksKey = (accountId: string, hash: string) => `${GLOBAL_TAG}:wa:clicks:${accountId}:${hash}`;

export function createConversationStore({ connection, sealer, retentionDays, now }: ConversationsDeps): ConversationStore {
  const ttl = retentionDays * 86_400;
  const seal = (value: unknown, accountId: string) => sealer.seal(Buffer.from(JSON.stringify(value)), contextOf(accountId)).toString('base64');
  const unseal = (sealed: string, accountId: string): unknown =>
    JSON.parse(sealer.open(Buffer.from(sealed, 'base64'), contextOf(accountId)).toString());
  const read = (id: string, row: Readonly<Record<string, string>>): Conversation | undefined => {
    const accountId = row['a'];
    if (accountId === undefined) return undefined;
    return {
      id,
      accountId,
      phoneE164: row['who'] === undefined ? undefined : (unseal(row['who'], accountId) as { phone?: string }).phone,
      ctwa: row['ctwa'] === undefined ? undefined : (unseal(row['ctwa'], accountId) as CtwaMetadata),
      createdAtMs: Number(row['created']),
      updatedAtMs: Number(row['updated']),
    };
  };
  const load = async (id: string): Promise<Conversation | undefined> => read(id, await connection.hgetall(keyOf(id)));
  const phoneHashes = (phone: string) => sealer.lookupHashes(phone, PURPOSE);

  return {
    capture: (captures) =>
      orUnavailable(async () => {
        if (captures.length === 0) return;
        const messages = captures.map((capture) => ({
          acct: capture.accountId,
          seen: `${GLOBAL_TAG}:wa:seen:${capture.accountId}:${sealer.lookupHashes(capture.messageId, 'wamid')[0]!.slice(0, 32)}`,
          id: newId('wac_', now()),
          who: seal({ phone: capture.phoneE164 }, capture.accountId),
          hashes: capture.identities.map(phoneHashes),
          ...(capture.ctwa !== undefined && { ctwa: seal(capture.ctwa, capture.accountId), at: capturedAtMs(capture.ctwa) }),
        }));
        await runScript(connection, 'relayCapture', [`${GLOBAL_TAG}:wa`, JSON.stringify({ tag: GLOBAL_TAG, now: now(), ttl, seenTtl: SEEN_TTL_SECONDS, messages })]);
      }),

    get: (id) => orUnavailable(() => load(id)),

    findByPhone: (accountId, phone) =>
      orUnavailable(async () => {
        const newest = await Promise.all(phoneHashes(phone).map((hash) => connection.zrevrange(clicksKey(accountId, hash), 0, 0, 'WITHSCORES')));
        const best = newest.filter((row) => row.length > 0).sort((a, b) => Number(b[1]) - Number(a[1]))[0];
        return best === undefined ? undefined : load(best[0]!);
      }),

    knowsPhone: (accountId, phone) =>
      orUnavailable(async () => (await Promise.all(phoneHashes(phone).map((hash) => connection.exists(whoKey(accountId, hash))))).includes(1)),

    list: (accountId, limit, offset) =>
      orUnavailable(async () => {
        const ids = await connection.zrevrange(listKey(accountId), offset, offset + limit - 1);
        return (await Promise.all(ids.map(load))).filter((conversation) => conversation !== undefined);
      }),

    put: (id, input) =>
      orUnavailable(async () => {
        const { accountId, phoneE164, ctwa } = input;
        const state = await runImportConversation(connection, [
          keyOf(id),
          JSON.stringify({
            tag: GLOBAL_TAG,
            now: now(),
            ttl,
            id,
            acct: accountId,
            ...(phoneE164 !== undefined && { who: seal({ phone: phoneE164 }, accountId), hashes: phoneHashes(phoneE164) }),
            ...(ctwa !== undefined && { ctwa: seal(ctwa, accountId), at: capturedAtMs(ctwa) }),
          }),
        ]);
        if (state === 'taken') return { kind: 'taken' };
        return { kind: 'stored', conversation: (await load(id))!, created: state === 'created' };
      }),
  };
}

/** Numbers, WhatsApp ids and user ids share one space: Meta uses any of them for the same writer. */
const PURPOSE = 'whatsapp-writer';

function contextOf(accountId: string): string {
  return `conversation:${accountId}`;
}

function capturedAtMs(ctwa: CtwaMetadata): number {
  return Date.parse(ctwa.ctwa_captured_at);
}

