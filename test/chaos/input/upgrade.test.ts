import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobDataSchema, letterDataSchema, statusDataSchema } from '@relay/redis/testing';
import { SEED } from '@relay/sandbox';
import { freshDatabase, waitFor } from '@relay/testkit';
import { Redis } from 'ioredis';
import { describe, expect, inject, test } from 'vitest';
import { ACTION, anEvent, now, toGoogle, toLinkedin, toMeta, toSecondMeta } from '../../e2e/events.ts';
import { BALANCED, startRelay, type Platform, type Relay } from '../../e2e/harness.ts';
import type { SandboxPlatform } from '../../e2e/sandbox-control.ts';
import { readKeys, writeKeys, type Snapshot, type StoredKey } from '../../fixtures/jobs/snapshot.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/jobs');
const MAKE = process.env['MAKE_JOB_FIXTURE'];
const HOUR_MS = 3_600_000;
const PLATFORMS = ['metaads', 'googleads', 'linkedinads', 'whatsapp'] as const satisfies readonly Platform[];

/** What is in every fixture, by the platform that has to take it in the end. `adjusted` goes to the Google Ads API. */
const EVENTS: Readonly<Record<SandboxPlatform, readonly string[]>> = {
  meta: ['meta-1', 'meta-2', 'meta-test', 'meta-held', 'meta-retrying', 'meta-dead', 'wa-1'],
  google: ['google-1', 'google-2', 'google-dead'],
  linkedin: ['linkedin-1', 'linkedin-2'],
};
const WHATSAPP = SEED.meta.whatsapp;

/** Something of every kind, as the present code writes it; the workers are gone when it ends. */
async function leaveBehind(relay: Relay): Promise<void> {
  const event = (id: string, changes = {}) => anEvent(id, { user: { email: 'someone@example.com' }, ...changes });
  await relay.call('PATCH', '/v1/admin/accounts/acc_wa', { body: { metadata: { wabaId: WHATSAPP.wabaId, phoneNumberId: WHATSAPP.phoneNumberId } } });
  await relay.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } });
  await relay.call('PUT', '/v1/whatsapp/conversations/conv_1', { body: { accountId: 'acc_wa', phoneE164: '40746123456', metadata: { ctwa_clid: 'TEST' } } });
  // Dead, with a status poll beside it, held, and waiting for the next attempt.
  await relay.sandbox.poison('meta', ['meta-dead']);
  await relay.sandbox.poison('google', ['google-dead']);
  for (const body of [toMeta([event('meta-dead')]), toGoogle([event('google-dead')])]) expect((await relay.send(body)).body.status).toBe('failed');
  expect((await relay.send(toGoogle([event('google-polled')]))).body.status).toBe('delivered');
  await relay.sandbox.token('meta', 'sandbox-meta-token-2', 'revoked');
  const held = await relay.queue(toSecondMeta([event('meta-held')]));
  await relay.sandbox.fault({ platform: 'meta', match: { eventId: 'meta-retrying' }, times: 1, fault: { kind: 'status', status: 503, headers: { 'retry-after': '600' } } });
  const retrying = await relay.queue(toMeta([event('meta-retrying')]));
  await waitFor(async () => (await relay.delivery(held)).status === 'held' && (await relay.delivery(retrying)).status === 'retrying');
  await relay.killWorker('SIGTERM');

  const consent = { adUserData: 'GRANTED', adPersonalization: 'DENIED' };
  await relay.queue(toMeta([event('meta-1'), event('meta-2')]));
  await relay.queue({ ...toMeta([event('meta-test')]), testCode: 'TEST77', consent });
  await relay.queue({ ...toGoogle([event('google-1'), event('google-2')]), consent });
  await relay.queue(toLinkedin([event('linkedin-1'), event('linkedin-2')]));
  const asynchronous = { headers: { prefer: 'respond-async' } };
  const adjustments = [{ adjustmentType: 'RESTATEMENT', adjustmentTime: now(), orderId: 'seed-order-1', restatementValue: 7, currency: 'EUR' }];
  expect((await relay.call('POST', '/v1/ads/conversions/adjustments', { body: { accountId: 'acc_google', destinationId: ACTION, adjustments }, ...asynchronous })).status).toBe(202);
  // The one click that a platform takes from anybody.
  const lead = { accountId: 'acc_wa', eventName: 'LeadSubmitted', eventId: 'wa-1', conversationId: 'conv_1', testCode: 'TEST77' };
  expect((await relay.call('POST', '/v1/whatsapp/conversions', { body: lead, ...asynchronous })).status).toBe(202);
}

test.runIf(MAKE !== undefined)('writes the fixture of this version', async () => {
  expect(MAKE).toMatch(/^v\d+$/);
  const secretKey = randomBytes(32).toString('base64');
  const relay = await startRelay({ env: { RELAY_SECRET_KEY: secretKey } });
  try {
    await leaveBehind(relay);
    const keys = await readKeys(relay.redis, /:apikey|:(?:stalled-check|events|lock|tokenlock)\b|:replies:/);
    const snapshot: Snapshot = { version: MAKE!, madeAt: new Date().toISOString(), secretKey, keys };
    writeFileSync(join(FOLDER, `${MAKE}.json`), `${JSON.stringify(snapshot, undefined, 1)}\n`);
  } finally {
    await relay.stop();
  }
});

