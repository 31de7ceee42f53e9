import { setTimeout as sleep } from 'node:timers/promises';
import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACTION, anEvent, freshIds, PIXEL, RULE, type SendBody } from '../../e2e/events.ts';
import { GOOGLE_CREDENTIALS, type Json } from '../../e2e/harness.ts';
import type { SandboxPlatform } from '../../e2e/sandbox-control.ts';
import { GOOGLE_ROWS, LINKEDIN_ROWS, META_ROWS, type ErrorRow } from './error-rows.ts';
import { missingRows } from './missing-rows.ts';
import { startRedisNode } from './redis-node.ts';
import { report } from './scenario.ts';
import { startStack, type Stack } from './stack.ts';

const parts = new AsyncDisposableStack();
let stack: Stack;
beforeAll(async () => {
  const redis = await startRedisNode(parts);
  // Longer than it takes until a new connection is taken: Node takes one a turn of its loop, and the tap shares that with this test.
  stack = await startStack(parts, { redisUrl: redis.url, apis: 1, workers: 1, env: { PLATFORM_TIMEOUT_MS: '15000' } });
});
afterAll(() => parts.disposeAsync());

const TARGETS = {
  meta: { name: 'Meta', platform: 'metaads', destinationId: PIXEL, path: '/events', token: undefined, credentials: { accessToken: SEED.meta.accessToken }, rows: META_ROWS },
  google: { name: 'Google', platform: 'googleads', destinationId: ACTION, path: 'events:ingest', token: '/token', credentials: GOOGLE_CREDENTIALS, rows: GOOGLE_ROWS },
  linkedin: { name: 'LinkedIn', platform: 'linkedinads', destinationId: RULE, path: 'conversionEvents', token: '/accessToken', credentials: { accessToken: SEED.linkedin.accessToken }, rows: LINKEDIN_ROWS },
} as const;
/** LinkedIn's accounts need not have a refresh token; Google's always do. */
const { clientId, clientSecret, refreshToken } = SEED.linkedin;
const REFRESHABLE = { accessToken: SEED.linkedin.accessToken, clientId, clientSecret, refreshToken };
const credentialsFor = (platform: SandboxPlatform, row?: ErrorRow): object => {
  if (platform !== 'linkedin' || row?.canRefresh !== true) return TARGETS[platform].credentials;
  return { ...REFRESHABLE, ...(row.at === 'token' && { accessToken: 'one-that-has-ended' }) };
};
/** A pause of the sandbox's choice, s: the platforms' own are minutes. Well beyond what a refreshed token takes on a busy machine (2 s were seen). */
const PAUSE_S = 5;

let accounts = 0;
/** An account of its own, so that what happens to one row's is nobody else's business. */
async function anAccount(platform: SandboxPlatform, credentials: object): Promise<string> {
  const id = `acc_row_${(accounts += 1)}`;
  const { status, body } = await stack.call('POST', '/v1/admin/accounts', { id, platform: TARGETS[platform].platform, credentials });
  if (status !== 201 && status !== 200) throw new Error(`the account was not made: ${status} ${JSON.stringify(body)}`);
  return id;
}

interface Sent {
  readonly deliveryId: string;
  readonly accountId: string;
  readonly ids: readonly string[];
}
/** A request of three events; the first one is what faults are about. */
async function send(platform: SandboxPlatform, prefix: string, fault: (bad: string) => Promise<unknown> | void, row?: ErrorRow): Promise<Sent> {
  const ids = freshIds(prefix, 3);
  await fault(ids[0]!);
  const accountId = await anAccount(platform, credentialsFor(platform, row));
  const body: SendBody = { accountId, destinationId: TARGETS[platform].destinationId, events: ids.map((id) => anEvent(id)) };
  const answer = await stack.call('POST', '/v1/ads/conversions', body, { prefer: 'respond-async' });
  expect(answer.status).toBe(202);
  return { deliveryId: answer.body.deliveryId as string, accountId, ids };
}
const delivery = async ({ deliveryId }: Sent): Promise<Json> => (await stack.call('GET', `/v1/deliveries/${deliveryId}`)).body;
const until = (sent: Sent, holds: (state: Json) => boolean): Promise<Json> =>
  waitFor(
    async () => {
      const state = await delivery(sent);
      return holds(state) && state;
    },
    { timeoutMs: 25_000, everyMs: 200, what: 'the delivery to get there' },
  );
const final = (sent: Sent) => until(sent, (state) => state.eventsPending === 0);
const passagesOf = (sent: Sent) => stack.tap.passages.filter(({ eventIds }) => sent.ids.some((id) => eventIds.includes(id)));
const reasonOf = async (sent: Sent): Promise<string | undefined> =>
  (await stack.call('GET', `/v1/dead-letters?accountId=${sent.accountId}`)).body.deadLetters[0]?.reason as string | undefined;
