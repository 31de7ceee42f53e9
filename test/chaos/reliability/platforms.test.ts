import { setTimeout as sleep } from 'node:timers/promises';
import { SEED } from '@relay/sandbox';
import { waitFor } from '@relay/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACTION, anEvent, freshIds, PIXEL, RULE, type SendBody } from '../../e2e/events.ts';
import { GOOGLE_CREDENTIALS, type Json } from '../../e2e/harness.ts';
import type { SandboxPlatform } from '../../e2e/sandbox-control.ts';
import { GOOGLE_ROWS, LINKEDIN_ROWS, META_ROWS, type ErrorRow } from './error-rows.ts';
import { startRedisNode } from './redis-node.ts';
import { report } from './scenario.ts';
import { startStack, type Stack } from './stack.ts';

const parts = new AsyncDisposableStack();
let stack: Stack;
beforeAll(async () => {
  const redis = await startRedisNode(parts);
  stack = await startStack(parts, { redisUrl: redis.url, apis: 1, workers: 1, env: { PLATFORM_TIMEOUT_MS: '4000' } });
});
afterAll(() => parts.disposeAsync());

const TARGETS = {
  meta: { name: 'Meta', platform: 'metaads', destinationId: PIXEL, path: '/events', credentials: { accessToken: SEED.meta.accessToken }, rows: META_ROWS },
  google: { name: 'Google', platform: 'googleads', destinationId: ACTION, path: 'events:ingest', credentials: GOOGLE_CREDENTIALS, rows: GOOGLE_ROWS },
  linkedin: { name: 'LinkedIn', platform: 'linkedinads', destinationId: RULE, path: 'conversionEvents', credentials: { accessToken: SEED.linkedin.accessToken }, rows: LINKEDIN_ROWS },
} as const;
/** A pause of the sandbox's choice, s: the platforms' own are minutes. */
const PAUSE_S = 2;

let accounts = 0;
/** An account of its own, so that what happens to one row's is nobody else's business. */
async function anAccount(platform: SandboxPlatform): Promise<string> {
  const id = `acc_row_${(accounts += 1)}`;
  const { status, body } = await stack.call('POST', '/v1/admin/accounts', { id, platform: TARGETS[platform].platform, credentials: TARGETS[platform].credentials });
  if (status !== 201 && status !== 200) throw new Error(`the account was not made: ${status} ${JSON.stringify(body)}`);
  return id;
}

interface Sent {
  readonly deliveryId: string;
  readonly accountId: string;
  readonly ids: readonly string[];
}
/** A request of three events; the first one is what faults are about. */
async function send(platform: SandboxPlatform, prefix: string, fault?: (bad: string) => Promise<unknown> | void): Promise<Sent> {
  const ids = freshIds(prefix, 3);
  await fault?.(ids[0]!);
  const accountId = await anAccount(platform);
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
    { timeoutMs: 25_000, everyMs: 100, what: 'the delivery to get there' },
  );
const final = (sent: Sent) => until(sent, (state) => state.eventsPending === 0);
const passagesOf = (sent: Sent) => stack.tap.passages.filter(({ eventIds }) => sent.ids.some((id) => eventIds.includes(id)));
const reasonOf = async (sent: Sent): Promise<string | undefined> =>
  (await stack.call('GET', `/v1/dead-letters?accountId=${sent.accountId}`)).body.deadLetters[0]?.reason as string | undefined;

/** What became of the request, as one of the consequences. */
async function consequenceOf(sent: Sent): Promise<string> {
  const state = await until(sent, ({ eventsPending, eventsHeld }) => eventsPending === 0 || eventsHeld > 0);
  if (state.eventsHeld === 3) {
    const { body } = await stack.call('GET', `/v1/admin/accounts/${sent.accountId}`);
    if (body.status !== 'needs_reconnect') return `held, and the account is ${body.status}`;
    return 'hold';
  }
  const requests = passagesOf(sent).length;
  if (state.status === 'partial') return state.eventsFailed === 1 && state.failures[0].eventIndex === 0 ? 'event' : `${state.eventsFailed} dead`;
  if (state.status === 'failed') return requests === 1 ? `${await reasonOf(sent)}` : `dead after ${requests} requests`;
  return state.attempts > 1 ? 'retry' : 'delivered at once';
}

