import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './program.ts';
import { cli, stubRelay, type SeenRequest, type StubReply } from './testing/stub-relay.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function aFile(content: string): Promise<string> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.json`);
  await writeFile(path, content);
  return path;
}

async function run(argv: readonly string[], answer: StubReply | ((request: SeenRequest, count: number) => StubReply) = {}, stdin = '') {
  await using relay = await stubRelay(typeof answer === 'function' ? answer : () => answer);
  return { ...(await cli(relay.url, argv, stdin)), seen: relay.seen };
}

const received = ({ body }: SeenRequest): StubReply => {
  const { events } = JSON.parse(body) as { events: unknown[] };
  return { body: { deliveryId: 'd1', status: 'delivered', eventsReceived: events.length, eventsFailed: 0, failures: [] } };
};
const send = ['send', '-', '--account', 'acc', '--destination', 'dest'];

describe('usage', () => {
  it.each([
    [[]],
    [['nonsense']],
    [['send', 'x.json', '--account', 'a']],
    [[...send, '--batch', '0']],
    [[...send, '--batch', 'many']],
    [[...send, '--async', '--wait', '5']],
    [[...send, '--consent-ad-user-data', 'YES']],
    [[...send, '--idempotency-prefix', 'a b']],
    [['accounts', 'add', 'acc', '--platform', 'tiktok', '--credentials', '-']],
    [['accounts', 'update', 'acc']],
    [['dead', 'replay']],
    [['dead', 'replay', 'dl_1', '--all']],
    [['send', '/no/such/file', '--account', 'a', '--destination', 'd']],
  ])('%j ends with 2 and asks the relay nothing', async (argv) => {
    const { code, err, seen } = await run(argv);
    expect(code).toBe(2);
    expect(err).not.toBe('');
    expect(seen).toHaveLength(0);
  });

  it('shows help with 0', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('RELAY_API_KEY');
  });

  it('asks for the key in a sentence', async () => {
    let err = '';
    const io = { env: {}, stdin: process.stdin, out: () => undefined, err: (text: string) => void (err += text), isTty: false };
    expect(await runCli(['log', '--account', 'a'], io)).toBe(2);
    expect(err).toMatch(/RELAY_API_KEY is not set/);
  });

  it('ends with 2 when the relay cannot be reached', async () => {
    expect((await cli('http://127.0.0.1:1', ['log', '--account', 'a'])).code).toBe(2);
  });
});

describe('errors of the relay', () => {
  const refusal = { status: 403, body: { error: 'This key may not use acc.', code: 'account_not_allowed', param: 'accountId', details: [{ path: 'a.b', message: 'is required' }] } };

  it('prints its sentence and ends with 1', async () => {
    const { code, err } = await run(['log', '--account', 'acc'], refusal);
    expect(code).toBe(1);
    expect(err).toBe('error: This key may not use acc. (HTTP 403, account_not_allowed, at accountId)\n  a.b: is required\n');
  });

  it('prints JSON where JSON is wanted', async () => {
    const { err } = await run(['log', '--account', 'acc', '--json'], refusal);
    expect(JSON.parse(err)).toMatchObject({ status: 403, error: 'This key may not use acc.', code: 'account_not_allowed' });
  });
});

describe('send', () => {
  it('sends batches under keys of one prefix', async () => {
    const lines = [1, 2, 3].map((n) => `${JSON.stringify({ eventId: `e${n}`, secondsAgo: n })}\n`).join('');
    const { code, out, seen } = await run([...send, '--batch', '2', '--rebase-to', '1000', '--idempotency-prefix', 'night', '--async', '--test-code', 'T'], received, lines);
    expect(code).toBe(0);
    expect(out).toContain('sent       3 events in 2 requests');
    const bodies = seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>).toSorted((a, b) => JSON.stringify(b).length - JSON.stringify(a).length);
    expect(bodies[0]).toEqual({ accountId: 'acc', destinationId: 'dest', testCode: 'T', events: [{ eventId: 'e1', eventTime: 999 }, { eventId: 'e2', eventTime: 998 }] });
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual(expect.arrayContaining(['night-0', 'night-1']));
    expect(seen[0]?.headers['prefer']).toBe('respond-async');
  });

  it('names a bad line, sends the rest, and ends with 1', async () => {
    const { code, out, seen } = await run(send, received, '{"eventId":"a","eventTime":1}\nnope\n');
    expect(code).toBe(1);
    expect(out).toContain('line 2 is not JSON');
    expect(seen).toHaveLength(1);
  });

  it('says which line a failure came from', async () => {
    const failures = [{ eventIndex: 1, eventId: 'b', code: 'no_match_keys', message: 'Nothing to match.' }];
    const { code, out } = await run([...send, '--json'], { body: { deliveryId: 'd', status: 'partial', eventsReceived: 1, eventsFailed: 1, failures } }, '\n{"eventId":"a"}\n\n{"eventId":"b"}\n');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ received: 1, failed: 1, failures: [{ place: 4, eventId: 'b' }], complete: true });
  });

  it('goes on after a batch that is refused on its own', async () => {
    const answer = (request: SeenRequest) => (request.body.includes('"bad"') ? { status: 400, body: { error: 'events[0].eventTime is required.' } } : received(request));
    const { code, out, seen } = await run([...send, '--batch', '1', '--concurrency', '1'], answer, '{"eventId":"bad"}\n{"eventId":"b"}\n');
    expect(code).toBe(1);
    expect(seen).toHaveLength(2);
    expect(out).toContain('line 1 (1 events)  HTTP 400');
  });

  it('stops at a refusal that every batch would meet, and says how to go on', async () => {
    const answer = (request: SeenRequest, count: number) => (count === 1 ? received(request) : { status: 401, body: { error: 'Unauthorized' } });
    const { code, err, seen } = await run([...send, '--batch', '1', '--concurrency', '1', '--idempotency-prefix', 'p'], answer, '{"eventId":"a"}\n{"eventId":"b"}\n{"eventId":"c"}\n');
    expect(code).toBe(1);
    expect(seen).toHaveLength(2);
    expect(err).toContain('--batch 1 --idempotency-prefix p');
    expect(err).toContain('Unauthorized');
  });

  it('refuses an empty file', async () => {
    expect((await run(send, {}, '')).code).toBe(2);
  });
});