/** What the worker's log says of each request, and of faults of its own. */
function attemptsOf({ deliveryId }: Sent): string {
  const attempts = stack.logged('delivery.attempted').filter((line: Json) => JSON.stringify(line).includes(deliveryId));
  const faults = ['job.failed', 'job.stalled', 'worker.error'].flatMap((msg) => stack.logged(msg));
  return [
    ...attempts.map(({ outcome, code, httpStatus, tookMs }: Json) => `${outcome} ${code} ${httpStatus} in ${tookMs} ms`),
    ...faults.map(({ msg, err }: Json) => `${msg} ${err?.message}`),
    `the worker was started again ${stack.workers[0]!.restarts} times`,
  ].join('; ');
}

/** What became of the request, as one of the consequences. */
async function consequenceOf(sent: Sent): Promise<string> {
  const state = await until(sent, ({ eventsPending, eventsHeld }) => eventsPending === 0 || eventsHeld > 0);
  if (state.eventsHeld === 3) {
    const { body } = await stack.call('GET', `/v1/admin/accounts/${sent.accountId}`);
    if (body.status !== 'needs_reconnect') return `held, and the account is ${body.status}`;
    return 'hold';
  }
  const [first, ...more] = passagesOf(sent);
  if (state.status === 'partial') return state.eventsFailed === 1 && state.failures[0].eventIndex === 0 ? 'event' : `${state.eventsFailed} dead`;
  if (state.status === 'failed') return more.length === 0 ? `${await reasonOf(sent)}` : `dead after ${more.length + 1} requests`;
  if (state.attempts > 1) return 'retry';
  if (more.length === 0) return 'accepted';
  return more[0]!.startedAt - first!.startedAt >= PAUSE_S * 1_000 - 60 ? 'limit' : 'refresh';
}

const isLimit = ({ leadsTo }: ErrorRow): boolean => leadsTo === 'limit' || leadsTo === 'app_limit';
/** For a row that heals: the fault strikes once. For one that is for good it strikes every request with the event. */
async function strike(platform: SandboxPlatform, row: ErrorRow, eventId: string): Promise<void> {
  const { status, body } = row;
  const passes = ['retry', 'refresh'].includes(String(row.leadsTo)) || isLimit(row) || row.at === 'token';
  await stack.sandbox.fault({
    platform,
    match: row.at === 'token' ? { path: TARGETS[platform].token! } : { path: TARGETS[platform].path, eventId },
    ...((passes || row.times !== undefined) && { times: row.times ?? 1 }),
    fault: { kind: 'status', status, body, headers: { 'content-type': 'application/json', ...(isLimit(row) && { 'retry-after': String(PAUSE_S) }) } },
  });
}

interface Finding {
  readonly row: ErrorRow;
  readonly sent: Sent;
  readonly found: string;
}
/** What a row led to. */
async function findingOf(platform: SandboxPlatform, row: ErrorRow): Promise<Finding> {
  const sent = await send(platform, 'row', (bad) => strike(platform, row, bad), row);
  const found = async (): Promise<string> => {
    if (row.leadsTo === 'blocked') {
      await until(sent, ({ status }) => status === 'retrying');
      await sleep(1_500);
      const requests = passagesOf(sent).length;
      const { body } = await stack.call('GET', `/v1/admin/accounts/${sent.accountId}`);
      return requests === 1 && body.status === 'active' ? 'blocked' : `${requests} requests, account ${body.status}`;
    }
    if (!isLimit(row)) return consequenceOf(sent);
    await until(sent, ({ status }) => status === 'retrying' || status === 'delivered');
    // What rests is the account, or all that share its app. The worker says so a moment after the receipt does.
    const isResting = async () => (await stack.redis.zrange('{relay}:cools', '0', '-1')).some((name) => name.includes(sent.accountId));
    const rests = await waitFor(isResting, { timeoutMs: (PAUSE_S * 1_000) / 2, everyMs: 20 }).catch(() => false);
    const consequence = await consequenceOf(sent);
    return consequence === 'limit' && !rests ? 'app_limit' : consequence;
  };
  return { row, sent, found: await found().catch((error: unknown) => String(error)) };
}

/** How often the sandbox should have taken each of the three. An answer of 2xx that a row gives stands for the taking. */
function expectedTimes({ row, found }: Finding): readonly number[] {
  const rest = row.status < 300 ? 0 : 1;
  if (found === 'event') return [0, rest, rest];
  if (['retry', 'refresh', 'limit', 'app_limit'].includes(found)) return [1, rest, rest];
  return [0, 0, 0];
}

const goesAlone = (row: ErrorRow): boolean => row.leadsTo === 'app_limit' || row.at === 'token';

