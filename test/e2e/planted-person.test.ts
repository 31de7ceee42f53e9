import { provideRedis, waitFor, type ProvidedRedis } from '@relay/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PIXEL_2, toGoogle, toLinkedin, toMeta, toSecondMeta, freshIds } from './events.ts';
import { OPS, startRelay, type Json, type Relay } from './harness.ts';
import { aPlantedEvent, found, HASHED, PERSON, PLAIN, readAll, SECRETS } from './planted.ts';

const parts = new AsyncDisposableStack();
let redis: ProvidedRedis;
let relay: Relay;
/** Hashes that went over the wire: the platforms' own normalisation, so ours to look for. */
let wireHashes: readonly string[];
const answers: string[] = [];

const planted = (count = 1) => freshIds('ev', count).map((id) => aPlantedEvent(id));
const noted = async <T extends { readonly text: string }>(answer: Promise<T>): Promise<T> => {
  const got = await answer;
  answers.push(got.text);
  return got;
};
/** A platform that quotes what it refuses: its words are kept, the person in them is not. */
const ECHO = `Invalid value "${PERSON.email.toLowerCase()}" or ${PERSON.email} (${PERSON.phone}, ${PERSON.phone.replaceAll(' ', '')}) from ${PERSON.ipAddress}, ${HASHED[1]}`;

beforeAll(async () => {
  redis = await provideRedis();
  parts.defer(() => redis.stop());
  relay = await startRelay({ redisUrl: redis.url, tap: true, env: { MAX_ATTEMPTS: '3' } });
  parts.defer(() => relay.stop());
  await everyFate();
  wireHashes = [...new Set(relay.wire().flatMap(({ body }) => body.match(/[0-9a-f]{64}/g) ?? []))];
}, 60_000);
afterAll(() => parts.disposeAsync());

/** Delivered, refused, retried, dead, held, waiting: everything that can become of an event. */
async function everyFate(): Promise<void> {
  for (const [n, to] of [toMeta, toGoogle, toLinkedin].entries()) {
    const answer = await noted(relay.send(to(planted(3)), { 'idempotency-key': `${PERSON.externalId}-${n}`, 'x-forwarded-for': PERSON.ipAddress, 'user-agent': PERSON.userAgent }));
    expect(answer.body.status).toBe('delivered');
    await noted(relay.send(to(planted().map((event) => ({ ...event, eventTime: 1_000_000_000 })))));
  }
  // Malformed, in every way that could quote the body.
  const text = JSON.stringify(toMeta(planted()));
  const wrong = [text.slice(0, -1), `${text}${PERSON.email}`, text.replace('"DE"', PERSON.email), text.replace('"eventTime":', `"eventTime":"${PERSON.email}","x":`), text.replace('"DE"', String.raw`"\ud800"`), JSON.stringify(PERSON.email)];
  for (const body of wrong) expect((await noted(relay.call('POST', '/v1/ads/conversions', { body }))).status).toBe(400);
  for (const path of [`/v1/${encodeURIComponent(PERSON.email)}`, `/v1/ads/conversions?accountId=acc_meta&limit=${encodeURIComponent(PERSON.email)}`, `/v1/deliveries/${encodeURIComponent(PERSON.email)}`, `/docs?who=${encodeURIComponent(PERSON.email)}`]) {
    await noted(relay.call('GET', path));
  }
  await noted(relay.call('POST', '/v1/ads/conversions', { body: toMeta(planted()), key: `rk_test_${PERSON.externalId}` }));
  await noted(relay.send({ ...toMeta(planted()), destinationId: PERSON.email }));

  await refusedWithEcho();
  // Used up, by the platform's outage and by its silence.
  await relay.sandbox.fault({ platform: 'google', match: { path: 'ingest' }, times: 3, fault: { kind: 'status', status: 503, body: { error: { code: 503, status: 'UNAVAILABLE', message: ECHO } } } });
  expect((await noted(relay.send(toGoogle(planted(2))))).body.status).toBe('failed');
  await relay.sandbox.fault({ platform: 'linkedin', match: { path: 'conversionEvents' }, times: 1, fault: { kind: 'reset', when: 'after' } });
  expect((await noted(relay.send(toLinkedin(planted(2))))).body.status).toBe('delivered');
  expect((await noted(relay.send(toMeta(planted(2), '9999999999999999')))).body.status).toBe('failed');

  // Held, cooling down, waiting for the next attempt.
  await relay.sandbox.token('linkedin', 'sandbox-linkedin-token', 'revoked');
  const held = await relay.queue(toLinkedin(planted(2)));
  await relay.sandbox.fault({ platform: 'meta', match: { token: 'sandbox-meta-token-2' }, times: 1, fault: { kind: 'rate_limit', variant: '80004', regainMinutes: 30 } });
  const cooling = await relay.queue(toSecondMeta(planted(2)));
  await relay.sandbox.fault({ platform: 'meta', match: { token: 'sandbox-meta-token' }, times: 1, fault: { kind: 'status', status: 503, headers: { 'retry-after': '600' }, body: ECHO } });
  const retrying = await relay.queue(toMeta(planted(2)));
  await waitFor(async () => (await relay.delivery(held)).status === 'held' && (await relay.delivery(cooling)).status === 'retrying' && (await relay.delivery(retrying)).status === 'retrying');

  // Nobody is there to take these.
  await relay.killWorker('SIGTERM');
  for (const to of [toMeta, toGoogle, toLinkedin]) await relay.queue(to(planted(2)));
}

