import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, freshIds, toMeta } from '../../e2e/events.ts';
import { KEYS, startRelay, type Relay } from '../../e2e/harness.ts';
import { faultOf } from './check-answer.ts';
import { INSPECTED, memoryOfApi } from './memory.ts';
import { speak, type Conversation } from './raw-client.ts';
import { inParallel, LONG, SEED } from './run.ts';

const COUNT = Number(process.env['CHAOS_REQUESTS'] ?? (LONG ? 20_000 : 1_000));
const AT_ONCE = 24;
/** Longer than an answer takes, first or next: a caller that leaves before may not hear of what was taken. */
const FIRST_MS = 3_000;
const QUIET_MS = 1_000;
/** Every client here says after a moment that it is done, so nothing is waited for. */
const DEADLINE_MS = 20_000;

let relay: Relay;
beforeAll(async () => {
  relay = await startRelay({ workers: 0, env: { ...INSPECTED, LOG_LEVEL: 'info', SYNC_WAIT_MS: '0', BODY_LIMIT_BYTES: String(256 * 1024) } });
});
afterAll(() => relay?.stop());

const HOST = 'Host: relay\r\n';
const AUTH = `Authorization: Bearer ${KEYS.full}\r\n`;
const JSON_TYPE = 'Content-Type: application/json\r\n';
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const say = (text: string) => speak(relay.url, [bytes(text)], { deadlineMs: DEADLINE_MS, firstMs: 8_000, quietMs: 150 });
/** A request that would be accepted, to be carried into the dark. */
const sendOf = (id: string): string => {
  const body = JSON.stringify(toMeta([anEvent(id)]));
  return `POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
};
/** What must not be answered as a request of its own. */
const HIDDEN = `GET /v1/admin/accounts HTTP/1.1\r\n${HOST}${AUTH}\r\n`;
const stored = async () => (await relay.ledger('metaads')).accepted;

function faultsOf({ answers, rest, closed }: Conversation): string[] {
  const faults = answers.flatMap((answer) => faultOf(answer, 'GET', '/admin/queues/maybe') ?? []);
  // A 101, 505 and the like would be Node's own words.
  if (rest !== '' && !/^HTTP\/1\.1 (?:200|304) /.test(rest)) faults.push(`left over: ${rest.slice(0, 200)}`);
  if (!closed) faults.push('not closed in time');
  return faults;
}

describe('a request inside another', () => {
  const length = HIDDEN.length;
  const rows: readonly (readonly [name: string, headers: string, body: string])[] = [
    ['both a length and chunks', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['chunks and then a length', `Transfer-Encoding: chunked\r\nContent-Length: ${length + 5}\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['two lengths', `Content-Length: 0\r\nContent-Length: ${length}\r\n`, HIDDEN],
    ['the same length twice', `Content-Length: 2\r\nContent-Length: 2\r\n`, `{}${HIDDEN}`],
    ['a list of lengths', `Content-Length: 0, ${length}\r\n`, HIDDEN],
    ['a length with a sign', `Content-Length: +0\r\n`, HIDDEN],
    ['a negative length', `Content-Length: -1\r\n`, HIDDEN],
    ['a length in hex', `Content-Length: 0x0\r\n`, HIDDEN],
    ['a length with a blank inside', `Content-Length: 0 ${length}\r\n`, HIDDEN],
    ['an enormous length', `Content-Length: 99999999999999999999999\r\n`, HIDDEN],
    ['an empty length', `Content-Length: \r\n`, HIDDEN],
    ['a blank before the colon of the length', `Content-Length : 0\r\n`, HIDDEN],
    ['a blank before the colon of chunks', `Transfer-Encoding : chunked\r\nContent-Length: ${length + 5}\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['chunks that are no chunks', `Transfer-Encoding: xchunked\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['chunks before another coding', `Transfer-Encoding: chunked, identity\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['another coding and a length', `Transfer-Encoding: identity\r\nContent-Length: 0\r\n`, HIDDEN],
    ['chunks twice', `Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['quoted chunks', `Transfer-Encoding: "chunked"\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['chunks behind a tab and a vertical tab', `Transfer-Encoding:\t\x0bchunked\r\nContent-Length: ${length + 5}\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['chunks on a folded line', `Transfer-Encoding:\r\n chunked\r\nContent-Length: ${length + 5}\r\n`, `0\r\n\r\n${HIDDEN}`],
    ['a folded header', `X-Folded: a\r\n Content-Length: 0\r\n`, ''],
    ['a header after a bare LF', `X-A: b\nContent-Length: ${length}\r\n`, HIDDEN],
    ['a header after a bare CR', `X-A: b\rContent-Length: ${length}\r\n`, HIDDEN],
    ['a NUL in a header', `X-A: b\0c\r\nContent-Length: 0\r\n`, HIDDEN],
    ['a chunk size with a sign', `Transfer-Encoding: chunked\r\n`, `+0\r\n\r\n${HIDDEN}`],
    ['a chunk size in 0x', `Transfer-Encoding: chunked\r\n`, `0x0\r\n\r\n${HIDDEN}`],
    ['a chunk size that overflows', `Transfer-Encoding: chunked\r\n`, `10000000000000000\r\n${HIDDEN}`],
    ['a negative chunk size', `Transfer-Encoding: chunked\r\n`, `-1\r\n${HIDDEN}`],
    ['a chunk that ends in LF', `Transfer-Encoding: chunked\r\n`, `2\r\n{}\n0\r\n\r\n${HIDDEN}`],
    ['a chunk size that ends in LF', `Transfer-Encoding: chunked\r\n`, `0\n\n${HIDDEN}`],
    ['a chunk longer than it says', `Transfer-Encoding: chunked\r\n`, `1\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a length among the trailers', `Transfer-Encoding: chunked\r\n`, `2\r\n{}\r\n0\r\nContent-Length: ${length}\r\n\r\n${HIDDEN}`],
    ['a chunk extension with an LF', `Transfer-Encoding: chunked\r\n`, `2;x=\ny\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a chunk extension without end', `Transfer-Encoding: chunked\r\n`, `2;${'x'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
  ];
  test.concurrent.each(rows)('%s: is not answered', async (_name, headers, body) => {
    const { answers, rest, closed } = await say(`POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}${headers}\r\n${body}`);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(faultsOf({ answers, rest, closed, tookMs: 0 })).toEqual([]);
  });

  test.concurrent.each([
    ['trailers', `Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n`, `2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\nX-Trailer: x\r\n\r\n`],
    ['chunk extensions', `Transfer-Encoding: chunked\r\n`, `2;a=b;c="d"\r\n{}\r\n0;e\r\n\r\n`],
    ['chunks of one byte', `Transfer-Encoding: chunked\r\n`, `1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`],
  ])('a body with %s ends where it ends, and the next request is one', async (_name, headers, body) => {
    const { answers } = await say(`POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}${headers}\r\n${body}GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([400, 200]);
    expect(answers[0]!.text).toContain('"invalid_request"');
  });
});

describe('HTTP that is not quite', () => {
  test.concurrent.each<[name: string, request: string, statuses: readonly number[]]>([
    ['nothing', '', []],
    ['blank lines', '\r\n\r\n\r\n', []],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', [400]],
    ['two Hosts', `GET /healthz HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`, [400]],
    ['HTTP/0.9', 'GET /healthz\r\n\r\n', [400]],
    ['HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n', [200]],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['HTTP/9.9', `GET /healthz HTTP/9.9\r\n${HOST}\r\n`, [400]],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]],
    ['an unknown method', `BREW /healthz HTTP/1.1\r\n${HOST}\r\n`, [400]],
    ['a method in small letters', `get /healthz HTTP/1.1\r\n${HOST}\r\n`, [400]],
    ['a blank in the path', `GET /health z HTTP/1.1\r\n${HOST}\r\n`, [400]],
    ['no path', `GET  HTTP/1.1\r\n${HOST}\r\n`, [400]],
    ['another address', `GET http://evil.example/healthz HTTP/1.1\r\n${HOST}\r\n`, [200]],
    ['CONNECT', `CONNECT 169.254.169.254:80 HTTP/1.1\r\n${HOST}\r\n`, []],
    ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, [404]],
    ['an upgrade', `GET /healthz HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, [200]],
    ['a header of 20 KiB', `GET /healthz HTTP/1.1\r\n${HOST}X-A: ${'x'.repeat(20_000)}\r\n\r\n`, [431]],
    ['headers of 200 KiB in small ones', `GET /healthz HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(25_000)}\r\n`, [431]],
    ['a path of 40 KiB', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`, [431]],
    ['an id that is too long for the router', `GET /v1/deliveries/${'x'.repeat(7_000)} HTTP/1.1\r\n${HOST}${AUTH}\r\n`, [400]],
    ['a way out of the static files', `GET /docs/static/%2e%2e/%2e%2e/package.json HTTP/1.1\r\n${HOST}\r\n`, [404]],
    ['an unknown expectation', `POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}`, [400]],
    ['half a request', `POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}Content-Length: 500\r\n\r\n{"accountId"`, [400]],
    ['a body that is announced too large', `POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}Content-Length: 300000\r\n\r\n{`, [413]],
  ])('%s', async (_name, request, statuses) => {
    const talk = await say(request);
    expect(talk.answers.map(({ status }) => status)).toEqual(statuses);
    expect(faultsOf(talk)).toEqual([]);
  });

  test('an expectation of 100 is met', async () => {
    const [id] = freshIds('expect', 1);
    const body = JSON.stringify(toMeta([anEvent(id!)]));
    const head = (key: string) => `POST /v1/ads/conversions HTTP/1.1\r\n${HOST}Authorization: Bearer ${key}\r\n${JSON_TYPE}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect((await say(`${head(KEYS.full)}${body}`)).answers.map(({ status }) => status)).toEqual([202]);
    expect((await say(`${head('nobody')}${body}`)).answers.map(({ status }) => status)).toEqual([401]);
  });

  test('a hundred requests in one write are answered in their order', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `pipelined-${n}`);
    const { answers } = await say(ids.map((id, n) => `GET /${n % 3 === 0 ? 'v1/admin/accounts' : 'healthz'} HTTP/1.1\r\n${HOST}${AUTH}X-Request-Id: ${id}\r\n\r\n`).join(''));
    expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(ids);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('a client that asks and never reads holds no memory', async () => {
    const before = await memoryOfApi(relay);
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await dial();
        socket.pause();
        socket.write(`GET /openapi.json HTTP/1.1\r\n${HOST}\r\n`.repeat(500));
        return socket;
      }),
    );
    await sleep(1_500);
    const during = await memoryOfApi(relay);
    for (const socket of sockets) socket.destroy();
    expect(during.heapMiB + during.externalMiB - before.heapMiB - before.externalMiB).toBeLessThan(60);
    expect((await relay.call('GET', '/healthz')).status).toBe(200);
  });
});

async function dial(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(relay.url).port) });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  return socket;
}

/** Good requests with a few of their bytes changed, in pieces. */
const broken = (id: string): fc.Arbitrary<readonly Buffer[]> => {
  const good = [sendOf(id), `GET /v1/deliveries/x HTTP/1.1\r\n${HOST}${AUTH}\r\n`, `GET /v1/ads/conversions?accountId=acc_meta HTTP/1.1\r\n${HOST}${AUTH}\r\n`, `POST /v1/ads/conversions HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n`];
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(4), put: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constantFrom('\r\n', '\n', '\r', '\0', ' ', '\t', ':', '\r\n\r\n', 'Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', '\r\n ', 'é', '%00', '{', '"').map(bytes)) });
  return fc.record({ base: fc.array(fc.constantFrom(...good), { minLength: 1, maxLength: 3 }), edits: fc.array(edit, { maxLength: 3 }), cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }), noise: fc.oneof({ arbitrary: fc.constant(undefined), weight: 8 }, { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 1 }) }).map(({ base, edits, cuts, noise }) => {
    let text = noise === undefined ? bytes(base.join('')) : Buffer.from(noise);
    for (const { at, cut, put } of edits) {
      const place = Math.floor(at * text.length);
      text = Buffer.concat([text.subarray(0, place), put, text.subarray(place + cut)]);
    }
    const places = [0, ...cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b), text.length];
    return places.slice(1).map((place, n) => text.subarray(places[n], place));
  });
};

describe('bytes of every kind', () => {
  test(`${COUNT} broken requests: never a 5xx, always an answer in shape or the end, no memory kept`, { timeout: LONG ? 1_800_000 : 60_000 }, async () => {
    const before = await memoryOfApi(relay);
    const startedAt = performance.now();
    const statuses = new Map<number, number>();
    const [id] = freshIds('raw', 1);
    const accepted = await stored();
    let taken = 0;
    for (let at = 0; at < COUNT; at += 500) {
      await inParallel(fc.sample(broken(id!), { seed: SEED + at, numRuns: Math.min(500, COUNT - at) }), AT_ONCE, async (pieces) => {
        const talk = await speak(relay.url, pieces, { deadlineMs: DEADLINE_MS, quietMs: QUIET_MS, firstMs: FIRST_MS });
        for (const { status, text } of talk.answers) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 202) taken += (JSON.parse(text) as { eventsFailed: number }).eventsFailed === 0 ? 1 : 0;
        }
        const faults = faultsOf(talk);
        if (faults.length > 0) throw new Error(`${faults.join('; ')} for ${JSON.stringify(Buffer.concat(pieces).toString('latin1'))}`);
      });
    }
    const after = await memoryOfApi(relay);
    console.log(JSON.stringify({ seed: SEED, connections: COUNT, tookS: Math.round((performance.now() - startedAt) / 1000), statuses: Object.fromEntries([...statuses].sort(([a], [b]) => a - b)), before, after }));
    expect(after.heapMiB - before.heapMiB).toBeLessThan(24);
    // Who was told of a refusal has had nothing taken, and who had something taken was told.
    expect((await stored()) - accepted).toBe(taken);
    expect((await relay.call('GET', '/readyz')).status).toBe(200);
    expect(relay.logs().filter(({ text }) => /"level":"(error|fatal)"/.test(text))).toEqual([]);
  });
});
