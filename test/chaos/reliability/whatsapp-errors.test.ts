import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshIds } from '../../e2e/events.ts';
import { openConversation } from './conversation.ts';
import { graphError, type ErrorRow } from './error-rows.ts';
import { startRedisNode } from './redis-node.ts';
import { report } from './scenario.ts';
import { startStack, type Stack } from './stack.ts';

const parts = new AsyncDisposableStack();
let stack: Stack;
let conversationId: string;
beforeAll(async () => {
  const redis = await startRedisNode(parts);
  stack = await startStack(parts, { redisUrl: redis.url, apis: 1, workers: 1, env: { PLATFORM_TIMEOUT_MS: '4000' } });
  conversationId = await openConversation(stack);
});
afterAll(() => parts.disposeAsync());

/** `retry`, `limit`, `hold`: delivered in the end, after that; else the reason of the dead letter. */
type End = 'retry' | 'limit' | 'hold' | 'rejected' | 'destination' | 'account' | 'unknown';
interface Row {
  readonly name: string;
  readonly fault: Readonly<Record<string, unknown>>;
  readonly end: End;
  /** How often Meta took it. */
  readonly taken: 0 | 1;
}
const PAUSE_S = 1;
const row = (name: string, end: End, fault: Readonly<Record<string, unknown>>, taken: 0 | 1 = end === 'retry' || end === 'limit' || end === 'hold' ? 1 : 0): Row => ({ name, end, fault, taken });
const answer = ({ name, status, body }: Pick<ErrorRow, 'name' | 'status' | 'body'>, end: End): Row =>
  row(name, end, { kind: 'status', status, body, headers: { 'content-type': 'application/json', ...(end === 'limit' && { 'retry-after': String(PAUSE_S) }) } });
const refusal = (end: End, ...code: readonly [code: number, subcode?: number]): Row => answer(graphError(end === 'retry' ? 'retry' : 'event', ...code), end);
const bare = (status: number, end: End, body: unknown = ''): Row => answer({ name: `HTTP ${status} ${JSON.stringify(body)}`, status, body }, end);

/** Graph refuses for certain; what is not Graph's own answer leaves it open whether Meta took the event, and then it may not go out again. */
const ROWS: readonly Row[] = [
  ...[1, 2].map((code) => refusal('retry', code)),
  bare(200, 'retry', { events_received: 0, messages: [], fbtrace_id: 'A' }),
  row('HTTP 503 with Retry-After', 'retry', { kind: 'status', status: 503, body: '', headers: { 'retry-after': '1' } }),
  ...[2804003, 2804009, 2804019, 2804050, 2804064, 2804066, 2804081, 2804087, undefined].map((subcode) => refusal('rejected', 100, subcode)),
  refusal('account', 100, 2804072), refusal('account', 100, 2804116),
  refusal('destination', 100, 2804131), refusal('destination', 100, 2804132), refusal('destination', 100, 33), refusal('destination', 803),
  ...[408, 500, 502, 503, 504].map((status) => bare(status, 'unknown')),
  bare(200, 'unknown'), bare(200, 'unknown', { events_received: 7 }), bare(200, 'unknown', '{"events_received'),
  row("a proxy's HTML page", 'unknown', { kind: 'html' }),
  row('no answer at all', 'unknown', { kind: 'hang' }),
  row('an answer too slow to end', 'unknown', { kind: 'trickle', msPerByte: 200 }, 1),
  row('a connection reset before it was taken', 'unknown', { kind: 'reset', when: 'before' }),
  row('a connection reset after it was taken', 'unknown', { kind: 'reset', when: 'after' }, 1),
  row('half of the JSON', 'unknown', { kind: 'truncate' }, 1),
  // One by one, since they strike the account as a whole.
  bare(429, 'limit'), refusal('limit', 17, 2446079), refusal('limit', 613), refusal('limit', 4), refusal('limit', 80008),
  refusal('hold', 190, 463), refusal('hold', 102), refusal('hold', 10), refusal('hold', 200),
];
const strikesAll = ({ end }: Row): boolean => end === 'limit' || end === 'hold';

/** What a row led to. */
async function endOf({ fault, end }: Row, eventId: string): Promise<string> {
  await stack.sandbox.fault({ platform: 'meta', match: { path: '/events', eventId }, times: 1, fault });
  const sent = await stack.call('POST', '/v1/whatsapp/conversions', { accountId: 'acc_wa', eventName: 'LeadSubmitted', conversationId, eventId }, { prefer: 'respond-async' });
  expect(sent.status).toBe(202);
  const look = async () => (await stack.call('GET', `/v1/deliveries/${sent.body.deliveryId as string}`)).body;
  const until = (status: readonly string[]) => waitFor(async () => {
    const state = await look();
    return status.includes(state.status as string) && state;
  }, { timeoutMs: 20_000, everyMs: 50, what: `${eventId} to be ${status.join(' or ')}` });
  if (end === 'hold') {
    await until(['held']);
    const { body } = await stack.call('PATCH', '/v1/admin/accounts/acc_wa', { credentials: { accessToken: SEED.meta.whatsapp.accessToken } });
    if (body.status !== 'active' || body.releasedEvents !== 1) return `not released: ${JSON.stringify(body)}`;
  }
  const { status, attempts } = await until(['delivered', 'failed']);
  const requests = stack.tap.passages.filter(({ eventIds }) => eventIds.includes(eventId));
  if (status === 'failed') {
    const letters = (await stack.call('GET', '/v1/dead-letters?platform=whatsapp&limit=200')).body.deadLetters as { readonly reason: string; readonly eventIds: readonly string[] }[];
    return requests.length === 1 ? String(letters.find(({ eventIds }) => eventIds.includes(eventId))?.reason) : `dead after ${requests.length} requests`;
  }
  if (end === 'hold') return 'hold';
  const [first, second] = requests;
  if (attempts > 1) return 'retry';
  return second !== undefined && second.startedAt - first!.startedAt >= PAUSE_S * 1_000 - 60 ? 'limit' : 'delivered at once';
}

test('every row of the table for WhatsApp conversions: sent again only where Meta certainly did not take it', { timeout: 120_000 }, async () => {
  const ids = freshIds('wa-row', ROWS.length);
  const found = new Map<Row, string>();
  const one = async (each: Row) => void found.set(each, await endOf(each, ids[ROWS.indexOf(each)]!).catch((error: unknown) => String(error)));
  await Promise.all(ROWS.filter((each) => !strikesAll(each)).map(one));
  for (const each of ROWS.filter(strikesAll)) await one(each);
  expect(ROWS.map((each) => [each.name, found.get(each)])).toEqual(ROWS.map(({ name, end }) => [name, end]));
  const times = await stack.sandbox.timesTaken('meta', ids);
  expect(ROWS.map(({ name }, i) => [name, times.get(ids[i]!) ?? 0])).toEqual(ROWS.map(({ name, taken }) => [name, taken]));
  const { accepted, delivered, dead, held, pending } = await stack.ledger('whatsapp');
  expect([accepted, delivered + dead, held, pending]).toEqual([ROWS.length, ROWS.length, 0, 0]);
  const twice = [...times.values()].filter((count) => count > 1).length;
  const lost = ROWS.filter(({ taken }, i) => taken > 0 && !times.has(ids[i]!)).length;
  report('platform', { scenario: 'WhatsApp: every row of the error table', events: ROWS.length, kills: 0, lost, duplicates: twice, recoveryMs: undefined, note: `${ROWS.length} rows, ${ROWS.filter(({ end }) => end === 'unknown').length} of them of unknown end` });
});