async function refusedWithEcho(): Promise<void> {
  const meta = { error: { message: ECHO, type: 'OAuthException', code: 100, error_subcode: 2804003, error_user_msg: ECHO, fbtrace_id: 'A' } };
  const google = { error: { code: 400, status: 'INVALID_ARGUMENT', message: ECHO, details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'events.events[0].user_data', description: ECHO, reason: 'INVALID_HEX_ENCODING' }] }] } };
  const linkedin = { status: 422, message: `Index: 0, ERROR :: /user/userIds/0 :: ${ECHO}` };
  const faults = [
    ['meta', { kind: 'status', status: 400, body: meta }, toMeta],
    ['google', { kind: 'status', status: 400, body: google }, toGoogle],
    ['linkedin', { kind: 'status', status: 422, body: linkedin }, toLinkedin],
  ] as const;
  for (const [platform, fault, to] of faults) {
    await relay.sandbox.fault({ platform, match: { path: { meta: '/events', google: 'ingest', linkedin: 'conversionEvents' }[platform] }, times: 1, fault });
    const answer = await noted(relay.send(to(planted())));
    expect(answer.body).toMatchObject({ eventsFailed: 1, status: 'failed' });
  }
}

const board = async (path: string): Promise<{ readonly status: number; readonly text: string; readonly body: Json }> => {
  const response = await fetch(`${relay.url}/admin/queues/api/${path}`, { headers: { authorization: `Basic ${btoa(`${OPS.user}:${OPS.password}`)}` } });
  const text = await response.text();
  return { status: response.status, text, body: response.ok ? JSON.parse(text) : undefined };
};
const QUEUES = ['metaads', 'googleads', 'linkedinads', 'metaads.dead', 'googleads.dead', 'linkedinads.dead'];