describe('error tables', () => {
  test.each(['meta', 'google', 'linkedin'] as const)('every row of %s', { timeout: 120_000, concurrent: true }, async (platform) => {
    const { rows } = TARGETS[platform];
    const findings: Finding[] = [];
    const left = rows.filter((row) => !goesAlone(row)).values();
    const some = async () => {
      for (const row of left) findings.push(await findingOf(platform, row));
    };
    await Promise.all(Array.from({ length: 8 }, some));
    // Last and one by one: they pause, or strike, every account of the platform.
    for (const row of rows.filter(goesAlone)) findings.push(await findingOf(platform, row));
    const wrong = findings.filter(({ row, found }) => ![row.leadsTo].flat().includes(found as never));
    expect(wrong.map(({ row, sent, found }) => `${row.name}: expected ${String(row.leadsTo)}, found ${found}: ${attemptsOf(sent)}`)).toEqual([]);
    const { accepted, delivered, dead, held, pending } = await stack.ledger(TARGETS[platform].platform);
    expect([accepted, accepted - delivered - dead - held - pending]).toEqual([rows.length * 3, 0]);
    const times = await stack.sandbox.timesTaken(platform, findings.flatMap(({ sent }) => sent.ids));
    const off = findings.flatMap((finding) => expectedTimes(finding).map((expected, i) => ({ row: finding.row.name, expected, taken: times.get(finding.sent.ids[i]!) ?? 0 })));
    expect(off.filter(({ expected, taken }) => expected !== taken)).toEqual([]);
    const sum = (of: (one: (typeof off)[number]) => number) => off.reduce((all, one) => all + Math.max(of(one), 0), 0);
    report('platform', {
      scenario: `${TARGETS[platform].name}: every row of the error table`,
      events: rows.length * 3,
      kills: 0,
      lost: sum(({ expected, taken }) => expected - taken),
      duplicates: sum(({ expected, taken }) => taken - expected),
      recoveryMs: undefined,
      note: `${rows.length} rows, each with the outcome of its class`,
    });
  });

  test('have a row for every code that the adapters know', () => {
    expect(missingRows()).toEqual([]);
  });
});

/** What an answer can look like on its way; `taken`: whether the platform had the events by then. */
const SHAPES: readonly (readonly [name: string, taken: boolean, fault: Readonly<Record<string, unknown>> | 'break'])[] = [
  ['no answer at all', false, { kind: 'hang' }],
  ['an answer byte by byte, too slow to end', true, { kind: 'trickle', msPerByte: 500 }],
  ['a connection reset before anything was taken', false, { kind: 'reset', when: 'before' }],
  ['a connection reset after the events were taken', true, { kind: 'reset', when: 'after' }],
  ['a connection reset in the middle of the answer', true, 'break'],
  ["a proxy's HTML page", false, { kind: 'html' }],
  ["a proxy's HTML page with a 200", false, { kind: 'html', status: 200 }],
  ['half of the JSON', true, { kind: 'truncate' }],
  ['an empty 200', false, { kind: 'status', status: 200, body: '' }],
];
/** A 200 that holds an error. */
const INSIDE = {
  meta: { error: { message: 'An unexpected error has occurred.', type: 'OAuthException', code: 2, is_transient: true } },
  google: { error: { code: 503, message: 'The service is currently unavailable.', status: 'UNAVAILABLE' } },
  linkedin: { message: 'Internal Server Error', status: 500 },
} as const;

describe('answers that are no success', () => {
  test.each(['meta', 'google', 'linkedin'] as const)('of %s are followed by another attempt', { timeout: 60_000, concurrent: true }, async (platform) => {
    const shapes = [...SHAPES, ['a 200 with an error inside', false, { kind: 'status', status: 200, body: INSIDE[platform] }] as const];
    const results = await Promise.all(
      shapes.map(async ([name, taken, fault]) => {
        const sent = await send(platform, 'shape', (bad) =>
          fault === 'break' ? stack.tap.breakAnswer(bad, 1) : stack.sandbox.fault({ platform, match: { path: TARGETS[platform].path, eventId: bad }, times: 1, fault }).then(() => undefined),
        );
        const { status, eventsReceived } = await final(sent);
        const times = await stack.sandbox.timesTaken(platform, sent.ids);
        return [name, status, eventsReceived, sent.ids.map((id) => times.get(id)), taken] as const;
      }),
    );
    for (const [name, status, received, times, taken] of results) {
      const expected = taken ? 2 : 1;
      expect([name, status, received, times]).toEqual([name, 'delivered', 3, [expected, expected, expected]]);
    }
    report('platform', {
      scenario: `${TARGETS[platform].name}: hang, trickle, reset, HTML, cut JSON, error in a 200`,
      events: results.length * 3,
      kills: 0,
      lost: results.flatMap(([, , , times]) => times).filter((count) => count === undefined).length,
      duplicates: results.flatMap(([, , , times]) => times).reduce((sum: number, count) => sum + (count ?? 1) - 1, 0),
      recoveryMs: undefined,
      note: 'duplicates: taken, but not said so',
    });
  });
});