const fixtures = readdirSync(FOLDER).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Snapshot);

/** The present code on what an older one left behind, an hour after it did: for all processes it is the fixture's day. */
async function startOn(snapshot: Snapshot, keys: readonly StoredKey[] = snapshot.keys): Promise<Relay> {
  const redisUrl = await freshDatabase(inject('redisUrl'));
  const redis = new Redis(redisUrl);
  await writeKeys(redis, keys);
  redis.disconnect();
  const offsetMs = Date.parse(snapshot.madeAt) + HOUR_MS - Date.now();
  const env = { RELAY_SECRET_KEY: snapshot.secretKey, NODE_OPTIONS: `--import=${join(FOLDER, 'clock.mjs')}`, CLOCK_OFFSET_MS: String(offsetMs) };
  return startRelay({ redisUrl, env, workers: 0, sandbox: { 'meta.testClid': true } });
}

/** Jobs and letters of the fixture that are still there, but for the status poll, which comes back until Google is done. What this version adds, such as status polls of its own, is not looked at. */
const leftOf = async (relay: Relay, { keys }: Snapshot): Promise<readonly string[]> => {
  const jobs = keys.filter((stored) => stored.type === 'hash' && stored.value['data'] !== undefined && stored.value['name'] !== 'status').map(({ key }) => key);
  const there = await Promise.all(jobs.map((key) => relay.redis.exists(key)));
  return jobs.filter((_, n) => there[n] === 1);
};
const statusIdOf = ({ keys }: Snapshot): string => {
  const poll = keys.flatMap((stored) => (stored.type === 'hash' && stored.value['name'] === 'status' ? [stored.value['data'] ?? ''] : []))[0];
  return (JSON.parse(poll ?? '{}') as { statusId: string }).statusId;
};
const accepted = async (relay: Relay): Promise<number> => (await Promise.all(PLATFORMS.map((platform) => relay.ledger(platform)))).reduce((sum, row) => sum + row.accepted, 0);
const taken = async (relay: Relay) =>
  Object.fromEntries(await Promise.all(Object.entries(EVENTS).map(async ([platform, ids]) => [platform, Object.fromEntries(await relay.sandbox.timesTaken(platform as SandboxPlatform, ids))] as const)));
const ALL_ONCE = Object.fromEntries(Object.entries(EVENTS).map(([platform, ids]) => [platform, Object.fromEntries(ids.map((id) => [id, 1]))]));

test('every format that this version reads is in a fixture', () => {
  const stored = fixtures.flatMap(({ keys }) => keys).flatMap((one) => (one.type === 'hash' && one.value['data'] !== undefined ? [JSON.parse(one.value['data']) as Record<string, unknown>] : []));
  const of = { job: [jobDataSchema, 'p'], letter: [letterDataSchema, 'reason'], status: [statusDataSchema, 'statusId'] } as const;
  for (const [kind, [schema, mark]] of Object.entries(of)) {
    const held = new Set(stored.filter((data) => mark in data).map(({ v }) => v));
    expect([kind, [...schema.shape.v.values].filter((v) => !held.has(v))]).toEqual([kind, []]);
  }
});