describe('a person who was in every event', () => {
  test('went to the platforms: there is something to find', () => {
    const wire = relay.wire().map(({ body }) => body).join('\n');
    for (const text of [PERSON.ipAddress, PERSON.userAgent, PERSON.clickIds.gclid, PERSON.lastName, PERSON.externalId]) expect(wire).toContain(text);
    expect(wireHashes.length).toBeGreaterThan(8);
    expect(found(PERSON.email, PLAIN)).toEqual([PERSON.email]);
  });

  test('is nowhere in Redis, and no credential is', async () => {
    const everything = await readAll(relay.redis);
    expect(everything.length).toBeGreaterThan(10_000);
    expect(found(everything, PLAIN)).toEqual([]);
    expect(found(everything, [...HASHED, ...wireHashes])).toEqual([]);
    expect(found(everything, SECRETS)).toEqual([]);
  });

  test('is nowhere in the files that Redis writes', async () => {
    await relay.redis.call('CONFIG', 'SET', 'appendfsync', 'always');
    await relay.redis.set('flushed', 'now');
    const files = await redis.persisted();
    expect(files.includes('flushed')).toBe(true);
    expect(found(files, PLAIN)).toEqual([]);
    expect(found(files, [...HASHED, ...wireHashes])).toEqual([]);
    expect(found(files, SECRETS)).toEqual([]);
  });

  test('is in no line that api and worker have written', () => {
    const lines = relay.logs().map(({ text }) => text).join('\n');
    expect(lines).toContain('"delivery.attempted"');
    expect(lines).toContain('"level":"debug"');
    expect(found(lines, PLAIN)).toEqual([]);
    expect(found(lines, [...HASHED, ...wireHashes])).toEqual([]);
    expect(found(lines, SECRETS)).toEqual([]);
  });

  test('is not on the queue dashboard', async () => {
    let jobs = 0;
    for (const queue of QUEUES) {
      for (const status of ['latest', 'delayed', 'waiting', 'prioritized', 'active', 'failed', 'completed']) {
        const page = await board(`queues?activeQueue=${queue}&status=${status}&page=1&jobsPerPage=50`);
        expect(page.status).toBe(200);
        expect(found(page.text, [...PLAIN, ...HASHED, ...wireHashes, ...SECRETS])).toEqual([]);
        const shown: Json[] = page.body.queues.find(({ name }: Json) => name === queue).jobs;
        jobs += shown.length;
        for (const { id } of shown) {
          const detail = await board(`queues/${queue}/${id}`);
          expect(detail.status).toBe(200);
          expect(detail.text).toMatch(/sealed|statusId/);
          expect(found(detail.text, [...PLAIN, ...HASHED, ...wireHashes, ...SECRETS])).toEqual([]);
        }
      }
    }
    expect(jobs).toBeGreaterThan(10);
  });

  test('is in no answer about deliveries, dead letters or accounts, in no error and in no metric', async () => {
    const letters = await relay.call('GET', '/v1/dead-letters?limit=200');
    expect(letters.body.deadLetters.length).toBeGreaterThanOrEqual(5);
    for (const { id } of letters.body.deadLetters) await noted(relay.call('GET', `/v1/dead-letters/${id}`));
    for (const account of ['acc_meta', 'acc_meta_2', 'acc_google', 'acc_linkedin']) {
      const rows = await noted(relay.call('GET', `/v1/ads/conversions?accountId=${account}&limit=200`));
      for (const { deliveryId } of rows.body.conversions) await noted(relay.call('GET', `/v1/deliveries/${deliveryId}`));
    }
    await noted(relay.call('GET', '/v1/admin/accounts'));
    await noted(relay.call('GET', '/v1/admin/api-keys'));
    answers.push(letters.text, await relay.metrics(), relay.workers.length === 0 ? '' : 'a worker is still there');
    const all = answers.join('\n');
    expect(found(all, PLAIN)).toEqual([]);
    expect(found(all, [...HASHED, ...wireHashes])).toEqual([]);
    expect(found(all, SECRETS)).toEqual([]);
  });

  test('is still there for whom it is: what waited reaches the platforms whole', async () => {
    await relay.sandbox.reset();
    const before = relay.wire().length;
    await relay.startWorker();
    await waitFor(async () => (await relay.sandbox.accepted({ platform: 'google', limit: 0 })).total >= 2);
    expect(relay.wire().slice(before).some(({ body }) => body.includes(PERSON.clickIds.gclid))).toBe(true);
  });

  // A name, a user agent, an external id, a click id and an IPv6 address have none of the shapes that
  // packages/platforms/src/identity/mask.ts knows; packages/delivery/src/unquote.ts takes out what was sent.
  test('is not in the words of a platform that quotes what it was sent in plain', async () => {
    await relay.sandbox.reset();
    await relay.call('PATCH', '/v1/admin/accounts/acc_linkedin', { body: { credentials: { accessToken: 'sandbox-linkedin-token' } } });
    await waitFor(async () => (await relay.sandbox.accepted({ platform: 'linkedin', limit: 0 })).total >= 4, { what: 'what was held and what waited' });
    const ipv6 = '2001:db8:77:cafe::beef';
    // Each of them only what it gets in plain.
    const toldLinkedin = `${PERSON.firstName} ${PERSON.lastName}, ${PERSON.externalId}, ${PERSON.clickIds.li_fat_id}`;
    const toldMeta = `"${PERSON.userAgent}", ${PERSON.clickIds.fbp}, ${PERSON.clickIds.fbc}, ${PERSON.leadId}, ${ipv6}`;
    await relay.sandbox.fault({ platform: 'linkedin', match: { eventId: 'quoted' }, times: 1, fault: { kind: 'status', status: 422, body: { status: 422, message: `Index: 0, ERROR :: /user/userInfo :: invalid ${toldLinkedin}` } } });
    await relay.sandbox.fault({
      platform: 'meta', match: { eventId: 'quoted' }, times: 1,
      fault: { kind: 'status', status: 400, body: { error: { message: `Invalid user_data: ${toldMeta}`, type: 'OAuthException', code: 100, error_subcode: 2804019 } } },
    });
    const quoted = { ...aPlantedEvent('quoted'), user: { ...PERSON, ipAddress: ipv6 } };
    const [lead, sale] = [await relay.send(toLinkedin([quoted])), await relay.send(toMeta([quoted], PIXEL_2))];
    expect([lead.body.status, sale.body.status]).toEqual(['failed', 'failed']);
    const needles = [...PLAIN, ipv6];
    expect(found(lead.text + sale.text, needles)).toEqual([]);
    expect(found(await readAll(relay.redis), needles)).toEqual([]);
    expect(found(relay.logs().map(({ text }) => text).join('\n'), needles)).toEqual([]);
  });
});