describe('accounts and keys', () => {
  it('reads credentials from a file', async () => {
    const path = await aFile('{"accessToken":"secret-1"}');
    const { code, seen } = await run(['accounts', 'add', 'acc', '--platform', 'metaads', '--credentials', path], { status: 201, body: { id: 'acc', platform: 'metaads', status: 'active' } });
    expect(code).toBe(0);
    expect(seen[0]).toMatchObject({ method: 'POST', path: '/v1/admin/accounts' });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ id: 'acc', platform: 'metaads', credentials: { accessToken: 'secret-1' } });
  });

  it('reads credentials from standard input and tells what was released', async () => {
    const { out, seen } = await run(['accounts', 'update', 'acc', '--credentials', '-'], { body: { id: 'acc', platform: 'metaads', status: 'active', releasedEvents: 40 } }, '{"accessToken":"new"}');
    expect(seen[0]).toMatchObject({ method: 'PATCH', path: '/v1/admin/accounts/acc', body: '{"credentials":{"accessToken":"new"}}' });
    expect(out).toContain('released 40 held events');
  });

  it('never quotes credentials that are no JSON', async () => {
    const { code, err } = await run(['accounts', 'add', 'a', '--platform', 'metaads', '--credentials', '-'], {}, 'secret-token');
    expect(code).toBe(2);
    expect(err).not.toContain('secret-token');
  });

  it('prints a new key alone on standard output', async () => {
    const { out, err } = await run(['keys', 'create', 'shop', '--scopes', 'send, read'], { status: 201, body: { id: 'key_1', key: 'rk_live_x' } });
    expect(out).toBe('rk_live_x\n');
    expect(err).toContain('key_1');
  });
});

describe('delivery', () => {
  it('follows until the end and ends with 1 when events failed', async () => {
    const answer = (_request: SeenRequest, count: number) => ({ body: { deliveryId: 'd1', status: count === 1 ? 'retrying' : 'partial', eventsReceived: 1, eventsFailed: count - 1, failures: [], chunks: [] } });
    const { code, err, out, seen } = await run(['delivery', 'd1', '--follow'], answer);
    expect(seen).toHaveLength(2);
    expect(code).toBe(1);
    expect(err).toContain('retrying');
    expect(out).toContain('1 delivered, 1 failed');
  });
});

describe('dead', () => {
  it('says how to go on with a replay that stopped before its end', async () => {
    const { out } = await run(['dead', 'replay', '--all'], { body: { replayed: 2, refused: 0, more: true, nextCursor: '2s..1.' } });
    expect(out).toContain('run the same command again with --cursor 2s..1.');
    const { seen } = await run(['dead', 'replay', '--all', '--cursor', '2s..1.'], { body: { replayed: 2, refused: 0 } });
    expect(seen[0]).toMatchObject({ body: '{"cursor":"2s..1."}' });
  });

  it('replays by filter', async () => {
    const { code, seen } = await run(['dead', 'replay', '--all', '--platform', 'metaads', '--force'], { body: { replayed: 2, refused: 0 } });
    expect(code).toBe(0);
    expect(seen[0]).toMatchObject({ path: '/v1/dead-letters/replay', body: '{"platform":"metaads","force":true}' });
  });

  it('encodes ids', async () => {
    const { seen } = await run(['dead', 'discard', 'a/b']);
    expect(seen[0]).toMatchObject({ method: 'DELETE', path: '/v1/dead-letters/a%2Fb' });
  });
});

describe('health', () => {
  it('needs no key and ends with 1 while the relay is not ready', async () => {
    const answer = ({ path }: SeenRequest): StubReply => (path === '/readyz' ? { status: 503, body: { ready: false } } : { body: { ok: true } });
    const { code, out, seen } = await run(['health', '--json'], answer);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ live: true, ready: false });
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });
});