describe.each(fixtures.map((snapshot) => [snapshot.version, snapshot] as const))('what %s left in Redis', (_version, snapshot) => {
  test('has something of every kind', () => {
    const data = snapshot.keys.flatMap((stored) => (stored.type === 'hash' && stored.value['data'] !== undefined ? [JSON.parse(stored.value['data']) as Record<string, unknown>] : []));
    const kinds = data.map((job) => ('statusId' in job ? 'status' : 'reason' in job ? 'letter' : job['j'] === 'adjustment' ? 'adjustment' : 'conversions'));
    expect(new Set(kinds)).toEqual(new Set(['status', 'letter', 'adjustment', 'conversions']));
  });

  test('is drained by this version: delivered once each, held and dead too, and the books balance', async () => {
    const relay = await startOn(snapshot);
    try {
      const before = await accepted(relay);
      // The account was marked while its token was dead; new credentials release what was held.
      await relay.call('PATCH', '/v1/admin/accounts/acc_meta_2', { body: { credentials: { accessToken: 'sandbox-meta-token-2' } } });
      const letters = [...(await relay.deadLetters('platform=metaads')), ...(await relay.deadLetters('platform=googleads'))];
      expect(letters.map(({ eventIds, reason }) => [eventIds, reason])).toEqual([[['meta-dead'], 'rejected'], [['google-dead'], 'rejected']]);
      expect((await relay.call('POST', '/v1/dead-letters/replay', { body: {} })).body).toMatchObject({ replayed: 2, refused: 0 });
      // This run's sandbox has yet to make the dataset that the other run's had.
      expect((await relay.call('POST', '/v1/whatsapp/dataset', { body: { accountId: 'acc_wa' } })).status).toBe(200);
      await relay.startWorker();
      await expect.poll(() => leftOf(relay, snapshot), { timeout: 30_000 }).toEqual([]);
      await expect.poll(() => relay.books(), { timeout: 30_000 }).toEqual(BALANCED);
      await expect.poll(() => relay.logged('delivery.status_polled').map(({ statusId }) => statusId)).toContain(statusIdOf(snapshot));
      expect(await accepted(relay)).toBe(before);
      expect((await Promise.all(PLATFORMS.map((platform) => relay.ledger(platform)))).map(({ dead }) => dead)).toEqual([0, 0, 0, 0]);
      expect((await relay.sandbox.requests('google')).filter(({ route }) => /[Aa]djust/.test(route)).at(-1)).toMatchObject({ status: 200 });
      expect(await taken(relay)).toEqual(ALL_ONCE);
      for (const id of ['meta-1', 'meta-held', 'meta-retrying', 'meta-dead']) {
        const account = id === 'meta-held' ? 'acc_meta_2' : 'acc_meta';
        expect((await relay.call('GET', `/v1/events/${id}?accountId=${account}`)).body.status).toBe('delivered');
      }
      expect(relay.logs().filter(({ text }) => /"level":"(error|fatal)"/.test(text))).toEqual([]);
    } finally {
      await relay.stop();
    }
  });

  test('waits where it is of a version that is not known yet, is counted as pending, and goes out once it is known', async () => {
    const newer = (value: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
      const data = value['data'] === undefined ? undefined : (JSON.parse(value['data']) as { v?: unknown; a?: unknown });
      return data?.a === 'acc_linkedin' ? { ...value, data: JSON.stringify({ ...data, v: 99, whatever: true }) } : value;
    };
    const relay = await startOn(snapshot, snapshot.keys.map((stored) => (stored.type === 'hash' ? { ...stored, value: newer(stored.value) } : stored)));
    try {
      await relay.startWorker();
      await waitFor(() => relay.logged('job.unknown_format').length > 0, { what: 'the worker to meet it' });
      await waitFor(async () => (await relay.redis.zcard('{relay}:linkedinads:delayed')) === 1, { what: 'it to be put aside' });
      expect(await relay.ledger('linkedinads')).toMatchObject({ pending: 2, delivered: 0, dead: 0, imbalance: 0 });
      const [jobId] = await relay.redis.zrange('{relay}:linkedinads:delayed', '0', '-1');
      // The version that knows it: the job as it was, and its time come.
      const data = JSON.parse((await relay.redis.hget(`{relay}:linkedinads:${jobId}`, 'data'))!) as Record<string, unknown>;
      expect(data).toMatchObject({ v: 99, whatever: true });
      await relay.redis.hset(`{relay}:linkedinads:${jobId}`, 'data', JSON.stringify({ ...data, v: 1 }));
      await relay.call('PATCH', '/v1/admin/accounts/acc_linkedin', { body: { metadata: { note: 'upgraded' } } });
      await relay.redis.zadd('{relay}:linkedinads:delayed', '0', jobId!);
      await relay.redis.zadd('{relay}:linkedinads:marker', '0', '0');
      await waitFor(async () => (await relay.ledger('linkedinads')).delivered === 2, { timeoutMs: 20_000, what: 'it to be delivered' });
      expect(await relay.ledger('linkedinads')).toMatchObject({ pending: 0, imbalance: 0 });
    } finally {
      await relay.stop();
    }
  });

  test('says of a dead letter of a version that is not known yet that it cannot be replayed; the others go out', async () => {
    const newer = (value: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
      const data = value['data'] === undefined ? undefined : (JSON.parse(value['data']) as { platform?: unknown });
      return data?.platform === 'googleads' ? { ...value, data: JSON.stringify({ ...data, v: 99 }) } : value;
    };
    const relay = await startOn(snapshot, snapshot.keys.map((stored) => (stored.type === 'hash' ? { ...stored, value: newer(stored.value) } : stored)));
    try {
      const [letter, ...more] = await relay.deadLetters('platform=googleads');
      expect([letter, more]).toEqual([expect.objectContaining({ eventIds: ['google-dead'], replayable: false, whyNot: expect.stringContaining('Upgrade') }), []]);
      const one = await relay.call('POST', `/v1/dead-letters/${letter.id}/replay`, { body: { force: true } });
      expect([one.status, one.body]).toEqual([422, { type: 'invalid_request_error', code: 'not_replayable', error: letter.whyNot }]);
      expect((await relay.call('POST', '/v1/dead-letters/replay', { body: {} })).body).toMatchObject({ replayed: 1, refused: 1, results: expect.arrayContaining([{ id: letter.id, result: 'refused', why: letter.whyNot }]) });
      expect(await relay.deadLetters('platform=googleads')).toEqual([letter]);
    } finally {
      await relay.stop();
    }
  });
});
