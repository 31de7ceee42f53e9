import { describe, expect, it } from 'vitest';
import { T0 } from '../testing/fake-accounts.ts';
import { openApi } from '../testing/open-api.ts';
import type { BoardQueue } from './board-queue.ts';
import { describeJobData } from './job-data.ts';

const sealed = Buffer.from('x'.repeat(60)).toString('base64');
const chunk = { v: 1, a: 'acc_meta', d: '123', t: 'TEST1', c: 'G-', n: 3, b: 900, x: T0 + 3_600_000, at: T0 - 90_000, p: [{ d: 'dlv_1', k: 0, r: [0, 2] }, { d: 'dlv_2', k: 1, r: [5, 1] }], z: sealed, rl: 'dead_1' };

/** As much of a BullMQ queue as the board asks for to list one job. */
function aQueue(data: unknown): BoardQueue {
  const job = { toJSON: () => ({ id: '1', name: 'chunk', data, opts: {}, attemptsMade: 2, stacktrace: [], timestamp: T0 }) };
  return {
    name: 'metaads',
    metaValues: { version: 'bullmq:6.7.0' },
    opts: {},
    getJobCounts: async () => ({ waiting: 1 }),
    getJobs: async () => [job],
    getJob: async () => job,
    isPaused: async () => false,
    getGlobalConcurrency: async () => null,
    getRateLimitTtl: async () => 0,
    getJobSchedulersCount: async () => 0,
    getWorkers: async () => [],
    client: Promise.resolve({ info: async () => '' }),
  } as unknown as BoardQueue;
}

const login = (user: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });
const bullBoard = { queues: [aQueue(chunk)], user: 'ops', password: 'correct:horse' };

describe('/admin/queues', () => {
  it('is not there without a login in the configuration', async () => {
    await using api = await openApi();
    expect((await api.call('GET', '/admin/queues')).status).toBe(404);
  });

  it.each([{ authorization: '' }, { authorization: 'Bearer rk_root' }, login('ops', 'wrong'), login('root', 'correct:horse'), login('', ''), { authorization: 'Basic !!' }])('asks for the login with %j', async (headers) => {
    await using api = await openApi({ bullBoard });
    for (const url of ['/admin/queues', '/admin/queues/api/queues', '/admin/queues/static/favicon.ico']) {
      const reply = await api.call('GET', url, { headers });
      expect(reply.status).toBe(401);
      expect(reply.headers['www-authenticate']).toContain('Basic realm=');
      expect(reply.body['error']).toBe('Unauthorized');
    }
  });

  it('shows the page, framed by nobody', async () => {
    await using api = await openApi({ bullBoard });
    const page = await api.call('GET', '/admin/queues', { headers: login('ops', 'correct:horse') });
    expect(page.status).toBe(200);
    expect(page.text).toContain('Conversion Relay');
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('shows what a job is about and never its payload', async () => {
    await using api = await openApi({ bullBoard });
    const list = await api.call('GET', '/admin/queues/api/queues?activeQueue=metaads&status=waiting', { headers: login('ops', 'correct:horse') });
    expect(list.status).toBe(200);
    expect(list.text).not.toContain(sealed);
    expect(list.body).toMatchObject({ queues: [{ name: 'metaads', readOnlyMode: true, jobs: [{ data: { account: 'acc_meta', events: 3, payload: 'sealed, 60 bytes' } }] }] });
  });

  it.each(['/api/queues/metaads/1/clean', '/api/queues/metaads/pause', '/api/queues/pause', '/api/queues/metaads/empty'])('refuses to change anything: PUT %s', async (path) => {
    await using api = await openApi({ bullBoard });
    expect(await api.call('PUT', `/admin/queues${path}`, { headers: login('ops', 'correct:horse') })).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  });
});

describe('describeJobData', () => {
  it('reads a chunk of version 1', () => {
    expect(describeJobData(chunk, T0)).toEqual({
      account: 'acc_meta', destination: '123', testCode: 'TEST1', consent: { adUserData: 'granted', adPersonalization: 'not said' }, replayOf: 'dead_1', events: 3, bytes: 900, age: '90 s ago',
      acceptedAt: new Date(T0 - 90_000).toISOString(), firstExpiryAt: new Date(T0 + 3_600_000).toISOString(),
      deliveries: ['dlv_1', 'dlv_2'], chunks: ['dlv_1#0', 'dlv_2#1'], payload: 'sealed, 60 bytes',
    });
  });

  it('reads records with longer names, and shows unknown fields by their kind', () => {
    const data = { v: 1, accountId: 'acc_meta', consent: 'DD', indices: [0, 2], reason: 'rejected', eventIds: ['a'], firstAttemptAtMs: T0, payload: sealed, email: 'planted', more: { user: 'planted' }, list: ['planted'] };
    const shown = describeJobData(data, T0 + 7_200_000);
    expect(shown).toMatchObject({ accountId: 'acc_meta', consent: { adUserData: 'denied' }, indices: [0, 2], reason: 'rejected', eventIds: ['a'], firstAttemptAt: `${new Date(T0).toISOString()} (2 h ago)`, payload: 'sealed, 60 bytes' });
    expect(JSON.stringify(shown)).not.toContain('planted');
  });

  it.each([undefined, null, 5, 'text', [], [1], {}, { v: 1, p: null }, { v: 1, p: [null, 5], at: 'x', x: 1e300, z: 5, c: { a: { b: 1 } } }, { v: 2, p: [] }, Object.create(null)])('survives %j', (data) => {
    expect(() => JSON.stringify(describeJobData(data, T0))).not.toThrow();
    expect(JSON.stringify(describeJobData(data, T0)) ?? 'null').not.toContain('text"');
  });
});