/** For a row that heals: the fault strikes once. For one that is for good it strikes every request with the event. */
async function strike(platform: SandboxPlatform, { status, body, leadsTo }: ErrorRow, eventId: string): Promise<void> {
  const passes = ['retry', 'limit', 'app_limit'].includes(String(leadsTo));
  await stack.sandbox.fault({
    platform,
    match: { path: TARGETS[platform].path, eventId },
    ...(passes && { times: 1 }),
    fault: { kind: 'status', status, body, headers: { 'content-type': 'application/json', ...(String(leadsTo).includes('limit') && { 'retry-after': String(PAUSE_S) }) } },
  });
}

/** What a row led to. */
async function findingOf(platform: SandboxPlatform, row: ErrorRow): Promise<string> {
  const sent = await send(platform, 'row', (bad) => strike(platform, row, bad));
  if (row.leadsTo === 'limit' || row.leadsTo === 'app_limit') {
    const { status, attempts } = await final(sent);
    const [refused, taken] = passagesOf(sent);
    const pausedMs = taken!.startedAt - refused!.startedAt;
    const isRight = status === 'delivered' && attempts === 1 && pausedMs >= PAUSE_S * 1_000 - 60;
    return isRight ? row.leadsTo : `${status} after ${attempts} attempts and ${pausedMs} ms`;
  }
  if (row.leadsTo === 'blocked') {
    await until(sent, ({ status }) => status === 'retrying');
    await sleep(1_500);
    const requests = passagesOf(sent).length;
    const { body } = await stack.call('GET', `/v1/admin/accounts/${sent.accountId}`);
    return requests === 1 && body.status === 'active' ? 'blocked' : `${requests} requests, account ${body.status}`;
  }
  return consequenceOf(sent);
}
/** Empty when it is as it should be. */
async function faultOf(platform: SandboxPlatform, row: ErrorRow): Promise<string[]> {
  const found = await findingOf(platform, row).catch((error: unknown) => String(error));
  return [row.leadsTo].flat().includes(found as never) ? [] : [`${row.name}: expected ${String(row.leadsTo)}, found ${found}`];
}

const pausesAll = ({ leadsTo }: ErrorRow) => leadsTo === 'app_limit';

describe('error tables', () => {
  test.each(['meta', 'google', 'linkedin'] as const)('every row of %s', { timeout: 120_000, concurrent: true }, async (platform) => {
    const { rows } = TARGETS[platform];
    const faults: string[] = [];
    const left = rows.filter((row) => !pausesAll(row)).values();
    const some = async () => {
      for (const row of left) faults.push(...(await faultOf(platform, row)));
    };
    await Promise.all(Array.from({ length: 16 }, some));
    for (const row of rows.filter(pausesAll)) faults.push(...(await faultOf(platform, row)));
    expect(faults).toEqual([]);
    const { accepted, delivered, dead, held, pending } = await stack.ledger(TARGETS[platform].platform);
    expect([accepted, accepted - delivered - dead - held - pending]).toEqual([rows.length * 3, 0]);
    report('platform', { scenario: `${TARGETS[platform].name}: every row of the error table`, events: rows.length * 3, kills: 0, lost: 0, duplicates: 0, recoveryMs: undefined, note: `${rows.length} rows, each with the outcome of its class` });
  });
});

/** What an answer can look like on its way; `taken`: whether the platform had the events by then. */
const SHAPES: readonly (readonly [name: string, taken: boolean, fault: Readonly<Record<string, unknown>> | 'break'])[] = [
  ['no answer at all', false, { kind: 'hang' }],
  ['an answer byte by byte, too slow to end', true, { kind: 'trickle', msPerByte: 200 }],
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
      lost: 0,
      duplicates: results.flatMap(([, , , times]) => times).reduce((sum: number, count) => sum + (count ?? 1) - 1, 0),
      recoveryMs: undefined,
      note: 'duplicates: taken, but not said so',
    });
  });
});
